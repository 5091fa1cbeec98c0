"""A process killed while it folds the WAL leaves pages the WAL still holds: no damage."""

import shutil

import pytest
from support.records import NOON

from desktop.store.errors import StoreCorruptError
from desktop.store.store import ClinicStore
from sync_service.client.outbox import EventKind

PAGE = 4096


@pytest.fixture
def killed(store, path, tmp_path):
    """Return the files as a kill in the middle of a checkpoint leaves them, and the open store.

    The last page of the database was not written yet, a later one made the file grow over it.
    """
    with store.write() as unit:
        for number in range(200):
            unit.outbox.add(EventKind.AUDIT, {"number": number, "pad": "x" * 900}, NOON)
    copy = tmp_path / "killed.db"
    for end in ("", "-wal"):
        shutil.copy(f"{path}{end}", f"{copy}{end}")
    with copy.open("r+b") as file:
        whole = file.seek(0, 2)
        file.truncate(whole + 3 * PAGE)  # pages the WAL holds, not folded in yet
    return copy


def test_pages_that_only_the_wal_holds_yet_are_no_damage(killed, data_key):
    again = ClinicStore.open(killed, data_key)
    with again.read() as unit:
        assert unit.outbox.counts().pending == 200
    again.check()
    again.close()


def test_a_damaged_page_stays_damage_beside_a_wal(killed, data_key):
    ClinicStore.open(killed, data_key).close()  # folds the WAL in
    again = ClinicStore.open(killed, data_key)
    with again.write() as unit:
        unit.outbox.add(EventKind.AUDIT, {"number": 200}, NOON)
    with killed.open("r+b") as file:
        for page in range(1, killed.stat().st_size // PAGE):
            file.seek(page * PAGE + 100)
            byte = file.read(1)
            file.seek(page * PAGE + 100)
            file.write(bytes([byte[0] ^ 1]))  # the WAL holds a few of them, not all
    with pytest.raises(StoreCorruptError):
        again.check()
    again.close()
