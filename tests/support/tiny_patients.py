"""A DDXPlus in miniature: four diseases, nine questions, and a common model fitted on them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from ddx.domain.case import Sex
from ddx.domain.identifiers import DiseaseId
from ddx.errors import ModelError
from training.fit.common import CommonFit, FitSettings, fit_patients
from training.sources.ddxplus import Patient, Vocabulary


@dataclass(frozen=True)
class Row:
    """A row of the knowledge base, cut to what the vocabulary reads."""

    id: str
    ddxplus: str
    kind: str = "binary"


FINDINGS = (
    Row("HP:0001945", "E_91"),
    Row("HP:0012735", "E_201"),
    Row("HP:0002094", "E_66"),
    Row("VF:skin-lesion", "E_129"),
    Row("VF:pain-site.groin", "E_55@V_16", "choice"),
    Row("VF:pain-site.axilla", "E_55@V_18", "choice"),
    Row("VF:pain-intensity", "E_56", "graded"),
    Row("VF:history.asthma", "E_124"),
    Row("VF:travel.asia", "E_204@V_6", "choice"),
)
DISEASES = (
    Row("VD:influenza", "Influenza"),
    Row("VD:inguinal-hernia", "Inguinal hernia"),
    Row("VD:bronchospasm", "Bronchospasm"),
    Row("VD:urticaria", "Urticaria"),
)
SEVERITY: Mapping[DiseaseId, int] = {
    DiseaseId(row.id): grade for row, grade in zip(DISEASES, (3, 4, 2, 5), strict=True)
}
CHANCES: Mapping[str, Mapping[str, float]] = {
    "Influenza": {"E_91": 0.9, "E_201": 0.8, "E_56_@_4": 0.4, "E_204_@_V_6": 0.2},
    "Inguinal hernia": {"E_55_@_V_16": 0.9, "E_56_@_7": 0.8, "E_204_@_V_6": 0.1},
    "Bronchospasm": {"E_66": 0.9, "E_201": 0.6, "E_124": 0.7},
    "Urticaria": {"E_129": 0.95, "E_55_@_V_18": 0.3, "E_56_@_2": 0.2, "E_124": 0.2},
}
TINY_SETTINGS = FitSettings(
    rounds=12,
    depth=3,
    learning_rate=0.3,
    full_rows=300,
    partial_rows=900,
    interview_rows=200,
    threads=1,
    min_split_gain=0.0,
)


def vocabulary() -> Vocabulary:
    """Return the nine findings and four diseases."""
    return Vocabulary.of(FINDINGS, DISEASES)


def patients(n: int = 600, seed: int = 3) -> tuple[Patient, ...]:
    """Return n patients, the four conditions in turn; some list default answers too."""
    rng = np.random.default_rng(seed)
    conditions = tuple(CHANCES)
    return tuple(_patient(row, conditions[row % len(conditions)], rng) for row in range(n))


def _patient(row: int, condition: str, rng: np.random.Generator) -> Patient:
    listed = [token for token, chance in CHANCES[condition].items() if rng.random() < chance]
    if not any(token.startswith("E_204") for token in listed):
        listed.append("E_204_@_V_10")
    return Patient(
        row=row,
        age_years=int(rng.integers(0, 90)),
        sex=Sex.FEMALE if rng.random() < 0.5 else Sex.MALE,
        condition=condition,
        evidences=tuple(listed),
    )


@cache
def fit() -> CommonFit:
    """Return the model fitted on the miniature (about a second, once per process)."""
    return fit_patients(
        patients(),
        vocabulary(),
        SEVERITY,
        ontology=None,
        settings=TINY_SETTINGS,
        progress=lambda _line: None,
    )


@dataclass(frozen=True)
class Members:
    """Named bytes as an engine reads them."""

    members: Mapping[str, bytes]
    version: str = "2026.11.1"
    digest: str = "0" * 64

    def read(self, name: str) -> bytes:
        if name not in self.members:
            raise ModelError(f"no member {name}")
        return self.members[name]
