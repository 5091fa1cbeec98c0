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

    The old chain stays as it is, and its last entries leave in segments of their own.
    """
    journal.send_audit(unit)
    unit.audit_of_new_epoch()
    return settle_in(unit, journal, reason, **detail)


def settle_in(unit: UnitOfWork, journal: Journal, reason: EpochReason, **detail: object) -> int:
    """Write the first entry of an epoch that has just begun, and return its number.

    The entry names the head of the chain before, so that the two hang together: an export with
    a first entry of any other kind does not verify. Events that wait get places in the new epoch;
    the server knows each by its id, too, so nothing is stored twice and nothing takes the place
    of another.
    """
    before = unit.audit.last_of_older_epochs()
    journal.record(
        unit,
        AuditAction.EPOCH_OPENED,
        unit.device.get().id,
        reason=reason.value,
        previous_epoch=0 if before is None else before.epoch,
        previous_sequence=0 if before is None else before.entry.sequence,
        previous_head="" if before is None else before.entry.hash,
        **detail,
    )
    unit.outbox.move_pending(unit.audit.epoch)
    return unit.audit.epoch
