"""The questions of a bundle: choices whole, and refused when their table is not the model's."""

import numpy as np
import pytest
from support.inquiry import schema_of, trees_member

from ddx.domain.artifacts import COMMON_TREES
from ddx.errors import ModelError, SchemaMismatchError
from ddx.inquiry.bank import QuestionBank

FINDINGS = ("HP:0001945", "VF:pain-site.knee-left", "HP:0012735", "VF:pain-site.knee-right")
FREQUENCY = [[0.9, 0.1, 0.8, 0.1], [0.1, 0.7, 0.1, 0.6]]


def test_the_values_of_a_choice_are_one_question(bank_of):
    bank = bank_of(FINDINGS, FREQUENCY)
    assert [item.subject for item in bank.items] == ["HP:0001945", "pain.site", "HP:0012735"]
    (site,) = bank.choices
    assert site.findings == ("VF:pain-site.knee-left", "VF:pain-site.knee-right")
    assert site.columns == (3, 5)


def test_two_banks_of_one_bundle_draw_the_same_answers(bank_of):
    first, second = bank_of(FINDINGS, FREQUENCY), bank_of(FINDINGS, FREQUENCY)
    for one, other in zip(first.drawn.values(), second.drawn.values(), strict=True):
        np.testing.assert_array_equal(one.answers[one.at], other.answers[other.at])


def test_drawn_answers_are_as_frequent_as_the_table_says(bank_of):
    many = tuple(f"VF:pain-site.{side}" for side in ("knee-left", "knee-right"))
    bank = bank_of(many, [[0.0, 1.0], [1.0, 0.0]])
    drawn = bank.drawn[bank.place["pain.site"]]
    assert drawn.answers[drawn.at[0]].mean(axis=0).tolist() == [0.0, 1.0]


def test_a_table_over_other_columns_is_refused(bundle_of, catalogue):
    schema = schema_of(FINDINGS)
    member = trees_member(schema, FREQUENCY, schema_hash="0" * 64)
    with pytest.raises(SchemaMismatchError):
        QuestionBank.from_artifacts(bundle_of({COMMON_TREES: member}), schema, catalogue)


@pytest.mark.parametrize("member", [b"", b"no trees", b"PK\x03\x04cut"])
def test_a_damaged_table_is_a_model_error(bundle_of, catalogue, member):
    with pytest.raises(ModelError, match="cannot be read"):
        QuestionBank.from_artifacts(
            bundle_of({COMMON_TREES: member}), schema_of(FINDINGS), catalogue
        )
