"""What left the clinic, letter by letter; and patients who leave it for good."""

import json
from contextlib import suppress
from datetime import datetime

from ddx.domain.identifiers import RecordId
from ddx.domain.roles import Permission
from desktop.services.desk import Desk
from desktop.services.erasing import erase
from desktop.services.records import ErasureProof, SentRecord
from desktop.store.errors import StoreError
from desktop.store.ledger import ErasureLedger
from desktop.store.records import ErasureRecord, SentEvent


class PrivacyService:
    """The outgoing side of this clinic, and erasure."""

    def __init__(self, desk: Desk, ledger: ErasureLedger | None = None) -> None:
        """Bind the desk. ledger: of erasures, beside the store; absent without a folder."""
        self._desk, self._ledger = desk, ledger

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
        never held more than the pseudonym and digests. The ledger beside the store and the
        backups keeps the pseudonym, so that an older backup does not bring the patient back.

        Raises:
            RecordMissingError: no such patient; nothing was erased.
        """
        self._desk.require(Permission.ERASE_PATIENT)
        with self._desk.store.write() as unit:
            person = unit.patients.get(patient)
            tombstone = erase(
                unit,
                self._desk.journal,
                person,
                by=self._desk.clinician.id,
                at=self._desk.now(),
            )
            key, all_ = unit.clinic.get().pseudonym_key, unit.erasures.all()
        if self._ledger is not None:
            with suppress(StoreError):  # the erasure stands; the next upkeep writes the ledger
                self._ledger.keep(key, all_)
        return _proof(tombstone)

    def erasures(self) -> tuple[ErasureProof, ...]:
        """Return who was erased, by pseudonym, oldest first."""
        self._desk.require(Permission.VIEW_SENT)
        with self._desk.store.write() as unit:
            self._desk.journal.listed(unit, "erased")
            return tuple(_proof(tombstone) for tombstone in unit.erasures.all())


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
