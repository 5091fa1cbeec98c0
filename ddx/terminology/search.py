"""What the clinician types, found: accents, typing errors, word order and lay words forgiven.

Every label and synonym of both languages is a name; a hit is a term, shown by its label in the
language of the screen. The index is built on first use, in arrays, and never changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ddx.domain.identifiers import FindingId
from ddx.terminology.catalogue import Catalogue, Language, Name
from ddx.terminology.normalise import fold
from ddx.terminology.words import Words

_FILLERS_ES: Final = """
    a al con cuando de del el en es esta ha hay la las le lo los me mi mucha mucho muy o por que
    se siente su tengo tiene un una y
"""
_FILLERS_EN: Final = "and at the feel has have i in is my of on or to with"
FILLERS: Final = frozenset((*_FILLERS_ES.split(), *_FILLERS_EN.split()))
"""Words that carry little of the meaning: optional in a query, light in a name."""

SAME_WORD: Final = {
    "duele": "dolor",
    "duelen": "dolor",
    "dolencia": "dolor",
    "hinchado": "hinchazon",
    "hinchada": "hinchazon",
    "hinchados": "hinchazon",
    "hinchadas": "hinchazon",
    "pica": "comezon",
    "picazon": "comezon",
    "hurts": "pain",
    "swollen": "swelling",
}
"""What is said with a verb or adjective and named with a noun."""

MOST_WORDS: Final = 12  # of a query: a pasted paragraph must not stall the screen

FILLER_WEIGHT: Final = 0.15
SAME_WORD_WEIGHT: Final = 0.9
ACROSS_NAMES: Final = 0.8  # words found in different names of one term
COMMON_BONUS: Final = 0.04  # findings of the common model first where all else is equal
LANGUAGE_BONUS: Final = 0.05
LABEL_BONUS: Final = 0.03
"""Engineering weights, held by the query list of the tests."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One term found. matched: the name that matched best, as written; score: higher is better."""

    id: FindingId
    label: str
    matched: str
    score: float


class FindingSearch:
    """Search over the names of a catalogue. Safe to warm on another thread."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def warm(self) -> None:
        """Build the index now rather than with the first search (about 0.3 s)."""
        _ = self._index

    def search(self, text: str, language: str = Language.ES, limit: int = 10) -> tuple[Hit, ...]:
        """Return the terms whose names hold what was typed, best first; none for blank text.

        Each word may be the beginning of one in the name. Where no term holds every word, those
        holding at least half of them come back.
        """
        typed = list(dict.fromkeys(fold(text).split()))[:MOST_WORDS]
        if not typed:
            return ()
        index = self._index
        scores = index.score(typed, Language(language))
        best = index.best_terms(scores, limit)
        return tuple(
            Hit(
                id=index.names[name].id,
                label=self._catalogue.label(index.names[name].id, language),
                matched=index.names[name].text,
                score=round(float(scores[name]), 4),
            )
            for name in best
        )

    @cached_property
    def _index(self) -> "_NameIndex":
        common = frozenset(self._catalogue.findings)
        return _NameIndex(list(self._catalogue.names()), common)


class _NameIndex:
    """Names as arrays.

    words: every distinct word. tokens: word index of each word of each name, in order.
    starts: where each name begins in `tokens`; term_starts: where each term begins in `names`
    (the names of one term are neighbours).
    """

    def __init__(self, names: Sequence[Name], common: frozenset[FindingId]) -> None:
        texts = fold("\n".join(name.text.replace("\n", " ") for name in names)).split("\n")
        kept = [(name, text) for name, text in zip(names, texts, strict=True) if text]
        self.names = [name for name, _ in kept]
        self._read([text for _, text in kept])
        ids = [name.id for name in self.names]
        changes = [i for i in range(len(ids)) if i == 0 or ids[i] != ids[i - 1]]
        self.term_starts = np.array(changes, dtype=np.intp)
        self.term_sizes = np.diff([*changes, len(ids)])
        self.bonus = np.array(
            [
                COMMON_BONUS * (name.id in common) + LABEL_BONUS * name.preferred
                for name in self.names
            ],
            dtype=np.float32,
        )
        self.spanish = np.array([name.language is Language.ES for name in self.names])

    def _read(self, texts: Sequence[str]) -> None:
        known: dict[str, int] = {}
        split = [text.split(" ") for text in texts]
        tokens = [known.setdefault(word, len(known)) for words in split for word in words]
        self.tokens = np.array(tokens, dtype=np.int32)
        lengths = np.array([len(words) for words in split], dtype=np.intp)
        self.starts = np.concatenate(([0], np.cumsum(lengths)[:-1])).astype(np.intp)
        self.words = Words(list(known))
        light = [FILLER_WEIGHT if word in FILLERS else 1.0 for word in known]
        self.word_weights = np.array(light, dtype=np.float32)
        self.name_weights = np.add.reduceat(self.word_weights[self.tokens], self.starts)

    def score(self, typed: Sequence[str], language: Language) -> NDArray[np.float32]:
        """Return the score of every name, float32 (n,); 0 where too little was found."""
        weights = np.array([FILLER_WEIGHT if w in FILLERS else 1.0 for w in typed], np.float32)
        matches = [self._match(word) for word in typed]
        in_name = np.stack([np.maximum.reduceat(m[self.tokens], self.starts) for m in matches])
        in_term = np.maximum.reduceat(in_name, self.term_starts, axis=1)
        in_term = np.repeat(in_term, self.term_sizes, axis=1)
        told = np.add.reduceat(
            (np.max(matches, axis=0) * self.word_weights)[self.tokens], self.starts
        )
        covered = 0.6 + 0.4 * told / self.name_weights
        mean_in_name = weights @ in_name / weights.sum()
        mean_in_term = weights @ in_term / weights.sum()
        scores = np.maximum(mean_in_name, ACROSS_NAMES * mean_in_term) * covered
        scores += self.bonus + LANGUAGE_BONUS * (self.spanish == (language is Language.ES))
        scores[~self._enough(weights, in_term)] = 0
        return np.asarray(scores, dtype=np.float32)

    def best_terms(self, scores: NDArray[np.float32], limit: int) -> list[int]:
        """Return the best name of each of the best `limit` terms, best first."""
        of_term = np.maximum.reduceat(scores, self.term_starts)
        found = np.flatnonzero(of_term > 0)
        order = found[np.argsort(-of_term[found], kind="stable")][:limit]
        firsts, sizes = self.term_starts[order], self.term_sizes[order]
        return [
            int(first + np.argmax(scores[first : first + size]))
            for first, size in zip(firsts, sizes, strict=True)
        ]

    def _match(self, word: str) -> NDArray[np.float32]:
        """Return how well each known word answers a typed one, also through its noun."""
        match = self.words.match(word)
        if noun := SAME_WORD.get(word):
            match = np.maximum(match, SAME_WORD_WEIGHT * self.words.match(noun))
        return match

    @staticmethod
    def _enough(weights: NDArray[np.float32], in_term: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Return which names belong to a term with every telling word, else with half of them."""
        telling = in_term[weights == 1.0] if (weights == 1.0).any() else in_term
        found = (telling > 0).sum(axis=0)
        needed = len(telling) if (found == len(telling)).any() else len(telling) / 2
        return np.asarray(found >= needed)
