"""One day's watch: window -> drift -> performance -> page -> verdict, each done once."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

import pyarrow.compute as pc

from ddx.domain.case import Case
from ddx.domain.differential import Differential
from ddx.domain.identifiers import disease_id
from training.change_plan import ChangePlan
from training.evaluate.candidate import Severity
from training.evaluate.common import Estimate
from training.lake.gold import GoldCases, read_cases
from training.monitor.drift import ColumnDrift, Drift, drift_of
from training.monitor.evidently_page import EvidentlyError, write_page
from training.monitor.performance import Performance, performance_of
from training.monitor.snapshot import aligned, counts_of
from training.monitor.stretch import Stretch
from training.monitor.triggers import Day, Finding, judge_day
from training.pipelines.steps import Done, Say, Steps

STEPS: Final = 5
DIAGNOSED: Final = 500
"""Cases of a stretch the engine answers again for the estimate, at most: ten seconds."""


class Diagnoses(Protocol):
    """The engine of the current bundle."""

    def diagnose(self, case: Case) -> Differential:
        """Return the differential of one case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What one day's watch is pinned to.

    stretch: the day, with the days joined to it. reference_since, reference_until: visits it is
    compared with. labels_since: cases that became known from here on count for the performance.
    version: of the gold table. model: bundle version that is watched; what another one proposed
    says nothing of it.
    """

    version: int
    model: str
    reference_since: datetime | None
    reference_until: datetime
    stretch: Stretch
    labels_since: datetime
    last_training: datetime | None
    baseline_f1: float | None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        found: dict[str, Any] = json.loads(json.dumps(asdict(self), default=datetime.isoformat))
        return found


@dataclass(kw_only=True)
class DailyWatch:
    """One day. engine: made when the performance needs it. page: also render Evidently's report."""

    folder: Path
    lake: Path | str
    watched: Watched
    engine: Callable[[], Diagnoses]
    severity: Severity
    plan: ChangePlan
    say: Say
    page: bool = True
    dry_run: bool = False

    def __post_init__(self) -> None:
        self.steps = Steps(self.folder, self.say, STEPS, self.dry_run)

    def run(self) -> Done:
        """Do what is not done yet and return the verdict step, `verdict.json` in it.

        A day without cases has one too: nothing to compare is a finding, no failure.

        Raises:
            DryRunEnds: a dry run.
        """
        window = self._window()
        drift = self._drift(window)
        performance = self._performance(window)
        page = self._page(window)
        return self._verdict(window, drift, performance, page)

    def _read(self, since: datetime | None, until: datetime) -> GoldCases:
        return read_cases(self.lake, since, until, self.watched.version, labelled=False)

    def _reference(self) -> GoldCases:
        return self._read(self.watched.reference_since, self.watched.reference_until)

    def _day(self) -> GoldCases:
        return self._read(self.watched.stretch.since, self.watched.stretch.until)

    def _window(self) -> Done:
        def make(folder: Path) -> None:
            reference, day = self._reference(), self._day()
            # what it is pinned to goes into the digest: the same counts may be other cases
            pinned = {"watched": self.watched.to_json(), "table_id": day.table_id}
            _write(folder / "window.json", {"reference": len(reference), "day": len(day), **pinned})

        return self.steps.run("window", self.watched.to_json(), make)

    def _drift(self, window: Done) -> Done:
        def make(folder: Path) -> None:
            day, found = self._day(), Drift(cases=0, columns=())
            if self._comparable(window):
                reference, now = aligned(counts_of(self._reference()), counts_of(day))
                found = drift_of(reference, now, len(day), self.plan.monitor)
            _write(folder / "drift.json", asdict(found))

        return self.steps.run("drift", {"window": window.digest, "plan": self.plan.digest}, make)

    @staticmethod
    def _comparable(window: Done) -> bool:
        found = window.json("window.json")
        return bool(found["reference"] and found["day"])

    def _performance(self, window: Done) -> Done:
        def make(folder: Path) -> None:
            watched = self.watched
            known = read_cases(
                self.lake,
                watched.labels_since,
                watched.stretch.until,
                watched.version,
                labelled=False,
                clock="known_at",
            )
            _write(folder / "performance.json", asdict(self._measured(known)))

        return self.steps.run("performance", {"window": window.digest}, make)

    def _measured(self, known: GoldCases) -> Performance:
        """Return the figures of the newest cases the model proposed for, or can be asked about."""
        by = pc.field("bundle_version")
        mine = known.table.filter(by.is_null() | (by == self.watched.model))
        some = replace(known, table=mine.slice(max(0, len(mine) - DIAGNOSED)))
        engine = self.engine()
        probabilities = [
            {c.disease: c.probability for c in engine.diagnose(case).candidates}
            for case in some.cases()
        ]
        told = some.table.column("predicted").to_pylist()
        firsts = [max(p, key=lambda d: p[d]) if p else None for p in probabilities]
        said = [
            first if text is None else disease_id(text)
            for first, text in zip(firsts, told, strict=True)
        ]
        confirmed = some.table.column("confirmed").to_pylist()
        labels = [
            label if sure else None for label, sure in zip(some.labels, confirmed, strict=True)
        ]
        return performance_of(probabilities, said, labels, self.severity)

    def _page(self, window: Done) -> Done:
        def make(folder: Path) -> None:
            why = "nothing to compare" if not self._comparable(window) else "not asked for"
            if not (self.page and self._comparable(window)):
                _write(folder / "page.json", {"made": False, "why": why})
                return
            try:
                write_page(self._reference(), self._day(), folder / "evidently.html")
                _write(folder / "page.json", {"made": True, "why": ""})
            except EvidentlyError as error:
                self.say(str(error))
                _write(folder / "page.json", {"made": False, "why": str(error)})

        return self.steps.run("page", {"window": window.digest, "page": self.page}, make)

    def _verdict(self, window: Done, drift: Done, performance: Done, page: Done) -> Done:
        def make(folder: Path) -> None:
            base, stretch = self.watched.baseline_f1, self.watched.stretch
            day = Day(
                at=stretch.until,
                last_training=self.watched.last_training,
                of_day=stretch.of_day,
                reference=window.json("window.json")["reference"],
                drift=drift_from(drift.json("drift.json")),
                performance=performance_from(performance.json("performance.json")),
                baseline_f1=float("nan") if base is None else base,
            )
            findings = judge_day(day, self.plan.monitor)
            _write(
                folder / "verdict.json",
                {
                    "score": day.drift.score,
                    "cases": day.drift.cases,
                    "of_day": stretch.of_day,
                    "days": stretch.days,
                    "drift": drift.json("drift.json"),
                    "performance": performance.json("performance.json"),
                    "findings": [asdict(finding) for finding in findings],
                    "page": page.json("page.json"),
                },
            )

        given = {
            "window": window.digest,
            "drift": drift.digest,
            "performance": performance.digest,
            "page": page.digest,
            "plan": self.plan.digest,
        }
        return self.steps.run("verdict", given, make)


def drift_from(raw: Mapping[str, Any]) -> Drift:
    """Return a drift as `drift.json` keeps it."""
    return Drift(cases=raw["cases"], columns=tuple(ColumnDrift(**c) for c in raw["columns"]))


def performance_from(raw: Mapping[str, Any]) -> Performance:
    """Return a performance as `performance.json` keeps it."""
    given = dict(raw)
    confirmed, recall = (Estimate(**given.pop(n)) for n in ("confirmed", "critical_recall"))
    return Performance(**given, confirmed=confirmed, critical_recall=recall)


def findings_from(done: Done) -> tuple[Finding, ...]:
    """Return the findings of a verdict step."""
    return tuple(Finding(**raw) for raw in done.json("verdict.json")["findings"])


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, sort_keys=True, indent=1), encoding="utf-8")
