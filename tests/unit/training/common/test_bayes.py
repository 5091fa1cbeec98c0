"""Counting patients: shares by hand, what selection does to them, and what is left open."""

import math

import numpy as np
import pytest

from ddx.domain.identifiers import FindingId
from ddx.features.schema import Column, ColumnKind, FeatureSchema
from ddx.inference.bayes import STEPS
from training.fit.bayes import RAISING, BayesSettings, Counts, Known

COUGH, RASH, TRAVEL = (FindingId(f"VF:{name}") for name in ("cough", "rash", "travel"))
SETTINGS = BayesSettings()
SCHEMA = FeatureSchema(
    (
        Column(ColumnKind.AGE_YEARS),
        Column(ColumnKind.SEX_FEMALE),
        Column(ColumnKind.PRESENCE, COUGH),
        Column(ColumnKind.PRESENCE, RASH),
        Column(ColumnKind.PRESENCE, TRAVEL),
    )
)
EVEN = np.array([0.5, 0.5])
NAN = np.nan


def counted(rows, truth, asked=(True,) * 5):
    counts = Counts.of(SCHEMA, 2, SETTINGS)
    counts.add(np.array(rows, dtype=np.float32), np.array(truth), np.array(asked))
    return counts


def known(described, background=(NAN,) * 5):
    return Known(prior=EVEN, described=np.array(described), background=np.array(background))


def table(counts, described, *, selective):
    return counts.table(known(described), selective=selective)


def present(made, column, disease):
    return made.steps[made.first[column] + 1, disease] / STEPS


ALL = [[True] * 5] * 2


def two_diseases():
    """Disease 0: cough alone, or cough and rash. Disease 1: rash alone, or nothing."""
    rows = [[30, 1, 1, 0, 0], [30, 0, 1, 1, 0], [30, 1, 0, 1, 0], [30, 0, 0, 0, 0]]
    return counted(rows, [0, 0, 1, 1])


def test_plain_ratio_is_the_share_of_patients_over_the_average():
    rash = (1 + SETTINGS.pseudo_patients) / (2 + 2 * SETTINGS.pseudo_patients)
    made = table(two_diseases(), ALL, selective=False)
    assert present(made, 3, 0) == pytest.approx(math.log(rash / rash), abs=1e-3)
    cough = [(n + SETTINGS.pseudo_patients) / (2 + 2 * SETTINGS.pseudo_patients) for n in (2, 0)]
    wanted = math.log(cough[0] / np.mean(cough))
    assert present(made, 2, 0) == pytest.approx(wanted, abs=1e-3)


def test_mentioned_counts_a_finding_less_the_more_findings_its_patient_has():
    """Rash is in half of both, but beside a cough in disease 0 and alone in disease 1."""
    made = table(two_diseases(), ALL, selective=True)
    assert present(made, 3, 1) > present(made, 3, 0)
    typical = [(1 + 1 / 2) / 2, (1 + 1) / 2]
    chances = [
        (mentioned + SETTINGS.pseudo_patients * usual) / (2 + 2 * SETTINGS.pseudo_patients)
        for mentioned, usual in zip((0.5, 1.0), typical, strict=True)
    ]
    wanted = math.log(chances[0] / np.mean(chances))
    assert present(made, 3, 0) == pytest.approx(wanted, abs=1e-3)


def test_what_a_source_does_not_describe_is_left_open():
    rows = [[30, 1, 1, 0, NAN], [30, 1, 1, 1, NAN], [30, 1, 0, 1, 1], [30, 0, 0, 0, 0]]
    described = [[True, True, True, True, False], [True] * 5]
    made = table(counted(rows, [0, 0, 1, 1]), described, selective=True)
    travel = made.steps[made.first[4] : made.first[4] + 2]
    assert not travel[:, 0].any()
    assert not travel[:, 1].any()  # nobody else to compare with


def test_what_other_findings_imply_more_often_than_usual_is_believed():
    rows = [[30, 1, 1, 0, 1], [30, 1, 1, 1, NAN], [30, 1, 0, 1, 0], [30, 0, 0, 0, 0]]
    what = known([[True, True, True, True, False], [True] * 5])
    counts = counted(rows, [0, 0, 1, 1])
    assert counts.believed(what)[0, 4]
    assert counts.frequency(what)[0, 4] == pytest.approx(0.5, abs=1e-3)
    assert present(counts.table(what, selective=True), 4, 0) > 0


def test_a_finding_with_a_background_is_guessed_near_it_for_the_rest():
    """Seen in one of two patients of disease 1; a bite in one visit of a hundred otherwise."""
    rows = [[30, 1, 1, 0, NAN], [30, 1, 1, 1, NAN], [30, 1, 0, 1, 1], [30, 0, 0, 0, 0]]
    what = known([[True, True, True, True, False], [True] * 5], (NAN, NAN, NAN, NAN, 0.01))
    counts = counted(rows, [0, 0, 1, 1])
    guess = (1 - RAISING) * 0.01 + RAISING * 0.5
    made = counts.table(what, selective=True)
    assert present(made, 4, 0) == pytest.approx(math.log(guess / 0.5), abs=1e-3)
    absent = made.steps[made.first[4], 0] / STEPS
    assert absent == pytest.approx(math.log((1 - guess) / 0.5), abs=1e-3)
    assert counts.frequency(what)[0, 4] == pytest.approx(guess, abs=1e-3)
    assert not counts.believed(what)[0, 4]


def test_only_what_the_source_asks_counts_towards_the_number_of_findings():
    rows = [[30, 1, 1, 0, 1], [30, 0, 1, 0, 1]]
    some = counted(rows, [0, 1], asked=(True, True, True, True, False))
    np.testing.assert_allclose(some.typical, [1.0, 1.0])
    np.testing.assert_allclose(counted(rows, [0, 1]).typical, [0.5, 0.5])


def test_frequency_is_unknown_for_age_and_sex_and_average_where_not_described():
    rows = [[30, 1, 1, 0, NAN], [30, 1, 1, 1, NAN], [30, 1, 0, 1, 1], [30, 0, 0, 0, 0]]
    what = known([[True, True, True, True, False], [True] * 5])
    frequency = counted(rows, [0, 0, 1, 1]).frequency(what)
    assert np.isnan(frequency[:, :2]).all()
    assert frequency[0, 4] == frequency[1, 4] == pytest.approx(0.5, abs=1e-3)
