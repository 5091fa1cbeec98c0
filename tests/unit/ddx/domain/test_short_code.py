"""Receipt codes: what a tired reader does to them is noticed."""

import hashlib

import pytest

from ddx.domain.short_code import (
    LETTERS,
    ShortCodeError,
    _product,
    read_short_code,
    short_code_of,
)

CODES = [short_code_of(hashlib.sha256(bytes([n])).hexdigest()) for n in range(20)]


def test_the_weights_multiply_in_a_field():
    for a in range(1, 32):
        assert sorted(_product(a, b) for b in range(32)) == list(range(32))
        assert _product(a, 1) == a


@pytest.mark.parametrize("code", CODES)
def test_a_code_reads_back_as_people_type_it(code):
    typed = code.lower().replace("0", "o").replace("1", "l").replace("-", " ")
    assert read_short_code(typed) == code


def test_every_single_wrong_letter_is_noticed():
    for code in CODES[:5]:
        letters = code.replace("-", "")
        for place in range(12):
            for other in LETTERS.replace(letters[place], ""):
                with pytest.raises(ShortCodeError):
                    read_short_code(letters[:place] + other + letters[place + 1 :])


def test_every_exchange_of_two_letters_is_noticed():
    for code in CODES:
        letters = code.replace("-", "")
        for one in range(12):
            for two in range(one + 1, 12):
                if letters[one] == letters[two]:
                    continue
                swapped = list(letters)
                swapped[one], swapped[two] = letters[two], letters[one]
                with pytest.raises(ShortCodeError):
                    read_short_code("".join(swapped))


@pytest.mark.parametrize("typed", ["", "7K3M", "7K3M-9QXF-2TB!", "7K3M-9QXF-2TBHH"])
def test_what_is_not_a_code_is_refused(typed):
    with pytest.raises(ShortCodeError):
        read_short_code(typed)
