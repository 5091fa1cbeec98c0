"""Text as the search compares it."""

import pytest

from ddx.terminology.normalise import fold, sound


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Señal de ÚLCERA", "senal de ulcera"),
        ("  dolor,  de-pecho! ", "dolor de pecho"),
        ("18.5 kg/m²", "18 5 kg m2"),
        ("¿?", ""),
        ("una\ndos ", "una\ndos"),
    ],
)
def test_case_accents_and_punctuation_do_not_count(written, folded):
    assert fold(written) == folded


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("vomito", "bomito"),
        ("hemorragia", "emorrajia"),
        ("cefalea", "sefalea"),
        ("salpullido", "salpuyido"),
        ("embarazada", "embarasada"),
        ("quiste", "kiste"),
    ],
)
def test_words_that_sound_alike_in_latin_america_are_one(one, other):
    assert sound(one) == sound(other)


@pytest.mark.parametrize(("one", "other"), [("pecho", "peco"), ("gato", "jato"), ("tos", "dos")])
def test_words_that_sound_apart_stay_apart(one, other):
    assert sound(one) != sound(other)
