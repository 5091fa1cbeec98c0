"""Requests and answers of /audit."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt, StringConstraints

from cloud_api.audit.service import Verdict
from cloud_api.records.ports import AuditRecord
from sync_service.protocol.fields import Code, Message
from sync_service.protocol.versions import MAX_SEQUENCE

MAX_DETAILS = 16
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
Count = Annotated[StrictInt, Field(ge=-MAX_SEQUENCE, le=MAX_SEQUENCE)]


class ReportRequest(Message):
    """Something done outside the service. detail: codes and counts, no text."""

    action: Name
    subject: Code
    detail: dict[Name, StrictBool | Count | Code] = Field(default={}, max_length=MAX_DETAILS)


class LinkMessage(Message):
    """One link of the chain. hash covers everything else (`records.ports.audit_hash`)."""

    sequence: int = Field(ge=1)
    id: str
    at: datetime
    actor: str
    role: str
    action: str
    subject: str
    detail: dict[str, str | int | bool]
    previous: str
    hash: str

    @classmethod
    def of(cls, link: AuditRecord) -> "LinkMessage":
        """Return a link as it is answered; the organisation is the caller's."""
        names = [name for name in cls.model_fields if name != "detail"]
        return cls(**{n: getattr(link, n) for n in names}, detail=dict(link.detail))


class LinkPage(Message):
    """Links, oldest first. next: what to show as `after` for more; null at the end."""

    links: tuple[LinkMessage, ...]
    next: int | None


class VerdictMessage(Message):
    """Whether the chain holds. broken_at: the first link that does not."""

    holds: bool
    checked: int = Field(ge=0)
    head: str
    broken_at: int | None
    reason: Literal["", "edited", "relinked", "gap", "truncated"]

    @classmethod
    def of(cls, verdict: Verdict) -> "VerdictMessage":
        """Return a verdict as it is answered."""
        return cls(**{name: getattr(verdict, name) for name in cls.model_fields})
