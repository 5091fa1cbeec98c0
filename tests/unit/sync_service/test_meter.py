"""The device's own rule about bytes on links that are paid for."""

from datetime import UTC, datetime

import pytest
from support.memory_outbox import MemoryOutbox
from support.memory_sink import MemorySink
from support.sync_records import SOFTWARE, a_diagnosis, an_identity
from support.sync_world import Link

from ddx.domain.metering import ByteRule, MeteredPolicy
from sync_service.client.meter import (
    BUDGET,
    ESTIMATED_RECORD_BYTES,
    METERED,
    DayBytes,
    LinkCost,
    MemoryLedger,
    Meter,
)
from sync_service.client.paid_link import PaidLink, link_cost, networkmanager_says
from sync_service.client.runner import Phase, Runner

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATE = datetime(2026, 11, 23, 23, 59, 30, tzinfo=UTC)


def a_meter(
    ledger=None, *, cost=LinkCost.PAID, policy=MeteredPolicy.RECORDS_ONLY, budget=0, at=NOON
):
    return Meter(
        ledger or MemoryLedger(),
        rule=lambda: ByteRule(policy=policy, budget_bytes=budget),
        cost=lambda: cost,
        now=lambda: at,
    )


def test_a_free_link_has_no_rule_and_costs_nothing():
    ledger = MemoryLedger()
    meter = a_meter(ledger, cost=LinkCost.FREE, policy=MeteredPolicy.NOTHING, budget=1)
    meter.count(10_000)
    assert meter.wait_s(50) == (0.0, "")
    assert meter.lets_bundles_pass()
    assert ledger.spent("2026-11-23") == 0


@pytest.mark.parametrize(
    ("policy", "records", "bundles"),
    [
        (MeteredPolicy.ALLOW, True, True),
        (MeteredPolicy.RECORDS_ONLY, True, False),
        (MeteredPolicy.NOTHING, False, False),
    ],
)
def test_a_policy_says_what_may_travel_on_a_paid_link(policy, records, bundles):
    meter = a_meter(policy=policy)
    assert (meter.wait_s(1) == (0.0, "")) is records
    assert meter.lets_bundles_pass() is bundles
    if not records:
        assert meter.wait_s(1)[1] == METERED


def test_the_days_bytes_are_not_overspent_and_a_new_day_begins_again():
    ledger = MemoryLedger()
    meter = a_meter(ledger, budget=10 * ESTIMATED_RECORD_BYTES)
    assert meter.wait_s(10) == (0.0, "")
    meter.count(1)
    assert meter.wait_s(10)[1] == BUDGET
    assert meter.wait_s(9) == (0.0, "")
    assert a_meter(ledger, budget=100, at=LATE).wait_s(50) == (30.0, BUDGET)
    tomorrow = datetime(2026, 11, 24, 0, 0, 1, tzinfo=UTC)
    assert a_meter(ledger, budget=10 * ESTIMATED_RECORD_BYTES, at=tomorrow).wait_s(10)[0] == 0


def test_a_rule_that_changes_meanwhile_counts_from_then_on():
    rules = [ByteRule(), ByteRule(policy=MeteredPolicy.NOTHING)]
    meter = Meter(MemoryLedger(), rule=lambda: rules[-1], cost=lambda: LinkCost.PAID)
    assert meter.wait_s(1)[1] == METERED
    rules.pop()
    assert meter.wait_s(1) == (0.0, "")


def test_a_runner_holds_its_records_and_goes_on_when_the_link_is_free():
    outbox, paid = MemoryOutbox(), [True]
    outbox.add(a_diagnosis())
    link = Link(dice=None, sink=MemorySink(), healed=True)
    meter = Meter(
        MemoryLedger(),
        rule=lambda: ByteRule(policy=MeteredPolicy.NOTHING),
        cost=lambda: LinkCost.PAID if paid[0] else LinkCost.FREE,
    )
    runner = Runner(outbox, link, an_identity(), software=lambda: SOFTWARE, allowance=meter)
    report = runner.run_once()
    assert (report.phase, report.code) == (Phase.HELD, METERED)
    assert link.sink.log == []
    paid[0] = False
    assert runner.run_once().phase is Phase.IDLE
    assert len(link.sink.log) == 1


def test_the_person_who_set_the_clinic_up_has_the_last_word():
    def never():
        raise AssertionError("asked")

    assert link_cost(PaidLink.YES, ask=never)() is LinkCost.PAID
    assert link_cost(PaidLink.NO, ask=never)() is LinkCost.FREE


def test_the_system_is_asked_once_a_minute():
    asked, now = [], [0.0]

    def ask():
        asked.append(now[0])
        return LinkCost.PAID if len(asked) == 1 else LinkCost.FREE

    question = link_cost(PaidLink.AUTO, ask=ask, monotonic_s=lambda: now[0])
    assert [question(), question()] == [LinkCost.PAID] * 2
    now[0] = 61.0
    assert question() is LinkCost.FREE
    assert asked == [0.0, 61.0]


@pytest.mark.parametrize(
    ("printed", "cost"),
    [
        ("no (guessed)\nyes (guessed)", LinkCost.PAID),
        ("no\nunknown", LinkCost.FREE),
        ("unknown", LinkCost.UNKNOWN),
        ("", LinkCost.UNKNOWN),
    ],
)
def test_networkmanagers_words_are_read(tmp_path, printed, cost, monkeypatch):
    program = tmp_path / "nmcli"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{printed}\nEND\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert networkmanager_says() is cost


def test_without_networkmanager_nobody_knows():
    assert networkmanager_says("no-such-program-here") is LinkCost.UNKNOWN


@pytest.mark.parametrize(
    ("policy", "budget", "paid"),
    [
        (MeteredPolicy.RECORDS_ONLY, 0, False),
        (MeteredPolicy.ALLOW, 0, False),
        (MeteredPolicy.RECORDS_ONLY, 1, True),
        (MeteredPolicy.NOTHING, 0, True),
    ],
)
def test_a_link_nobody_can_judge_is_paid_where_the_clinic_counts_its_bytes(policy, budget, paid):
    assert a_meter(cost=LinkCost.UNKNOWN, policy=policy, budget=budget).is_paid() is paid


def test_a_clock_set_back_begins_no_new_day():
    kept = DayBytes().plus("2026-11-26", 400).plus("2026-11-20", 100)
    assert (kept.day, kept.on("2026-11-20"), kept.on("2026-11-26")) == ("2026-11-26", 500, 500)
    assert kept.on("2026-11-27") == 0
    assert kept.plus("2026-11-27", 7) == DayBytes("2026-11-27", 7)
