"""How bundle files travel: httpx under python-tuf's fetcher port, going on where a link broke.

A 4 MB file over a link that resets every 0.25 MB arrives with resumption and never without;
with `partials` it also goes on after the application was closed. What arrives is not trusted
here: python-tuf checks length and hash of every file.

Bounds: python-tuf stops at the signed length; a silence ends with the client's own timeout; a
server that drips is left by the two bounds of `Pace`, in the headers after `HEADERS_S`.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import BinaryIO, Final

import httpx
from tuf.api.exceptions import DownloadError, DownloadHTTPError
from tuf.ngclient import FetcherInterface

from ddx.domain.course import StoppedError
from sync_service.client.budget import ByteBudget
from sync_service.client.partials import WORTH_KEEPING_BYTES, Partial, Partials
from sync_service.client.waiting import waited

_FRUITLESS: Final = 3
"""Connections in a row that may bring no byte before the download is given up for now."""

SLOW_WINDOW_S: Final = 60.0
SLOW_BYTES: Final = 4096
"""Least that must arrive in each window: 0.5 kbit/s, below 1 % of what a 64 kbit/s link brings in
one. An estimate of a link still worth waiting for: at this pace a megabyte takes four hours."""

FILE_S: Final = 3600.0
"""Longest time for one file in one attempt; what came waits for the next one. A 64 kbit/s link
brings 28.8 MB in it, four times the bundle that ships (6.9 MB); the factor is an estimate."""

HEADERS_S: Final = 120.0
"""Longest wait for the head of an answer. httpx bounds each silence in it, not the whole."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How slow a server may be: `window_bytes` in each `window_s`, one file within `file_s`.

    Raises:
        ValueError: a bound that is not above zero would refuse or allow everything.
    """

    window_s: float = SLOW_WINDOW_S
    window_bytes: int = SLOW_BYTES
    file_s: float = FILE_S

    def __post_init__(self) -> None:
        if not min(self.window_s, self.window_bytes, self.file_s) > 0:
            raise ValueError("the bounds of a slow download must be above zero")


_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")


class HttpxFetcher(FetcherInterface):
    """Downloads over one httpx client (timeouts, proxy and authorities are the client's)."""

    def __init__(
        self,
        client: httpx.Client,
        *,
        partials: Partials | None = None,
        budget: ByteBudget | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic_s: Callable[[], float] = time.monotonic,
        headers_s: float = HEADERS_S,
        pace: Pace | None = None,
        may_go_on: Callable[[], bool] = lambda: True,
    ) -> None:
        """Bind the ports.

        may_go_on: asked while an answer is awaited and at each piece of it; once it says no,
        StoppedError is raised, and what came is kept as of a link that broke.

        partials: where files that broke off wait; none are kept when not given. budget: of the
        files a bundle is made of; metadata is counted and never refused, for orders of the
        safety role travel in it. pace: how slow a server may be; the house's when not given.
        """
        self._client, self._partials, self._budget = client, partials, budget
        self._sleep, self._monotonic_s, self._headers_s = sleep, monotonic_s, headers_s
        self._pace, self._may_go_on = pace or Pace(), may_go_on

    def _fetch(self, url: str) -> Iterator[bytes]:
        pace = _Watch(self._pace, self._monotonic_s)
        download = _Download(self._client, url, self._partials, self._headers_s, self._may_go_on)
        fruitless = 0
        try:
            while not download.complete:
                if not self._may_go_on():
                    raise StoppedError("the download was ended on request")
                before = download.received
                try:
                    yield from download.go_on(self._spend(url), pace)
                except httpx.HTTPError as error:
                    fruitless = fruitless + 1 if download.received == before else 0
                    if fruitless >= _FRUITLESS:
                        raise DownloadError(f"{type(error).__name__} while downloading") from error
                    self._sleep(0.5 * 2.0**fruitless)
        finally:
            if self._budget is not None:
                self._budget.save()

    def _spend(self, url: str) -> Callable[[int], None]:
        if self._budget is None:
            return lambda _: None
        if "/targets/" in url:
            self._budget.check()
            return self._budget.spend
        return self._budget.count


class _Watch:
    """Whether enough of one file arrives, over as many connections as it takes."""

    def __init__(self, pace: Pace, monotonic_s: Callable[[], float]) -> None:
        self._pace, self._monotonic_s = pace, monotonic_s
        self._began_s = self._since_s = monotonic_s()
        self._arrived = 0

    def arrived(self, count: int) -> None:
        """Count bytes. Raises DownloadError when a window brought too few, or time is up."""
        self._arrived += count
        pace, now_s = self._pace, self._monotonic_s()
        if now_s - self._began_s >= pace.file_s:
            raise DownloadError(f"not complete in {pace.file_s:g} s")
        if now_s - self._since_s < pace.window_s:
            return
        if self._arrived < pace.window_bytes:
            raise DownloadError(f"less than {pace.window_bytes} bytes in {pace.window_s:g} s")
        self._since_s, self._arrived = now_s, 0


class _Download:
    """One file over as many connections as it takes.

    received: bytes we have, on the disk or handed over; handed: bytes handed over.
    """

    def __init__(
        self,
        client: httpx.Client,
        url: str,
        partials: Partials | None,
        headers_s: float,
        may_go_on: Callable[[], bool],
    ) -> None:
        self._client, self._url, self._headers_s = client, url, headers_s
        self._may_go_on = may_go_on
        self._partials = partials
        self._kept: Partial | None = None if partials is None else partials.find(url)
        self._etag = self._kept.etag if self._kept else ""
        self.received = self._kept.length if self._kept else 0
        self._handed = 0
        self.complete = False

    def go_on(self, spend: Callable[[int], None], pace: _Watch) -> Iterator[bytes]:
        """Yield the bytes not handed over yet. Raises httpx errors when the link breaks."""
        with ExitStack() as stack:
            response = self._answer()
            stack.callback(response.close)
            skip = self._accept(response)
            yield from self._from_disk()
            disk = self._disk(response)
            if disk is not None:
                stack.enter_context(disk)
            for chunk in response.iter_raw():
                pace.arrived(len(chunk))
                if not self._may_go_on():
                    raise StoppedError("the download was ended on request")
                fresh, skip = chunk[skip:], max(0, skip - len(chunk))
                disk = _written(disk, fresh)
                self.received += len(fresh)
                spend(len(chunk))
                if fresh:
                    self._handed += len(fresh)
                    yield fresh
        self.complete = True
        if self._partials is not None:
            self._partials.drop(self._url)

    def _answer(self) -> httpx.Response:
        request = self._client.build_request("GET", self._url, headers=self._headers())
        try:
            return waited(
                lambda: self._client.send(request, stream=True),
                seconds=self._headers_s,  # one byte a minute never reaches httpx's own timeout
                may_go_on=self._may_go_on,
                unwanted=_closed,
            )
        except TimeoutError as error:
            raise DownloadError(str(error)) from error

    def _headers(self) -> dict[str, str]:
        headers = {"Accept-Encoding": "identity", "Accept": "*/*"}
        if self.received and self._etag:
            headers |= {"Range": f"bytes={self.received}-", "If-Range": self._etag}
        return headers

    def _accept(self, response: httpx.Response) -> int:
        """Return how many leading bytes of this answer we already have."""
        status, etag = response.status_code, response.headers.get("ETag", "")
        if not self._handed and self.received and not (status == 206 and etag == self._etag):
            self._forget()
            if status == 416:  # what we hold is not the beginning of what is there
                raise httpx.ReadError("the part on this disk does not fit")
        if status not in {200, 206}:
            raise DownloadHTTPError(f"status {status}", status)
        if self.received and etag != self._etag:
            raise DownloadError("the file changed while it was downloaded")
        self._etag = "" if etag.startswith("W/") else etag
        begins = _start(response) if status == 206 else 0
        if begins > self.received:
            raise DownloadError("a partial answer that begins after what is missing")
        return self.received - begins

    def _forget(self) -> None:
        """Begin anew: the server holds another file than the one this disk has a part of."""
        self.received, self._etag, self._kept = 0, "", None
        if self._partials is not None:
            self._partials.drop(self._url)

    def _from_disk(self) -> Iterator[bytes]:
        if self._kept is None or self._handed:
            return
        try:
            for chunk in self._kept.chunks():
                self._handed += len(chunk)
                yield chunk
        except OSError as error:
            raise DownloadError("what was kept of the file cannot be read") from error
        if self._handed != self._kept.length:
            raise DownloadError("what was kept of the file is shorter now")

    def _disk(self, response: httpx.Response) -> BinaryIO | None:
        """Return where to keep what arrives, if it is worth it and can be named again."""
        if self._partials is None or not self._etag.startswith('"'):
            return None
        if self.received:
            kept = self._partials.find(self._url)
            whole = kept is not None and kept.length == self.received
            return self._partials.go_on(kept) if kept is not None and whole else None
        length = response.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) < WORTH_KEEPING_BYTES:
            return None
        return self._partials.begin(self._url, self._etag)


def _written(disk: BinaryIO | None, fresh: bytes) -> BinaryIO | None:
    """Write to the partial; return None from when the disk refuses (the download goes on)."""
    if disk is None or not fresh:
        return disk
    try:
        whole = disk.write(fresh) == len(fresh)
    except OSError:
        return None
    return disk if whole else None


def _closed(late: httpx.Response) -> None:
    with suppress(httpx.HTTPError):
        late.close()


def _start(response: httpx.Response) -> int:
    """Return where a partial answer begins. Raises DownloadError when it does not say."""
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if match is None:
        raise DownloadError("a partial answer that does not say which part it is")
    return int(match.group(1))
