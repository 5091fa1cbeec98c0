"""Which setting is in force, who set it, and whether it can be changed here."""

import pytest

from desktop.services.organisation import KEPT
from desktop.services.own_settings import OwnSettingsService
from desktop.services.records import Origin
from desktop.settings import Origin as Source
from desktop.settings import Settings, declared, overlaid


@pytest.fixture
def service(session):
    def make(own=None):
        return OwnSettingsService(session._desk, own or Settings())

    return make


def row_of(service, key):
    return next(row for row in service.rows() if row.key == key)


def test_every_setting_is_listed(service):
    assert [row.key for row in service().rows()] == list(declared())


def test_a_default_a_file_and_the_organisation_are_told_apart(session, service):
    with session._desk.store.write() as unit:
        unit.settings.put(KEPT, {"MaxModelAgeDays": 90})
    mine = service(Settings(idle_lock_minutes=5))
    assert row_of(mine, "BackupsKept").origin is Origin.DEFAULT
    assert row_of(mine, "IdleLockMinutes").origin is Origin.FILE
    organised = row_of(mine, "MaxModelAgeDays")
    assert (organised.value, organised.origin, organised.locked) == (
        "90",
        Origin.ORGANISATION,
        True,
    )


def test_a_policy_of_this_machine_is_marked_as_locked(service):
    own = overlaid(Settings(), {"AllowUsbExport": False}, Source.MACHINE_POLICY)
    fixed = row_of(service(own), "AllowUsbExport")
    assert (fixed.origin, fixed.locked) == (Origin.ORGANISATION, True)


def test_the_organisation_can_ask_for_the_own_diagnosis_first(session, service):
    assert service().commit_first is None
    with session._desk.store.write() as unit:
        unit.settings.put(KEPT, {"CommitFirstMode": True})
    assert service().commit_first


@pytest.mark.parametrize("asked", [True, False])
def test_a_policy_decides_for_everybody_whether_the_own_diagnosis_comes_first(service, asked):
    own = overlaid(Settings(), {"CommitFirstMode": asked}, Source.MACHINE_POLICY)
    assert service(own).commit_first is asked
