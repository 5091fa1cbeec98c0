"""The audit grows old: what the server has had for longer than it must be kept here, goes.

A chain without a server, or with one that has not acknowledged every segment, keeps everything.
"""

from ddx.domain.audit import AuditAction
from ddx.domain.audit_retention import beginning_of
from ddx.domain.course import UNWATCHED, Course
from desktop.services.audit import judged
from desktop.services.desk import Desk
from desktop.store.unit_of_work import UnitOfWork
from sync_service.client.outbox import EventKind


def retire_audit(desk: Desk, days: int, course: Course = UNWATCHED) -> int:
    """Let go of entries older than `days`, as `beginning_of` counts; return how many went.

    What stays begins at a countersigned entry, and a new entry says so: exports verify as before.
    A chain that does not hold is evidence, and keeps everything.
    """
    with desk.store.read() as unit:
        beginning = beginning_of(unit.audit.checkpoints(), days, desk.now())
        if beginning is None or not _arrived(unit):
            return 0
    if not judged(desk, course).holds:
        return 0
    course.last_step()
    with desk.store.write() as unit:
        if not _arrived(unit):
            return 0
        gone = unit.audit.retire(beginning)
        if gone:
            desk.journal.record(
                unit,
                AuditAction.AUDIT_RETIRED,
                unit.device.get().id,
                epoch=beginning.epoch,
                sequence=beginning.sequence,
                head=beginning.head,
                entries=gone,
                days=days,
            )
    return gone


def _arrived(unit: UnitOfWork) -> bool:
    """Whether the server has acknowledged every segment of the audit that was to leave."""
    return unit.outbox.unsettled(EventKind.AUDIT) == 0
