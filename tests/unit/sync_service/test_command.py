"""`vereda-sync` from the command line: what it says and how it exits."""

import pytest
from support.memory_outbox import MemoryOutbox
from support.sync_records import SOFTWARE, a_diagnosis, an_identity

from sync_service.client import __main__ as command
from sync_service.client.clinic import ClinicSide

NOWHERE = ["--once", "--server", "http://127.0.0.1:9"]


@pytest.fixture
def clinic():
    outbox = MemoryOutbox()
    outbox.add(a_diagnosis())
    return ClinicSide(outbox=outbox, identity=an_identity(), software=lambda: SOFTWARE)


def test_without_a_clinic_it_says_what_is_missing(capsys, monkeypatch):
    monkeypatch.setattr(command, "installed_factory", lambda: None)
    assert command.main(NOWHERE) == 2
    assert "vereda.sync" in capsys.readouterr().err


def test_without_a_server_address_it_asks_for_one(capsys, clinic, monkeypatch):
    monkeypatch.delenv("VEREDA_SYNC_URL", raising=False)
    assert command.main(["--once"], clinic=lambda: clinic) == 2
    assert "--server" in capsys.readouterr().err


def test_an_address_without_encryption_is_refused(capsys, clinic):
    assert command.main(["--once", "--server", "http://cloud.example"], clinic=lambda: clinic) == 2
    assert "sync.server_address" in capsys.readouterr().err


def test_without_a_link_it_exits_3_and_keeps_the_records(capsys, clinic):
    assert command.main(NOWHERE, clinic=lambda: clinic) == 3
    assert "1 waiting" in capsys.readouterr().out


def test_with_nothing_to_push_it_exits_0(clinic):
    clinic.outbox.events.clear()
    assert command.main(NOWHERE, clinic=lambda: clinic) == 0


def test_with_something_in_quarantine_it_exits_1(clinic):
    clinic.outbox.quarantine(clinic.outbox.events[0].id, "record.conflict")
    assert command.main(NOWHERE, clinic=lambda: clinic) == 1
