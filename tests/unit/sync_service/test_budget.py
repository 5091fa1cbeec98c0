"""A day's allowance of bytes: one for records and bundles."""

from datetime import UTC, datetime

import httpx
import pytest

from ddx.domain.metering import ByteRule, MeteredPolicy
from model_bundles.errors import BundleBudgetError
from sync_service.client.budget import ByteBudget
from sync_service.client.fetcher import HttpxFetcher
from sync_service.client.meter import BUDGET, LinkCost, MemoryLedger, Meter
from sync_service.client.partials import Partials

CONTENT = bytes(range(256)) * 400
URL = "https://cloud.example/bundles/targets/x"


class Calendar:
    def __init__(self):
        self.day = 26

    def __call__(self):
        return datetime(2026, 11, self.day, 12, tzinfo=UTC)


@pytest.fixture
def calendar():
    return Calendar()


@pytest.fixture
def meter(calendar):
    """Return a maker of the meters of one clinic: each stands for a process, the ledger stays."""
    ledger = MemoryLedger()

    def made(budget_bytes, *, cost=LinkCost.PAID):
        return Meter(
            ledger,
            rule=lambda: ByteRule(policy=MeteredPolicy.ALLOW, budget_bytes=budget_bytes),
            cost=lambda: cost,
            now=calendar,
        )

    return made


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


def test_records_and_bundles_spend_one_budget(meter):
    budget = ByteBudget(meter(1000))
    budget.spend(400)
    budget.save()
    meter(1000).count(200)  # records, of another process
    assert ByteBudget(meter(1000)).left == 150  # a quarter of the day is kept for records
    assert meter(1000).wait_s(1) == (0.0, "")
    assert meter(1000).wait_s(2)[1] == BUDGET


def test_a_bundle_leaves_a_quarter_of_the_day_for_records(meter):
    budget = ByteBudget(meter(4000))
    with pytest.raises(BundleBudgetError):
        budget.spend(3000)
    assert meter(4000).wait_s(3) == (0.0, "")


def test_what_records_spend_meanwhile_stops_a_download(meter):
    budget, records = ByteBudget(meter(200_000)), meter(200_000)
    budget.spend(70_000)
    records.count(100_000)
    with pytest.raises(BundleBudgetError):
        budget.spend(70_000)


def test_a_new_day_has_its_own_bytes_and_a_clock_set_back_does_not(meter, calendar):
    with pytest.raises(BundleBudgetError):
        ByteBudget(meter(1000)).spend(1500)
    calendar.day = 20
    assert ByteBudget(meter(1000)).left == 0
    calendar.day = 27
    assert ByteBudget(meter(1000)).left == 750


def test_a_free_link_has_no_limit_and_counts_nothing(meter):
    budget = ByteBudget(meter(1000, cost=LinkCost.FREE))
    budget.spend(1_000_000)
    budget.save()
    assert budget.left is None
    assert ByteBudget(meter(1000)).left == 750


def test_a_download_over_several_days_arrives_whole_and_travels_once(
    tmp_path, calendar, meter, http
):
    partials, got, days = Partials(tmp_path / "partials"), b"", 0
    limit = len(CONTENT) // 2
    while not got:
        fetcher = HttpxFetcher(http, partials=partials, budget=ByteBudget(meter(limit)))
        chunks = fetcher.fetch(URL)
        try:
            got = b"".join(chunks)
        except BundleBudgetError:
            days += 1
            calendar.day = 26 + days
            assert days < 4
    assert got == CONTENT
    assert days >= 1


def test_metadata_is_counted_and_never_refused(meter, http):
    budget = ByteBudget(meter(100))
    fetcher = HttpxFetcher(http, budget=budget)
    url = "https://cloud.example/bundles/metadata/timestamp.json"
    assert b"".join(fetcher.fetch(url)) == CONTENT
    assert budget.left == 0
    assert b"".join(fetcher.fetch(url)) == CONTENT
    with pytest.raises(BundleBudgetError):
        list(fetcher.fetch(URL))
