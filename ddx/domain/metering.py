"""Links that are paid by the byte: what a clinic lets travel there."""

from dataclasses import dataclass
from enum import StrEnum


class MeteredPolicy(StrEnum):
    """What may travel over a link that is paid by the byte."""

    ALLOW = "allow"
    RECORDS_ONLY = "records_only"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class ByteRule:
    """What a clinic lets travel where bytes cost. budget_bytes: per UTC day, 0 for no limit."""

    policy: MeteredPolicy = MeteredPolicy.RECORDS_ONLY
    budget_bytes: int = 0

    @property
    def counts_bytes(self) -> bool:
        """Whether somebody said that bytes cost here: a budget, or nothing may travel."""
        return self.budget_bytes > 0 or self.policy is MeteredPolicy.NOTHING
