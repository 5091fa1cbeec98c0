"""Audit entries as FHIR R4 AuditEvents, in the manner of IHE BALP.

Event types: DICOM PS3.16, CID 400 (Audit Event ID) and CID 401 (type codes). Our own action is
the subtype; nothing of the entry is lost: hash, chain and detail travel as entity details.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from ddx.domain.audit import AuditAction, AuditEntry
from ddx.domain.audit_log import SignedEntry
from ddx.domain.canonical import canonical_json

DICOM: Final = "http://dicom.nema.org/resources/ontology/DCM"
ACTION: Final = "urn:vereda:audit-action"
CLINICIAN: Final = "urn:vereda:clinician"
DEVICE: Final = "urn:vereda:device"
SUBJECT: Final = "urn:vereda:subject"

SUCCESS: Final = "0"
MINOR_FAILURE: Final = "4"
"""AuditEvent.outcome: http://hl7.org/fhir/audit-event-outcome."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """A DICOM event id with its display, and FHIR's create, read, update, delete, execute."""

    code: str
    display: str
    action: str


_AUTHENTICATION: Final = ("110114", "User Authentication")
_RECORD: Final = ("110110", "Patient Record")
_SECURITY: Final = ("110113", "Security Alert")
_KINDS: Final = {
    AuditAction.CLINIC_CREATED: _Kind("110100", "Application Activity", "C"),
    AuditAction.SIGN_IN: _Kind(*_AUTHENTICATION, "E"),
    AuditAction.SIGN_IN_REFUSED: _Kind(*_AUTHENTICATION, "E"),
    AuditAction.SIGN_OUT: _Kind(*_AUTHENTICATION, "E"),
    AuditAction.CLOUD_SIGN_IN: _Kind(*_AUTHENTICATION, "E"),
    AuditAction.CLOUD_SIGN_IN_REFUSED: _Kind(*_AUTHENTICATION, "E"),
    AuditAction.ROLE_LEASED: _Kind(*_SECURITY, "U"),
    AuditAction.EPOCH_OPENED: _Kind(*_SECURITY, "E"),
    AuditAction.PATIENT_CREATED: _Kind(*_RECORD, "C"),
    AuditAction.PATIENT_VIEWED: _Kind(*_RECORD, "R"),
    AuditAction.PATIENT_ERASED: _Kind(*_RECORD, "D"),
    AuditAction.DIAGNOSED: _Kind(*_RECORD, "C"),
    AuditAction.EXPLAINED: _Kind(*_RECORD, "R"),
    AuditAction.DECIDED: _Kind(*_RECORD, "C"),
    AuditAction.EXPORTED: _Kind("110106", "Export", "R"),
    AuditAction.SETTING_CHANGED: _Kind("110100", "Application Activity", "U"),
    AuditAction.SYNCED: _Kind("110106", "Export", "E"),
    AuditAction.BUNDLE_ACTIVATED: _Kind("110100", "Application Activity", "U"),
    AuditAction.BUNDLE_REFUSED: _Kind("110100", "Application Activity", "U"),
    AuditAction.RECORDS_LISTED: _Kind("110112", "Query", "E"),
    AuditAction.STORE_CHECKED: _Kind("110100", "Application Activity", "E"),
    AuditAction.STORE_QUARANTINED: _Kind(*_SECURITY, "E"),
    AuditAction.APPLICATION_UPDATE: _Kind("110100", "Application Activity", "U"),
    AuditAction.AUDIT_RETIRED: _Kind("110101", "Audit Log Used", "D"),
}
_FAILED: Final = frozenset(
    {
        AuditAction.SIGN_IN_REFUSED,
        AuditAction.CLOUD_SIGN_IN_REFUSED,
        AuditAction.BUNDLE_REFUSED,
    }
)


def audit_event_bundle(entries: Sequence[SignedEntry], *, device_id: str) -> dict[str, Any]:
    """Return a FHIR R4 collection Bundle with one AuditEvent per entry, in order."""
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"fullUrl": f"urn:uuid:{s.entry.id}", "resource": audit_event(s, device_id=device_id)}
            for s in entries
        ],
    }


def audit_event(signed: SignedEntry, *, device_id: str) -> dict[str, Any]:
    """Return one entry as an AuditEvent; ids and codes only, as in the entry itself."""
    entry = signed.entry
    kind = _KINDS[entry.action]
    return {
        "resourceType": "AuditEvent",
        "id": entry.id,
        "type": {"system": DICOM, "code": kind.code, "display": kind.display},
        "subtype": [{"system": ACTION, "code": entry.action.value}],
        "action": kind.action,
        "recorded": entry.at.isoformat(),
        "outcome": MINOR_FAILURE if entry.action in _FAILED else SUCCESS,
        "agent": [
            {
                "who": {"identifier": {"system": _who(entry, device_id), "value": entry.actor}},
                "requestor": True,
            }
        ],
        "source": {"observer": {"identifier": {"system": DEVICE, "value": device_id}}},
        "entity": [
            {
                "what": {"identifier": {"system": SUBJECT, "value": entry.subject}},
                "detail": _details(signed),
            }
        ],
    }


def _who(entry: AuditEntry, device_id: str) -> str:
    return DEVICE if entry.actor == device_id else CLINICIAN


def _details(signed: SignedEntry) -> list[dict[str, str]]:
    entry = signed.entry
    told = {
        "epoch": str(signed.epoch),
        "sequence": str(entry.sequence),
        "previous": entry.previous,
        "hash": entry.hash,
        "signature": signed.signature,
        "detail": canonical_json(dict(entry.detail)).decode(),
    }
    return [{"type": name, "valueString": text} for name, text in told.items() if text]
