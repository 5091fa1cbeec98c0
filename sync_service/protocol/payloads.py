"""What an event may carry, field by field: the allow-list of what leaves the clinic.

Known fields have a shape in which no free text fits. A reader keeps unknown fields; a writer
may not add any (`sync_service.protocol.allowlist`).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from pydantic import AwareDatetime, Field

from ddx.domain.engine_time import SLOWEST_S
from sync_service.protocol.codes import EventKind
from sync_service.protocol.fields import (
    CoarseAge,
    CoarseOnset,
    Code,
    CodeOrEmpty,
    DiseaseIdText,
    FindingIdText,
    Message,
    Probability,
    Pseudonym,
    RecordIdText,
    Sha256Hex,
)


class FindingMessage(Message):
    """`ddx.domain.wire.finding_to_json`."""

    id: FindingIdText
    presence: Code
    grade: float | None = Field(default=None, ge=0, le=10)
    severity: Code | None = None
    onset_days: int | None = Field(default=None, ge=0)


class VitalsMessage(Message):
    """Vital signs in the units of `ddx.domain.case.VitalSigns`."""

    temperature_c: float | None = None
    heart_rate_bpm: float | None = None
    respiratory_rate_bpm: float | None = None
    systolic_mmhg: float | None = None
    diastolic_mmhg: float | None = None
    spo2_percent: float | None = None
    on_oxygen: bool | None = None
    alert: bool | None = None
    weight_kg: float | None = None
    glucose_mg_dl: float | None = None


class CaseMessage(Message):
    """`ddx.domain.wire.case_to_json`: a case as asked of the engine, age in days."""

    age_days: int | None = Field(default=None, ge=0)
    sex: Code
    findings: tuple[FindingMessage, ...] = Field(default=(), max_length=1000)
    vitals: VitalsMessage = VitalsMessage()


class RecordedFinding(FindingMessage):
    """A finding as it leaves the clinic: how long ago in coarse steps."""

    onset_days: CoarseOnset | None = None


class RecordedCase(CaseMessage):
    """A case as it leaves the clinic: age in whole years, 90 and above pooled; onsets coarse."""

    age_days: CoarseAge | None = None
    findings: tuple[RecordedFinding, ...] = Field(default=(), max_length=1000)


class CandidateMessage(Message):
    """One disease of a differential."""

    rank: int = Field(ge=1)
    disease: DiseaseIdText
    probability: Probability
    band: Code
    world: Code
    severity: int | None = None


class AlertMessage(Message):
    """A safety rule that fired. Its citation is text and known by its code: it stays."""

    code: Code
    urgent: bool
    evidence: tuple[Code, ...] = ()


class DifferentialMessage(Message):
    """The head of a differential; the receipt's digest stands for the whole."""

    candidates: tuple[CandidateMessage, ...]
    outside_probability: Probability
    unused: tuple[FindingIdText, ...] = ()
    alerts: tuple[AlertMessage, ...] = ()
    bundle_version: Code


class DiagnosisPayload(Message):
    """One diagnosis. receipt_digest: SHA-256 over the full, uncut input and output.

    engine_s: how long the engine took at the device, a step of `ddx.domain.engine_time`; absent
    from devices that do not say.
    """

    diagnosis_id: RecordIdText
    patient_pseudonym: Pseudonym
    case: RecordedCase
    differential: DifferentialMessage
    receipt_digest: Sha256Hex
    bundle_digest: Sha256Hex
    made_at: AwareDatetime
    engine_s: float | None = Field(default=None, gt=0, le=SLOWEST_S)


class Suggestion(Message):
    """A followed proposal, named by its disease."""

    id: DiseaseIdText


class CodedReason(Message):
    """A coded override reason."""

    code: Code


class OverrideReasonMessage(Message):
    """CDS Hooks `overrideReason` without its `userComment`: free text stays."""

    reason: CodedReason


class FeedbackPayload(Message):
    """CDS Hooks 2.0 feedback, with our verb and the disease the clinician holds true."""

    feedback_id: RecordIdText
    diagnosis_id: RecordIdText
    outcome: Code
    outcome_timestamp: AwareDatetime = Field(alias="outcomeTimestamp")
    accepted_suggestions: tuple[Suggestion, ...] = Field(default=(), alias="acceptedSuggestions")
    override_reason: OverrideReasonMessage | None = Field(default=None, alias="overrideReason")
    verb: Code
    disease: DiseaseIdText | None = None


class AuditEntryMessage(Message):
    """One link of the device's chain. `at` stays text: the hash covers its exact letters.

    detail: codes and counts; the allow-list refuses any text in it.
    """

    sequence: int = Field(ge=1)
    id: RecordIdText
    at: Code
    actor: CodeOrEmpty
    action: Code
    subject: CodeOrEmpty
    previous: Sha256Hex
    detail: dict[str, Any] = Field(default_factory=dict)
    hash: Sha256Hex


class AuditPayload(Message):
    """Consecutive links of the chain and the hash of the last one."""

    entries: tuple[AuditEntryMessage, ...] = Field(min_length=1)
    head: Sha256Hex


class ErasurePayload(Message):
    """A patient was erased at the clinic. proof: the clinic's keyed hash of what was erased.

    Who receives it erases what carries the pseudonym.
    """

    patient_pseudonym: Pseudonym
    diagnoses: int = Field(ge=0)
    erased_at: AwareDatetime
    proof: Sha256Hex


class ModelFailurePayload(Message):
    """The model of a device failed on a case; nothing of the case or the patient."""

    bundle_version: Code
    bundle_digest: Sha256Hex
    failed_at: AwareDatetime


PAYLOADS: Final[Mapping[str, type[Message]]] = MappingProxyType(
    {
        EventKind.DIAGNOSIS: DiagnosisPayload,
        EventKind.FEEDBACK: FeedbackPayload,
        EventKind.AUDIT: AuditPayload,
        EventKind.ERASURE: ErasurePayload,
        EventKind.MODEL_FAILURE: ModelFailurePayload,
    }
)
