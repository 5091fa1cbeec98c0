"""Partly asked cases: what a clinic knows of a patient, drawn from patients with every answer."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ddx.domain.identifiers import FindingId
from ddx.features.encode import EXCLUDED, PRESENT, UNKNOWN, CaseTable
from training.sources.ddxplus import Answers

MEAN_PRESENT = 1.0 / 0.15
"""Mean of the geometric number of present findings beyond the first: 7 complaints and answers."""

MEAN_EXCLUDED = 10.0
"""Mean of the geometric number of excluded findings, in the share of cases that hold any."""

SHARE_WITHOUT_EXCLUDED = 0.4
SHARE_WITHOUT_AGE = 0.02
SHARE_WITHOUT_SEX = 0.02

_RARELY_ASKED = 0.01
"""Added to the base rate of a finding: what nobody has is still asked about now and then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much of each patient is known: int64 (n,) limits, bool (n,) for age and sex."""

    present: NDArray[np.int64]
    excluded: NDArray[np.int64]
    age: NDArray[np.bool_]
    sex: NDArray[np.bool_]

    @classmethod
    def fixed(cls, n: int, *, present: int, excluded: int = 0) -> "Budget":
        """Return the same limits for n patients, age and sex known."""
        known = np.ones(n, dtype=bool)
        return cls(present=np.full(n, present), excluded=np.full(n, excluded), age=known, sex=known)

    @classmethod
    def clinic(cls, n: int, rng: np.random.Generator) -> "Budget":
        """Return limits as varied as visits are. The shares and means above are estimates."""
        none_excluded = rng.random(n) < SHARE_WITHOUT_EXCLUDED
        return cls(
            present=1 + rng.geometric(1.0 / MEAN_PRESENT, n),
            excluded=np.where(none_excluded, 0, rng.geometric(1.0 / MEAN_EXCLUDED, n)),
            age=rng.random(n) >= SHARE_WITHOUT_AGE,
            sex=rng.random(n) >= SHARE_WITHOUT_SEX,
        )


def base_rates(answers: Answers, n_findings: int) -> NDArray[np.float64]:
    """Return the share of patients with each finding, float64 (n_findings,)."""
    return np.bincount(answers.position, minlength=n_findings) / len(answers)


def partly_asked(
    answers: Answers,
    findings: tuple[FindingId, ...],
    budget: Budget,
    rates: NDArray[np.float64],
    rng: np.random.Generator,
    *,
    questions: NDArray[np.int64] | None = None,
) -> CaseTable:
    """Return the patients with at most `budget` of their findings asked, the rest UNKNOWN.

    Present findings are drawn evenly. questions: int64 (n_findings,), the question each finding
    answers; with them questions are drawn instead, each with all its present values. Absent
    findings are drawn with replacement in proportion to `rates`, so that what is asked about is
    what patients have; repeats and hits on a present finding are lost, hence "at most".
    """
    presence = np.full((len(answers), len(findings)), UNKNOWN, dtype=np.int8)
    grade = np.full(presence.shape, np.nan, dtype=np.float32)
    weights = np.cumsum(rates + _RARELY_ASKED)
    asked_of = np.repeat(np.arange(len(answers)), budget.excluded)
    asked = np.searchsorted(weights, rng.random(len(asked_of)) * weights[-1], side="right")
    presence[asked_of, asked] = EXCLUDED
    rows = answers.row_of_entry()
    presence[rows, answers.position] = np.where(
        presence[rows, answers.position] == EXCLUDED, UNKNOWN, presence[rows, answers.position]
    )
    kept = _draw(answers, budget.present, rng, questions)
    presence[rows[kept], answers.position[kept]] = PRESENT
    grade[rows[kept], answers.position[kept]] = answers.value[kept]
    return CaseTable(
        age_days=np.where(budget.age, answers.age_days, np.nan),
        female=np.where(budget.sex, answers.female, np.nan).astype(np.float32),
        findings=findings,
        presence=presence,
        grade=grade,
    )


def _draw(
    answers: Answers,
    limit: NDArray[np.int64],
    rng: np.random.Generator,
    questions: NDArray[np.int64] | None,
) -> NDArray[np.bool_]:
    """Return bool (total,): for each patient an even draw of `limit` entries or questions."""
    rows = answers.row_of_entry()
    unit = answers.position if questions is None else questions[answers.position]
    width = int(unit.max(initial=0)) + 1
    drawn, entry = np.unique(rows * width + unit, return_inverse=True)
    row_of_drawn = drawn // width
    order = np.lexsort((rng.random(len(drawn)), row_of_drawn))
    first = np.searchsorted(row_of_drawn, np.arange(len(answers)))
    rank = np.empty(len(drawn), dtype=np.int64)
    rank[order] = np.arange(len(drawn)) - first[row_of_drawn]
    kept: NDArray[np.bool_] = (rank < limit[row_of_drawn])[entry]
    return kept
