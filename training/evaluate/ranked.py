"""The common model on the second test set: official validation rows, 19 of the 49 diseases."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ddx.domain.case import Case
from ddx.domain.identifiers import DiseaseId
from ddx.features.encode import KindOf, encode, encode_table
from ddx.inference.common import CommonModel
from training.evaluate.common import SEED, Estimate, evaluate
from training.sources.ddxplus import DataSetMalformedError, Patient, Vocabulary, pack
from training.sources.ddxplus_ranked import OpenedVisit, opened_case, read_ranked

FURTHER: Final = 7
"""Findings known beyond the opening complaint: with it eight, a short consultation."""


def evaluate_ranked(
    model: CommonModel,
    vocabulary: Vocabulary,
    severity: Mapping[DiseaseId, int],
    data: Path,
    *,
    fitted_on: Iterable[Patient] = (),
    ontology: KindOf | None = None,
) -> dict[str, dict[str, Estimate]]:
    """Return the figures with every question answered and with the opening complaint plus seven.

    Rows equal to a patient the model was fitted on are left out.

    Raises:
        DataSetMissingError, DataSetMalformedError: the set is absent, unreadable, or nothing of
            it is new to the model.
    """
    known = {_identity(patient) for patient in fitted_on}
    visits = [v for v in read_ranked(data) if _identity(v.patient) not in known]
    if not visits:
        raise DataSetMalformedError("every row of the second test set was fitted on")
    grades = np.array([severity[d] for d in model.diseases])
    truth = np.array([_truth(v, model, vocabulary) for v in visits], dtype=np.int64)
    rng = np.random.default_rng(SEED)
    everything = pack((v.patient for v in visits), vocabulary).table(vocabulary.findings)
    opened = [opened_case(v, vocabulary, FURTHER, rng) for v in visits]
    protocols = {
        "second_set_full_evidence": encode_table(everything, model.schema, ontology),
        "second_set_opening_and_7": _rows(opened, model, ontology),
    }
    return {
        name: evaluate(model.probabilities_of(rows), truth, grades)
        for name, rows in protocols.items()
    }


def _identity(patient: Patient) -> tuple[object, ...]:
    return patient.age_years, patient.sex, patient.condition, frozenset(patient.evidences)


def _truth(visit: OpenedVisit, model: CommonModel, vocabulary: Vocabulary) -> int:
    return model.diseases.index(vocabulary.disease_of_condition[visit.patient.condition])


def _rows(
    cases: Iterable[Case], model: CommonModel, ontology: KindOf | None
) -> NDArray[np.float32]:
    return np.stack([encode(case, model.schema, ontology).values for case in cases])
