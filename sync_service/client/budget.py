"""How many bytes of bundles may travel today, where the link is paid by the byte."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from model_bundles.errors import BundleBudgetError

_WRITE_EVERY_BYTES: Final = 65_536
"""A crash forgets at most so much of what was spent."""


def _today() -> date:
    return datetime.now(UTC).date()


class ByteBudget:
    """A daily allowance of `limit_bytes`, remembered in one small file; UTC days.

    What arrives after the limit is refused in the middle of a file: what came is kept by
    `partials`, and the rest comes on another day. A clock set back begins no new day.
    """

    def __init__(self, path: Path, limit_bytes: int, *, today: Callable[[], date] = _today) -> None:
        self._path, self._limit, self._today = path, limit_bytes, today
        self._day, self._spent = self._read()
        self._unwritten = 0

    @property
    def left(self) -> int:
        """Bytes that may still travel today."""
        self._turn_the_page()
        return max(0, self._limit - self._spent)

    def check(self) -> None:
        """Return while something is left for today. Raises BundleBudgetError."""
        if not self.left:
            raise BundleBudgetError(self._limit)

    def spend(self, count: int) -> None:
        """Count bytes that have travelled. Raises BundleBudgetError once they are too many."""
        self.count(count)
        if self._spent >= self._limit:
            self.save()
            raise BundleBudgetError(self._limit)

    def count(self, count: int) -> None:
        """Count bytes that had to travel, whatever is left for today."""
        self._turn_the_page()
        self._spent += count
        self._unwritten += count
        if self._unwritten >= _WRITE_EVERY_BYTES:
            self.save()

    def save(self) -> None:
        """Write down what was spent; a disk that refuses costs the memory, not the download."""
        self._unwritten = 0
        content = json.dumps({"day": self._day.isoformat(), "spent": self._spent})
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._path.with_suffix(".new")
            fresh.write_text(content, encoding="utf-8")
            fresh.replace(self._path)

    def _turn_the_page(self) -> None:
        today = self._today()
        if today > self._day:
            self._day, self._spent = today, 0

    def _read(self) -> tuple[date, int]:
        try:
            raw = json.loads(self._path.read_text(encoding="utf-8"))
            return date.fromisoformat(raw["day"]), max(0, int(raw["spent"]))
        except (OSError, ValueError, KeyError, TypeError):
            return self._today(), 0
