"""Requests straight into the server, as raw as its HTTP layer lets them through, and what no response may hold."""

import asyncio
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from qscore.study.app import make_app
from qscore.study.folder import Study
from qscore.study.store import Store
from qscore.study.tokens import Tokens
from tests.study.conftest import SECRET_GROUP, Clock

FORM = b"application/x-www-form-urlencoded"
HEADERS = {
    b"content-security-policy": b"default-src 'none'",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
}


@dataclass(frozen=True)
class Request:
    """`target` as it stands in the first line of HTTP; `body` in the pieces that arrive."""

    method: str
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: tuple[bytes, ...] = ()
    hangs_up: bool = False

    @property
    def path(self) -> str:
        return unquote(self.target.partition(b"?")[0].decode("ascii"))


@dataclass(frozen=True)
class Reply:
    status: int = 0  # 0: none, since nobody waits for it
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""


class World:
    """A study with its people, its server, and a clock."""

    def __init__(self, study: Study, clock: Clock) -> None:
        self.study, self.clock = study, clock
        self.people: dict[str, int] = {}
        self.store, self.tokens = Store(study, clock), Tokens(study.folder)
        self._loop = asyncio.new_event_loop()
        self.restart()

    def restart(self) -> None:
        self._app = make_app(self.study, clock=self.clock, requests_per_second=1e9)

    def close(self) -> None:
        self._loop.close()
        self.store.database.close()

    def token(self, person: str) -> str:
        return self.tokens.annotator(self.people[person])

    def ask(self, request: Request) -> Reply:
        """Raises what the server did not expect."""
        return self._loop.run_until_complete(self._ask(request))

    async def _ask(self, request: Request) -> Reply:
        path, query = request.path, request.target.partition(b"?")[2]
        scope = {
            **{"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "root_path": ""},
            **{"method": request.method, "path": path, "raw_path": request.target, "query_string": query},
            **{"headers": list(request.headers), "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8000)},
        }
        pieces, sent = list(request.body), []

        async def receive() -> dict[str, Any]:
            if not pieces and request.hangs_up:
                return {"type": "http.disconnect"}
            body = pieces.pop(0) if pieces else b""
            return {"type": "http.request", "body": body, "more_body": bool(pieces) or request.hangs_up}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        if not sent:
            return Reply()
        return Reply(sent[0]["status"], tuple(sent[0]["headers"]), b"".join(one["body"] for one in sent[1:]))

    def secrets(self, path: str) -> list[bytes]:
        """What may stand in no response to this path."""
        trials = self.study.trials.values()
        named = {name for one in trials for name in (one.id, one.query_id, *one.images) if name}
        named |= {SECRET_GROUP, "catch", "correct", str(self.study.folder), "Traceback", "sqlite"}
        if self.tokens.owner() not in path.split("/"):
            named |= {self.tokens.owner()}
            named |= {token for token in map(self.token, self.people) if token not in path.split("/")}
        return [name.encode() for name in named]


def check(world: World, request: Request, reply: Reply) -> None:
    """What holds of every response."""
    assert reply.status < 500
    headers = dict(reply.headers)
    whole = b"\n".join([*(b": ".join(one) for one in reply.headers), reply.body])
    assert [secret for secret in world.secrets(request.path) if secret in whole] == []
    assert {name: headers[name][: len(value)] for name, value in HEADERS.items()} == HEADERS
    assert b"cache-control" in headers
    assert b"set-cookie" not in headers
    assert headers.get(b"location", b"/")[:1] == b"/"
    if reply.status >= 400:
        assert headers[b"content-type"] == b"text/html; charset=utf-8"
        message = re.search(rb"<h1>That did not work</h1>\s*<p>([^<]+)</p>", reply.body)
        assert message is not None
        assert re.search(rb"Please|Wait|Thank you", message[1]), "what to do is said"
