"""Downloads of bundles from a real server over links that break, drip or never end."""

import itertools
import random
from collections.abc import Generator

import httpx
import pytest
from support.bad_link import bad_link
from tuf.api.exceptions import DownloadError, DownloadLengthMismatchError

from sync_service.client.fetcher import HttpxFetcher, Pace
from sync_service.client.partials import Partials

MEMBER = random.Random(20261126).randbytes(4_000_000)


@pytest.fixture
def served(tmp_path):
    folder = tmp_path / "served"
    (folder / "targets").mkdir(parents=True)
    (folder / "targets" / "member").write_bytes(MEMBER)
    return folder


@pytest.fixture
def http():
    with httpx.Client(trust_env=False) as client:
        yield client


def fetch(http, link, **ports):
    fetcher = HttpxFetcher(http, sleep=lambda _: None, **ports)
    return b"".join(fetcher.fetch(f"{link.url}/targets/member"))


def test_4_mb_over_a_link_that_resets_every_quarter_arrive_with_2_2_times_the_bytes(
    served, http, tmp_path, record_property
):
    with bad_link(served, reset_after=250_000) as link:
        assert fetch(http, link, partials=Partials(tmp_path / "partials")) == MEMBER
    record_property("wire_ratio", link.sent / len(MEMBER))
    assert len(link.requests) >= 16
    assert link.sent <= 2.2 * len(MEMBER)
    assert list((tmp_path / "partials").iterdir()) == []


def test_an_application_closed_in_the_middle_goes_on_where_it_was(served, http, tmp_path):
    partials = Partials(tmp_path / "partials")
    with bad_link(served) as link:
        chunks = HttpxFetcher(http, partials=partials).fetch(f"{link.url}/targets/member")
        begun = sum(len(chunk) for chunk in itertools.islice(chunks, 20))
        assert isinstance(chunks, Generator)
        chunks.close()
    with bad_link(served) as again:
        moved = Partials(tmp_path / "partials")
        before = moved.find(f"{link.url}/targets/member")
        assert before.length == begun
        # the address is the same in a clinic; here the port is another, so the file is renamed
        for suffix in ("part", "etag"):
            old = before.path.with_suffix(f".{suffix}")
            old.rename(moved._paths(f"{again.url}/targets/member")[suffix == "etag"])
        assert fetch(http, again, partials=moved) == MEMBER
    assert again.requests == [("/targets/member", f"bytes={begun}-")]
    assert again.sent == len(MEMBER) - begun


def test_a_partial_of_another_file_is_thrown_away(served, http, tmp_path):
    partials = Partials(tmp_path / "partials")
    with bad_link(served) as link:
        url = f"{link.url}/targets/member"
        with partials.begin(url, '"of something else"') as handle:
            handle.write(b"not the beginning of the member")
        assert fetch(http, link, partials=partials) == MEMBER
    assert link.sent == len(MEMBER)


def test_a_partial_longer_than_the_file_begins_anew(served, http, tmp_path):
    partials = Partials(tmp_path / "partials")
    short = MEMBER[:100_000]
    (served / "targets" / "member").write_bytes(short)

    def asks_too_much(request):
        if "Range" in request.headers:
            return httpx.Response(416)
        return httpx.Response(200, headers={"ETag": '"v1"'}, stream=httpx.ByteStream(short))

    url = "https://cloud.example/targets/member"
    with partials.begin(url, '"v1"') as handle:
        handle.write(MEMBER[:200_000])
    client = httpx.Client(transport=httpx.MockTransport(asks_too_much))
    fetcher = HttpxFetcher(client, partials=partials, sleep=lambda _: None)
    assert b"".join(fetcher.fetch(url)) == short


def test_a_disk_that_keeps_nothing_does_not_stop_the_download(served, http, tmp_path):
    (tmp_path / "partials").write_bytes(b"a file where the folder should be")
    with bad_link(served, reset_after=1_000_000) as link:
        assert fetch(http, link, partials=Partials(tmp_path / "partials")) == MEMBER


def test_a_server_that_never_finishes_its_head_is_left(served, http):
    with bad_link(served) as link:
        link.stalling = True
        with pytest.raises(DownloadError, match="no answer"):
            fetch(http, link, headers_s=0.2)
        assert not link.released.is_set()


def test_a_server_that_drips_is_left_and_what_came_is_kept(tmp_path):
    clock = itertools.count(0.0, 13.0)

    class Drip(httpx.SyncByteStream):
        def __iter__(self):
            return itertools.repeat(b"x")

    def drips(request):
        headers = {"ETag": '"v1"', "Content-Length": str(len(MEMBER))}
        return httpx.Response(200, headers=headers, stream=Drip())

    client = httpx.Client(transport=httpx.MockTransport(drips))
    partials = Partials(tmp_path)
    fetcher = HttpxFetcher(client, partials=partials, monotonic_s=lambda: next(clock))
    url = "https://cloud.example/targets/member"
    with pytest.raises(DownloadError, match="less than"):
        list(fetcher.fetch(url))
    assert 0 < partials.find(url).length < 10


def test_a_server_just_above_the_floor_is_left_at_the_deadline_and_the_next_goes_on(tmp_path):
    """64 bytes a second: above the floor, and four megabytes would take seventeen hours."""
    clock = itertools.count(0.0, 1.0)
    asked = []

    def slow(request):
        asked.append(request.headers.get("Range"))
        start = int((asked[-1] or "bytes=0-")[6:-1])
        step = 128 if start == 0 else 1_000_000
        pieces = (MEMBER[at : at + step] for at in range(start, len(MEMBER), step))
        stream = httpx.Response(200, content=pieces).stream
        headers = {"ETag": '"v1"', "Content-Length": str(len(MEMBER) - start)}
        headers |= {"Content-Range": f"bytes {start}-{len(MEMBER) - 1}/{len(MEMBER)}"}
        return httpx.Response(206 if start else 200, headers=headers, stream=stream)

    partials = Partials(tmp_path)
    client = httpx.Client(transport=httpx.MockTransport(slow))
    fetcher = HttpxFetcher(client, partials=partials, monotonic_s=lambda: next(clock))
    url = "https://cloud.example/targets/member"
    with pytest.raises(DownloadError, match="not complete in 3600 s"):
        list(fetcher.fetch(url))
    kept = partials.find(url).length
    assert kept == 128 * 3599
    assert b"".join(fetcher.fetch(url)) == MEMBER
    assert asked == [None, f"bytes={kept}-"]


@pytest.mark.parametrize("bound", ["window_s", "window_bytes", "file_s"])
def test_bounds_that_bound_nothing_are_refused(bound):
    with pytest.raises(ValueError, match="above zero"):
        Pace(**{bound: 0})


def test_a_64_kbit_link_is_far_from_both_bounds():
    """Twice the bundle that ships, at the slowest link a clinic is planned with."""
    second = 64_000 // 8
    pace = Pace()
    assert second * pace.window_s > 100 * pace.window_bytes
    assert second * pace.file_s > 2 * 6_900_000


def test_a_link_that_breaks_after_every_byte_is_left(tmp_path):
    clock = itertools.count(0.0, 13.0)

    class OneByte(httpx.SyncByteStream):
        def __iter__(self):
            yield b"x"
            raise httpx.ReadError("reset")

    def one(request):
        start = int((request.headers.get("Range") or "bytes=0-")[6:-1])
        headers = {"ETag": '"v1"', "Content-Range": f"bytes {start}-99/100"}
        return httpx.Response(206 if start else 200, headers=headers, stream=OneByte())

    client = httpx.Client(transport=httpx.MockTransport(one))
    fetcher = HttpxFetcher(client, sleep=lambda _: None, monotonic_s=lambda: next(clock))
    with pytest.raises(DownloadError, match="less than"):
        list(fetcher.fetch("https://cloud.example/targets/member"))


def test_a_body_without_an_end_is_cut_at_the_signed_length(served, http, tmp_path):
    with bad_link(served) as link:
        link.endless = True
        fetcher = HttpxFetcher(http, partials=Partials(tmp_path / "partials"))
        with (
            pytest.raises(DownloadLengthMismatchError),
            fetcher.download_file(f"{link.url}/targets/member", len(MEMBER)),
        ):
            pass
