"""An encrypted store on tmp_path, with one clinic, one clinician and one device in it."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from support.records import NOON

from ddx.domain.identifiers import new_record_id
from ddx.domain.roles import Role
from desktop.store.keys import new_data_key
from desktop.store.records import ClinicianRecord, ClinicRecord
from desktop.store.store import ClinicStore


@pytest.fixture
def data_key():
    return new_data_key()


@pytest.fixture
def clinician():
    return ClinicianRecord(id=new_record_id(), display_name="Ana Ruiz", role=Role.MEDICO_ADMIN)


@pytest.fixture
def fill(clinician):
    def write(store, name="Cusco"):
        with store.write() as unit:
            unit.clinic.found(
                ClinicRecord(
                    id=new_record_id(), name=name, pseudonym_key=b"k" * 32, created_at=NOON
                )
            )
            unit.clinic.add_clinician(clinician, NOON)
            unit.device.enrol(new_record_id(), Ed25519PrivateKey.generate(), NOON)

    return write


@pytest.fixture
def path(tmp_path):
    return tmp_path / "clinic.db"


@pytest.fixture
def store(path, data_key, fill):
    store = ClinicStore.create(path, data_key)
    fill(store)
    yield store
    store.close()
