"""The HTTP of a browser, and no more, so that a generator of load measures the server and not itself."""

import asyncio
from urllib.parse import urlencode

Response = tuple[int, dict[bytes, bytes], bytes]  # status, headers with their names in lower case, body


class Browser:
    """One connection that is kept, and opened again when it breaks."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> Response:
        """Asks for a page or an image.

        Raises:
            OSError: there is no answer.
        """
        return await self._ask(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n\r\n".encode())

    async def post(self, path: str, fields: dict[str, str]) -> Response:
        """Sends a form."""
        body = urlencode(fields)
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nContent-Length: {len(body)}\r\n"
        return await self._ask(f"{head}Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}".encode())

    def close(self) -> None:
        """Leaves the connection."""
        if self._streams:
            self._streams[1].close()
        self._streams = None

    async def _ask(self, request: bytes) -> Response:
        try:
            if self._streams is None or self._streams[0].at_eof():
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._streams
            writer.write(request)
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(b": ") for line in lines)}
            body = await reader.readexactly(int(headers[b"content-length"]))
        except asyncio.IncompleteReadError as error:
            self.close()
            raise ConnectionResetError("the answer is cut off") from error
        except OSError:
            self.close()
            raise
        return int(first.split()[1]), headers, body
