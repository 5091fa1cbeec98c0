"""The audit chain, for those who may read it: look, verify, export."""

import json

from ddx.domain.audit import AuditAction, AuditChainError, AuditEntry
from ddx.domain.audit_log import LogHeader, seal_line, seals_of, to_be_sealed, unsealed_lines
from ddx.domain.audit_verdict import AuditLogReport, verify_log
from ddx.domain.course import UNWATCHED, Course, StoppedError
from ddx.domain.roles import Permission
from ddx.domain.statements import moment_text
from desktop.services.desk import Desk
from desktop.services.fhir_audit import audit_event_bundle
from desktop.services.records import AuditKeys
from desktop.signatures import ed25519_check
from desktop.store.unit_of_work import UnitOfWork

SERVER_KEY = "audit.server_key"
"""Setting: the server's public key, hex, as the first checkpoint showed it."""


class AuditService:
    """The chain of this device."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def entries(self, after: int = 0, course: Course = UNWATCHED) -> tuple[AuditEntry, ...]:
        """Return the entries after sequence `after`, in order."""
        self._desk.require(Permission.READ_AUDIT)
        with self._desk.store.read(course) as unit:
            return unit.audit.after(after, course)

    def verify(self, course: Course = UNWATCHED) -> int:
        """Return how many entries hold: chain, signatures and countersigned heads, all epochs.

        Stopped, the chain tells that it was begun and not finished.

        Raises:
            AuditChainError: names the first bad entry.
        """
        self._desk.require(Permission.READ_AUDIT)
        try:
            report = judged(self._desk, course)
        except StoppedError:
            with self._desk.store.write() as unit:
                self._desk.journal.record(
                    unit,
                    AuditAction.STORE_CHECKED,
                    unit.device.get().id,
                    what="audit",
                    finished=False,
                )
            raise
        if report.finding is not None:
            found = report.finding
            raise AuditChainError(found.sequence, f"{found.verdict}: {found.reason}")
        return report.entries

    def keys(self) -> AuditKeys:
        """Return the public keys an auditor compares an export with."""
        self._desk.require(Permission.READ_AUDIT)
        with self._desk.store.read() as unit:
            return _keys(unit)

    def export(self, course: Course = UNWATCHED) -> bytes:
        """Return the whole log as a sealed file for `vereda audit verify`.

        The export is itself an entry, the last one of the file. Stopped, it is none.
        """
        self._desk.require(Permission.READ_AUDIT)
        with self._desk.store.write(course) as unit:
            self._write_down(unit, "audit_log")
            return b"".join(sealed_log(self._desk, unit, course))

    def export_fhir(self, course: Course = UNWATCHED) -> bytes:
        """Return the whole log as a FHIR R4 Bundle of AuditEvents, JSON. Stopped, as `export`."""
        self._desk.require(Permission.READ_AUDIT)
        with self._desk.store.write(course) as unit:
            self._write_down(unit, "audit_events")
            entries = unit.audit.signed(course)
            bundle = audit_event_bundle(entries, device_id=unit.device.get().id)
        return json.dumps(bundle, ensure_ascii=False, indent=1).encode()

    def _write_down(self, unit: UnitOfWork, what: str) -> None:
        self._desk.journal.record(unit, AuditAction.EXPORTED, unit.device.get().id, what=what)


def judged(desk: Desk, course: Course = UNWATCHED) -> AuditLogReport:
    """Return whether the whole log holds, judged as its export is."""
    with desk.store.read(course) as unit:
        lines, keys = sealed_log(desk, unit, course), _keys(unit)
    return verify_log(
        lines,
        check=ed25519_check,
        device_key=keys.device_key,
        server_key=keys.server_key or None,
        course=course,
    )


def sealed_log(desk: Desk, unit: UnitOfWork, course: Course = UNWATCHED) -> tuple[bytes, ...]:
    """Return the lines of the whole log, sealed by the device."""
    key, device = unit.device.signing_key(), unit.device.get()
    entries = unit.audit.signed(course)
    header = LogHeader(
        device_id=device.id,
        device_key=key.public_key().public_bytes_raw().hex(),
        exported_at=moment_text(desk.now()),
        exported_by=desk.clinician.id,
    )
    lines = unsealed_lines(header, entries, unit.audit.checkpoints())
    seals = seals_of(entries)
    signature = key.sign(to_be_sealed(device.id, lines, seals)).hex()
    return (*lines, seal_line(seals, lines, signature))


def _keys(unit: UnitOfWork) -> AuditKeys:
    return AuditKeys(
        device_id=unit.device.get().id,
        device_key=unit.device.public_key(),
        server_key=unit.settings.get(SERVER_KEY) or "",
    )
