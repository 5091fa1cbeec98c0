"""Writing into a chain, and judging whether one still holds."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cloud_api.audit.actions import REPORTED, CloudAction
from cloud_api.auth.guard import Caller
from cloud_api.records.ports import GENESIS, MAX_PAGE, AuditDraft, AuditLog, AuditRecord, audit_hash
from ddx.domain.identifiers import new_record_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a chain holds. checked: links read; broken_at: the first that does not hold.

    reason: "edited" (content and hash differ), "relinked" (does not follow the one before), "gap"
    (a sequence is missing), "truncated" (the end is not where it was), or empty.
    """

    holds: bool
    checked: int
    head: str
    broken_at: int | None = None
    reason: str = ""


class Journal:
    """Notes what callers do, before it is done: what failed afterwards was still tried."""

    def __init__(self, log: AuditLog, now: Callable[[], datetime]) -> None:
        self.log, self._now = log, now

    async def note(
        self, caller: Caller, action: CloudAction, subject: str, **detail: str | int | bool
    ) -> AuditRecord:
        """Link one act of `caller` to the chain of their organisation."""
        return await self._append(caller, action.value, subject, detail)

    async def report(
        self, caller: Caller, action: str, subject: str, detail: dict[str, str | int | bool]
    ) -> AuditRecord:
        """Link what `caller` says they did elsewhere."""
        return await self._append(caller, REPORTED + action, subject, detail)

    async def _append(
        self, caller: Caller, action: str, subject: str, detail: dict[str, str | int | bool]
    ) -> AuditRecord:
        return await self.log.append(
            AuditDraft(
                tenant_id=caller.tenant_id,
                id=new_record_id(),
                at=self._now(),
                actor=caller.actor,
                role="" if caller.role is None else caller.role.value,
                action=action,
                subject=subject,
                detail=detail,
            )
        )


async def verify(log: AuditLog, tenant_id: str) -> Verdict:
    """Return whether every link of an organisation's chain holds, and its end is where it was.

    The end is read first: links added meanwhile do not look like a fault.
    """
    tip = await log.tip(tenant_id)
    last, previous = 0, GENESIS
    while last < tip.sequence:
        page = await log.search(tenant_id, after=last, limit=MAX_PAGE)
        for link in page:
            if reason := _fault(link, last + 1, previous):
                return Verdict(
                    holds=False, checked=last, head=previous, broken_at=last + 1, reason=reason
                )
            last, previous = link.sequence, link.hash
            if last == tip.sequence:
                break
        if not page:
            break
    if (last, previous) != (tip.sequence, tip.hash):
        return Verdict(
            holds=False, checked=last, head=previous, broken_at=last + 1, reason="truncated"
        )
    return Verdict(holds=True, checked=last, head=previous)


def _fault(link: AuditRecord, sequence: int, previous: str) -> str:
    if link.sequence != sequence:
        return "gap"
    if link.previous != previous:
        return "relinked"
    if audit_hash(link, sequence=sequence, previous=previous) != link.hash:
        return "edited"
    return ""
