"""Downloads over a link that breaks."""

import httpx
import pytest
from tuf.api.exceptions import DownloadError, DownloadHTTPError

from sync_service.client.fetcher import HttpxFetcher

CONTENT = bytes(range(256)) * 40
URL = "https://cloud.example/bundles/targets/x"


class Broken(httpx.SyncByteStream):
    """Gives some bytes, then the link breaks."""

    def __init__(self, content, limit):
        self.content, self.limit = content, limit

    def __iter__(self):
        for start in range(0, min(self.limit, len(self.content)), 100):
            yield self.content[start : start + 100]
        if self.limit < len(self.content):
            raise httpx.ReadError("reset")


class Server:
    """One file, Range and If-Range; every connection breaks after `limit` bytes."""

    def __init__(self, limit, *, ranges=True, etag='"v1"'):
        self.limit, self.ranges, self.etag = limit, ranges, etag
        self.requests, self.sent = [], 0

    def __call__(self, request):
        self.requests.append(request.headers.get("Range"))
        start = int((request.headers.get("Range") or "bytes=0-")[6:-1])
        if not self.ranges or request.headers.get("If-Range") != self.etag:
            start = 0
        headers = {"ETag": self.etag}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
        return httpx.Response(
            206 if start else 200, headers=headers, stream=Broken(CONTENT[start:], self.limit)
        )


def download(server):
    client = httpx.Client(transport=httpx.MockTransport(server))
    return b"".join(HttpxFetcher(client, sleep=lambda _: None).fetch(URL))


def test_a_whole_link_needs_one_request():
    server = Server(limit=10**9)
    assert download(server) == CONTENT
    assert server.requests == [None]


def test_a_link_that_breaks_every_kilobyte_goes_on_where_it_broke():
    server = Server(limit=1000)
    assert download(server) == CONTENT
    assert server.requests[:3] == [None, "bytes=1000-", "bytes=2000-"]


def test_a_server_without_ranges_still_gives_no_byte_twice():
    server = Server(limit=10**9, ranges=False)
    calls = iter([500])

    def first_breaks(request):
        server.limit = next(calls, 10**9)
        return server(request)

    assert download(first_breaks) == CONTENT


def test_a_file_that_changed_meanwhile_is_given_up():
    server = Server(limit=1000)

    def changes(request):
        answer = server(request)
        server.etag = '"v2"'
        return answer

    with pytest.raises(DownloadError, match="changed"):
        download(changes)


def test_a_link_that_brings_nothing_is_given_up():
    server = Server(limit=0)
    with pytest.raises(DownloadError):
        download(server)
    assert len(server.requests) == 3


def test_a_missing_file_is_said_to_be_missing():
    with pytest.raises(DownloadHTTPError) as missing:
        download(lambda request: httpx.Response(404))
    assert missing.value.status_code == 404


def test_a_partial_answer_must_say_which_part_it_is():
    answers = iter([Broken(CONTENT, 1000)])

    def silent(request):
        stream = next(answers, None)
        if stream is not None:
            return httpx.Response(200, headers={"ETag": '"v1"'}, stream=stream)
        return httpx.Response(206, headers={"ETag": '"v1"'}, content=CONTENT[1000:])

    with pytest.raises(DownloadError, match="which part"):
        download(silent)
