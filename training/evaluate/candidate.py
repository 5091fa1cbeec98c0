"""A candidate and the current model on the same held-out cases, as a device answers them.

Both engines see every case in turn, so that what slows the machine slows both.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from ddx.domain.case import DAYS_PER_YEAR, Case, Sex
from ddx.domain.differential import Candidate
from ddx.domain.identifiers import DiseaseId
from ddx.engine import Engine
from training.evaluate.common import (
    SEVERE,
    Estimate,
    bootstrapped,
    calibration_error,
    macro_f1,
    mean,
)
from training.evaluate.fairness import Fairness, fairness

RESAMPLES: Final = 300
SHOWN: Final = 3
"""Candidates kept of every answer: what the report shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutCases:
    """Cases that judge. ids: of the lake. truth: the disease each was confirmed to be."""

    ids: tuple[str, ...]
    cases: tuple[Case, ...]
    truth: tuple[DiseaseId, ...]

    def __len__(self) -> int:
        return len(self.cases)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What one engine said of the cases. seconds: float64 (n,), of each diagnosis."""

    version: str
    digest: str
    top: tuple[tuple[Candidate, ...], ...]
    seconds: NDArray[np.float64]

    @property
    def said(self) -> tuple[DiseaseId | None, ...]:
        """The first disease of each answer."""
        return tuple(t[0].disease if t else None for t in self.top)

    @property
    def confidence(self) -> NDArray[np.float64]:
        """Its probability, float64 (n,)."""
        return np.array([t[0].probability if t else 0.0 for t in self.top])


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the gate reads of one model. nan where no case can tell.

    f1: macro, over the diseases that occur. critical_recall: top-1 recall of severity 1 and 2.
    specificity: share of patients without a critical disease for whom none is ranked first.
    ece: 0..1. sex_gap, age_gap: like for like, in points. parity: largest probability difference
    to what was fitted. p50_ms, p95_ms, p99_ms: of one diagnosis.
    """

    f1: Estimate
    critical_recall: Estimate
    specificity: Estimate
    ece: Estimate
    top3: Estimate
    sex_gap: float
    age_gap: float
    parity: float
    p50_ms: float
    p95_ms: float
    p99_ms: float

    @classmethod
    def of(
        cls, held_out: HeldOutCases, answers: Answers, severity: "Severity", parity: float
    ) -> Self:
        """Return the figures of one model's answers."""
        said, truth, n = _numbered(answers.said, held_out.truth)
        right = said == truth
        critical = np.array([severity(d) in SEVERE for d in held_out.truth])
        alarm = np.array([d is not None and severity(d) in SEVERE for d in answers.said])
        in_three = np.array(
            [
                t in {c.disease for c in top}
                for t, top in zip(held_out.truth, answers.top, strict=True)
            ]
        )
        confidence = answers.confidence
        estimates = bootstrapped(
            {
                "f1": lambda i: macro_f1(said[i], truth[i], n),
                "critical_recall": lambda i: mean(right[i][critical[i]]),
                "specificity": lambda i: mean(~alarm[i][~critical[i]]),
                "ece": lambda i: calibration_error(confidence[i], right[i]),
                "top3": lambda i: mean(in_three[i]),
            },
            len(truth),
            RESAMPLES,
        )
        gaps = groups_of(held_out, right, truth)
        p50, p95, p99 = (1000.0 * np.percentile(answers.seconds, [50, 95, 99])).tolist()
        return cls(
            **estimates,
            sex_gap=gaps.sex_gap.points,
            age_gap=gaps.age_gap.points,
            parity=parity,
            p50_ms=p50,
            p95_ms=p95,
            p99_ms=p99,
        )


Severity = Callable[[DiseaseId], int | None]
"""Severity grade of a disease, 1 the most severe; None where nobody grades it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Both models side by side. slower: median over the cases of new seconds / current seconds."""

    held_out: HeldOutCases
    current: Answers
    new: Answers
    figures_current: Figures
    figures_new: Figures
    slower: float


def answer_both(
    current: Engine,
    new: Engine,
    held_out: HeldOutCases,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[Answers, Answers]:
    """Return what both engines say of every case; who goes first changes from case to case."""
    engines = (current, new)
    tops: tuple[list[Any], list[Any]] = ([], [])
    seconds: tuple[list[float], list[float]] = ([], [])
    for engine in engines:  # the first diagnosis of a process also loads what is loaded late
        engine.diagnose(held_out.cases[0])
    for number, case in enumerate(held_out.cases):
        for which in (0, 1) if number % 2 else (1, 0):
            started = clock()
            found = engines[which].diagnose(case)
            seconds[which].append(clock() - started)
            tops[which].append(found.candidates[:SHOWN])
    first, second = (
        Answers(
            version=engine.version,
            digest=engine.digest,
            top=tuple(tops[which]),
            seconds=np.array(seconds[which]),
        )
        for which, engine in enumerate(engines)
    )
    return first, second


def compare(
    held_out: HeldOutCases,
    current: Answers,
    new: Answers,
    severity: Severity,
    *,
    parity: float,
    parity_current: float = float("nan"),
) -> Comparison:
    """Return the comparison of two sets of answers."""
    return Comparison(
        held_out=held_out,
        current=current,
        new=new,
        figures_current=Figures.of(held_out, current, severity, parity_current),
        figures_new=Figures.of(held_out, new, severity, parity),
        slower=float(np.median(new.seconds / np.maximum(current.seconds, 1e-9))),
    )


def groups_of(
    held_out: HeldOutCases, right: NDArray[np.bool_], truth: NDArray[np.int64]
) -> Fairness:
    """Return recall by sex and age of the cases that tell both."""
    told = np.array([c.sex is not Sex.UNKNOWN and c.age_days is not None for c in held_out.cases])
    female = np.array([c.sex is Sex.FEMALE for c in held_out.cases])
    age = np.array([c.age_days or 0 for c in held_out.cases], dtype=np.float64)
    return fairness(right[told], truth[told], female[told], age[told])


def _numbered(
    said: Sequence[DiseaseId | None], truth: Sequence[DiseaseId]
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Return both as numbers of one list of diseases, and how many there are."""
    names = sorted({*truth, *(d for d in said if d is not None)})
    number = {disease: i for i, disease in enumerate(names)}
    nothing = len(names)
    return (
        np.array([nothing if d is None else number[d] for d in said], dtype=np.int64),
        np.array([number[d] for d in truth], dtype=np.int64),
        nothing + 1,
    )


def years(case: Case) -> int | None:
    """Return whole years, None when unknown."""
    return None if case.age_days is None else int(case.age_days / DAYS_PER_YEAR)
