"""How bundle files travel: httpx under python-tuf's fetcher port, going on where a link broke.

A 4 MB file over a link that resets every 0.25 MB arrives with resumption and never without.
What arrives is not trusted here: python-tuf checks length and hash of every file.
"""

import re
import time
from collections.abc import Callable, Iterator
from typing import Final

import httpx
from tuf.api.exceptions import DownloadError, DownloadHTTPError
from tuf.ngclient import FetcherInterface

_FRUITLESS: Final = 3
"""Connections in a row that may bring no byte before the download is given up for now."""

_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")


class HttpxFetcher(FetcherInterface):
    """Downloads over one httpx client (timeouts, proxy and authorities are the client's)."""

    def __init__(
        self, client: httpx.Client, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._client, self._sleep = client, sleep

    def _fetch(self, url: str) -> Iterator[bytes]:
        download = _Download(self._client, url)
        fruitless = 0
        while not download.complete:
            before = download.received
            try:
                yield from download.go_on()
            except httpx.HTTPError as error:
                fruitless = fruitless + 1 if download.received == before else 0
                if fruitless >= _FRUITLESS:
                    raise DownloadError(f"{type(error).__name__} while downloading") from error
                self._sleep(0.5 * 2.0**fruitless)


class _Download:
    """One file over as many connections as it takes."""

    def __init__(self, client: httpx.Client, url: str) -> None:
        self._client, self._url = client, url
        self._etag = ""
        self.received = 0
        self.complete = False

    def go_on(self) -> Iterator[bytes]:
        """Yield the bytes not received yet. Raises httpx errors when the link breaks."""
        with self._client.stream("GET", self._url, headers=self._headers()) as response:
            skip = self._accept(response)
            for chunk in response.iter_raw():
                fresh, skip = chunk[skip:], max(0, skip - len(chunk))
                self.received += len(fresh)
                if fresh:
                    yield fresh
        self.complete = True

    def _headers(self) -> dict[str, str]:
        headers = {"Accept-Encoding": "identity", "Accept": "*/*"}
        if self.received and self._etag:
            headers |= {"Range": f"bytes={self.received}-", "If-Range": self._etag}
        return headers

    def _accept(self, response: httpx.Response) -> int:
        """Return how many leading bytes of this answer we already have."""
        if response.status_code not in {200, 206}:
            raise DownloadHTTPError(f"status {response.status_code}", response.status_code)
        etag = response.headers.get("ETag", "")
        if self.received and etag != self._etag:
            raise DownloadError("the file changed while it was downloaded")
        self._etag = "" if etag.startswith("W/") else etag
        return self.received - (_start(response) if response.status_code == 206 else 0)


def _start(response: httpx.Response) -> int:
    """Return where a partial answer begins. Raises DownloadError when it does not say."""
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if match is None:
        raise DownloadError("a partial answer that does not say which part it is")
    return int(match.group(1))
