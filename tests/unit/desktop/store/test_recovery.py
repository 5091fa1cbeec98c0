"""The printed recovery key: what a tired person copies wrong is noticed, and where."""

import random

import pytest

from desktop.store.errors import WrongKeyError
from desktop.store.recovery import (
    RecoveryTypingError,
    looks_like_one,
    new_recovery_secret,
    printed,
    read,
)

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def test_what_is_printed_is_read_back():
    for _ in range(200):
        secret = new_recovery_secret()
        shown = printed(secret)
        assert [len(group) for group in shown.split("-")] == [5] * 8
        assert read(shown) == secret


def test_a_key_printed_before_check_letters_still_reads():
    assert read("-".join(["AAAA"] * 8)) == bytes(20)


def test_every_single_wrong_letter_is_noticed_in_its_group():
    shown = printed(bytes(range(20)))
    for place, right in enumerate(shown):
        if right == "-":
            continue
        for letter in ALPHABET.replace(right, ""):
            with pytest.raises(RecoveryTypingError) as mistyped:
                read(shown[:place] + letter + shown[place + 1 :])
            assert mistyped.value.groups == (place // 6 + 1,)


def test_two_groups_copied_in_the_wrong_order_are_noticed():
    dice = random.Random(7)
    for _ in range(200):
        groups = printed(new_recovery_secret()).split("-")
        one, other = dice.sample(range(8), 2)
        if groups[one] == groups[other]:
            continue
        groups[one], groups[other] = groups[other], groups[one]
        with pytest.raises(RecoveryTypingError):
            read("-".join(groups))


@pytest.mark.parametrize("typed", ["", "AAAA", "llama del altiplano", "A" * 39, "ñ" * 40])
def test_something_else_is_not_a_recovery_key(typed):
    assert not looks_like_one(typed)
    with pytest.raises(WrongKeyError):
        read(typed)
