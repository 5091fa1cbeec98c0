"""What left the clinic, letter by letter; and patients who leave it for good."""

import hashlib
import hmac
import json
from datetime import datetime

from ddx.domain.audit import AuditAction
from ddx.domain.canonical import canonical_json, digest_of
from ddx.domain.identifiers import RecordId
from ddx.domain.roles import Permission
from desktop.services.desk import Desk
from desktop.services.records import ErasureProof, SentRecord
from desktop.store.records import ErasureRecord, PatientRecord, SentEvent, StoredDiagnosis
from sync_service.client.outbox import EventKind
from sync_service.client.outgoing import erasure_payload


class PrivacyService:
    """The outgoing side of this clinic, and erasure."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def sent(self, limit: int = 200) -> tuple[SentRecord, ...]:
        """Return what left or waits to leave, newest first, with the exact payload as JSON."""
        self._desk.require(Permission.VIEW_SENT)
        with self._desk.store.write() as unit:
            self._desk.journal.listed(unit, "sent")
            return tuple(_sent(event) for event in unit.outbox.sent(limit))

    def due(self, before: datetime) -> tuple[RecordId, ...]:
        """Return the patients not seen since `before`, longest ago first: retention is over.

        How long records are kept is the clinic's law and policy, not ours: it is asked for.
        """
        self._desk.require(Permission.ERASE_PATIENT)
        with self._desk.store.write() as unit:
            self._desk.journal.listed(unit, "due")
            return unit.erasures.last_seen_before(before)

    def erase(self, patient: RecordId) -> ErasureProof:
        """Erase one patient: person, drafts, diagnoses, decisions, payloads on the device.

        One transaction writes the tombstone, the audit entry with the proof, and the event that
        asks the cloud to erase what carries the pseudonym. The audit chain keeps every entry: it
        never held more than the pseudonym and digests.

        Raises:
            RecordMissingError: no such patient; nothing was erased.
        """
        self._desk.require(Permission.ERASE_PATIENT)
        now = self._desk.now()
        with self._desk.store.write() as unit:
            unit.erasures.overwrite_freed_pages()
            person = unit.patients.get(patient)
            diagnoses = unit.diagnoses.of_patient(patient)
            ids = tuple(d.id for d in diagnoses)
            decisions = unit.feedback.of_diagnoses(ids)
            proof = erasure_proof(unit.clinic.get().pseudonym_key, person, diagnoses)
            tombstone = ErasureRecord(
                pseudonym=person.pseudonym,
                clinician_id=self._desk.clinician.id,
                erased_at=now,
                proof=proof,
                diagnoses=len(ids),
            )
            unit.erasures.erase(patient, ids, tombstone)
            self._desk.journal.record(
                unit,
                AuditAction.PATIENT_ERASED,
                person.pseudonym,
                proof=proof,
                diagnoses=len(ids),
                decisions=len(decisions),
                receipts=digest_of({"receipts": sorted(d.receipt_digest for d in diagnoses)}),
            )
            payload = erasure_payload(
                patient_pseudonym=person.pseudonym, diagnoses=len(ids), erased_at=now, proof=proof
            )
            self._desk.journal.send(unit, EventKind.ERASURE, payload)
        return _proof(tombstone)

    def erasures(self) -> tuple[ErasureProof, ...]:
        """Return who was erased, by pseudonym, oldest first."""
        self._desk.require(Permission.VIEW_SENT)
        with self._desk.store.write() as unit:
            self._desk.journal.listed(unit, "erased")
            return tuple(_proof(tombstone) for tombstone in unit.erasures.all())


def erasure_proof(
    clinic_key: bytes, person: PatientRecord, diagnoses: tuple[StoredDiagnosis, ...]
) -> str:
    """Return the keyed hash of everything that names the patient and of every receipt.

    HMAC-SHA256 under the clinic's key: who has a backup and the key can show what was erased;
    nobody else can test a guessed name against it.
    """
    content = {
        "id": person.id,
        "given_name": person.given_name,
        "family_name": person.family_name,
        "birth_date": person.birth_date.isoformat(),
        "sex": person.sex.value,
        "national_id": person.national_id,
        "receipts": sorted(d.receipt_digest for d in diagnoses),
    }
    return hmac.new(clinic_key, canonical_json(content), hashlib.sha256).hexdigest()


def _proof(tombstone: ErasureRecord) -> ErasureProof:
    return ErasureProof(
        pseudonym=tombstone.pseudonym,
        erased_at=tombstone.erased_at,
        proof=tombstone.proof,
        diagnoses=tombstone.diagnoses,
    )


def _sent(event: SentEvent) -> SentRecord:
    return SentRecord(
        id=event.id,
        kind=event.kind,
        created_at=event.created_at,
        state=event.state,
        server_sequence=event.server_sequence,
        reason=event.reason,
        payload_json=json.dumps(event.payload, ensure_ascii=False, indent=2, sort_keys=True),
        payload_sha256=event.payload_sha256,
    )
