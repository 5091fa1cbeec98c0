"""Records of the clinic as payloads that may leave it, and nothing else of them.

Plain objects: the store writes them into the outbox in the transaction of the record.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from ddx.domain.audit import AuditEntry, body_of
from ddx.domain.differential import Differential
from ddx.domain.engine_time import step_of
from ddx.domain.receipt import Receipt
from ddx.domain.wire import JsonObject, case_to_json
from ddx.errors import CaseError
from sync_service.protocol.ages import coarse_age_days, coarse_onset_days

SENT_CANDIDATES: Final = 10
"""Head of the differential that leaves; the full list is in the receipt and its digest."""

_PROBABILITY_DIGITS: Final = 6


def diagnosis_payload(
    receipt: Receipt, *, patient_pseudonym: str, engine_seconds: float | None = None
) -> JsonObject:
    """Return one diagnosis as it may leave: whole-year age, coarse onsets, head of the list.

    patient_pseudonym: keyed hash (HMAC-SHA-256, clinic key) in lower-case hex, 32 to 64 digits.
    engine_seconds: how long the engine took; it leaves as a step of `ddx.domain.engine_time`.
    """
    case = case_to_json(receipt.case)
    if receipt.case.age_days is not None:
        case["age_days"] = coarse_age_days(receipt.case.age_days)
    for finding in case["findings"]:
        if "onset_days" in finding:
            finding["onset_days"] = coarse_onset_days(finding["onset_days"])
    return {
        "diagnosis_id": receipt.diagnosis_id,
        "patient_pseudonym": patient_pseudonym,
        "case": case,
        "differential": _differential(receipt.differential),
        "receipt_digest": receipt.digest,
        "bundle_digest": receipt.differential.bundle_digest,
        "made_at": _utc(receipt.made_at),
        **({} if engine_seconds is None else {"engine_s": step_of(engine_seconds)}),
    }


def model_failure_payload(*, version: str, digest: str, failed_at: datetime) -> JsonObject:
    """Return what is told of a model that failed on a case. version, digest: of its bundle."""
    return {
        "bundle_version": version,
        "bundle_digest": digest,
        "failed_at": _utc(failed_at),
    }


def erasure_payload(
    *, patient_pseudonym: str, diagnoses: int, erased_at: datetime, proof: str
) -> JsonObject:
    """Return what the cloud is told of an erased patient. proof: the clinic's keyed hash, hex."""
    return {
        "patient_pseudonym": patient_pseudonym,
        "diagnoses": diagnoses,
        "erased_at": _utc(erased_at),
        "proof": proof,
    }


def audit_payload(entries: Sequence[AuditEntry]) -> JsonObject:
    """Return consecutive audit entries as one segment.

    Raises:
        CaseError: no entries.
    """
    if not entries:
        raise CaseError("an audit segment needs at least one entry")
    return {
        "entries": [{**body_of(entry), "hash": entry.hash} for entry in entries],
        "head": entries[-1].hash,
    }


def _differential(differential: Differential) -> JsonObject:
    return {
        "candidates": [
            {
                "rank": c.rank,
                "disease": c.disease,
                "probability": round(c.probability, _PROBABILITY_DIGITS),
                "band": c.band.value,
                "world": c.world.value,
                "severity": c.severity,
            }
            for c in differential.candidates[:SENT_CANDIDATES]
        ],
        "outside_probability": round(differential.outside_probability, _PROBABILITY_DIGITS),
        "unused": list(differential.unused),
        "alerts": [
            {"code": a.code, "urgent": a.urgent, "evidence": list(a.evidence)}
            for a in differential.alerts
        ],
        "bundle_version": differential.bundle_version,
    }


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
