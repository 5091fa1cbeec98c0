"""Another life of this device: after a fork or a restored backup, both histories are kept."""

from enum import StrEnum

from ddx.domain.audit import AuditAction
from desktop.services.journal import Journal
from desktop.store.unit_of_work import UnitOfWork


class EpochReason(StrEnum):
    """Why another epoch begins."""

    FORK = "fork"
    RESTORED_BACKUP = "restored_backup"


def open_epoch(unit: UnitOfWork, journal: Journal, reason: EpochReason, **detail: object) -> int:
    """Begin another device epoch in the transaction of `unit` and return its number.

    The old chain stays as it is, and its last entries leave in segments of their own. The first
    entry of the new chain names the head of the old one, so that the two hang together. Events
    that wait get places in the new epoch; the server knows each by its id, too, so nothing is
    stored twice and nothing takes the place of another.
    """
    journal.send_audit(unit)
    old, head = unit.audit.epoch, unit.audit.head()
    chain = unit.audit_of_new_epoch()
    journal.record(
        unit,
        AuditAction.EPOCH_OPENED,
        unit.device.get().id,
        reason=reason.value,
        previous_epoch=old,
        previous_sequence=0 if head is None else head.sequence,
        previous_head="" if head is None else head.hash,
        **detail,
    )
    unit.outbox.move_pending(chain.epoch)
    return chain.epoch
