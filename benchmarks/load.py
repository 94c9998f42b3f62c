"""Annotators who answer a study in their browsers, all at once, and what they waited for."""

import asyncio
import math
import random
import re
import time

from benchmarks.browser import Browser, Response

_FIELDS = re.compile(rb'name="(form|assignment)" value="([^"]+)"')
RECOVERY_S = 3.0  # after a kill: the server starts, and everybody comes back at once
_PRELOAD = re.compile(rb'data-preload="([^"]*)"')


class Load:
    """Annotators, what they waited for, and what the server confirmed."""

    def __init__(self, port: int, think_s: float) -> None:
        self.port, self.think_s = port, think_s
        self.pages: list[float] = []
        self.pages_after_kills: list[float] = []
        self.killed = -math.inf
        self.images: list[float] = []
        self.lags: list[float] = []
        self.confirmed: list[str] = []

    async def annotate(self, link: str) -> None:
        """Answers until nothing is left; what fails while the server is down is tried again."""
        browser = Browser(self.port)
        await asyncio.sleep(random.uniform(0, 2 * self.think_s))
        page = b""
        while True:
            try:
                page = page or await self._page(browser, f"{link}/next")
                fields = {name.decode(): value.decode() for name, value in _FIELDS.findall(page)}
                if not fields:
                    return browser.close()
                for image in _PRELOAD.findall(page)[0].decode().split():
                    start = time.perf_counter()
                    _checked(await browser.get(image), 200)
                    self.images.append(time.perf_counter() - start)
                await self._think()
                page = await self._page(browser, f"{link}/answer", fields | {"choice": "left"})
            except OSError:
                page = b""
                await self._think()

    async def _think(self) -> None:
        await asyncio.sleep(random.uniform(0.5, 1.5) * self.think_s)

    async def watch(self) -> None:
        """Notes how late this process comes."""
        while True:
            start = time.perf_counter()
            await asyncio.sleep(0.02)
            self.lags.append(time.perf_counter() - start - 0.02)

    async def _page(self, browser: Browser, path: str, fields: dict[str, str] | None = None) -> bytes:
        start = time.perf_counter()
        if fields:
            _, headers, _ = _checked(await browser.post(path, fields), 303)
            self.confirmed.append(fields["assignment"])
            path = headers[b"location"].decode()
        page = _checked(await browser.get(path), 200)[2]
        pages = self.pages_after_kills if start < self.killed + RECOVERY_S else self.pages
        pages.append(time.perf_counter() - start)
        return page


def _checked(response: Response, status: int) -> Response:
    if response[0] != status:
        raise RuntimeError(f"expected {status}, got {response[0]}: {response[2][:500]!r}")
    return response
