"""Which entries of the audit a device may let go of: never by its own clock alone.

A countersigned head says what the chain was and since when a server knows it. The chain may begin
anew at such a head, never in between (docs/adr/0029-the-audit-ages-at-countersigned-heads.md).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final

from ddx.domain.statements import Checkpoint

LEAST_DAYS: Final = 183
"""Automatic logs are kept at least six months (Regulation (EU) 2024/1689, articles 19 and 26)."""

STEP: Final = timedelta(days=30)
"""Least that goes at once: the whole chain is verified before any of it goes."""


def beginning_of(checkpoints: Iterable[Checkpoint], days: int, now: datetime) -> Checkpoint | None:
    """Return the countersigned head a chain kept `days` may begin at, None to leave it as it is.

    checkpoints: by epoch and sequence. now: by this device's clock, UTC. Older than `days` both by
    the newest of them and by `now`: one clock that runs ahead, the device's or the server's, lets
    go of nothing, nor does a device that no server ever saw.

    Raises:
        ValueError: fewer days than must be kept.
    """
    if days < LEAST_DAYS:
        raise ValueError(f"the audit is kept {LEAST_DAYS} days at least")
    known = tuple(checkpoints)
    if not known:
        return None
    oldest, today = min(map(_time, known)), min(now, max(map(_time, known)))
    aged = tuple(takewhile(lambda c: today - _time(c) >= timedelta(days=days), known))
    if not aged or _time(aged[-1]) - oldest < STEP:
        return None
    return aged[-1]


def _time(checkpoint: Checkpoint) -> datetime:
    return datetime.fromisoformat(checkpoint.server_time)
