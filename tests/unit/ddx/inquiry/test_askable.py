"""A question that is answered, impossible here or senseless for this patient is not proposed."""

import pytest
from support.inquiry import case_with, schema_of

from ddx.domain.case import Sex
from ddx.features.encode import encode
from ddx.inquiry.askable import askable
from ddx.inquiry.effort import FULL, RURAL_POST

FINDINGS = (
    "HP:0001945",
    "HP:0012735",
    "VF:cough.fits",
    "VF:pain",
    "VF:pain-site.knee-left",
    "VF:pain-site.knee-right",
    "VF:context.pregnant",
    "VF:history.early-menarche",
    "VF:habit.smoker",
    "HP:0001873",
    "HP:0000988",
    "VF:skin-lesion",
    "VF:skin-lesion.raised",
)


@pytest.fixture
def asked(bank_of, catalogue):
    bank = bank_of(FINDINGS, [[0.5] * len(FINDINGS)] * 2)

    def subjects(case, equipment=RURAL_POST):
        row = encode(case, schema_of(FINDINGS), catalogue.ontology)
        return {bank.items[at].subject for at in askable(case, row, bank, equipment)}

    return subjects


def test_nothing_is_asked_twice(asked):
    left = asked(case_with(present=["HP:0001945"], excluded=["VF:habit.smoker"]))
    assert not {"HP:0001945", "VF:habit.smoker"} & left


def test_without_pain_nobody_asks_where_it_hurts(asked):
    assert "pain.site" not in asked(case_with(excluded=["VF:pain"]))
    assert "pain.site" in asked(case_with(present=["VF:pain"]))


def test_who_tells_where_it_hurts_is_not_asked_whether_it_hurts(asked):
    left = asked(case_with(present=["VF:pain-site.knee-left"]))
    assert "VF:pain" not in left
    assert "pain.site" in left, "it may hurt somewhere else too"


def test_without_a_rash_a_lesion_is_asked_for_before_what_it_looks_like(asked):
    left = asked(case_with(excluded=["HP:0000988"]))
    assert "VF:skin-lesion" in left
    assert "VF:skin-lesion.raised" not in left
    told = asked(case_with(present=["VF:skin-lesion"], excluded=["HP:0000988"]))
    assert "VF:skin-lesion.raised" in told


def test_a_choice_is_answered_once_one_of_its_values_was_denied(asked):
    case = case_with(present=["VF:pain-site.knee-left"], excluded=["VF:pain-site.knee-right"])
    assert "pain.site" not in asked(case)


def test_without_cough_nobody_asks_for_coughing_fits(asked):
    assert "VF:cough.fits" not in asked(case_with(excluded=["HP:0012735"]))
    assert "VF:cough.fits" in asked(case_with(present=["HP:0012735"]))


@pytest.mark.parametrize(
    ("years", "sex", "expected"),
    [
        (30, Sex.FEMALE, {"VF:context.pregnant", "VF:history.early-menarche", "VF:habit.smoker"}),
        (30, Sex.MALE, {"VF:habit.smoker"}),
        (70, Sex.FEMALE, {"VF:history.early-menarche", "VF:habit.smoker"}),
        (4, Sex.FEMALE, set()),
        (
            None,
            Sex.UNKNOWN,
            {"VF:context.pregnant", "VF:history.early-menarche", "VF:habit.smoker"},
        ),
    ],
)
def test_questions_fit_sex_and_age(asked, years, sex, expected):
    limited = {"VF:context.pregnant", "VF:history.early-menarche", "VF:habit.smoker"}
    assert asked(case_with(years=years, sex=sex)) & limited == expected


def test_platelets_are_asked_for_only_where_there_is_a_laboratory(asked):
    assert "HP:0001873" not in asked(case_with())
    assert "HP:0001873" in asked(case_with(), FULL)
