"""What stands between the pages and the world: headers, sizes, rates, and forms that only our own pages can send."""

import asyncio
import contextlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import h11
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_FORM_BYTES = 4096
_MAX_FIELDS = 16
_MAX_BODY_S = 20
_OTHER_SITE = "The form was sent by another site. Please open your link again, and answer there."

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers hide the origin of our own forms from us
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Robots-Tag": "noindex, nofollow",
}


_RAW_HEADERS = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]


class SecurityHeaders:
    """Adds the security headers to every response; pages are never cached, so that "back" asks the server again."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(one for one in _RAW_HEADERS if one[0] not in given)]
            await send(message)

        # A body that breaks off has its 400 already, from the HTTP layer: h11 refuses what we would say after it.
        with contextlib.suppress(h11.LocalProtocolError):
            await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class Rates:
    """Token buckets: `burst` requests at once, `per_second` in the long run, for each of the latest 4096 callers."""

    def __init__(self, per_second: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second, self._burst, self._clock = per_second, burst, clock
        self._left: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def spend(self, caller: Hashable) -> None:
        """Counts one request.

        Raises:
            HTTPException: 429, the caller asked too often.
        """
        now = self._clock()
        left, since = self._left.pop(caller, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._per_second)
        self._left[caller] = (max(left - 1, 0.0), now)
        while len(self._left) > 4096:
            self._left.popitem(last=False)
        if left < 1:
            raise HTTPException(429, "Too many requests. Wait a few seconds.", {"Retry-After": "5"})


async def read_form(request: Request) -> dict[str, str]:
    """Returns the fields of a form that one of our own pages sent.

    Raises:
        HTTPException: 403 from another site, 408 not whole in time, 413 too large, 415 or 400 not a form.
    """
    _refuse_other_sites(request)
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise HTTPException(415, "This is no form of a page of ours. Please open your link again.")
    body = await _read_body(request, MAX_FORM_BYTES)
    try:
        fields = parse_qsl(body.decode("utf-8"), max_num_fields=_MAX_FIELDS, errors="strict", keep_blank_values=True)
    except ValueError as error:
        raise HTTPException(400, "The form cannot be read. Please open your link again.") from error
    return dict(fields)


async def read_json(request: Request, max_bytes: int) -> dict[str, Any]:
    """Returns the JSON object that a script of our own pages sent.

    Raises:
        HTTPException: 403 from another site, 408 not whole in time, 413 too large, 415 or 400 not a JSON object.
    """
    _refuse_other_sites(request)
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise HTTPException(415, "This is not sent by a page of ours. Please open your link again.")
    try:
        content = json.loads(await _read_body(request, max_bytes))
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "What was sent cannot be read. Please open your link again.") from error
    if not isinstance(content, dict):
        raise HTTPException(400, "What was sent cannot be read. Please open your link again.")
    return content


async def _read_body(request: Request, max_bytes: int) -> bytes:
    try:
        return await asyncio.wait_for(_read_stream(request, max_bytes), _MAX_BODY_S)
    except (ClientDisconnect, asyncio.TimeoutError) as error:
        raise HTTPException(408, "The form did not arrive whole. Please open your link again.") from error


async def _read_stream(request: Request, max_bytes: int) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise HTTPException(413, "The form is too large. Please open your link again, and write less.")
    return body


def _refuse_other_sites(request: Request) -> None:
    if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        raise HTTPException(403, _OTHER_SITE)
    origin = request.headers.get("origin")
    try:
        is_ours = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    except ValueError:
        is_ours = False
    if not is_ours:
        raise HTTPException(403, _OTHER_SITE)
