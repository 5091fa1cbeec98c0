"""Key slots: what opens them, what does not, and what a doctored slots file may do."""

import json
import unicodedata

import pytest

from ddx.domain.identifiers import new_record_id
from ddx.domain.roles import Role
from desktop.store.errors import StoreCorruptError, WeakPassphraseError, WrongKeyError
from desktop.store.keys import (
    Argon2Cost,
    KeySlots,
    new_data_key,
    passphrase_slot,
    recovery_slot,
    unwrap,
)

CHEAP = Argon2Cost(iterations=1, lanes=1, memory_kib=8)


def slot_for(data_key, passphrase, cost=CHEAP):
    return passphrase_slot(
        data_key,
        passphrase,
        clinician=new_record_id(),
        display_name="Ana Ruiz",
        role=Role.MEDICO_ADMIN,
        cost=cost,
    )


def test_the_passphrase_gives_the_data_key_back():
    data_key = new_data_key()
    assert unwrap(slot_for(data_key, "llama del altiplano"), "llama del altiplano") == data_key


def test_a_passphrase_one_letter_off_opens_nothing():
    slot = slot_for(new_data_key(), "llama del altiplano")
    with pytest.raises(WrongKeyError):
        unwrap(slot, "llama del altiplanO")


def test_the_same_passphrase_from_a_keyboard_with_dead_keys_opens():
    data_key = new_data_key()
    slot = slot_for(data_key, unicodedata.normalize("NFC", "añoranza está"))
    assert unwrap(slot, unicodedata.normalize("NFD", "añoranza está")) == data_key


def test_a_passphrase_of_seven_letters_is_refused():
    with pytest.raises(WeakPassphraseError) as refused:
        slot_for(new_data_key(), "altiplo")
    assert refused.value.minimum == 8


def test_two_slots_of_one_passphrase_share_nothing():
    data_key = new_data_key()
    one, other = (
        slot_for(data_key, "llama del altiplano"),
        slot_for(data_key, "llama del altiplano"),
    )
    assert (one.salt, one.wrapped) != (other.salt, other.wrapped)


def test_the_printed_recovery_key_opens_as_people_type_it():
    data_key = new_data_key()
    slot, printed = recovery_slot(data_key)
    assert len(printed.replace("-", "")) * 5 >= 128
    assert unwrap(slot, printed) == data_key
    assert unwrap(slot, f" {printed.lower().replace('-', ' ').replace('o', '0')} ") == data_key


@pytest.mark.parametrize("typed", ["", "AAAA", "not base32 !!", "AAAA-" * 7 + "AAAA", "ñ"])
def test_something_else_than_the_recovery_key_opens_nothing(typed):
    slot, _ = recovery_slot(new_data_key())
    with pytest.raises(WrongKeyError):
        unwrap(slot, typed)


def test_slots_survive_their_file_and_the_file_holds_no_key(tmp_path):
    data_key = new_data_key()
    recovery, printed = recovery_slot(data_key)
    slots = KeySlots(slots=(slot_for(data_key, "llama del altiplano"), recovery))
    slots.write(tmp_path / "keys.json")
    assert KeySlots.read(tmp_path / "keys.json") == slots
    content = (tmp_path / "keys.json").read_text()
    assert data_key.hex() not in content
    assert printed not in content
    assert "altiplano" not in content
    assert (tmp_path / "keys.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: {},
        lambda raw: raw | {"format": 99},
        lambda raw: raw | {"slots": [{"id": "x"}]},
        lambda raw: raw | {"slots": [raw["slots"][0] | {"wrapped": "zz"}]},
        lambda raw: (
            raw
            | {
                "slots": [
                    raw["slots"][0]
                    | {"argon2id": {"iterations": 1, "lanes": 1, "memory_kib": 1 << 30}}
                ]
            }
        ),
    ],
)
def test_a_damaged_slots_file_is_damage_and_not_a_wrong_passphrase(tmp_path, damage):
    path = tmp_path / "keys.json"
    KeySlots(slots=(slot_for(new_data_key(), "llama del altiplano"),)).write(path)
    path.write_text(json.dumps(damage(json.loads(path.read_text()))))
    with pytest.raises(StoreCorruptError):
        KeySlots.read(path)


def test_a_missing_slots_file_is_damage(tmp_path):
    with pytest.raises(StoreCorruptError):
        KeySlots.read(tmp_path / "keys.json")
