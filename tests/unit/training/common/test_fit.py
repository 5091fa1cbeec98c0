"""One small fit: what is held out stays out, and the same patients give the same bundle."""

import numpy as np
import pytest
from support.tiny_patients import SEVERITY, TINY_SETTINGS, fit, patients, vocabulary

from ddx.domain.artifacts import (
    COMMON_BAYES,
    COMMON_CALIBRATION,
    COMMON_MODEL,
    COMMON_SCHEMA,
    COMMON_TREES,
)
from ddx.explain.trees import Forest
from ddx.features.encode import encode
from training.fit.common import CommonFitError, fit_patients, split_patients
from training.sources.ddxplus import case_of


def test_split_uses_every_patient_once_in_four_fifths_and_two_tenths():
    split = split_patients(patients(600))
    everyone = np.concatenate((split.train, split.calibration, split.test))
    assert sorted(everyone) == list(range(600))
    assert len(split.train) == pytest.approx(480, abs=25)
    assert len(split.test) == pytest.approx(60, abs=15)


def test_every_condition_is_in_every_part():
    some = patients(600)
    split = split_patients(some)
    for part in (split.train, split.calibration, split.test):
        assert {some[i].condition for i in part} == {p.condition for p in some}


def test_identical_patients_are_never_on_both_sides():
    some = patients(150) * 2
    split = split_patients(some)
    parts = [{i % 150 for i in part} for part in (split.train, split.calibration, split.test)]
    assert sum(map(len, parts)) == len(set.union(*parts))


def test_too_few_patients_to_hold_any_out_is_said():
    with pytest.raises(CommonFitError):
        split_patients(patients(3))


def test_miniature_is_learned_and_measured_on_every_protocol():
    metrics = fit().metrics
    assert set(metrics) == {
        "full_evidence",
        "clinic_visit",
        "question_3",
        "question_5",
        "question_8",
        "present_3",
        "present_5",
        "present_8",
    }
    assert metrics["full_evidence"]["top1"].value > 0.9
    assert fit().parity < 1e-5
    for rival in ("ours_among_ddxplus", "bayes_alone", "naive_bayes", "xgboost_unmasked"):
        assert set(fit().rivals[rival]) == set(metrics)


def test_fit_gives_the_five_members_of_its_part_of_a_bundle():
    names = {COMMON_MODEL, COMMON_SCHEMA, COMMON_TREES, COMMON_BAYES, COMMON_CALIBRATION}
    assert set(fit().members()) == names


def test_same_patients_give_the_same_bytes():
    again = fit_patients(
        patients(),
        vocabulary(),
        SEVERITY,
        ontology=None,
        settings=TINY_SETTINGS,
        progress=lambda _line: None,
    )
    assert again.members() == fit().members()


def test_held_out_cases_are_whole_cases_of_calibration_patients():
    cases = fit().held_out_cases(10)
    assert len(cases) == 10
    own = [case_of(fit().patients[i], vocabulary()) for i in fit().split.calibration]
    assert all(case in own for case in cases)


def test_frequency_is_the_share_of_training_patients():
    forest = Forest.from_npz(fit().trees)
    hernia = fit().diseases.index("VD:inguinal-hernia")
    train = [fit().patients[i] for i in fit().split.train]
    own = [p for p in train if p.condition == "Inguinal hernia"]
    share = (sum("E_55_@_V_16" in p.evidences for p in own) + 0.1) / (len(own) + 0.2)
    column = fit().schema.positions["VF:pain-site.groin"]
    assert forest.frequency[hernia, column] == pytest.approx(share, abs=5e-4)
    assert np.isnan(forest.frequency[:, :2]).all()


def test_device_model_answers_for_a_held_out_patient():
    model = fit().model
    patient = fit().patients[int(fit().split.test[0])]
    row = encode(case_of(patient, vocabulary()), model.schema)
    best = model.diseases[int(model.probabilities(row).argmax())]
    assert best == vocabulary().disease_of_condition[patient.condition]
