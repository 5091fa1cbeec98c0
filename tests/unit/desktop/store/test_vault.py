"""The folder of a store: created whole, opened with the right secret, set aside on request."""

import pytest
from support.records import NOON

from desktop.store.errors import (
    StoreCorruptError,
    StoreExistsError,
    WeakPassphraseError,
    WrongKeyError,
)
from desktop.store.keys import Argon2Cost
from desktop.store.vault import Vault

PASSPHRASE = "llama del altiplano"


def untold(_store):
    """Write nothing down: what is written is the business of `desktop.services.clinic`."""


@pytest.fixture
def vault(tmp_path):
    return Vault(tmp_path / "store", cost=Argon2Cost(iterations=1, lanes=1, memory_kib=8))


@pytest.fixture
def recovery_key(vault, clinician, fill):
    return vault.create(clinician, PASSPHRASE, fill)


def test_a_new_clinic_opens_with_its_passphrase_and_nothing_else(vault, clinician, recovery_key):
    with pytest.raises(WrongKeyError):
        vault.open(clinician.id, "vicuña del altiplano")
    store = vault.open(clinician.id, PASSPHRASE)
    with store.read() as unit:
        assert unit.clinic.get().name == "Cusco"
    store.close()


def test_the_sign_in_screen_can_be_drawn_before_unlocking(vault, clinician, recovery_key):
    (card,) = vault.slots().clinicians
    assert (card.id, card.display_name, card.role) == (
        clinician.id,
        clinician.display_name,
        clinician.role,
    )


def test_a_second_clinic_is_not_created_over_the_first(vault, clinician, fill, recovery_key):
    with pytest.raises(StoreExistsError):
        vault.create(clinician, PASSPHRASE, fill)
    vault.open(clinician.id, PASSPHRASE).close()


def test_a_weak_passphrase_creates_nothing(vault, clinician, fill, tmp_path):
    with pytest.raises(WeakPassphraseError):
        vault.create(clinician, "corta", fill)
    assert list(tmp_path.iterdir()) == []


def test_a_creation_that_fails_half_way_can_be_done_again(vault, clinician, fill):
    def fails(store):
        fill(store)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        vault.create(clinician, PASSPHRASE, fails)
    assert not vault.exists
    vault.create(clinician, PASSPHRASE, fill)
    vault.open(clinician.id, PASSPHRASE).close()


def test_the_recovery_key_gives_a_new_passphrase_and_ends_the_old_one(
    vault, clinician, recovery_key
):
    vault.reset_passphrase(recovery_key, clinician.id, "cóndor de los Andes", untold)
    vault.open(clinician.id, "cóndor de los Andes").close()
    with pytest.raises(WrongKeyError):
        vault.open(clinician.id, PASSPHRASE)


def test_a_wrong_recovery_key_changes_nothing(vault, clinician, recovery_key):
    with pytest.raises(WrongKeyError):
        vault.reset_passphrase("AAAA-" * 7 + "AAAA", clinician.id, "cóndor de los Andes", untold)
    vault.open(clinician.id, PASSPHRASE).close()


@pytest.mark.parametrize("lost", ["clinic.db", "keys.json"])
def test_a_lost_file_is_damage_and_is_never_replaced_by_an_empty_one(
    vault, clinician, recovery_key, tmp_path, lost
):
    (tmp_path / "store" / lost).unlink()
    with pytest.raises(StoreCorruptError):
        vault.open(clinician.id, PASSPHRASE)
    assert not (tmp_path / "store" / lost).exists()
    assert vault.exists


def test_setting_aside_moves_every_byte_and_makes_room(vault, clinician, recovery_key, tmp_path):
    before = {f.name: f.read_bytes() for f in (tmp_path / "store").iterdir()}
    aside = vault.quarantine(NOON)
    assert {f.name: f.read_bytes() for f in aside.iterdir()} == before
    assert not vault.exists
