"""Requests and answers of /predict and /explain."""

from typing import Any, Final, Literal

from pydantic import Field, ValidationInfo, field_validator

from ddx.domain.case import DAYS_PER_YEAR
from ddx.intake.limits import MAX_AGE_YEARS, POSSIBLE
from sync_service.protocol.fields import (
    DiseaseIdText,
    FindingIdText,
    Message,
    Probability,
    RecordIdText,
)
from sync_service.protocol.payloads import CaseMessage, VitalsMessage

Language = Literal["es", "en"]

MAX_AGE_DAYS: Final = int(MAX_AGE_YEARS * DAYS_PER_YEAR)


def _vital(name: str) -> Any:
    """Return the field of a vital sign: absent, or what a living patient can show."""
    possible = POSSIBLE[name]
    return Field(default=None, ge=possible.low, le=possible.high)


class AskedVitals(VitalsMessage):
    """Vital signs within `ddx.intake.limits.POSSIBLE`: a temperature in Fahrenheit is refused."""

    temperature_c: float | None = _vital("temperature_c")
    heart_rate_bpm: float | None = _vital("heart_rate_bpm")
    respiratory_rate_bpm: float | None = _vital("respiratory_rate_bpm")
    systolic_mmhg: float | None = _vital("systolic_mmhg")
    diastolic_mmhg: float | None = _vital("diastolic_mmhg")
    spo2_percent: float | None = _vital("spo2_percent")
    weight_kg: float | None = _vital("weight_kg")
    glucose_mg_dl: float | None = _vital("glucose_mg_dl")

    @field_validator("diastolic_mmhg")
    @classmethod
    def _below_systolic(cls, diastolic: float | None, info: ValidationInfo) -> float | None:
        systolic = info.data.get("systolic_mmhg")
        if diastolic is not None and systolic is not None and diastolic >= systolic:
            raise ValueError("diastolic pressure is not below systolic")
        return diastolic


class AskedCase(CaseMessage):
    """A case somebody wants read, held to the same bounds as one typed at the screen."""

    age_days: int | None = Field(default=None, ge=0, le=MAX_AGE_DAYS)
    vitals: AskedVitals = AskedVitals()


class PredictRequest(Message):
    """A case. limit: candidates wanted.

    explained: of the first so many, reasons and first actions too. equipment: what can be found
    out where the patient is; the next question needs no more.
    """

    case: AskedCase
    limit: int = Field(default=10, ge=1, le=100)
    explained: int = Field(default=5, ge=0, le=10)
    language: Language = "es"
    equipment: Literal["words", "rural", "full"] = "rural"


class ExplainRequest(Message):
    """A case and the disease to explain."""

    case: AskedCase
    disease: DiseaseIdText


class Confidence(Message):
    """How sure: a calibrated probability, and the word to show for it."""

    probability: Probability
    band: Literal["very_likely", "likely", "possible", "unlikely"]


class RecommendationMessage(Message):
    """One action when the disease is suspected. guideline: its citation."""

    kind: Literal["act", "test", "refer", "follow"]
    text: str
    guideline: str


class CandidateMessage(Message):
    """One disease of the list.

    severity: 1 (most severe) to 5; null where no source grades it. not_excluded: whether it cannot
    be set aside; null where the bundle does not say. explanation: sentences, strongest first;
    null beyond the first `explained`.
    """

    rank: int = Field(ge=1)
    disease: DiseaseIdText
    name: str
    world: Literal["common", "rare"]
    severity: int | None = Field(ge=1, le=5)
    confidence: Confidence
    not_excluded: bool | None
    explanation: tuple[str, ...] | None
    recommendations: tuple[RecommendationMessage, ...]


class RedFlag(Message):
    """A rule that fired, whatever the probabilities. evidence: findings and vital signs."""

    code: str
    urgent: bool
    text: str
    evidence: tuple[str, ...]
    source: str


class TriageReason(Message):
    """One ground of the level."""

    code: str
    level: int = Field(ge=1, le=5)
    text: str
    evidence: tuple[str, ...]
    source: str


class TriageMessage(Message):
    """How soon to attend, 1 (immediate) to 5. With signs missing it may be too calm."""

    level: int = Field(ge=1, le=5)
    text: str
    reasons: tuple[TriageReason, ...]
    missing_vital_signs: tuple[str, ...]


class QuestionMessage(Message):
    """The question most worth asking. findings: what its answer settles, likeliest first."""

    subject: str
    text: str
    findings: tuple[FindingIdText, ...]
    means: str
    gain_bits: float = Field(ge=0.0)


class PredictResponse(Message):
    """Everything there is to say of the case, and the bundle that answered.

    differential: `ddx.domain.wire.differential_to_json`, for clients that store it.
    next_question: null when `stop_asking` says why.
    """

    differential: dict[str, Any]
    candidates: tuple[CandidateMessage, ...]
    red_flags: tuple[RedFlag, ...]
    triage: TriageMessage
    next_question: QuestionMessage | None
    stop_asking: Literal["nothing_left", "settled", "little_to_gain"] | None
    bundle_version: str
    bundle_digest: str


class Receipted(PredictResponse):
    """The same, with the id under which the service keeps what it answered (no case, digests)."""

    receipt_id: RecordIdText


class ExplainResponse(Message):
    """`ddx.domain.wire.explanation_to_json` and the bundle that answered."""

    explanation: dict[str, Any]
    bundle_version: str
    bundle_digest: str
