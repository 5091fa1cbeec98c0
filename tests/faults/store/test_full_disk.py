"""A full disk: the clinician is told, what was committed stays, and work goes on afterwards."""

import errno
import os

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text
from support.records import NOON, a_patient

from ddx.domain.identifiers import new_record_id
from desktop.store.attempts import Attempts
from desktop.store.errors import StoreFullError
from desktop.store.keys import new_data_key
from desktop.store.store import ClinicStore


def limit_pages(store, pages):
    """SQLite answers SQLITE_FULL when the database would grow beyond that many pages."""
    with store._readers.connect() as connection:
        size = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count = {size + pages}"))


def test_a_record_that_does_not_fit_is_refused_whole_and_the_rest_stays(tmp_path):
    path, key = tmp_path / "clinic.db", new_data_key()
    store = ClinicStore.create(path, key)
    with store.write() as unit:
        unit.device.enrol(new_record_id(), Ed25519PrivateKey.generate(), NOON)
        unit.patients.add(a_patient())

    def add_too_much():
        with store.write() as unit:
            unit.patients.add(a_patient(given_name="Pequeña"))
            unit.patients.add(a_patient(given_name="G" * 500_000))

    limit_pages(store, 2)
    with pytest.raises(StoreFullError):
        add_too_much()
    limit_pages(store, 1000)
    with store.write() as unit:
        unit.patients.add(a_patient(given_name="Después"))
    store.close()
    again = ClinicStore.open(path, key)
    with again.read() as unit:
        assert {p.given_name for p in unit.patients.search("", 10)} == {"Zenobia", "Después"}
    again.close()


def test_a_full_disk_while_counting_an_attempt_keeps_the_count_of_before(tmp_path, monkeypatch):
    attempts, slot = Attempts(tmp_path / "attempts.json"), new_record_id()
    attempts.begin(slot, NOON)
    before = (tmp_path / "attempts.json").read_bytes()

    def full(_descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StoreFullError):
            attempts.begin(slot, NOON)
    assert [f.name for f in tmp_path.iterdir()] == ["attempts.json"]
    assert (tmp_path / "attempts.json").read_bytes() == before
