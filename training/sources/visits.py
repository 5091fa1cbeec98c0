"""A visit as a hospital's record or a published data set tells it, reduced to the allow-list.

It is a message of the protocol's own make: coded fields in which no free text fits, age in whole
years, pseudonyms. What a source knows beyond that stays with the source.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import Field

from ddx.domain.case import Case, Sex, VitalSigns
from ddx.domain.identifiers import DiseaseId
from ddx.domain.wire import case_to_json
from sync_service.protocol.ages import coarse_age_days, coarse_onset_days
from sync_service.protocol.fields import Code, DiseaseIdText, Message, Pseudonym, RecordIdText
from sync_service.protocol.payloads import RecordedCase

MAX_ROWS: Final = 2000


class ObservationMessage(Message):
    """One measured value. code: LOINC. unit: UCUM as `training.sources.ehr.units` spells it."""

    code: Code
    unit: Code
    value: float


class ConditionMessage(Message):
    """One coded condition. status: FHIR's verification status, or `unstated`."""

    system: Code
    code: Code
    status: Code


class LabelMessage(Message):
    """The disease it was, by the source. label_source: `training.lake.tables.LabelSource`."""

    disease: DiseaseIdText
    label_source: Code
    confirmed: bool


class VisitPayload(Message):
    """One visit, or a part of it: parts of one visit share `visit_id` and are joined in silver.

    observations, conditions: in the order of their time. labels: first the one that counts.
    """

    visit_id: RecordIdText
    patient_pseudonym: Pseudonym | None = None
    case: RecordedCase
    observations: tuple[ObservationMessage, ...] = Field(default=(), max_length=MAX_ROWS)
    conditions: tuple[ConditionMessage, ...] = Field(default=(), max_length=MAX_ROWS)
    labels: tuple[LabelMessage, ...] = Field(default=(), max_length=100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A visit on its way into the lake. clinic, patient: pseudonyms. at: with a time zone."""

    id: str
    visit_id: str
    source: str
    clinic: str
    at: datetime
    payload: dict[str, Any]


def published_payload(
    visit_id: str, case: Case, labels: Iterable[tuple[DiseaseId, str, bool]]
) -> dict[str, Any]:
    """Return a published patient as a payload. labels: disease, its source, whether confirmed."""
    return {
        "visit_id": visit_id,
        "case": recorded_case(case),
        "labels": [
            {"disease": disease, "label_source": source, "confirmed": confirmed}
            for disease, source, confirmed in labels
        ],
    }


def recorded_case(case: Case) -> dict[str, Any]:
    """Return `case` as it may be stored: age in whole years, onsets in coarse steps."""
    raw = case_to_json(case)
    if raw["age_days"] is not None:
        raw["age_days"] = coarse_age_days(raw["age_days"])
    for finding in raw["findings"]:
        if "onset_days" in finding:
            finding["onset_days"] = coarse_onset_days(finding["onset_days"])
    return raw


def bare_case(age_days: int | None, sex: Sex) -> dict[str, Any]:
    """Return a case that states nothing but age and sex, as it may be stored."""
    return recorded_case(Case(age_days=age_days, sex=sex, vitals=VitalSigns()))
