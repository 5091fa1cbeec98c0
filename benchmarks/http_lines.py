"""Prepared HTTP/1.1 requests over kept connections, for a generator that shares the processors.

A general client spends as long on a request as the server's own HTTP does; this one writes bytes
made before the clock starts and reads no more of an answer than its status and its length.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast
from urllib.parse import urlsplit

LOST: Final = "connection lost"
UNANSWERED: Final = "unanswered"

Told = Callable[[str], None]
"""Called once for each request with the status ("200"), LOST or UNANSWERED."""


def prepared(url: str, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """Return a POST as it goes over the wire."""
    named = {"Host": urlsplit(url).netloc, "Content-Length": str(len(body)), **headers}
    lines = (f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items()))
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Lines:
    """Connections to one server, one request at a time on each; as many as are needed at once."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._host, self._port = address.hostname, address.port
        self._free: list[_Line] = []
        self._busy: set[_Line] = set()

    async def ask(self, request: bytes, told: Told) -> None:
        """Send; return when it is on its way."""
        line = self._free.pop() if self._free else await self._open(told)
        if line is not None:
            self._busy.add(line)
            line.send(request, told)

    async def _open(self, told: Told) -> "_Line | None":
        try:
            loop = asyncio.get_running_loop()
            _, line = await loop.create_connection(lambda: _Line(self), self._host, self._port)
        except OSError:
            told(LOST)
            return None
        return line

    @property
    def waiting(self) -> int:
        """How many requests have no answer yet."""
        return len(self._busy)

    def free(self, line: "_Line", *, lost: bool) -> None:
        """Take a connection back after an answer, or forget it."""
        self._busy.discard(line)
        if not lost:
            self._free.append(line)
        elif line in self._free:
            self._free.remove(line)

    def close(self) -> None:
        """Close all; whoever still waits is told so."""
        for line in (*self._free, *self._busy):
            line.give_up()


class _Line(asyncio.Protocol):
    def __init__(self, lines: Lines) -> None:
        self._lines, self._told = lines, None
        self._got, self._whole = bytearray(), 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # a connection over TCP

    def send(self, request: bytes, told: Told) -> None:
        self._told, self._whole = told, 0
        self._got.clear()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._got += data
        if not self._whole:
            self._whole = _length(self._got)
        if self._whole and len(self._got) >= self._whole:
            told, self._told = self._told, None
            self._lines.free(self, lost=self._transport.is_closing())
            told(self._got[9:12].decode())

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002
        self._lines.free(self, lost=True)
        self._end(LOST)

    def give_up(self) -> None:
        self._end(UNANSWERED)
        self._transport.abort()

    def _end(self, how: str) -> None:
        told, self._told = self._told, None
        if told is not None:
            told(how)


def _length(got: bytearray) -> int:
    """Return how long head and body are; 0 while the head is not whole."""
    end = got.find(b"\r\n\r\n")
    if end < 0:
        return 0
    fields: Sequence[bytes] = bytes(got[:end]).lower().split(b"\r\n")
    said = next(f for f in fields if f.startswith(b"content-length:"))
    return end + 4 + int(said.partition(b":")[2])
