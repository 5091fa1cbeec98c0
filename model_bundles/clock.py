"""What this device holds for the time when it judges whether a repository is fresh.

The floor of the time is the latest of: when the application's bundle was built, the last time a
server signed, and the last time of this clock at which signed metadata was fresh. A clock that
runs behind the floor does not make old metadata fresh again. A clock that once ran ahead is not
remembered past the expiry of what it had seen, so it cannot make a device refuse for ever.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tuf.api.metadata import Timestamp

from model_bundles.floors import Floors

TIME: Final = "time"
"""Name of the time's floor among the others: seconds since 1970, UTC."""
SIGNED_AT: Final = "signed_at"
"""Field of the timestamp metadata: when it was signed; TUF lets readers pass it over."""
SLACK: Final = timedelta(hours=26)
"""A clock behind the floor by less is not reported: a wrong time zone, and a little more."""


class TrustedClock:
    """This machine's clock and the floor under it. now: the machine's, with its zone."""

    def __init__(
        self,
        floors: Floors,
        *,
        built_at: datetime | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._floors, self._built_at, self._now = floors, built_at, now

    def floor(self) -> datetime | None:
        """Return the earliest the time can be; None on a new device that knows nothing."""
        remembered = self._floors.read().get(TIME)
        known = [] if remembered is None else [datetime.fromtimestamp(remembered[0], UTC)]
        known += [] if self._built_at is None else [self._built_at]
        return max(known, default=None)

    def now(self) -> datetime:
        """Return the time to judge freshness by: never before the floor."""
        floor, now = self.floor(), self._now()
        return now if floor is None else max(now, floor)

    def behind(self) -> timedelta:
        """Return how far this machine's clock is behind what it must be; zero within SLACK."""
        floor = self.floor()
        late = timedelta(0) if floor is None else floor - self._now()
        return late if late > SLACK else timedelta(0)

    def saw(self, expires: datetime, signed: datetime | None) -> None:
        """Remember that metadata which is fresh until `expires` was accepted a moment ago.

        signed: when it says it was signed. Neither time can lift the floor past `expires`.
        """
        times = [self._now()] if signed is None else [self._now(), signed]
        latest = min(max(times), expires)
        self._floors.raise_to({TIME: (int(latest.timestamp()),)})


def signed_at(timestamp: Timestamp) -> datetime | None:
    """Return when the timestamp metadata says it was signed; None where it does not."""
    raw: Any = timestamp.unrecognized_fields.get(SIGNED_AT)
    try:
        moment = datetime.fromisoformat(raw)
    except (TypeError, ValueError):
        return None
    return None if moment.tzinfo is None else moment.astimezone(UTC)
