"""Which model had this device that day? From a ledger nobody can quietly change."""

from datetime import UTC, datetime, timedelta

import pytest

from model_bundles.manifest import Release
from model_bundles.rollout import Rollout, cohort
from training.publish.ledger import Event, Ledger, LedgerError, served

OLD, NEW = Release("2026.11.6", "a" * 64), Release("2026.11.7", "b" * 64)
T0 = datetime(2026, 11, 26, 8, tzinfo=UTC)
DEVICES = [f"device-{n}" for n in range(400)]
EARLY = next(d for d in DEVICES if cohort(d, NEW.version) < 1000)
LATE = next(d for d in DEVICES if cohort(d, NEW.version) >= 7500)


@pytest.fixture
def ledger(tmp_path):
    """Return the ledger of a rollout: offered to all, 10 % of the next, 100 %."""
    book = Ledger(tmp_path / "ledger.jsonl")
    book.append(Event.OFFERED, OLD, T0, basis_points=10_000, salt=OLD.version)
    for hours, points in ((24, 1000), (48, 10_000)):
        share = Rollout(basis_points=points, salt=NEW.version, before=OLD)
        book.append(Event.OFFERED, NEW, T0 + timedelta(hours=hours), **share.to_json())
    return book


@pytest.mark.parametrize(
    ("device", "hours", "release"),
    [(EARLY, 12, OLD), (EARLY, 30, NEW), (LATE, 30, OLD), (LATE, 50, NEW)],
)
def test_a_device_had_what_its_cohort_was_offered(ledger, device, hours, release):
    found = served(ledger.entries(), device, None, T0 + timedelta(hours=hours))
    assert (found.release, found.reported) == (release, False)


def test_what_a_device_reports_outweighs_what_it_was_offered(ledger):
    at = T0 + timedelta(hours=49)
    ledger.append(Event.ACTIVATED, OLD, at, device=LATE)
    found = served(ledger.entries(), LATE, None, at + timedelta(hours=1))
    assert (found.release, found.reported) == (OLD, True)


def test_a_rollback_gives_everybody_the_model_before(ledger):
    at = T0 + timedelta(hours=49)
    ledger.append(Event.ROLLED_BACK, NEW, at, before=OLD.to_json(), reason="errors")
    assert served(ledger.entries(), EARLY, None, at).release == OLD


def test_before_the_first_entry_the_ledger_knows_of_nothing(ledger):
    assert served(ledger.entries(), EARLY, None, T0 - timedelta(days=1)).release is None


@pytest.mark.parametrize("damage", ["change", "drop", "swap", "forge"])
def test_any_quiet_change_is_found(ledger, damage):
    lines = ledger.path.read_bytes().splitlines()
    if damage == "change":
        lines[1] = lines[1].replace(b'"basis_points":1000', b'"basis_points":9000')
    elif damage == "drop":
        del lines[1]
    elif damage == "swap":
        lines[1], lines[2] = lines[2], lines[1]
    else:
        lines[1] = b'{"sequence": 2}'
    ledger.path.write_bytes(b"\n".join(lines) + b"\n")
    with pytest.raises(LedgerError, match="entry 2"):
        ledger.entries()


def test_the_same_thing_is_written_once(ledger):
    first = ledger.once(Event.PROMOTED, NEW, T0, method="canary_release")
    again = ledger.once(Event.PROMOTED, NEW, T0 + timedelta(hours=1), method="canary_release")
    assert first == again
    assert len(ledger.entries()) == 4
