"""What `vereda-sync` says in a terminal: codes for a program, and what a person does next."""

import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from sync_service.client.forecast import Forecast
from sync_service.client.meter import BUDGET, METERED
from sync_service.client.outbox import Outbox
from sync_service.client.runner import Phase, SyncReport
from sync_service.protocol.errors import SchemaUnsupportedError, UnknownDeviceError

_BAR: Final = 30

_NEXT_BY_CODE: Final[Mapping[str, str]] = MappingProxyType(
    {
        METERED: "The clinic lets nothing travel over a link paid by the byte; use another link.",
        BUDGET: "Today's bytes are spent; records leave after midnight UTC, or over a free link.",
        UnknownDeviceError.code: "Ask whoever runs the server for a code, then: --enrol CODE.",
        SchemaUnsupportedError.code: "The server is older than this application; records wait.",
    }
)
_NEXT_BY_PHASE: Final[Mapping[Phase, str]] = MappingProxyType(
    {
        Phase.OFFLINE: "Nothing is lost; check the link and the address, then run it again.",
        Phase.WAITING: "The server asked for patience; nothing is lost, run it again later.",
        Phase.REFUSED: "The server does not accept this device; tell whoever runs it the code.",
    }
)


def told(report: SyncReport, outbox: Outbox) -> str:
    """Return where the push stands, what is set aside and why, and what to do next."""
    counts = outbox.counts()
    code = f": {report.code}" if report.code else ""
    lines = [
        f"{report.phase}{code} - {counts.acknowledged} arrived, {counts.pending} waiting, "
        f"{counts.quarantined} refused"
    ]
    lines += [f"{n:6} set aside: {why}" for why, n in sorted(outbox.set_aside().items())]
    if counts.quarantined:
        lines.append(
            'They are listed under "Lo que sale del centro", and can be tried again there.'
        )
    advice = _NEXT_BY_CODE.get(report.code) or _NEXT_BY_PHASE.get(report.phase)
    return "\n".join([*lines, *([advice] if advice else [])])


def foretold(would: Forecast, audit_entries: int) -> str:
    """Return what a push would do. audit_entries: not in the queue yet; they join it first."""
    lines = [f"{count:6} {kind}" for kind, count in sorted(would.records.items())]
    lines += [f"{n:6} would be set aside: {why}" for why, n in sorted(would.kept.items())]
    if audit_entries:
        lines.append(f"{audit_entries:6} audit entries more, not in the queue yet")
    total = sum(would.records.values())
    return "\n".join([*lines, f"{total} records would leave, {would.size_bytes} bytes compressed"])


class Progress:
    """A bar on a terminal, nothing elsewhere."""

    def __init__(self, total: int) -> None:
        self._total, self._settled = total, 0
        self._seen = total > 0 and sys.stderr.isatty()

    def __call__(self, settled: int) -> None:
        """Take in how many records a batch settled."""
        self._settled = min(self._settled + settled, self._total)
        if self._seen:
            filled = _BAR * self._settled // self._total
            bar = "#" * filled + "." * (_BAR - filled)
            sys.stderr.write(f"\r[{bar}] {self._settled}/{self._total}")
            sys.stderr.flush()

    def end(self) -> None:
        """Leave the line of the bar."""
        if self._seen:
            sys.stderr.write("\n")
