"""The index read by disease, and by wide terms, says what its postings say."""

import numpy as np
import pytest

from ddx.features.rare_index import FREQUENCY_STEPS, OFTEN
from ddx.inference.rare import RareRanker
from model_bundles.embedded import open_embedded_bundle

SEED = 20_261_126


@pytest.fixture(scope="module")
def ranker():
    return RareRanker.from_artifacts(open_embedded_bundle())


@pytest.fixture
def dice():
    return np.random.default_rng(SEED)


def test_what_a_disease_shows_is_what_each_of_its_terms_says(ranker, dice):
    index = ranker.index
    for disease in dice.choice(len(index.diseases), 5, replace=False).tolist():
        one_by_one = {t: index.frequency(disease, t) for t in range(len(index.ontology))}
        assert index.shares_of(disease) == {t: f for t, f in one_by_one.items() if f}


def test_codes_of_many_terms_and_diseases_are_those_of_the_postings(ranker, dice):
    index = ranker.index
    wide = [t for t in range(len(index.ontology)) if len(index.postings(t)[0]) >= OFTEN]
    narrow = dice.choice(len(index.ontology), 60, replace=False)
    terms = np.unique(np.concatenate([dice.choice(wide, 20, replace=False), narrow]))
    diseases = dice.choice(len(index.diseases), 40, replace=False).astype(np.int32)
    codes = index.codes_of(terms.astype(np.int32), diseases)
    assert codes.any(axis=1).sum() > 10
    assert (codes / FREQUENCY_STEPS).tolist() == [
        [index.frequency(disease, term) for disease in diseases.tolist()] for term in terms.tolist()
    ]


def test_ratios_that_were_kept_are_those_computed_anew_and_cannot_be_changed(ranker):
    term = int(ranker.index.ontology.index_of("HP:0001250"))
    first = ranker._present_ratios(term)
    assert ranker._present_ratios(term) is first
    assert np.array_equal(first, RareRanker(ranker.index)._present_ratios(term))
    with pytest.raises(ValueError, match="read-only"):
        first += 1
