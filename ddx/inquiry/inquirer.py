"""The next best questions of a case.

Two looks. The first weighs every question by naive Bayes on the frequencies the bundle learned,
starting from what the common model believes; the second asks the common model itself what it
would believe after each answer to the best of them. A question is worth its gain on the entropy
weighted by harm (`ddx.inquiry.gain`), divided by what it costs this clinic.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from ddx.domain.artifacts import Artifacts
from ddx.domain.case import Case
from ddx.domain.identifiers import FindingId
from ddx.features.encode import FeatureRow, encode
from ddx.inference.common import CommonModel
from ddx.inquiry.askable import askable
from ddx.inquiry.bank import SAMPLES, Item, QuestionBank
from ddx.inquiry.effort import COST, RURAL_POST, Equipment, Means
from ddx.inquiry.gain import Floats, entropy, sampled_gain, yes_no_gain
from ddx.inquiry.what_if import after_choices, stated_columns, yes_and_no
from ddx.terminology.catalogue import Catalogue

HARM: Final[Mapping[int, float]] = MappingProxyType({1: 3.0, 2: 2.0, 3: 1.5, 4: 1.2, 5: 1.0})
"""Harm of missing a disease by its severity, relative to the least severe (estimate of ours)."""

UNGRADED_HARM: Final = 1.5
"""Harm of a disease whose severity no source gives: that of the middle grade."""

SHORTLIST: Final = 20
"""Questions that get the second look."""

DEFAULT_LIMIT: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question worth asking.

    subject: a finding id, or the group of a choice ("pain.site").
    findings: what the answer settles: that finding, or every value of the choice.
    gain_bits: expected fall of the entropy of the differential, in bits, >= 0.
    worth: gain on the entropy weighted by harm, over `cost`; questions are ranked by it.
    chance: probability that the answer is yes (for a choice, that any value is).
    means, cost: how it is found out, and the estimated effort (1 = asking one question).
    """

    subject: str
    findings: tuple[FindingId, ...]
    gain_bits: float
    worth: float
    chance: float
    means: Means
    cost: float


class Inquirer:
    """Ranks questions with the common model and the vocabulary of one bundle; keeps no state."""

    def __init__(self, bank: QuestionBank, catalogue: Catalogue, common: CommonModel) -> None:
        self.bank, self._catalogue, self._common = bank, catalogue, common
        severities = (catalogue.disease_severity(disease) for disease in common.diseases)
        self._harm = np.array([UNGRADED_HARM if s is None else HARM[s] for s in severities])
        self._alike = np.ones_like(self._harm)
        self._at = {item.subject: i for i, item in enumerate(bank.yes_no)}

    @classmethod
    def from_artifacts(
        cls, artifacts: Artifacts, catalogue: Catalogue, common: CommonModel
    ) -> Self:
        """Return the inquirer of a bundle whose catalogue and common model are loaded already.

        Raises:
            ModelError: the bundle's table of frequencies is missing or malformed.
            UnknownDiseaseError: the catalogue does not name a disease of the model.
        """
        return cls(
            QuestionBank.from_artifacts(artifacts, common.schema, catalogue), catalogue, common
        )

    def next_questions(
        self, case: Case, equipment: Equipment = RURAL_POST, limit: int = DEFAULT_LIMIT
    ) -> tuple[Question, ...]:
        """Return the `limit` questions most worth asking, best first; none when all is answered.

        Raises:
            ModelError: the common model fails on a row.
        """
        row = encode(case, self._common.schema, self._catalogue.ontology)
        items = askable(case, row, self.bank, equipment)
        if not items:
            return ()
        p = self._common.probabilities(row)
        worth = self._first_look(p, items)
        short = [items[i] for i in np.argsort(-worth, kind="stable")[:SHORTLIST]]
        questions = self._second_look(p, row, stated_columns(case, self._common.schema), short)
        return tuple(sorted(questions, key=lambda q: (-q.worth, q.subject))[:limit])

    def _first_look(self, p: Floats, items: Sequence[Item]) -> Floats:
        """Return the worth of every item by naive Bayes, float64 (n_items,)."""
        table = self.bank.yes_no_frequency
        gains = yes_no_gain(p, self._harm, table, self.bank.certain)
        return np.array(
            [
                (self._choice_gain(p, item) if item.is_choice else gains[self._at[item.subject]])
                / COST[item.means]
                for item in items
            ]
        )

    def _choice_gain(self, p: Floats, item: Item) -> float:
        frequency = self.bank.frequency[:, item.columns]
        return sampled_gain(p, self._harm, self.bank.answers[item.subject], frequency)

    def _second_look(
        self, p: Floats, row: FeatureRow, stated: NDArray[np.bool_], items: Sequence[Item]
    ) -> list[Question]:
        """Weigh `items` by what the model believes after their answers."""
        blocks, shares = zip(*(self._outcomes(p, row, stated, item) for item in items), strict=True)
        after = self._common.probabilities_of(np.concatenate(blocks))
        plain, weighted = entropy(after, self._alike), entropy(after, self._harm)
        ends = np.cumsum([len(share) for share in shares])
        before_plain = float(entropy(p, self._alike))
        before_weighted = float(entropy(p, self._harm))
        return [
            self._question(
                item,
                p,
                gain=before_plain - float(share @ plain[end - len(share) : end]),
                weighted=before_weighted - float(share @ weighted[end - len(share) : end]),
            )
            for item, share, end in zip(items, shares, ends.tolist(), strict=True)
        ]

    def _outcomes(
        self, p: Floats, row: FeatureRow, stated: NDArray[np.bool_], item: Item
    ) -> tuple[NDArray[np.float32], Floats]:
        """Return the rows after the answers to `item`, and how probable each answer is."""
        if not item.is_choice:
            yes = float(p @ self.bank.frequency[:, item.columns[0]])
            return yes_and_no(row, stated, item), np.array([yes, 1.0 - yes])
        sample = np.arange(SAMPLES)
        disease = np.searchsorted(np.cumsum(p), (sample + 0.5) / SAMPLES * p.sum())
        answers = self.bank.answers[item.subject][disease, sample]
        return after_choices(row, item, answers), np.full(SAMPLES, 1.0 / SAMPLES)

    def _question(self, item: Item, p: Floats, *, gain: float, weighted: float) -> Question:
        none = np.prod(1.0 - self.bank.frequency[:, item.columns], axis=1)
        cost = COST[item.means]
        return Question(
            subject=item.subject,
            findings=item.findings,
            gain_bits=max(gain, 0.0),
            worth=max(weighted, 0.0) / cost,
            chance=float(p @ (1.0 - none)),
            means=item.means,
            cost=cost,
        )
