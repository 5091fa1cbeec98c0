"""Ways to choose the next question: what `ddx.inquiry` is measured against."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ddx.domain.case import Case
from ddx.engine import Engine
from ddx.features.encode import encode
from ddx.inquiry.askable import askable
from ddx.inquiry.bank import Item, QuestionBank
from ddx.inquiry.belief import RAREST
from ddx.inquiry.effort import FULL
from ddx.inquiry.gain import Floats, sampled_gain, softmax, yes_no_gain
from ddx.inquiry.inquirer import Inquirer
from ddx.inquiry.interview import Choice


class Order(Protocol):
    """Chooses the next question of a visit."""

    def choose(self, case: Case) -> Choice | None:
        """Return the next question; None when nothing that makes sense is left."""


@dataclass(frozen=True, slots=True)
class Adaptive:
    """What the clinician sees first; every means at hand."""

    inquirer: Inquirer

    def choose(self, case: Case) -> Choice | None:
        """Return the inquirer's first proposal."""
        proposed = self.inquirer.next_questions(case, FULL, limit=1)
        return Choice(proposed[0].findings, proposed) if proposed else None


@dataclass(frozen=True, slots=True)
class Questions:
    """The questions of one engine that still make sense for a case."""

    bank: QuestionBank
    engine: Engine

    def left(self, case: Case) -> tuple[Item, ...]:
        """Return them, in the order of the bank."""
        row = encode(case, self.engine.common.schema, self.engine.catalogue.ontology)
        return askable(case, row, self.bank, FULL)


@dataclass(frozen=True, slots=True)
class RandomOrder:
    """Any question that still makes sense, evenly."""

    questions: Questions
    rng: np.random.Generator

    def choose(self, case: Case) -> Choice | None:
        """Return an even draw."""
        left = self.questions.left(case)
        return Choice(left[int(self.rng.integers(len(left)))].findings) if left else None


class Tree:
    """A fixed decision tree: the answers to its own questions alone decide the next one.

    Built once from P(finding | disease) and how common each disease is; a branch is worked out
    when a patient first comes by and kept. Where its question makes no sense for a patient (or
    the complaint answered it), the answer is taken from the case and no question is counted.
    """

    def __init__(self, questions: Questions, prior: Floats) -> None:
        self._questions, self._bank, self._prior = questions, questions.bank, prior
        self._next: dict[tuple[object, ...], Item] = {}
        f = np.clip(np.nan_to_num(self._bank.frequency, nan=RAREST), RAREST, 1.0 - RAREST)
        self._log_present, self._log_absent = np.log(f), np.log1p(-f)

    def choose(self, case: Case) -> Choice | None:
        """Walk from the root over what the case answers; return the first open question."""
        left = {item.subject for item in self._questions.left(case)}
        if not left:
            return None
        present = frozenset(f.id for f in case.present)
        path: tuple[object, ...] = ()
        score, asked = np.log(self._prior), set[str]()
        while True:
            item = self._next.get(path)
            if item is None:
                item = self._next[path] = self._best(softmax(score), asked)
            if item.subject in left:
                return Choice(item.findings)
            shown = tuple(i for i, f in enumerate(item.findings) if f in present)
            score = score + self._likelihood(item, shown)
            asked.add(item.subject)
            path = (*path, shown)

    def _best(self, p: Floats, asked: set[str]) -> Item:
        alike = np.ones_like(p)
        gains = yes_no_gain(p, alike, self._bank.yes_no_frequency, self._bank.certain)
        best = {item.subject: gain for item, gain in zip(self._bank.yes_no, gains, strict=True)}
        for item in self._bank.choices:
            frequency = self._bank.frequency[:, item.columns]
            best[item.subject] = sampled_gain(p, alike, self._bank.answers[item.subject], frequency)
        return max(
            (item for item in self._bank.items if item.subject not in asked),
            key=lambda item: best[item.subject],
        )

    def _likelihood(self, item: Item, shown: Sequence[int]) -> Floats:
        columns = np.array(item.columns)
        positive: NDArray[np.int64] = columns[list(shown)]
        negative = np.setdiff1d(columns, positive)
        total: Floats = self._log_present[:, positive].sum(axis=1)
        return total + self._log_absent[:, negative].sum(axis=1)
