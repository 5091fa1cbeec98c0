"""Thresholds of the conformal sets, and whether they cover what they promise.

Calibration patients are seen as every kind of visit leaves them: fully asked, a clinic's visit, k
findings or questions, interviews of any length asked in the order a device would ask. Simulated
endemic patients take part as a group of their own. Coverage is measured on test patients.

    python -m training.evaluate.conformal
"""

import argparse
import hashlib
import sys
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ddx.errors import DdxError
from ddx.features.schema import FeatureSchema
from ddx.inference.common import CommonModel
from ddx.inference.conformal import ConformalSets, calibrated, drawn, scores
from training.evaluate.common import Estimate
from training.evaluate.held_out import DATA, HeldOut
from training.evaluate.interview import interview, share, visits_of
from training.evaluate.orders import Adaptive
from training.evaluate.panel import Panel
from training.evaluate.protocols import CLINIC, FULL
from training.fit.endemic import Purpose, Simulated, simulated
from training.fit.partial import Budget
from training.fit.sample import Sample
from training.sources.endemic import endemic_knowledge

Rows = NDArray[np.float32]
Indices = NDArray[np.int64]

COVERAGE: Final = 0.90
"""What the sets promise (issue: 0.90 within one point)."""

BOUNDS: Final[tuple[tuple[int | None, int | None], ...]] = (
    *((present, 0) for present in (1, 2, 3, 4, 5, 6, 8, 11)),
    (None, 0),
    *((present, excluded) for excluded in (3, 6, 11, 40) for present in (1, 2, 4, 7, None)),
    *((present, 400) for present in (3, 5, 8, 12)),
    (None, 400),
    (None, None),
)
"""Bands: nothing excluded, few to many questions with no for an answer, an interview that asked
whole choices, everything."""

MENTIONED: Final = (1, 2, 3, 4, 5, 6, 8, 10)
INTERVIEWED: Final = 10
GROUPS: Final = ("DDXPlus", "simulated")
"""Names of the groups of diseases: by the source that describes them."""

REPORTED: Final = (
    FULL,
    CLINIC,
    *(f"question_{k}" for k in (3, 5, 8)),
    *(f"interview_{k}" for k in (3, 5, 10)),
)
"""Protocols whose coverage the card tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patients:
    """Held-out patients of both sources. endemic: None without a knowledge base."""

    ddxplus: Sample
    endemic: Simulated | None

    @property
    def truth(self) -> Indices:
        """Position of the disease of each, those of DDXPlus first."""
        if self.endemic is None:
            return self.ddxplus.truth
        return np.concatenate((self.ddxplus.truth, self.endemic.truth))


@dataclass(frozen=True, slots=True)
class Visit:
    """Patients as one kind of visit leaves them. rows: (n, n_columns). truth: int64 (n,)."""

    protocol: str
    rows: Rows
    truth: Indices


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How the sets do under one protocol, of one group of patients.

    bare: share of randomised sets that hold the disease. shown: of the sets a clinician sees,
    which always hold the first disease; size: their mean number of diseases.
    """

    protocol: str
    group: str
    patients: int
    bare: Estimate
    shown: Estimate
    size: float

    def to_json(self) -> dict[str, object]:
        """Return the line as the model card writes it."""
        return {
            "protocol": self.protocol,
            "group": self.group,
            "patients": self.patients,
            "bare": self.bare.to_json(),
            "shown": self.shown.to_json(),
            "size": self.size,
        }


def visits_under(
    patients: Patients,
    panel: Panel,
    rng: np.random.Generator,
    *,
    interviews: int,
    wanted: Container[str] | None = None,
) -> Iterator[Visit]:
    """Yield every kind of visit, patients of both sources together.

    interviews: patients of DDXPlus that are interviewed, at most: one costs as much as twenty
    other visits. wanted: the kinds to yield, None for all.
    """
    for name, rows in _asked_at_once(patients, panel.engine.common.schema, rng).items():
        if wanted is None or name in wanted:
            yield Visit(name, rows(), patients.truth)
    some = patients.ddxplus.take(rng.permutation(len(patients.ddxplus.truth))[:interviews])
    for visit in _interviewed(replace(patients, ddxplus=some), panel, rng):
        if wanted is None or visit.protocol in wanted:
            yield visit


def _asked_at_once(
    patients: Patients, schema: FeatureSchema, rng: np.random.Generator
) -> dict[str, Callable[[], Rows]]:
    """Return what makes the rows of each kind of visit that is no interview."""
    ours, theirs = patients.ddxplus, patients.endemic
    ontology = ours.ontology

    def full() -> Rows:
        rows = ours.fully_asked(schema)
        return rows if theirs is None else np.vstack((rows, theirs.fully_asked(schema, ontology)))

    def partly(budget: Callable[[int], Budget], *, by_question: bool = False) -> Rows:
        limits = budget(len(ours.truth))
        rows = ours.partly_asked(schema, limits, ours.rates(), rng, by_question=by_question)
        if theirs is None:
            return rows
        more = theirs.partly_asked(schema, ontology, budget(len(theirs.truth)), rng)
        return np.vstack((rows, more))

    kinds: dict[str, Callable[[], Rows]] = {
        FULL: full,
        CLINIC: partial(partly, partial(Budget.clinic, rng=rng)),
    }
    for k in MENTIONED:
        budget = partial(Budget.fixed, present=k)
        kinds[f"question_{k}"] = partial(partly, budget, by_question=True)
        kinds[f"present_{k}"] = partial(partly, budget)
    return kinds


def _interviewed(patients: Patients, panel: Panel, rng: np.random.Generator) -> Iterator[Visit]:
    """Yield the patients after the opening and each question, as the device would ask.

    Simulated patients are asked only what their knowledge base describes: a real patient answers
    every question, and one left unanswered would mean no more than that the file is silent, of
    which the device knows nothing.
    """
    parts = [visits_of(patients.ddxplus, panel, rng)]
    if patients.endemic is not None:
        parts.append(panel.visits(patients.endemic.table, patients.endemic.truth, rng))
    traces = [
        interview(panel, visits, Adaptive(panel), INTERVIEWED, _silent, ranked=(), answered=files)
        for visits, files in zip(parts, (False, True), strict=False)
    ]
    truth = np.concatenate([visits.truth for visits in parts])
    for k in range(INTERVIEWED + 1):
        rows = [
            panel.rows(visits, trace.told[k]) for visits, trace in zip(parts, traces, strict=True)
        ]
        yield Visit(f"interview_{k}", np.vstack(rows), truth)


def _silent(_line: str) -> None:
    pass


def evidence_of(rows: Rows, schema: FeatureSchema) -> tuple[Indices, Indices]:
    """Return how many findings each row knows present and excluded, int64 (n,) each."""
    known = rows[:, list(schema.positions.values())]
    return (known > 0).sum(axis=1), (known == 0).sum(axis=1)


def random_parts(rows: Rows) -> NDArray[np.float64]:
    """Return the random part of each row, drawn from its digest as a device would, (n,)."""
    little = np.ascontiguousarray(rows, dtype="<f4")
    return np.array([drawn(hashlib.sha256(row.tobytes()).hexdigest()) for row in little])


def groups_of(diseases: int, corrected: int) -> tuple[int, ...]:
    """Return the group of each disease: 0 of the source the trees saw, 1 of the other."""
    return tuple(int(i >= corrected) for i in range(diseases))


def fitted(model: CommonModel, visits: Iterable[Visit], groups: Sequence[int]) -> ConformalSets:
    """Return the sets calibrated on all `visits` together."""
    own, truths, present, excluded = [], [], [], []
    for visit in visits:
        found = scores(model.probabilities_of(visit.rows), random_parts(visit.rows))
        own.append(found[np.arange(len(visit.truth)), visit.truth])
        truths.append(visit.truth)
        counts = evidence_of(visit.rows, model.schema)
        present.append(counts[0])
        excluded.append(counts[1])
    return calibrated(
        np.concatenate(own),
        np.concatenate(truths),
        np.concatenate(present),
        np.concatenate(excluded),
        groups=groups,
        bounds=BOUNDS,
        coverage=COVERAGE,
    )


def covered(model: CommonModel, sets: ConformalSets, visit: Visit) -> tuple[Coverage, ...]:
    """Return how the sets do on the patients of each source."""
    rows, truth = visit.rows, visit.truth
    p = model.probabilities_of(rows)
    counts = zip(*(c.tolist() for c in evidence_of(rows, model.schema)), strict=True)
    limits = np.stack([sets.thresholds(*count) for count in counts])
    bare = scores(p, random_parts(rows)) <= limits
    shown = bare | (np.arange(p.shape[1]) == p.argmax(axis=1)[:, np.newaxis])
    at, group = np.arange(len(truth)), np.array(sets.groups)[truth]
    named = zip(GROUPS, (group == 0, group == 1), strict=True)
    return tuple(
        Coverage(
            protocol=visit.protocol,
            group=name,
            patients=int(mask.sum()),
            bare=share(bare[at, truth][mask]),
            shown=share(shown[at, truth][mask]),
            size=float(shown[mask].sum(axis=1).mean()),
        )
        for name, mask in named
        if mask.any()
    )


def table(lines: Sequence[Coverage]) -> str:
    """Return the lines for a terminal."""
    head = f"{'protocol':<16}{'patients of':<12}{'coverage':>28}{'shown':>28}{'size':>8}"
    rows = (
        f"{c.protocol:<16}{c.group:<12}{c.bare!s:>28}{c.shown!s:>28}{c.size:>8.2f}" for c in lines
    )
    return "\n".join((head, *rows))


def main(argv: Sequence[str] | None = None) -> int:
    """Calibrate, measure and print; return 0, or 2 without the data."""
    asked = _parser().parse_args(argv)
    rng = np.random.default_rng(asked.seed)
    try:
        held_out = HeldOut.read(asked.data)
    except DdxError as error:
        print(error, file=sys.stderr)
        return 2
    model, panel = held_out.engine.common, held_out.panel()
    corrected = int(held_out.everyone.truth.max()) + 1
    knowledge = endemic_knowledge()

    def part(rows: Indices, purpose: Purpose) -> Patients:
        return Patients(
            ddxplus=held_out.some(rows, asked.patients, rng),
            endemic=simulated(knowledge, asked.simulated, corrected, purpose),
        )

    calibration = part(held_out.split.calibration, Purpose.CALIBRATION)
    groups = groups_of(len(model.diseases), corrected)
    sets = fitted(model, visits_under(calibration, panel, rng, interviews=asked.interviews), groups)
    for band in sets.bands:
        limits = ", ".join(
            f"{t:.4f} ({n:,})" for t, n in zip(band.thresholds, band.cases, strict=True)
        )
        print(f"present <= {band.present_to}, excluded <= {band.excluded_to}: {limits}")
    test = part(held_out.split.test, Purpose.MEASURING)
    shown = None if asked.all else REPORTED
    visits = visits_under(test, panel, rng, interviews=asked.interviews, wanted=shown)
    print(f"\n{table([line for visit in visits for line in covered(model, sets, visit)])}")
    if asked.out is not None:
        asked.out.write_bytes(sets.to_json())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate.conformal",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, default=DATA, help="clinical data sets (VEREDA_DATA)")
    parser.add_argument("--patients", type=int, default=5000, help="of each held-out part, at most")
    parser.add_argument("--interviews", type=int, default=2000, help="of these, at most")
    parser.add_argument("--simulated", type=int, default=100, help="endemic patients per disease")
    parser.add_argument("--seed", type=int, default=20_261)
    parser.add_argument("--all", action="store_true", help="tell every protocol calibrated on")
    parser.add_argument("--out", type=Path, help="write the bundle member here")
    return parser


if __name__ == "__main__":
    sys.exit(main())
