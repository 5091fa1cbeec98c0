"""Sync as the clinician sees it: what waits, what arrived, and the link to a server."""

import threading
from datetime import datetime
from typing import TYPE_CHECKING, Final

from ddx.domain.audit import AuditAction
from ddx.domain.course import UNWATCHED, Course
from ddx.domain.identifiers import RecordId
from ddx.domain.lease import RoleLease
from ddx.domain.metering import ByteRule
from ddx.domain.roles import Permission
from desktop.services.checkpoints import ALARM, show_head
from desktop.services.desk import Desk
from desktop.services.errors import NotLinkedError
from desktop.services.organisation import in_force
from desktop.services.records import SyncPhase, SyncStatus
from desktop.settings import Settings
from desktop.store.unit_of_work import UnitOfWork
from sync_service.client.outbox import OutboxCounts

if TYPE_CHECKING:
    from desktop.services.link import Line
    from sync_service.client.clinic import ClinicSide

SERVER: Final = "sync.server"
LAST_CONTACT: Final = "sync.last_contact_at"
_ROUTINE: Final = frozenset({AuditAction.SYNCED, AuditAction.SIGN_OUT})
"""Entries that wait for others to travel with: a sync must not cause the next one."""


class SyncService:
    """The outbox of this clinic and its server."""

    def __init__(self, desk: Desk, settings: Settings) -> None:
        self._desk, self._settings = desk, settings
        self._line: Line | None = None
        self._one_at_a_time = threading.Lock()

    def status(self) -> SyncStatus:
        """Return where the sync stands; any signed-in person may ask."""
        with self._desk.store.read() as unit:
            counts, server = unit.outbox.counts(), unit.settings.get(SERVER)
            contact, alarm = unit.settings.get(LAST_CONTACT), unit.settings.get(ALARM) or ""
        if server is None:
            return _status(counts, SyncPhase.NOT_LINKED, self._settings.sync_url, None, alarm=alarm)
        line = self._line
        phase, code = (
            (SyncPhase.IDLE, "")
            if line is None
            else (SyncPhase(line.report().phase.value), line.report().code)
        )
        return _status(counts, phase, server, contact, code=code, alarm=alarm)

    def link(self, server_url: str, code: str) -> SyncStatus:
        """Enrol this device with a server and remember it.

        Raises:
            ServerAddressError, EnrolmentCodeError: nothing was sent.
            ServerRefusedError, ServerUnreachableError, ServerBusyError: the old link stands.
        """
        self._desk.require(Permission.MANAGE_CLINICIANS)
        with self._one_at_a_time:
            line = self._opened(server_url)
            try:
                line.enrol(code)
            except BaseException:
                line.close()
                raise
            remember_server(self._desk, server_url)
            self.close()
            self._line = line
        return self.status()

    def run_once(self, course: Course = UNWATCHED) -> SyncStatus:
        """Push what waits and return the new status; an absent network is a phase of it.

        course: told of records settled. It ends between two batches: what the server has
        acknowledged stays so, and the rest waits as before.
        """
        self._desk.require(Permission.DIAGNOSE)
        with self._one_at_a_time:
            try:
                line = self.line()
            except NotLinkedError:
                return self.status()
            with line.ending_with(course):
                # The head first: a restored backup must not push over its own past.
                show_head(self._desk, line)
                course.at()
                line.take_settings(self._desk)
                course.at()
                self._push(line, course)
        return self.status()

    def _push(self, line: "Line", course: Course) -> None:
        with self._desk.store.write() as unit:
            before = unit.outbox.counts()
            send_audit(self._desk, unit)
        try:
            line.push(course)
        finally:
            with self._desk.store.write() as unit:
                self._write_down(unit, before, line.report().last_contact_at)

    def lease(self, clinician: RecordId, id_token: str) -> RoleLease | None:
        """Return the role the linked server lends, None without a link or from an older server.

        Raises:
            ServerRefusedError, ServerUnreachableError, ServerBusyError: no lease was given.
        """
        try:
            line = self.line()
        except NotLinkedError:
            return None
        with self._one_at_a_time:
            return line.lease(clinician, id_token)

    def line(self) -> "Line":
        """Return the line to the linked server. Raises NotLinkedError."""
        if self._line is None:
            with self._desk.store.read() as unit:
                server = unit.settings.get(SERVER)
            if server is None:
                raise NotLinkedError("no server is linked")
            self._line = self._opened(server)
        return self._line

    def close(self) -> None:
        """Let go of the connections."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def _opened(self, server: str) -> "Line":
        from desktop.services.link import Line  # noqa: PLC0415 -- see that module

        shelf = self._desk.shelf
        return Line(
            self._desk.store,
            server,
            self.settings(),
            rule=self._rule,
            bundle_version=lambda: shelf.engine.version,
            now=self._desk.now,
        )

    def settings(self) -> Settings:
        """Return the settings in force: this machine's, and the organisation's where it is mute."""
        return in_force(self._desk.store, self._settings)

    def _rule(self) -> ByteRule:
        now = self.settings()
        return ByteRule(policy=now.metered_policy, budget_bytes=now.daily_byte_budget)

    def side(self) -> "ClinicSide":
        """Return this clinic as the sync service without a window works with it."""
        from desktop.services.background import clinic_side  # noqa: PLC0415 -- pydantic

        self._desk.require(Permission.DIAGNOSE)
        with self._desk.store.read() as unit:
            server = unit.settings.get(SERVER) or self._settings.sync_url
        return clinic_side(self._desk, self.settings(), server, self._rule)

    def retry(self, event: RecordId) -> bool:
        """Let a record that was set aside wait again; False when it is not set aside."""
        self._desk.require(Permission.DIAGNOSE)
        with self._desk.store.write() as unit:
            return unit.outbox.retry(event)

    def _write_down(self, unit: UnitOfWork, before: OutboxCounts, contact: datetime | None) -> None:
        if contact is not None:
            unit.settings.put(LAST_CONTACT, contact.isoformat())
        after = unit.outbox.counts()
        stored = after.acknowledged - before.acknowledged
        refused = after.quarantined - before.quarantined
        if stored or refused:
            device = unit.device.get().id
            self._desk.journal.record(
                unit, AuditAction.SYNCED, device, stored=stored, refused=refused
            )


def remember_server(desk: Desk, server: str) -> None:
    """Write down that this device was introduced to `server` now."""
    with desk.store.write() as unit:
        unit.settings.put(SERVER, server)
        unit.settings.put(LAST_CONTACT, desk.now().isoformat())
        desk.journal.record(unit, AuditAction.SETTING_CHANGED, SERVER)


def audit_waits(unit: UnitOfWork) -> int:
    """Return how many audit entries join the outbox next: none while all of them are routine."""
    waiting = unit.audit.after(unit.device.get().audit_shipped)
    return len(waiting) if any(entry.action not in _ROUTINE for entry in waiting) else 0


def send_audit(desk: Desk, unit: UnitOfWork) -> None:
    """Put the audit entries that wait in the outbox, when one of them is not routine."""
    if audit_waits(unit):
        desk.journal.send_audit(unit)


def _status(
    counts: OutboxCounts,
    phase: SyncPhase,
    server: str,
    contact: str | None,
    *,
    code: str = "",
    alarm: str = "",
) -> SyncStatus:
    return SyncStatus(
        pending=counts.pending,
        quarantined=counts.quarantined,
        acknowledged=counts.acknowledged,
        last_contact_at=None if contact is None else datetime.fromisoformat(contact),
        phase=phase,
        server=server,
        code=code,
        audit_alarm=alarm,
    )
