"""The audit chain, for those who may read it."""

from ddx.domain.audit import AuditEntry
from ddx.domain.roles import Permission
from desktop.services.desk import Desk


class AuditService:
    """The chain of this device."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def entries(self, after: int = 0) -> tuple[AuditEntry, ...]:
        """Return the entries after sequence `after`, in order."""
        self._desk.require(Permission.READ_AUDIT)
        with self._desk.store.read() as unit:
            return unit.audit.after(after)

    def verify(self) -> int:
        """Return the length of the chain. Raises AuditChainError naming the first bad entry."""
        self._desk.require(Permission.READ_AUDIT)
        with self._desk.store.read() as unit:
            return unit.audit.verify()
