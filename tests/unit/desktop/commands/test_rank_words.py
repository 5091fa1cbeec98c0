"""Every message of `vereda rank` in both languages, and every code in words."""

import re
import string

import pytest

from ddx.intake.issues import Level
from ddx.phenopackets import issues
from desktop.commands import rank_words

TEXTS = {
    "said": rank_words.SAID,
    "problems": rank_words.PROBLEMS,
    "issues": rank_words.ISSUES,
}


def places(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("name", TEXTS)
def test_both_languages_fill_the_same_places(name):
    assert all(es and en for es, en in TEXTS[name].values())
    assert {k for k, (es, en) in TEXTS[name].items() if places(es) != places(en)} == set()


def test_every_issue_of_a_packet_has_words_with_its_params():
    kinds = "packet|feature|severity|onset|age|sex|hpo|disease"
    text = " ".join(issues.__doc__.split())
    documented = dict(re.findall(rf"\b((?:{kinds})\.[a-z_0-9]+)(?: \{{([a-z_, ]+)\}})?", text))
    assert set(documented) == set(rank_words.ISSUES)
    for code, params in documented.items():
        assert places(rank_words.ISSUES[code][0]) <= set(filter(None, params.split(", ")))


def test_every_level_has_a_word():
    assert {level.value for level in Level} <= set(rank_words.SAID)
