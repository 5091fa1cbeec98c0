"""Sign-in attempts kept beside the key slots: back-off that survives a restart.

The store is locked when a passphrase is refused, so refusals wait here until the next
successful sign-in writes them into the audit chain. An attempt is counted before the
passphrase is tried: killing the process gives no free guess.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from ddx.domain.identifiers import RecordId, new_record_id
from desktop.store import ballast
from desktop.store.errors import StoreFullError
from desktop.store.files import write_atomically

FREE_TRIES: Final = 3  # a clinician's typing errors cost nothing but the derivation
DELAY_CEILING_S: Final = 300.0
"""Longest wait. Five minutes keeps a ward usable and 100,000 guesses at about a year."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One sign-in that has not succeeded. at: UTC."""

    id: RecordId
    slot: RecordId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Count:
    failures: int
    last_at: datetime


def delay_after(failures: int) -> float:
    """Return the seconds to wait after so many failures in a row: 0, 0, 0, 2, 4, 8 … 300."""
    if failures <= FREE_TRIES:
        return 0.0
    return min(DELAY_CEILING_S, 2.0 ** min(failures - FREE_TRIES, 16))


class Attempts:
    """Failed sign-ins of one store, per slot."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def retry_after_s(self, slot: RecordId, now: datetime) -> float:
        """Return the seconds until `slot` may be tried again; 0 when it may be now.

        A clock set back (last failure in the future) costs the full delay from now, not for
        ever.
        """
        counts, open_ = self._load()
        if slot not in counts:
            return 0.0
        count = counts[slot]
        if count.last_at > now:
            counts[slot] = count = _Count(failures=count.failures, last_at=now)
            self._save(counts, open_)
        due = count.last_at + timedelta(seconds=delay_after(count.failures))
        return max(0.0, (due - now).total_seconds())

    def begin(self, slot: RecordId, now: datetime) -> Attempt:
        """Count one attempt against `slot` and return it."""
        counts, open_ = self._load()
        attempt = Attempt(id=new_record_id(), slot=slot, at=now)
        before = counts[slot].failures if slot in counts else 0
        counts[slot] = _Count(failures=before + 1, last_at=now)
        self._save(counts, (*open_, attempt))
        return attempt

    def succeeded(self, attempt: Attempt) -> None:
        """Forget `attempt` and the failures before it; refusals stay until they are audited."""
        counts, open_ = self._load()
        counts.pop(attempt.slot, None)
        self._save(counts, tuple(a for a in open_ if a.id != attempt.id))

    def withdrawn(self, attempt: Attempt) -> None:
        """Take back an attempt with which nothing was tried; earlier failures stand."""
        counts, open_ = self._load()
        if attempt.slot in counts:
            before = counts[attempt.slot]
            counts[attempt.slot] = _Count(failures=before.failures - 1, last_at=before.last_at)
            if before.failures <= 1:
                counts.pop(attempt.slot)
        self._save(counts, tuple(a for a in open_ if a.id != attempt.id))

    def refused(self) -> tuple[Attempt, ...]:
        """Return the refusals that no audit entry tells of yet, oldest first."""
        return self._load()[1]

    def audited(self, attempts: tuple[Attempt, ...]) -> None:
        """Forget refusals that the audit chain now holds."""
        if not attempts:
            return
        counts, open_ = self._load()
        told = {attempt.id for attempt in attempts}
        self._save(counts, tuple(a for a in open_ if a.id not in told))

    def _load(self) -> tuple[dict[RecordId, _Count], tuple[Attempt, ...]]:
        if not self._path.is_file():
            return {}, ()
        try:
            raw: Mapping[str, Any] = json.loads(self._path.read_bytes())
            return (
                {
                    slot: _Count(failures=c["failures"], last_at=_at(c["last_at"]))
                    for slot, c in raw["counts"].items()
                },
                tuple(Attempt(id=a["id"], slot=a["slot"], at=_at(a["at"])) for a in raw["open"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            # Whoever can damage this file can delete it: a lockout would only hurt the ward.
            _log.warning("sign-in attempts file is unreadable; counting starts again")
            return {}, ()

    def _save(self, counts: Mapping[RecordId, _Count], open_: tuple[Attempt, ...]) -> None:
        content = {
            "counts": {
                slot: {"failures": c.failures, "last_at": c.last_at.isoformat()}
                for slot, c in counts.items()
            },
            "open": [{"id": a.id, "slot": a.slot, "at": a.at.isoformat()} for a in open_],
        }
        try:
            write_atomically(self._path, json.dumps(content).encode())
        except StoreFullError:
            if not ballast.release(self._path.parent):  # a full disk must not lock the ward out
                raise
            write_atomically(self._path, json.dumps(content).encode())


def _at(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.utcoffset() is None:
        raise ValueError("an attempt needs a time zone")
    return moment
