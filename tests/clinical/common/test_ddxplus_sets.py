"""The knowledge base covers the published sets, and a small honest fit learns from them."""

import numpy as np
import pytest

from ddx.domain.identifiers import DiseaseId
from training import knowledge
from training.evaluate.ranked import evaluate_ranked
from training.fit.common import FitSettings, fit_patients, split_patients
from training.sources.ddxplus import (
    Vocabulary,
    pack,
    read_conditions,
    read_evidences,
    read_patients,
)
from training.sources.ddxplus_ranked import opened_case, read_ranked

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def vocabulary():
    return Vocabulary.of(knowledge.findings(), knowledge.diseases())


@pytest.fixture(scope="module")
def patients(clinical_data):
    return read_patients(clinical_data)


def default_tokens(clinical_data):
    """Return the answers that say "no": they are not findings."""
    evidences = read_evidences(clinical_data)
    not_applicable = {f"{code}_@_V_11" for code in evidences}
    return not_applicable | {f"{c}_@_{e['default_value']}" for c, e in evidences.items()}


def test_every_answer_but_the_defaults_is_a_finding(clinical_data, patients, vocabulary):
    assert len(patients) == 132_950
    assert set(pack(patients, vocabulary).unmapped) <= default_tokens(clinical_data)


def test_every_condition_is_a_disease_of_the_same_severity(clinical_data, patients, vocabulary):
    conditions = read_conditions(clinical_data)
    assert set(vocabulary.disease_of_condition) == set(conditions)
    assert {p.condition for p in patients} == set(conditions)
    ours = {d.ddxplus: d.severity for d in knowledge.diseases()}
    assert ours == {name: c["severity"] for name, c in conditions.items()}


def test_second_set_speaks_the_same_language(clinical_data, vocabulary):
    visits = read_ranked(clinical_data)
    assert len(visits) == 6763
    answers = pack((v.patient for v in visits), vocabulary)
    assert set(answers.unmapped) <= default_tokens(clinical_data)
    assert all(v.opening in v.patient.evidences for v in visits)
    case = opened_case(visits[0], vocabulary, 3, np.random.default_rng(0))
    assert len(case.present) == 4
    assert not case.excluded


@pytest.mark.slow
def test_thousands_of_patients_fit_in_seconds_and_diagnose_the_rest(
    clinical_data, patients, vocabulary
):
    """A few patients and rounds; what ships is fitted on all (figures: model card)."""
    severity = {DiseaseId(d.id): d.severity for d in knowledge.diseases()}
    few = patients[::20]
    fit = fit_patients(
        few,
        vocabulary,
        severity,
        ontology=None,
        settings=FitSettings(
            rounds=8, full_rows=2000, partial_rows=4000, interview_rows=500, threads=1
        ),
        progress=lambda _line: None,
    )
    assert fit.parity < 1e-5
    assert fit.metrics["full_evidence"]["top1"].value > 0.90
    assert fit.metrics["present_5"]["top3"].value > 0.70
    train = [few[i] for i in split_patients(few).train]
    second = evaluate_ranked(fit.model, vocabulary, severity, clinical_data, fitted_on=train)
    assert second["second_set_full_evidence"]["top1"].value > 0.90
