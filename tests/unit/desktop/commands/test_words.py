"""Every message in both languages, and every code of the core in words."""

import re
import string
from pathlib import Path

import pytest

from ddx.domain.differential import Band, Fit, World
from ddx.inquiry.effort import Means
from ddx.inquiry.stop import StopReason
from ddx.intake import issues
from desktop.commands import case_file, words

TEXTS = {
    "said": words.SAID,
    "problems": words.PROBLEMS,
    "issues": words.ISSUES,
    "bands": words.BANDS,
    "fits": words.FITS,
    "worlds": words.WORLDS,
    "means": words.MEANS,
    "stops": words.STOPS,
}


def placeholders(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("name", TEXTS)
def test_both_languages_fill_the_same_places(name):
    assert all(es and en for es, en in TEXTS[name].values())
    differing = {
        key for key, (es, en) in TEXTS[name].items() if placeholders(es) != placeholders(en)
    }
    assert differing == set()


def test_every_issue_intake_documents_has_words():
    documented = set(re.findall(r"\b(?:age|findings?|vital)\.[a-z_]+", issues.__doc__))
    assert documented == set(words.ISSUES)


def test_every_problem_of_a_case_file_has_words():
    source = Path(case_file.__file__).read_text(encoding="utf-8")
    raised = set(re.findall(r'CaseFileError\(\s*"(\w+)"', source))
    assert raised == set(words.PROBLEMS)


def test_every_band_fit_world_and_means_has_a_word():
    assert set(words.BANDS) == set(Band)
    assert set(words.FITS) == set(Fit)
    assert set(words.WORLDS) == set(World)
    assert set(words.MEANS) == set(Means)
    assert set(words.STOPS) == set(StopReason)
