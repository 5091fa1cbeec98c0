"""A fleet of clinics for the controller: real cohorts, visits by the hour, reports that come late.

python -m training simulate --seeds 100
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model_bundles.rollout import BASIS_POINTS, cohort
from training.change_plan import ChangePlan
from training.rollout.control import (
    Arm,
    Effect,
    Offer,
    Phase,
    Reported,
    Signal,
    Started,
    State,
    step,
)

START: Final = datetime(2026, 11, 26, 8, tzinfo=UTC)
LONGEST_HOURS: Final = 24 * 8
DISEASES: Final = 40
SPREAD: Final = 0.35
"""Standard deviation of log latency over visits and machines: 95 % lie within a factor of two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How a model behaves. error_rate, override_rate: 0..1. slowness: times the current latency.

    moved: share of the visits in which one disease is ranked first that was not before.
    critical_recall: share of critical diseases ranked first; the default is the SLO.
    """

    error_rate: float = 0.001
    override_rate: float = 0.15
    slowness: float = 1.0
    moved: float = 0.0
    critical_recall: float = 0.95


GOOD: Final = Quality()
MODELS: Final[Mapping[str, Quality]] = {
    "as good": GOOD,
    "better": Quality(override_rate=0.12, slowness=0.9),
    "8 % slower": Quality(slowness=1.08),
    "faulty": Quality(error_rate=0.03),
    "slow": Quality(slowness=1.4),
    "distrusted": Quality(override_rate=0.30),
    "one-eyed": Quality(moved=0.35),
    "bad all round": Quality(error_rate=0.01, override_rate=0.22, slowness=1.2),
    "blind to danger": Quality(critical_recall=0.5),
}
"""The first three may reach everybody, the others must be stopped in the A/B test."""

ACCEPTABLE: Final = 3
OFFLINE_DELAY_H: Final = 12.0
"""Mean delay of a clinic that finds a link twice a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Clinics. visits_per_day: of each device. decided: share of visits with a decision reported.

    critical: of those, the share in which a critical disease is confirmed (estimate).
    delay_h: mean hours until a report arrives. offline: share of devices with OFFLINE_DELAY_H.
    """

    devices: int = 400
    visits_per_day: float = 20.0
    decided: float = 0.6
    critical: float = 0.1
    delay_h: float = 1.0
    offline: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How one rollout went. most_percent: of devices that were ever offered the release."""

    phase: Phase
    reason: Signal | None
    hours: int
    most_percent: int
    held: bool
    exposed_visits: int


def rollout(quality: Quality, plan: ChangePlan, seed: int, fleet: Fleet | None = None) -> Run:
    """Return how a rollout of a model of this quality goes in one simulated fleet."""
    fleet = fleet or Fleet()
    world = _World(fleet, quality, np.random.default_rng(seed), salt=f"release-{seed}", plan=plan)
    state, effects = step(State(), Started(at=START), plan)
    most = percent = _offered(effects, 0)
    held, hour = False, 0
    while not state.over and hour < LONGEST_HOURS:
        hour += 1
        current, new = world.hour(hour, percent)
        at = START + timedelta(hours=hour)
        state, effects = step(state, Reported(at=at, current=current, new=new), plan)
        percent = _offered(effects, percent)
        most, held = max(most, percent), held or state.phase is Phase.HELD
    return Run(
        phase=state.phase,
        reason=state.reason,
        hours=hour,
        most_percent=most,
        held=held,
        exposed_visits=world.exposed,
    )


def _offered(effects: tuple[Effect, ...], percent: int) -> int:
    return next((e.percent for e in effects if isinstance(e, Offer)), percent)


class _World:
    """Draws the visits of an hour and hands over the reports that have arrived by then."""

    def __init__(
        self,
        fleet: Fleet,
        quality: Quality,
        rng: np.random.Generator,
        *,
        salt: str,
        plan: ChangePlan,
    ) -> None:
        self._fleet, self._rng, self._plan = fleet, rng, plan
        (self._labels,) = rng.spawn(1)  # a stream of its own: the others stay what they were
        self._models = (GOOD, quality)
        names = (f"device-{salt}-{n}" for n in range(fleet.devices))
        self._cohort = np.array([cohort(name, salt) for name in names])
        self._offline = rng.random(fleet.devices) < fleet.offline
        shares = 1.0 / np.arange(1, DISEASES + 1)  # a few diseases are most of a clinic's day
        self._shares = shares / shares.sum()
        self._waiting: dict[int, list[tuple[int, Arm]]] = {}
        self.exposed = 0

    def hour(self, hour: int, percent: int) -> tuple[Arm, Arm]:
        """Return what arrived of the devices with the current model and with the new one."""
        arms = self._cohort < percent * BASIS_POINTS // 100
        day = 1.8 if 0 <= (hour + 8) % 24 - 7 < 12 else 0.2  # most visits are by day
        visits = self._rng.poisson(self._fleet.visits_per_day / 24.0 * day, self._fleet.devices)
        self.exposed += int(visits[arms].sum())
        arrival = hour + self._delays()
        for which, mask in ((0, ~arms), (1, arms)):
            for later in np.unique(arrival[mask & (visits > 0)]):
                sent = int(visits[mask & (arrival == later)].sum())
                self._waiting.setdefault(int(later), []).append((which, self._visits(sent, which)))
        arrived = self._waiting.pop(hour, [])
        current, new = (_sum([arm for at, arm in arrived if at == which]) for which in (0, 1))
        return current, new

    def _delays(self) -> NDArray[np.int64]:
        mean = np.where(self._offline, OFFLINE_DELAY_H, self._fleet.delay_h)
        return self._rng.exponential(mean).astype(np.int64)

    def _visits(self, n: int, which: int) -> Arm:
        model, rng = self._models[which], self._rng
        allowed = 1.0 + (self._plan.rollout.latency_may_rise_by_share.value if which else 0.0)
        latency = model.slowness * np.exp(SPREAD * rng.standard_normal(n))
        decided = int((rng.random(n) < self._fleet.decided).sum())
        critical = int((self._labels.random(decided) < self._fleet.critical).sum())
        return Arm(
            cases=n,
            errors=int((rng.random(n) < model.error_rate).sum()),
            slow=int((latency > allowed).sum()),
            feedback=decided,
            overridden=int((rng.random(decided) < model.override_rate).sum()),
            first=self._first(n, model.moved),
            critical=critical,
            missed=int((self._labels.random(critical) >= model.critical_recall).sum()),
        )

    def _first(self, n: int, moved: float) -> dict[str, int]:
        drawn: NDArray[np.int64] = self._rng.choice(DISEASES, size=n, p=self._shares)
        drawn = np.where(self._rng.random(n) < moved, DISEASES - 1, drawn)
        counts = np.bincount(drawn, minlength=DISEASES)
        return {f"VD:{number}": int(count) for number, count in enumerate(counts) if count}


def _sum(arms: Sequence[Arm]) -> Arm:
    first: Counter[str] = Counter()
    for arm in arms:
        first.update(arm.first)
    return Arm(
        cases=sum(arm.cases for arm in arms),
        errors=sum(arm.errors for arm in arms),
        slow=sum(arm.slow for arm in arms),
        feedback=sum(arm.feedback for arm in arms),
        overridden=sum(arm.overridden for arm in arms),
        first=first,
        critical=sum(arm.critical for arm in arms),
        missed=sum(arm.missed for arm in arms),
    )


def campaign(
    seeds: int, plan: ChangePlan, models: Mapping[str, Quality] | None = None
) -> dict[str, list[Run]]:
    """Return model -> its runs, one for each seed."""
    chosen = models or MODELS
    return {
        name: [rollout(quality, plan, seed) for seed in range(seeds)]
        for name, quality in chosen.items()
    }


def table(found: Mapping[str, list[Run]]) -> str:
    """Return the campaign as lines for a terminal."""
    head = f"{'model':<16}{'to 100 %':>10}{'stopped':>10}{'before 25 %':>13}{'held':>7}"
    lines = [f"{head}{'median h':>10}{'visits':>9}"]
    for name, runs in found.items():
        ended = [run for run in runs if run.phase is Phase.ROLLED_BACK]
        early = sum(run.most_percent < 25 for run in ended)
        whole = sum(run.phase is Phase.COMPLETE for run in runs)
        hours = float(np.median([run.hours for run in runs]))
        visits = float(np.median([run.exposed_visits for run in runs]))
        held = sum(run.held for run in runs)
        lines.append(
            f"{name:<16}{whole:>10}{len(ended):>10}{early:>13}{held:>7}{hours:>10.0f}{visits:>9.0f}"
        )
    return "\n".join(lines)
