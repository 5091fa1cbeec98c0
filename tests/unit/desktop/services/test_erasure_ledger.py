"""An older backup does not bring an erased patient back."""

import json
import shutil
from types import SimpleNamespace

import pytest

from ddx.domain.audit import AuditAction
from ddx.domain.roles import Role
from desktop.services.clinic import Clinic
from desktop.store.errors import StoreFullError
from desktop.store.ledger import ErasureLedger

PASSPHRASE = "llama del altiplano"
OTHER = "quinua y cañihua"


@pytest.fixture
def backup(session, diagnosed):
    """A backup that holds Zenobia and her visit."""
    return session.keeping.back_up()


@pytest.fixture
def ward(clinic, session, patient, backup):
    """The clinic, somebody signed in, Zenobia, and a backup that holds her."""
    return SimpleNamespace(clinic=clinic, session=session, patient=patient, backup=backup)


def again(clinic):
    return clinic.sign_in(clinic.clinicians()[0].id, PASSPHRASE)


def restored(ward, backup=None):
    ward.session.close()
    ward.clinic.restore((backup or ward.backup).folder, PASSPHRASE)
    return again(ward.clinic)


def test_a_patient_erased_after_the_backup_is_erased_again_when_it_is_restored(
    ward, entries, events
):
    erased = ward.session.privacy.erase(ward.patient.id)
    after = restored(ward)
    assert after.patients.search() == ()
    assert after.patients.search("zenobia") == ()
    assert after.privacy.erasures() == (erased,)
    told = [e for e in entries(after) if e.action is AuditAction.PATIENT_ERASED]
    assert [e.subject for e in told] == [erased.pseudonym]
    assert told[0].detail["proof"] == erased.proof  # nothing was added since the backup
    waiting = [e for e in events(after) if e.kind == "erasure"]
    assert [e.payload["patient_pseudonym"] for e in waiting] == [erased.pseudonym]
    assert not [e for e in events(after) if e.kind in {"diagnosis", "feedback"}]
    after._desk.store.check()
    after.close()


def test_no_page_of_the_restored_store_keeps_a_word_of_them(ward, tmp_path):
    ward.session.privacy.erase(ward.patient.id)
    after = restored(ward)
    with after._desk.store.read() as unit:
        rows = str(
            [
                unit._session.connection().exec_driver_sql(f"SELECT * FROM {table}").all()
                for (table,) in unit._session.connection().exec_driver_sql(
                    "SELECT name FROM sqlite_master WHERE type = 'table'"
                )
            ]
        )
    after.close()
    for word in ("Zenobia", "zenobia", "45678912", ward.patient.id):
        assert word not in rows


def test_everybody_else_comes_back(ward, zenobia):
    ward.session.privacy.erase(ward.patient.id)
    other = ward.session.patients.create(zenobia)  # after the backup: a restore cannot have her
    after = restored(ward)
    assert [p.id for p in after.patients.search()] == []
    after.close()
    assert other.id != ward.patient.id


def test_a_backup_made_after_the_erasure_erases_nobody_again(ward, zenobia, entries):
    ward.session.privacy.erase(ward.patient.id)
    kept = ward.session.patients.create(zenobia)
    later = ward.session.keeping.back_up()
    after = restored(ward, later)
    assert [p.id for p in after.patients.search()] == [kept.id]
    assert AuditAction.PATIENT_ERASED not in [e.action for e in entries(after)]
    assert len(after.privacy.erasures()) == 1
    after.close()


def test_the_ledger_travels_with_the_backups_to_another_device(ward, tmp_path, shelf, clock):
    ward.session.privacy.erase(ward.patient.id)
    ward.session.close()
    stick = tmp_path / "stick"
    shutil.copytree(ward.backup.folder.parent, stick)
    elsewhere = Clinic(tmp_path / "elsewhere", shelf, now=clock, sleep=lambda _: None)
    (copied,) = stick.glob("vereda-*")
    elsewhere.restore(copied, PASSPHRASE)
    there = again(elsewhere)
    assert there.patients.search() == ()
    assert len(there.privacy.erasures()) == 1
    there.close()


def test_an_erasure_by_somebody_the_backup_never_knew_is_kept(ward):
    luz = ward.session.staff.add(PASSPHRASE, "Luz", Role.MEDICO_ADMIN, OTHER)
    ward.session.close()
    theirs = ward.clinic.sign_in(luz.id, OTHER)
    ward.session = theirs
    erased = theirs.privacy.erase(ward.patient.id)
    after = restored(ward)
    assert after.privacy.erasures() == (erased,)
    assert [m.display_name for m in after.staff.members()] == ["Ana Ruiz"]
    after.close()


def ledgers(tmp_path):
    return tmp_path / "store.erasures.json", tmp_path / "backups" / "erasures.json"


def test_the_ledger_names_nobody(ward, tmp_path):
    ward.session.privacy.erase(ward.patient.id)
    for place in ledgers(tmp_path):
        text = place.read_text()
        for word in ("Zenobia", "Quispe", "45678912", "1990", ward.patient.id, PASSPHRASE):
            assert word not in text


def test_a_line_that_this_clinic_did_not_write_erases_nobody(ward, tmp_path):
    erased = ward.session.privacy.erase(ward.patient.id)
    for place in ledgers(tmp_path):
        raw = json.loads(place.read_text())
        raw["erased"][0]["diagnoses"] += 1
        place.write_text(json.dumps(raw))
    after = restored(ward)
    assert [p.id for p in after.patients.search()] == [ward.patient.id]
    assert after.privacy.erasures() == ()
    after.close()
    assert erased.pseudonym


@pytest.mark.parametrize("lost", [0, 1])
@pytest.mark.parametrize("damage", [b"", b"{", b'{"erased": [{"mac": 5}]}', b"[]"])
def test_one_copy_of_the_ledger_is_enough(ward, tmp_path, lost, damage):
    ward.session.privacy.erase(ward.patient.id)
    ledgers(tmp_path)[lost].write_bytes(damage)
    after = restored(ward)
    assert after.patients.search() == ()
    after.close()


def test_an_erasure_the_ledger_missed_is_written_at_the_next_upkeep(ward, tmp_path, monkeypatch):
    def full(*_):
        raise StoreFullError("full")

    with monkeypatch.context() as faulty:
        faulty.setattr(ErasureLedger, "keep", full)
        ward.session.privacy.erase(ward.patient.id)
    assert not any(place.exists() for place in ledgers(tmp_path))
    ward.session.keeping.upkeep()
    assert all(place.exists() for place in ledgers(tmp_path))
    assert restored(ward).patients.search() == ()


def test_a_clinic_keeps_the_lines_of_the_one_before_it(ward, tmp_path):
    ward.session.privacy.erase(ward.patient.id)
    ward.session.close()
    ward.clinic.quarantine()
    ward.clinic.create(clinic_name="Otra", display_name="Luz", passphrase=OTHER)
    fresh = ward.clinic.sign_in(ward.clinic.clinicians()[0].id, OTHER)
    fresh.keeping.upkeep()
    fresh.close()
    ward.clinic.quarantine()
    ward.clinic.restore(ward.backup.folder, PASSPHRASE)
    after = again(ward.clinic)
    assert after.patients.search() == ()
    after.close()
