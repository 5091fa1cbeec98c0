"""A day's allowance of bytes."""

from datetime import date

import httpx
import pytest

from model_bundles.errors import BundleBudgetError
from sync_service.client.budget import ByteBudget
from sync_service.client.fetcher import HttpxFetcher
from sync_service.client.partials import Partials

CONTENT = bytes(range(256)) * 400
URL = "https://cloud.example/bundles/targets/x"


class Calendar:
    def __init__(self):
        self.day = date(2026, 11, 26)

    def __call__(self):
        return self.day


@pytest.fixture
def calendar():
    return Calendar()


class Pieces(httpx.SyncByteStream):
    def __init__(self, content):
        self.content = content

    def __iter__(self):
        return (self.content[at : at + 1000] for at in range(0, len(self.content), 1000))


@pytest.fixture
def http():
    def serve(request):
        start = int((request.headers.get("Range") or "bytes=0-")[6:-1])
        headers = {
            "ETag": '"v1"',
            "Content-Range": f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}",
            "Content-Length": str(len(CONTENT) - start),
        }
        return httpx.Response(
            206 if start else 200, headers=headers, stream=Pieces(CONTENT[start:])
        )

    return httpx.Client(transport=httpx.MockTransport(serve))


def test_what_is_spent_is_remembered_by_the_next_start(tmp_path, calendar):
    budget = ByteBudget(tmp_path / "budget.json", 1000, today=calendar)
    budget.spend(400)
    budget.save()
    assert ByteBudget(tmp_path / "budget.json", 1000, today=calendar).left == 600


def test_a_new_day_has_its_own_bytes_and_a_clock_set_back_does_not(tmp_path, calendar):
    budget = ByteBudget(tmp_path / "budget.json", 1000, today=calendar)
    with pytest.raises(BundleBudgetError):
        budget.spend(1500)
    calendar.day = date(2026, 11, 20)
    assert ByteBudget(tmp_path / "budget.json", 1000, today=calendar).left == 0
    calendar.day = date(2026, 11, 27)
    assert ByteBudget(tmp_path / "budget.json", 1000, today=calendar).left == 1000


def test_a_spoiled_memory_gives_one_day_more_and_no_error(tmp_path, calendar):
    (tmp_path / "budget.json").write_bytes(b"\0\xff")
    assert ByteBudget(tmp_path / "budget.json", 1000, today=calendar).left == 1000


def test_a_download_over_several_days_arrives_whole_and_travels_once(tmp_path, calendar, http):
    partials, got, days = Partials(tmp_path / "partials"), b"", 0
    limit = len(CONTENT) // 3
    while not got:
        budget = ByteBudget(tmp_path / "budget.json", limit, today=calendar)
        fetcher = HttpxFetcher(http, partials=partials, budget=budget)
        chunks = fetcher.fetch(URL)
        try:
            got = b"".join(chunks)
        except BundleBudgetError:
            days += 1
            calendar.day = date(2026, 11, 26 + days)
            assert days < 4
    assert got == CONTENT
    assert days >= 1


def test_metadata_is_counted_and_never_refused(tmp_path, calendar, http):
    budget = ByteBudget(tmp_path / "budget.json", 100, today=calendar)
    fetcher = HttpxFetcher(http, budget=budget)
    url = "https://cloud.example/bundles/metadata/timestamp.json"
    assert b"".join(fetcher.fetch(url)) == CONTENT
    assert budget.left == 0
    assert b"".join(fetcher.fetch(url)) == CONTENT
    with pytest.raises(BundleBudgetError):
        list(fetcher.fetch(URL))
