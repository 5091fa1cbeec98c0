"""Damaged files: found at open, told from a wrong passphrase, left as they were."""

import random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from support.records import NOON, a_patient

from ddx.domain.identifiers import new_record_id
from desktop.store.errors import StoreCorruptError
from desktop.store.keys import new_data_key
from desktop.store.store import ClinicStore


@pytest.fixture(scope="module")
def sound():
    return new_data_key()


@pytest.fixture(scope="module")
def content(sound, tmp_path_factory):
    path = tmp_path_factory.mktemp("sound") / "clinic.db"
    store = ClinicStore.create(path, sound)
    with store.write() as unit:
        unit.device.enrol(new_record_id(), Ed25519PrivateKey.generate(), NOON)
        for number in range(50):
            unit.patients.add(a_patient(given_name=f"Paciente{number}"))
    store.close()
    return path.read_bytes()


def test_one_hundred_flipped_bytes_are_all_detected_and_nothing_is_changed(
    sound, content, tmp_path
):
    dice, path = random.Random(20261123), tmp_path / "clinic.db"
    for _ in range(100):
        damaged = bytearray(content)
        damaged[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
        path.write_bytes(damaged)
        with pytest.raises(StoreCorruptError):
            ClinicStore.open(path, sound)
        assert path.read_bytes() == damaged


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:4096],
        lambda content: content[:-1000],
        lambda content: content[:-4096],
        lambda content: bytes(len(content)),
        lambda content: content[:8192] + content[4096:8192] + content[12288:],
    ],
    ids=["empty", "first page only", "cut in a page", "cut at a page", "zeros", "page copied"],
)
def test_a_cut_or_overwritten_file_is_detected(sound, content, tmp_path, damage):
    path = tmp_path / "clinic.db"
    path.write_bytes(damage(content))
    with pytest.raises(StoreCorruptError):
        ClinicStore.open(path, sound)


def test_another_clinics_database_is_not_opened(content, tmp_path):
    path = tmp_path / "clinic.db"
    path.write_bytes(content)
    with pytest.raises(StoreCorruptError):
        ClinicStore.open(path, new_data_key())


def test_damage_that_appears_while_open_is_reported_as_damage(sound, content, tmp_path):
    path = tmp_path / "clinic.db"
    path.write_bytes(content)
    store = ClinicStore.open(path, sound)
    path.write_bytes(content[:4096] + bytes(len(content) - 4096))
    store._readers.dispose()  # so that pages come from the file and not from a warm cache
    with pytest.raises(StoreCorruptError), store.read() as unit:
        unit.patients.search("", 1000)
    store.close()


def test_the_sound_file_opens(sound, content, tmp_path):
    path = tmp_path / "clinic.db"
    path.write_bytes(content)
    store = ClinicStore.open(path, sound)
    with store.read() as unit:
        assert len(unit.patients.search("", 1000)) == 50
    store.close()
