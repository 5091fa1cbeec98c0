"""Visits as an interviewer leaves them: an opening complaint, then questions that tell most.

Random masking never shows a model what an interview looks like: few questions, chosen for the
patient, each answered whole, most of them with no. A model that never saw such rows grows sure of
itself on them without being right. Questions are chosen for many patients at once by naive Bayes
(the first look of `ddx.inquiry`), with noise, since clinicians differ.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ddx.domain.case import DAYS_PER_YEAR
from ddx.domain.identifiers import FindingId
from ddx.features.encode import EXCLUDED, PRESENT, UNKNOWN, CaseTable
from ddx.features.schema import ColumnKind
from ddx.inquiry.askable import FOLLOW_UPS
from ddx.inquiry.gain import certainty, entropy, log2, softmax
from training.evaluate.naive_bayes import NaiveBayes
from training.knowledge import FindingRow
from training.sources.ddxplus import Answers

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

NOISE: Final = 0.5
"""Scale of the Gumbel noise on the logarithm of a gain: the best question is asked most often,
one with half its gain about a fourth as often (estimate)."""

UNLED: Final = 0.15
"""Share of questions asked because many patients have the finding (estimate)."""

_LEAST: Final = 1e-4
"""Bits, or share of patients, below which questions are all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What can be asked of the findings of a vocabulary.

    findings: those of the vocabulary, in its order. subject: the question that settles each
    finding; one without is never asked. openings: what a visit may open with.
    """

    findings: tuple[FindingId, ...]
    subject: Mapping[FindingId, str]
    openings: frozenset[FindingId]

    @classmethod
    def of(cls, findings: tuple[FindingId, ...], rows: Iterable[FindingRow]) -> "Script":
        """Return the script of the knowledge base: visits open with a symptom that is yes or no.

        So DDXPlus draws its initial evidence: among the binary ones that are no antecedents.
        """
        known = {row.id: row for row in rows}
        return cls(
            findings=findings,
            subject={f: known[f].group or f for f in findings},
            openings=frozenset(
                f for f in findings if known[f].kind == "binary" and not known[f].antecedent
            ),
        )


@dataclass(slots=True, kw_only=True)
class _Visits:
    """What has come out of n visits so far, over the askable findings and the questions.

    has, known: bool (n, n_findings), what the record holds and what was revealed of it.
    closed, any_yes: bool (n, n_questions). score: log P(disease, revealed), (n, n_diseases).
    """

    has: NDArray[np.bool_]
    known: NDArray[np.bool_]
    closed: NDArray[np.bool_]
    any_yes: NDArray[np.bool_]
    score: Floats


class Interviewer:
    """Asks many patients at once, led by `beliefs`: naive Bayes over the columns of the model."""

    def __init__(self, script: Script, beliefs: NaiveBayes) -> None:
        self._script, self.beliefs = script, beliefs
        columns = beliefs.schema.positions
        at = [i for i, f in enumerate(script.findings) if f in columns and f in script.subject]
        self._at = np.array(at)
        self._frequency = beliefs.frequency[:, [columns[script.findings[i]] for i in at]]
        self._certain = certainty(self._frequency)
        self._log_absent = np.log1p(-self._frequency)
        self._log_ratio = np.log(self._frequency) - self._log_absent
        self._opens = np.array([script.findings[i] in script.openings for i in at])
        self._index([script.subject[script.findings[i]] for i in at])

    def _index(self, subjects: list[str]) -> None:
        """Number the questions and tie each to its findings and its follow-ups."""
        names = list(dict.fromkeys(subjects))
        number = {name: k for k, name in enumerate(names)}
        self._question = np.array([number[subject] for subject in subjects])
        self._members = [np.flatnonzero(self._question == k) for k in range(len(names))]
        self._single = np.array([len(members) == 1 for members in self._members])
        self._firsts = np.array([members[0] for members in self._members])
        self._spread = (self._question[:, np.newaxis] == np.arange(len(names))).astype(np.float64)
        self._gates = [
            (number[gate], [number[name] for name in follow_ups if name in number])
            for gate, follow_ups in FOLLOW_UPS.items()
            if gate in number
        ]

    def visits(self, answers: Answers, questions: Indices, rng: np.random.Generator) -> CaseTable:
        """Return the patients after an opening complaint and so many questions each.

        questions: int64 (n,). Age and sex are known; what did not come out is UNKNOWN.
        """
        whole = np.zeros((len(answers), len(self._script.findings)), dtype=bool)
        whole[answers.row_of_entry(), answers.position] = True
        visits = self._opened(answers, whole[:, self._at], rng)
        for number in range(int(questions.max(initial=0))):
            self._ask(visits, np.flatnonzero(questions > number), rng)
        return self._table(visits, answers)

    def _opened(
        self, answers: Answers, has: NDArray[np.bool_], rng: np.random.Generator
    ) -> _Visits:
        """Return the visits after the complaint: an opening drawn evenly, else any finding."""
        may_open = has & self._opens
        may_open[~may_open.any(axis=1)] = has[~may_open.any(axis=1)]
        said = np.flatnonzero(may_open.any(axis=1))
        complaint = (rng.random(has.shape) * may_open).argmax(axis=1)[said]
        nothing = np.zeros((len(answers), len(self._members)), dtype=bool)
        visits = _Visits(
            has=has,
            known=np.zeros_like(has),
            closed=nothing,
            any_yes=nothing.copy(),
            score=self.beliefs.of_demography(self._demography(answers)),
        )
        question = self._question[complaint]
        visits.known[said, complaint] = visits.any_yes[said, question] = True
        visits.closed[said, question] = self._single[question]
        visits.score[said] += (self._log_ratio + self._log_absent)[:, complaint].T
        return visits

    def _ask(self, visits: _Visits, rows: Indices, rng: np.random.Generator) -> None:
        """Put one question to each of the visits in `rows` and take the whole answer."""
        asked = self._chosen(visits, rows, rng)
        for question in np.unique(asked):
            here, members = rows[asked == question], self._members[question]
            has = visits.has[np.ix_(here, members)]
            fresh = ~visits.known[np.ix_(here, members)]
            visits.score[here] += (has & fresh) @ self._log_ratio[:, members].T
            visits.score[here] += fresh @ self._log_absent[:, members].T
            visits.known[np.ix_(here, members)] = True
            visits.closed[here, question] = True
            visits.any_yes[here, question] |= has.any(axis=1)
        self._settle_gates(visits, rows)

    def _settle_gates(self, visits: _Visits, rows: Indices) -> None:
        for gate, follow_ups in self._gates:
            denied = visits.closed[rows, gate] & ~visits.any_yes[rows, gate]
            visits.closed[np.ix_(rows[denied], follow_ups)] = True
            told = visits.any_yes[np.ix_(rows, follow_ups)].any(axis=1)
            visits.closed[rows[told], gate] = True

    def _chosen(self, visits: _Visits, rows: Indices, rng: np.random.Generator) -> Indices:
        """Return the question of each row: mostly what tells most, now and then what is usual.

        The gain of a choice is taken as the sum over its values, at most the entropy itself.
        """
        p = softmax(visits.score[rows])
        yes = p @ self._frequency
        alone = p @ self._certain - yes * log2(yes) - (1.0 - yes) * log2(1.0 - yes)
        most = entropy(p, np.ones(p.shape[1]))[:, np.newaxis]
        gain = np.minimum(np.maximum(alone, 0.0) @ self._spread, most)
        unled = (rng.random(len(rows)) < UNLED)[:, np.newaxis]
        wish = np.log(np.where(unled, yes @ self._spread, gain) + _LEAST)
        wish += np.where(unled, 1.0, NOISE) * rng.gumbel(size=wish.shape)
        wish[visits.closed[rows]] = -np.inf
        chosen: Indices = wish.argmax(axis=1)
        return chosen

    def _demography(self, answers: Answers) -> NDArray[np.float32]:
        """Return rows that know age and sex only."""
        rows = np.full((len(answers), len(self.beliefs.schema)), np.nan, dtype=np.float32)
        for i, column in enumerate(self.beliefs.schema.columns):
            if column.kind is ColumnKind.AGE_YEARS:
                rows[:, i] = answers.age_days / DAYS_PER_YEAR
            elif column.kind is ColumnKind.SEX_FEMALE:
                rows[:, i] = answers.female
        return rows

    def _table(self, visits: _Visits, answers: Answers) -> CaseTable:
        presence = np.full((len(answers), len(self._script.findings)), UNKNOWN, dtype=np.int8)
        grade = np.full(presence.shape, np.nan, dtype=np.float32)
        states = np.where(visits.has, PRESENT, EXCLUDED)
        presence[:, self._at] = np.where(visits.known, states, UNKNOWN)
        rows = answers.row_of_entry()
        shown = presence[rows, answers.position] == PRESENT
        grade[rows[shown], answers.position[shown]] = answers.value[shown]
        return CaseTable(
            age_days=answers.age_days,
            female=answers.female,
            findings=self._script.findings,
            presence=presence,
            grade=grade,
        )
