"""Ways to choose the next question: what `ddx.inquiry` is measured against."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ddx.features.encode import PRESENT
from ddx.inquiry.bank import Item, QuestionBank
from ddx.inquiry.belief import RAREST
from ddx.inquiry.gain import Floats, sampled_gain, softmax, yes_no_gain
from training.evaluate.panel import NOTHING, Indices, Known, Panel


@dataclass(frozen=True, slots=True)
class Choice:
    """The next question of each visit.

    item: int64 (n,), position in the bank, NOTHING where none is left. gain_bits: float64 (n,),
    what the inquirer expects of it; nan of an order that weighs nothing.
    """

    item: Indices
    gain_bits: Floats


class Order(Protocol):
    """Chooses the next questions."""

    def choose(self, known: Known) -> Choice:
        """Return a question for each visit."""


class Weigher:
    """Gains of the questions of one bank for many visits at once."""

    def __init__(self, bank: QuestionBank) -> None:
        self._bank = bank

    def gains(self, p: Floats, weights: Floats, wanted: NDArray[np.bool_]) -> Floats:
        """Return the gain of every question wanted, in bits, -inf elsewhere, (n, n_items)."""
        gains = np.full(wanted.shape, -np.inf)
        alone = yes_no_gain(p, weights, self._bank.yes_no_frequency, self._bank.certain)
        gains[:, self._bank.alone] = np.maximum(alone, 0.0)
        for k, drawn in self._bank.drawn.items():
            for i in np.flatnonzero(wanted[:, k]):
                gains[i, k] = sampled_gain(p[i], weights[np.newaxis], drawn)[0]
        gains[~wanted] = -np.inf
        return gains


class Adaptive:
    """What the clinician sees first; every means at hand."""

    def __init__(self, panel: Panel) -> None:
        self._inquirer, self._weigher = panel.engine.inquirer, Weigher(panel.bank)
        self._cost = panel.bank.cost

    def choose(self, known: Known) -> Choice:
        """Return the question of most worth, as `Inquirer.next_questions` ranks them."""
        p = self._inquirer.belief.probabilities_of(known.rows)
        worth = self._weigher.gains(p, self._inquirer.harm, known.open) / self._cost
        left = known.open.any(axis=1)
        item = np.where(left, worth.argmax(axis=1), NOTHING)
        chosen = np.zeros_like(known.open)
        chosen[left, item[left]] = True
        plain = self._weigher.gains(p, np.ones_like(self._inquirer.harm), chosen)
        return Choice(item, np.where(left, plain.max(axis=1), 0.0))


@dataclass(frozen=True, slots=True)
class RandomOrder:
    """Any question that still makes sense, evenly."""

    rng: np.random.Generator

    def choose(self, known: Known) -> Choice:
        """Return an even draw."""
        drawn = (self.rng.random(known.open.shape) * known.open).argmax(axis=1)
        item = np.where(known.open.any(axis=1), drawn, NOTHING)
        return Choice(item, np.full(len(item), np.nan))


class Tree:
    """A fixed decision tree: the answers to its own questions alone decide the next one.

    Built once from P(finding | disease) and how common each disease is; a branch is worked out
    when a patient first comes by and kept. Where its question makes no sense for a patient (or
    the complaint answered it), the answer is taken from the case and no question is counted.
    """

    def __init__(self, panel: Panel, prior: Floats) -> None:
        self._panel, self._bank, self._prior = panel, panel.bank, prior
        self._next: dict[tuple[object, ...], int] = {}
        self._weigher = Weigher(panel.bank)
        f = np.clip(np.nan_to_num(self._bank.frequency, nan=RAREST), RAREST, 1.0 - RAREST)
        self._log_present, self._log_absent = np.log(f), np.log1p(-f)

    def choose(self, known: Known) -> Choice:
        """Walk from the root over what each visit told; return its first open question."""
        present = known.table.presence == PRESENT
        item = np.array(
            [
                self._walk(open_, shown) if open_.any() else NOTHING
                for open_, shown in zip(known.open, present, strict=True)
            ],
            dtype=np.int64,
        )
        return Choice(item, np.full(len(item), np.nan))

    def _walk(self, open_: NDArray[np.bool_], present: NDArray[np.bool_]) -> int:
        path: tuple[object, ...] = ()
        score, asked = np.log(self._prior), set[int]()
        while True:
            k = self._next.get(path)
            if k is None:
                k = self._next[path] = self._best(softmax(score), asked)
            if open_[k]:
                return k
            shown = tuple(np.flatnonzero(present[self._panel.members[k]]).tolist())
            score = score + self._likelihood(self._bank.items[k], shown)
            asked.add(k)
            path = (*path, shown)

    def _best(self, p: Floats, asked: set[int]) -> int:
        wanted = np.ones((1, len(self._bank.items)), dtype=bool)
        wanted[0, list(asked)] = False
        return int(self._weigher.gains(p[np.newaxis], np.ones_like(p), wanted).argmax())

    def _likelihood(self, item: Item, shown: Sequence[int]) -> Floats:
        columns = np.array(item.columns)
        positive: NDArray[np.int64] = columns[list(shown)]
        negative = np.setdiff1d(columns, positive)
        total: Floats = self._log_present[:, positive].sum(axis=1)
        total += self._log_absent[:, negative].sum(axis=1)
        return total
