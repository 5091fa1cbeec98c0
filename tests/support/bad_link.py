"""A real loopback server of files over a link that misbehaves: resets, drips, never ends."""

import contextlib
import hashlib
import http.server
import re
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

_RANGE = re.compile(r"bytes=(\d+)-")
_CHUNK = 16_384


class BadLink(http.server.ThreadingHTTPServer):
    """Serves `folder` with Range and If-Range.

    reset_after: body bytes of one connection after which the link is reset; None never.
    sent: body bytes put on the wire. requests: (path, Range header) in order. bodies: bytes of
    every body sent, errors too. drip: bytes sent of a head before it stalls until `released`.
    """

    daemon_threads = True

    def __init__(self, folder: Path, *, reset_after: int | None = None) -> None:
        self.folder, self.reset_after = folder, reset_after
        self.sent, self.bodies = 0, 0
        self.requests: list[tuple[str, str | None]] = []
        self.stalling, self.endless = False, False
        self.released = threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: BadLink

    def log_message(self, *args):
        pass

    def do_GET(self):
        self.server.requests.append((self.path, self.headers.get("Range")))
        if self.server.stalling:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: a")
            self.server.released.wait()
            self.close_connection = True
            return
        path = self.server.folder / self.path.lstrip("/")
        if not path.is_file():
            self._refuse()
            return
        content = path.read_bytes()
        etag = f'"{hashlib.sha256(content).hexdigest()}"'
        start = self._start(etag)
        self.send_response(206 if start else 200)
        self.send_header("ETag", etag)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if not self.server.endless:
            self.send_header("Content-Length", str(len(content) - start))
        else:
            self.send_header("Connection", "close")
        self.end_headers()
        self._body(content[start:])

    def _refuse(self):
        body = b'{"code":"http.404"}'
        self.send_response(404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.server.bodies += len(body)

    def _start(self, etag: str) -> int:
        asked = _RANGE.fullmatch(self.headers.get("Range", ""))
        return int(asked.group(1)) if asked and self.headers.get("If-Range") == etag else 0

    def _body(self, content: bytes) -> None:
        limit, here = self.server.reset_after, 0
        with contextlib.suppress(OSError):
            while content or self.server.endless:
                piece = content[:_CHUNK] if limit is None else content[: min(_CHUNK, limit - here)]
                if not content:
                    piece = bytes(_CHUNK)
                self.wfile.write(piece)
                here += len(piece)
                self.server.sent += len(piece)
                self.server.bodies += len(piece)
                content = content[len(piece) :]
                if limit is not None and here >= limit and content:
                    self._reset()
                    return

    def _reset(self) -> None:
        """Close with RST once what was sent has crossed the link.

        Without the wait the sender's own buffer is thrown away with the connection, and how much
        was in it depends on how busy the machine is, not on the link.
        """
        while _in_flight(self.connection) and not self.server.released.wait(0.002):
            pass
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()
        self.rfile = self.wfile = _Closed()


def _in_flight(connection: socket.socket) -> int:
    """Return the bytes sent and not acknowledged yet; 0 where the system does not tell."""
    if sys.platform != "linux":
        return 0
    import fcntl
    import termios

    told = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, struct.pack("i", 0))
    return int(struct.unpack("i", told)[0])


class _Closed:
    closed = True

    def flush(self):
        pass

    def close(self):
        pass


@contextlib.contextmanager
def bad_link(folder: Path, *, reset_after: int | None = None) -> Iterator[BadLink]:
    """Serve `folder` in a thread until the block ends."""
    with BadLink(folder, reset_after=reset_after) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.released.set()
            server.shutdown()
            thread.join()
