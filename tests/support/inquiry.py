"""A few real findings with frequencies written by hand, and a model one can follow."""

import io
from dataclasses import dataclass

import numpy as np

from ddx.domain.case import Case, Sex
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import DiseaseId, FindingId
from ddx.features.schema import Column, ColumnKind, FeatureSchema
from ddx.inference.common import Calibration

INFARCTION = DiseaseId("VD:myocardial-infarction")
INFLUENZA = DiseaseId("VD:influenza")
BRONCHITIS = DiseaseId("VD:bronchitis")


def schema_of(findings, graded=()):
    """Return age, sex and a column per finding."""
    kinds = {f: ColumnKind.GRADE if f in graded else ColumnKind.PRESENCE for f in findings}
    return FeatureSchema(
        (
            Column(ColumnKind.AGE_YEARS),
            Column(ColumnKind.SEX_FEMALE),
            *(Column(kind, FindingId(f)) for f, kind in kinds.items()),
        )
    )


def trees_member(schema, frequency, schema_hash=None):
    """Return the member of a bundle that holds the table, age and sex added as nan."""
    rows = np.asarray(frequency, dtype=np.float32)
    whole = np.hstack((np.full((len(rows), 2), np.nan, dtype=np.float32), rows))
    out = io.BytesIO()
    np.savez(out, frequency=whole, schema_hash=np.array(schema_hash or schema.hash))
    return out.getvalue()


@dataclass(frozen=True)
class FlatModel:
    """A common model that only knows how common its diseases are."""

    schema: FeatureSchema
    diseases: tuple[DiseaseId, ...]
    shares: tuple[float, ...]

    def probabilities_of(self, values):
        margins = np.repeat(np.log(self.shares)[np.newaxis], len(values), axis=0)
        return Calibration(diseases=self.diseases, temperature=1.0).probabilities(margins)


def case_with(present=(), excluded=(), years=40, sex=Sex.FEMALE):
    """Return a case with those findings."""
    states = ((Presence.PRESENT, present), (Presence.EXCLUDED, excluded))
    return Case(
        age_days=None if years is None else int(years * 365.25) + 1,
        sex=sex,
        findings=tuple(
            Finding(id=FindingId(f), presence=state) for state, listed in states for f in listed
        ),
    )
