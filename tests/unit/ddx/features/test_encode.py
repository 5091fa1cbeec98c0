"""A case becomes the row the models were trained on, on the device as in training."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddx.domain.case import DAYS_PER_YEAR, Case, Sex
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import FindingId
from ddx.features.encode import EXCLUDED, PRESENT, UNKNOWN, CaseTable, encode, encode_table
from ddx.features.schema import Column, ColumnKind, FeatureSchema

PAIN, CHEST_PAIN, ANGINA, RASH, SCALE, TRAVEL = (
    FindingId(i)
    for i in (
        "HP:0012531",
        "HP:0100749",
        "HP:0001681",
        "HP:0000988",
        "HP:0007400",
        "VF:travel.asia",
    )
)

ABOVE = {ANGINA: (CHEST_PAIN, PAIN), CHEST_PAIN: (PAIN,), SCALE: (PAIN,), PAIN: (), RASH: ()}


class Kinds:
    """Angina is a chest pain is a pain; SCALE, a graded one, is a pain too."""

    def __contains__(self, id):
        return id in ABOVE

    def ancestors(self, id):
        return ABOVE[id]

    def descendants(self, id):
        return tuple(below for below, above in ABOVE.items() if id in above)


SCHEMA = FeatureSchema(
    (
        Column(ColumnKind.AGE_YEARS),
        Column(ColumnKind.SEX_FEMALE),
        Column(ColumnKind.PRESENCE, PAIN),
        Column(ColumnKind.PRESENCE, CHEST_PAIN),
        Column(ColumnKind.GRADE, SCALE),
        Column(ColumnKind.PRESENCE, TRAVEL),
    )
)


def case_with(*findings, age_days=None, sex=Sex.UNKNOWN):
    return Case(age_days=age_days, sex=sex, findings=findings)


def present(id, grade=None):
    return Finding(id=id, presence=Presence.PRESENT, grade=grade)


def excluded(id):
    return Finding(id=id, presence=Presence.EXCLUDED)


def value_of(row, finding):
    return row.values[SCHEMA.positions[finding]]


def test_empty_case_is_all_unknown():
    row = encode(case_with(), SCHEMA, Kinds())
    assert row.values.dtype == np.float32
    assert np.isnan(row.values).all()
    assert not row.asked.any()
    assert row.dropped == ()


def test_not_asked_is_not_excluded():
    unknown = Finding(id=PAIN, presence=Presence.UNKNOWN)
    assert np.isnan(value_of(encode(case_with(unknown), SCHEMA), PAIN))
    assert value_of(encode(case_with(excluded(PAIN)), SCHEMA), PAIN) == 0.0


def test_age_is_in_years_and_female_is_one():
    row = encode(case_with(age_days=3653, sex=Sex.FEMALE), SCHEMA)
    assert row.values[0] == pytest.approx(10.0, abs=0.01)
    assert row.values[1] == 1.0
    assert encode(case_with(sex=Sex.MALE), SCHEMA).values[1] == 0.0


def test_grade_is_its_value_and_zero_when_excluded():
    assert value_of(encode(case_with(present(SCALE, 7.0)), SCHEMA), SCALE) == 7.0
    assert value_of(encode(case_with(excluded(SCALE)), SCHEMA), SCALE) == 0.0


def test_present_grade_without_a_value_is_unknown_and_reported():
    row = encode(case_with(present(SCALE)), SCHEMA)
    assert np.isnan(value_of(row, SCALE))
    assert row.dropped == (SCALE,)


def test_finding_outside_the_schema_is_reported_not_ignored():
    row = encode(case_with(present(RASH), present(TRAVEL)), SCHEMA, Kinds())
    assert row.dropped == (RASH,)
    assert value_of(row, TRAVEL) == 1.0


def test_angina_makes_chest_pain_and_pain_present():
    row = encode(case_with(present(ANGINA)), SCHEMA, Kinds())
    assert value_of(row, CHEST_PAIN) == value_of(row, PAIN) == 1.0
    assert row.dropped == ()


def test_angina_without_an_ontology_is_reported():
    assert encode(case_with(present(ANGINA)), SCHEMA).dropped == (ANGINA,)


def test_no_pain_excludes_every_kind_of_pain():
    row = encode(case_with(excluded(PAIN)), SCHEMA, Kinds())
    assert value_of(row, CHEST_PAIN) == value_of(row, SCALE) == value_of(row, PAIN) == 0.0


def test_excluded_angina_says_nothing_of_chest_pain():
    row = encode(case_with(excluded(ANGINA)), SCHEMA, Kinds())
    assert np.isnan(value_of(row, CHEST_PAIN))
    assert row.dropped == (ANGINA,)


def test_present_chest_pain_does_not_grade_a_pain_scale():
    assert np.isnan(value_of(encode(case_with(present(CHEST_PAIN)), SCHEMA, Kinds()), SCALE))


def test_what_was_stated_wins_over_what_follows():
    row = encode(case_with(present(ANGINA), excluded(CHEST_PAIN)), SCHEMA, Kinds())
    assert value_of(row, CHEST_PAIN) == 0.0
    assert value_of(row, PAIN) == 1.0


def test_present_wins_where_both_follow():
    row = encode(case_with(present(ANGINA), excluded(PAIN)), SCHEMA, Kinds())
    assert value_of(row, CHEST_PAIN) == 1.0
    assert value_of(row, PAIN) == 0.0


VOCABULARY = (PAIN, CHEST_PAIN, ANGINA, RASH, SCALE, TRAVEL)
STATE = {1: Presence.PRESENT, 0: Presence.EXCLUDED, -1: Presence.UNKNOWN}
one_patient = st.tuples(
    st.none() | st.integers(0, 40_000),
    st.sampled_from(Sex),
    st.lists(st.sampled_from((PRESENT, EXCLUDED, UNKNOWN)), min_size=6, max_size=6),
    st.none() | st.floats(0, 10, width=32),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(one_patient, min_size=1, max_size=8), st.booleans())
def test_training_rows_are_the_rows_of_the_device(drawn, with_kinds):
    """Any mixture of known and unknown, with contradictions, gives the same row both ways."""
    kinds = Kinds() if with_kinds else None
    cases = [
        Case(
            age_days=age,
            sex=sex,
            findings=tuple(
                Finding(id=f, presence=STATE[s], grade=grade if f == SCALE else None)
                for f, s in zip(VOCABULARY, states, strict=True)
            ),
        )
        for age, sex, states, grade in drawn
    ]
    grade = np.full((len(drawn), len(VOCABULARY)), np.nan, dtype=np.float32)
    grade[:, VOCABULARY.index(SCALE)] = [np.nan if g is None else g for *_, g in drawn]
    female = {Sex.FEMALE: 1.0, Sex.MALE: 0.0, Sex.UNKNOWN: np.nan}
    table = CaseTable(
        age_days=np.array([np.nan if a is None else a for a, *_ in drawn]),
        female=np.array([female[sex] for _, sex, *_ in drawn], dtype=np.float32),
        findings=VOCABULARY,
        presence=np.array([states for *_, states, _ in drawn], dtype=np.int8),
        grade=grade,
    )
    one_by_one = np.stack([encode(case, SCHEMA, kinds).values for case in cases])
    np.testing.assert_array_equal(encode_table(table, SCHEMA, kinds), one_by_one)


def test_years_are_julian_in_both_forms():
    days = 12_345
    row = encode(case_with(age_days=days), SCHEMA)
    assert row.values[0] == np.float32(days / DAYS_PER_YEAR)
