"""Every try of a secret: counted before it is made, slow to be refused, silent about why."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from ddx.domain.course import StoppedError
from ddx.domain.identifiers import RecordId
from desktop.services.errors import SignInRefusedError
from desktop.services.journal import Clock
from desktop.store.attempts import Attempts
from desktop.store.errors import StoreError, WrongKeyError
from desktop.store.recovery import RecoveryTypingError

REFUSAL_TAKES_S: Final = 0.25  # at least; the time must not tell why

T = TypeVar("T")


class Guard:
    """Back-off of one store's secrets."""

    def __init__(self, attempts: Attempts, now: Clock, sleep: Callable[[float], None]) -> None:
        self._attempts, self._now, self._sleep = attempts, now, sleep

    def tried(self, holder: RecordId, work: Callable[[], T]) -> T:
        """Return what `work` returns with the secret of `holder`.

        Raises:
            SignInRefusedError: wrong, unknown or too soon; `retry_after_s` says when to try.
            RecoveryTypingError: a recovery key that its own check letters refuse; not counted,
                for nothing was tried.
            StoppedError: ended on request, not counted: a wrong secret is refused before that.
        """
        started = time.monotonic()
        wait_s = self._attempts.retry_after_s(holder, self._now())
        if wait_s > 0:
            raise SignInRefusedError(wait_s)
        attempt = self._attempts.begin(holder, self._now())
        try:
            result = work()
        except (RecoveryTypingError, StoppedError):
            self._attempts.withdrawn(attempt)
            raise
        except WrongKeyError:
            self._sleep(max(0.0, REFUSAL_TAKES_S - (time.monotonic() - started)))
            raise SignInRefusedError(self._attempts.retry_after_s(holder, self._now())) from None
        except StoreError:
            self._attempts.succeeded(attempt)
            raise
        self._attempts.succeeded(attempt)
        return result
