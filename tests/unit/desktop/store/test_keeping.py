"""Keys in the device's keystore, clinicians without re-encryption, backups, restores, a new key."""

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event

import pytest
from support.lock_holder import holding
from support.records import NOON, a_patient

from ddx.domain.audit import AuditAction
from ddx.domain.course import UNWATCHED, Course, StoppedError
from ddx.domain.identifiers import new_record_id
from ddx.domain.roles import Role
from desktop.store import ballast
from desktop.store.backups import backups_in
from desktop.store.errors import BackupUnusableError, StoreFullError, WrongKeyError
from desktop.store.keys import Argon2Cost
from desktop.store.keystore import DeviceSecret, OsKeystore
from desktop.store.records import ClinicianRecord
from desktop.store.vault import Vault

PASSPHRASE = "llama del altiplano"
CHEAP = Argon2Cost(iterations=1, lanes=1, memory_kib=8)


def untold(_store):
    """Write nothing down: what is written is the business of `desktop.services.clinic`."""


class Drawer:
    """A keystore in memory."""

    def __init__(self):
        self.kept = {}

    def read(self, name):
        value = self.kept.get(name)
        return None if value is None else DeviceSecret(name, value)

    def make(self, name):
        self.kept[name] = bytes(32)
        return self.read(name)


@pytest.fixture
def vault(tmp_path):
    return Vault(tmp_path / "store", cost=CHEAP)


@pytest.fixture
def recovery_key(vault, clinician, fill):
    return vault.create(clinician, PASSPHRASE, fill)


def names(store):
    with store.read() as unit:
        return {p.given_name for p in unit.patients.search("", 100)}


def add(vault, clinician, given_name):
    store = vault.open(clinician.id, PASSPHRASE)
    with store.write() as unit:
        unit.patients.add(a_patient(given_name=given_name))
    store.close()


def back_up(vault, clinician, place, at=NOON, *, keep=7, course=UNWATCHED):
    store = vault.open(clinician.id, PASSPHRASE)
    try:
        return vault.back_up(store, place, at, keep, course)
    finally:
        store.close()


def restore(vault, backup, secret, write_down=lambda _store, _backup: None):
    return vault.restore(backup.folder, secret, NOON, write_down)


def test_a_slot_bound_to_the_device_does_not_open_on_another(tmp_path, clinician, fill):
    here = Vault(tmp_path / "store", cost=CHEAP, keystore=Drawer())
    key = here.create(clinician, PASSPHRASE, fill)
    here.open(clinician.id, PASSPHRASE).close()
    stolen = Vault(tmp_path / "store", cost=CHEAP, keystore=Drawer())
    with pytest.raises(WrongKeyError) as refused:
        stolen.open(clinician.id, PASSPHRASE)
    with pytest.raises(WrongKeyError) as wrong:
        here.open(clinician.id, "otra frase de paso")
    assert str(refused.value) == str(wrong.value)
    stolen.reset_passphrase(key, clinician.id, PASSPHRASE, untold)  # the paper opens it anywhere
    stolen.open(clinician.id, PASSPHRASE).close()


def test_without_a_keystore_the_passphrase_alone_opens():
    assert OsKeystore().make("x") is None  # tests run with the backend that refuses
    assert OsKeystore().read("x") is None


def test_a_device_secret_is_not_printed():
    assert "7777" not in repr(DeviceSecret("x", b"7" * 32))


def test_a_second_clinician_comes_and_goes_without_touching_the_database(
    vault, clinician, recovery_key, tmp_path
):
    before = (tmp_path / "store" / "clinic.db").read_bytes()
    other = ClinicianRecord(
        id=new_record_id(), display_name="Luz Cárdenas", role=Role.MEDICO_GENERAL
    )
    with pytest.raises(WrongKeyError):
        vault.put_slot(clinician.id, "no es esta frase", other, "quinua y cañihua")
    vault.put_slot(clinician.id, PASSPHRASE, other, "quinua y cañihua")
    vault.open(other.id, "quinua y cañihua").close()
    vault.remove_slot(other.id)
    with pytest.raises(WrongKeyError):
        vault.open(other.id, "quinua y cañihua")
    vault.open(clinician.id, PASSPHRASE).close()
    assert (tmp_path / "store" / "clinic.db").read_bytes() == before


def test_a_backup_is_one_encrypted_folder_that_verifies(vault, clinician, recovery_key, tmp_path):
    add(vault, clinician, "Planteada")
    made = back_up(vault, clinician, tmp_path / "backups")
    assert backups_in(tmp_path / "backups") == (made,)
    files = {f.name: f.read_bytes() for f in made.folder.iterdir()}
    assert set(files) == {"clinic.db", "keys.json", "backup.json"}
    assert not [name for name, content in files.items() if b"Planteada" in content]
    assert files["clinic.db"][:15] != b"SQLite format 3"


def test_only_the_newest_backups_are_kept(vault, clinician, recovery_key, tmp_path):
    for hour in range(4):
        back_up(vault, clinician, tmp_path / "backups", NOON.replace(hour=hour), keep=2)
    assert [b.made_at.hour for b in backups_in(tmp_path / "backups")] == [3, 2]


def test_clinics_that_share_a_folder_rotate_and_sweep_their_own_backups_only(
    vault, clinician, recovery_key, fill, tmp_path
):
    place = tmp_path / "backups"
    mine, theirs = back_up(vault, clinician, place), Vault(tmp_path / "other", cost=CHEAP)
    theirs.create(clinician, PASSPHRASE, partial(fill, name="Puesto Dos"))
    being_made = place / f".unfinished-{mine.owner.clinic}-vereda-now"
    being_made.mkdir()
    for hour in range(13, 18):
        back_up(theirs, clinician, place, NOON.replace(hour=hour), keep=2)
    assert mine.folder.is_dir()
    assert being_made.is_dir()
    assert [b.made_at.hour for b in backups_in(place)] == [17, 16, NOON.hour]
    assert backups_in(place, mine.owner.clinic) == (mine,)
    assert {b.owner.name for b in backups_in(place)} == {"Cusco", "Puesto Dos"}
    back_up(vault, clinician, place, NOON.replace(hour=18), keep=1)
    assert [b.made_at.hour for b in backups_in(place)] == [18, 17, 16]
    assert not being_made.exists()


def test_a_backup_that_does_not_say_whose_it_is_can_be_restored_and_is_never_rotated_away(
    vault, clinician, recovery_key, tmp_path
):
    place = tmp_path / "backups"
    old = back_up(vault, clinician, place)
    told = json.loads((old.folder / "backup.json").read_text())
    del told["clinic"]
    (old.folder / "backup.json").write_text(json.dumps(told))
    for hour in range(13, 16):
        back_up(vault, clinician, place, NOON.replace(hour=hour), keep=1)
    assert [b.folder for b in backups_in(place)][1:] == [old.folder]
    restore(vault, old, PASSPHRASE)


@pytest.mark.parametrize("clinic", [7, "x", {}, {"id": 7, "name": "x"}, {"id": "x", "name": "x"}])
def test_a_manifest_that_names_no_clinic_as_it_should_is_refused(
    vault, clinician, recovery_key, tmp_path, clinic
):
    made = back_up(vault, clinician, tmp_path / "backups")
    told = json.loads((made.folder / "backup.json").read_text())
    (made.folder / "backup.json").write_text(json.dumps({**told, "clinic": clinic}))
    assert backups_in(tmp_path / "backups") == ()
    with pytest.raises(BackupUnusableError):
        restore(vault, made, PASSPHRASE)


def test_a_backup_waits_for_the_one_another_process_makes(vault, clinician, recovery_key, tmp_path):
    """`vereda clinic backup` beside the open window, say."""
    lock, place = tmp_path / "store.backup.lock", tmp_path / "backups"
    asked = Event()
    course = Course(lambda _done, _total: asked.set())
    with holding(lock) as process, ThreadPoolExecutor(1) as thread:
        made = thread.submit(back_up, vault, clinician, place, course=course)
        assert asked.wait(30)
        assert not place.exists()
        process.kill()  # the system lets go of what it held
        done = made.result(30)
    assert backups_in(place) == (done,)
    stopped = Course()
    stopped.stop()
    with holding(lock), pytest.raises(StoppedError):
        back_up(vault, clinician, place, course=stopped)


def test_a_backup_that_fails_leaves_the_earlier_ones_and_nothing_half_made(
    vault, clinician, recovery_key, tmp_path, monkeypatch
):
    back_up(vault, clinician, tmp_path / "backups")
    store = vault.open(clinician.id, PASSPHRASE)

    def full(_target, _course):
        raise StoreFullError("the disk is full")

    monkeypatch.setattr(store, "copy_to", full)
    with pytest.raises(StoreFullError):
        vault.back_up(store, tmp_path / "backups", NOON.replace(hour=13), 1)
    store.close()
    assert len(list((tmp_path / "backups").iterdir())) == 1


def test_a_restored_backup_begins_an_epoch_of_its_own_and_keeps_what_was_there(
    vault, clinician, recovery_key, tmp_path
):
    add(vault, clinician, "Antes")
    made = back_up(vault, clinician, tmp_path / "backups")
    add(vault, clinician, "Después")

    def write_down(store, _backup):
        with store.write() as unit:
            unit.audit.append(
                at=NOON, actor="d", action=AuditAction.SETTING_CHANGED, subject="store.restored"
            )

    first = restore(vault, made, PASSPHRASE, write_down)
    again = restore(vault, made, recovery_key, write_down)
    assert (first.epoch, again.epoch) == (2, 3)  # the same backup twice is two lives
    store = vault.open(clinician.id, PASSPHRASE)
    assert names(store) == {"Antes"}
    with store.read() as unit:
        assert unit.device.get().epoch == 3
        assert unit.audit.verify() == 1
    store.close()
    aside = Vault(first.aside, cost=CHEAP).open(clinician.id, PASSPHRASE)
    assert names(aside) == {"Antes", "Después"}
    aside.close()


@pytest.mark.parametrize("name", ["clinic.db", "keys.json", "backup.json"])
def test_an_altered_backup_is_refused_and_the_store_stays(
    vault, clinician, recovery_key, tmp_path, name
):
    made = back_up(vault, clinician, tmp_path / "backups")
    content = bytearray((made.folder / name).read_bytes())
    content[len(content) // 2] ^= 255
    (made.folder / name).write_bytes(content)
    with pytest.raises(BackupUnusableError):
        restore(vault, made, PASSPHRASE)
    add(vault, clinician, "Sigue")


def test_a_wrong_secret_restores_nothing(vault, clinician, recovery_key, tmp_path):
    made = back_up(vault, clinician, tmp_path / "backups")
    with pytest.raises(WrongKeyError):
        restore(vault, made, "no es esta frase")
    there = sorted(p.name for p in tmp_path.iterdir())
    assert there == ["backups", "store", "store.backup.lock"]


def test_a_new_data_key_ends_every_other_secret(vault, clinician, recovery_key, tmp_path):
    add(vault, clinician, "Guardada")
    other = ClinicianRecord(id=new_record_id(), display_name="Luz", role=Role.MEDICO_GENERAL)
    vault.put_slot(clinician.id, PASSPHRASE, other, "quinua y cañihua")
    before = (tmp_path / "store" / "keys.json").read_bytes()
    new_key = vault.change_data_key(clinician.id, PASSPHRASE, untold)
    store = vault.open(clinician.id, PASSPHRASE)
    assert names(store) == {"Guardada"}
    store.close()
    with pytest.raises(WrongKeyError):
        vault.open(other.id, "quinua y cañihua")
    with pytest.raises(WrongKeyError):
        vault.reset_passphrase(recovery_key, clinician.id, "cóndor de los Andes", untold)
    vault.reset_passphrase(new_key, clinician.id, PASSPHRASE, untold)
    (tmp_path / "store" / "keys.json").write_bytes(before)  # a kept copy of the old slots
    with pytest.raises(Exception, match="its own key"):
        vault.open(other.id, "quinua y cañihua")
    assert not list(tmp_path.glob("store.*-*"))


def test_the_ballast_is_laid_once_and_let_go_when_the_disk_is_full(tmp_path):
    assert ballast.lay(tmp_path, size=4096)
    first = (tmp_path / ballast.NAME).read_bytes()
    assert ballast.lay(tmp_path, size=4096)
    assert (tmp_path / ballast.NAME).read_bytes() == first
    assert ballast.release(tmp_path)
    assert not ballast.release(tmp_path)


def test_no_ballast_is_laid_on_a_disk_that_is_nearly_full(tmp_path):
    assert not ballast.lay(tmp_path, size=4096, room_needed=1 << 60)
    assert not (tmp_path / ballast.NAME).exists()
