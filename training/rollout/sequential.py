"""Rates watched again and again without being fooled by looking often: two, or one and a ceiling.

An e-variable for "the new rate is not above the current one" (Turner, Ly and Grünwald 2024, Generic
E-variables for exact sequential k-sample tests, J Stat Plan Inference 230:106116): for a block of
n new and m current cases, and any rates p > q fixed before the block is seen,

    E = Bin(new | n, p) Bin(current | m, q) / (Bin(new | n, r) Bin(current | m, r)),
    r = (n p + m q) / (n + m).

The product over blocks is a test martingale: whatever the number of looks, it reaches 1/a with
probability at most a when the new model is as good (Ville 1939). Here q is what the current arm
showed so far, p are several multiples of its odds, and the products are averaged.
"""

import math
from dataclasses import dataclass, replace
from typing import Final, Self

ODDS: Final = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
"""Worse by how much: averaged, so that none has to be guessed."""

PRIOR_CASES: Final = 20.0
"""Cases the expected rate is worth before the current arm has shown its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Cases of one arm and how many of them went wrong in one way."""

    cases: int = 0
    bad: int = 0

    def plus(self, more: "Counted") -> "Counted":
        """Return both together."""
        return Counted(cases=self.cases + more.cases, bad=self.bad + more.bad)


@dataclass(frozen=True, slots=True, kw_only=True)
class CeilingTest:
    """A running test of "what goes wrong stays below a ceiling", for one arm alone.

    ceiling: 0..1. logs: log of the product for each of ODDS above the ceiling; for any rate p above
    it, (p / ceiling) for each bad case and (1 - p) / (1 - ceiling) for each good one multiply to
    a test supermartingale while the true rate is not above the ceiling (Ville 1939).
    """

    ceiling: float
    logs: tuple[float, ...] = (0.0,) * len(ODDS)
    seen: Counted = Counted()

    @property
    def log_evidence(self) -> float:
        """As `SafeTest.log_evidence`."""
        return _log_mean(self.logs)

    def after(self, more: Counted) -> Self:
        """Return the test after more cases."""
        steps = (_log_ratio(more, _worse(self.ceiling, odds), self.ceiling) for odds in ODDS)
        return replace(
            self,
            logs=tuple(a + b for a, b in zip(self.logs, steps, strict=True)),
            seen=self.seen.plus(more),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeTest:
    """A running test. expected: rate before anything was seen, 0..1.

    logs: log of the product for each of ODDS. current, new: totals so far.
    """

    expected: float
    logs: tuple[float, ...] = (0.0,) * len(ODDS)
    current: Counted = Counted()
    new: Counted = Counted()

    @property
    def log_evidence(self) -> float:
        """Log of the average product: above log(1/a), the new rate is worse (error at most a)."""
        return _log_mean(self.logs)

    def after(self, current: Counted, new: Counted) -> Self:
        """Return the test after one more block."""
        base = self._rate()
        steps = tuple(_log_e(current, new, base, odds) for odds in ODDS)
        return replace(
            self,
            logs=tuple(a + b for a, b in zip(self.logs, steps, strict=True)),
            current=self.current.plus(current),
            new=self.new.plus(new),
        )

    def _rate(self) -> float:
        """Return the current arm's rate from what is behind, within (0, 1)."""
        bad = self.current.bad + PRIOR_CASES * self.expected
        rate = bad / (self.current.cases + PRIOR_CASES)
        return min(max(rate, 1e-6), 1.0 - 1e-6)


def _log_e(current: Counted, new: Counted, rate: float, odds: float) -> float:
    if not current.cases or not new.cases:
        return 0.0  # one arm alone compares with nothing
    worse = _worse(rate, odds)
    pooled = (new.cases * worse + current.cases * rate) / (new.cases + current.cases)
    return _log_ratio(new, worse, pooled) + _log_ratio(current, rate, pooled)


def _log_mean(logs: tuple[float, ...]) -> float:
    """Return the log of the mean of what `logs` are the logs of."""
    most = max(logs)
    return most + math.log(sum(math.exp(x - most) for x in logs) / len(logs))


def _worse(rate: float, odds: float) -> float:
    """Return the rate whose odds are `odds` times those of `rate`."""
    return odds * rate / (1.0 - rate + odds * rate)


def _log_ratio(counted: Counted, rate: float, pooled: float) -> float:
    good = counted.cases - counted.bad
    return counted.bad * math.log(rate / pooled) + good * math.log((1 - rate) / (1 - pooled))
