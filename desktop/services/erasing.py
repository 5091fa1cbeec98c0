"""Erasing a patient in one transaction, for the first time or again after a restore."""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime

from ddx.domain.audit import AuditAction
from ddx.domain.canonical import canonical_json, digest_of
from ddx.domain.identifiers import RecordId
from desktop.services.journal import Journal
from desktop.store.records import ErasureRecord, PatientRecord, StoredDiagnosis
from desktop.store.unit_of_work import UnitOfWork
from sync_service.client.outbox import EventKind
from sync_service.client.outgoing import erasure_payload


def erase(
    unit: UnitOfWork, journal: Journal, person: PatientRecord, *, by: RecordId, at: datetime
) -> ErasureRecord:
    """Erase one patient and return the tombstone, written with its entry and its event."""
    diagnoses = unit.diagnoses.of_patient(person.id)
    tombstone = ErasureRecord(
        pseudonym=person.pseudonym,
        clinician_id=by,
        erased_at=at,
        proof=erasure_proof(unit.clinic.get().pseudonym_key, person, diagnoses),
        diagnoses=len(diagnoses),
    )
    unit.erasures.bury(tombstone)
    _remove(unit, journal, person, diagnoses, tombstone)
    return tombstone


def erase_again(
    unit: UnitOfWork, journal: Journal, erasures: Iterable[ErasureRecord], at: datetime
) -> int:
    """Erase whoever an older backup brought back, and return how many those were.

    The tombstones of the ledger are kept as they were written; each entry carries the proof of
    what was removed this time.
    """
    buried = {tombstone.pseudonym for tombstone in unit.erasures.all()}
    again = 0
    for tombstone in erasures:
        if tombstone.pseudonym in buried:
            continue
        unit.clinic.remember(tombstone.clinician_id, at)
        unit.erasures.bury(tombstone)
        person = unit.patients.by_pseudonym(tombstone.pseudonym)
        if person is not None:
            _remove(unit, journal, person, unit.diagnoses.of_patient(person.id), tombstone)
            again += 1
    return again


def _remove(
    unit: UnitOfWork,
    journal: Journal,
    person: PatientRecord,
    diagnoses: tuple[StoredDiagnosis, ...],
    tombstone: ErasureRecord,
) -> None:
    unit.erasures.overwrite_freed_pages()
    ids = tuple(d.id for d in diagnoses)
    decisions = unit.feedback.of_diagnoses(ids)
    proof = erasure_proof(unit.clinic.get().pseudonym_key, person, diagnoses)
    unit.erasures.erase(person.id, ids, person.pseudonym)
    journal.record(
        unit,
        AuditAction.PATIENT_ERASED,
        person.pseudonym,
        proof=proof,
        diagnoses=len(ids),
        decisions=len(decisions),
        receipts=digest_of({"receipts": sorted(d.receipt_digest for d in diagnoses)}),
    )
    payload = erasure_payload(
        patient_pseudonym=person.pseudonym,
        diagnoses=len(ids),
        erased_at=tombstone.erased_at,
        proof=proof,
    )
    journal.send(unit, EventKind.ERASURE, payload)


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
