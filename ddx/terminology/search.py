"""What the clinician types, found: accents, typing errors, word order and lay words forgiven.

Every label and synonym of both languages is a name; a hit is a term, shown by its label in the
language of the screen. The index is built on first use, in arrays, and never changes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ddx.domain.identifiers import FindingId
from ddx.terminology.catalogue import Catalogue, FindingKind, Language, Name, Term
from ddx.terminology.normalise import fold
from ddx.terminology.words import Words

_FILLERS_ES: Final = """
    a al como con cual cuando de del desde donde e el ella en entre era eran es esa ese esta estaba
    estan este esto estos ha hace hacia han hasta hay ir la las le les lo los me mi mis mucha
    muchas mucho muchos muy o para pero por pues que se ser si siente siento sobre su sus tan tanto
    tener tenia tiene tienen tengo todo toda u un una unas uno unos va y ya
"""
_FILLERS_EN: Final = "and at the feel has have i in is my of on or to with"
FILLERS: Final = frozenset((*_FILLERS_ES.split(), *_FILLERS_EN.split()))
"""Words that carry little of the meaning: optional in a query, light in a name."""

MOST_WORDS: Final = 12  # of a query: a pasted paragraph must not stall the screen

FILLER_WEIGHT: Final = 0.15
UNKNOWN_WEIGHT: Final = 0.35  # a typed word that no name holds
COMMONEST_WEIGHT: Final = 0.4  # a typed word that every term holds
RARITY_WEIGHT: Final = 0.6  # more, for one that hardly any holds
ANSWERED: Final = 0.7  # matches below do not make a word common
ENOUGH: Final = 0.4  # share of the typed weight a term must answer
ACROSS_NAMES: Final = 0.8  # words found in different names of one term
COMMON_BONUS: Final = 0.06  # findings of the common model first where all else is equal
LANGUAGE_BONUS: Final = 0.05
LABEL_BONUS: Final = 0.03
"""Engineering weights, held by the query lists of the tests."""


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
        """Build the index now rather than with the first search (about half a second)."""
        _ = self._index

    def search(self, text: str, language: str = Language.ES, limit: int = 10) -> tuple[Hit, ...]:
        """Return the terms whose names hold what was typed, best first; none for blank text.

        Each word may be the beginning of one in the name, another form of it, or another word of
        its family. A word that few names hold tells more than one that many hold; the terms that
        answer at least ENOUGH of what was told come back.
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
        return _NameIndex(list(_with_questions(self._catalogue)), common)


def _with_questions(catalogue: Catalogue) -> Iterator[Name]:
    """Yield the names of every term; after those of a yes-or-no finding, its questions.

    A question says in plain words what its finding is. Those of the other kinds are shared by
    many findings and tell none of them apart.
    """
    common = frozenset(catalogue.findings)
    last: FindingId | None = None
    for name in catalogue.names():
        if name.id != last:
            if last is not None and last in common:
                yield from _questions(catalogue.term(last))
            last = name.id
        yield name
    if last is not None and last in common:
        yield from _questions(catalogue.term(last))


def _questions(term: Term) -> Iterator[Name]:
    if term.kind is FindingKind.BINARY:
        for language, question in term.questions.items():
            yield Name(term.id, language, question, preferred=False)


class _NameIndex:
    """Names as arrays.

    words: every distinct word. holders: the names that hold each word, word after word, and
    holder_starts: where each word begins there. term_starts: where each term begins in `names`
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
        self.term_of = np.repeat(np.arange(len(changes), dtype=np.int32), self.term_sizes)
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
        lengths = np.array([len(words) for words in split], dtype=np.intp)
        owners = np.repeat(np.arange(len(split), dtype=np.int32), lengths)
        by_word = np.argsort(np.array(tokens, dtype=np.int32), kind="stable")
        self.holders = owners[by_word]
        self.holder_counts = np.bincount(tokens, minlength=len(known))
        self.holder_starts = np.concatenate(([0], np.cumsum(self.holder_counts)[:-1]))
        self.words = Words(list(known))
        light = [FILLER_WEIGHT if word in FILLERS else 1.0 for word in known]
        self.word_weights = np.array(light, dtype=np.float32)
        self.name_weights = np.bincount(
            owners, weights=self.word_weights[tokens], minlength=len(split)
        ).astype(np.float32)

    def score(self, typed: Sequence[str], language: Language) -> NDArray[np.float32]:
        """Return the score of every name, float32 (n,); 0 where too little was found."""
        matches = np.stack([self.words.match(word) for word in typed])
        in_name = np.stack([self._best_in_name(match) for match in matches])
        in_term = np.maximum.reduceat(in_name, self.term_starts, axis=1)
        weights = self._telling(typed, in_term)
        mean_in_name = weights @ in_name
        mean_in_term = (weights @ in_term)[self.term_of]
        covered = 0.6 + 0.4 * self._told(matches.max(axis=0)) / self.name_weights
        scores = np.maximum(mean_in_name, ACROSS_NAMES * mean_in_term) * covered
        scores += self.bonus + LANGUAGE_BONUS * (self.spanish == (language is Language.ES))
        scores[((weights @ (in_term > 0)) < ENOUGH)[self.term_of]] = 0
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

    def _telling(self, typed: Sequence[str], in_term: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what each typed word tells, summing to 1: more, the fewer terms hold it.

        Source: inverse document frequency (Sparck Jones 1972), between two floors.
        """
        terms = in_term.shape[1]
        holding = np.count_nonzero(in_term > ANSWERED, axis=1)
        rarity = 1 - np.log1p(holding) / np.log1p(terms)
        weights = np.where(holding > 0, COMMONEST_WEIGHT + RARITY_WEIGHT * rarity, UNKNOWN_WEIGHT)
        weights[[word in FILLERS for word in typed]] = FILLER_WEIGHT
        return np.asarray(weights / weights.sum(), dtype=np.float32)

    def _best_in_name(self, match: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the best match among the words of each name: float32 (n names,)."""
        best = np.zeros(len(self.names), np.float32)
        found = np.flatnonzero(match)
        found = found[np.argsort(match[found], kind="stable")]
        best[self._holders_of(found)] = np.repeat(match[found], self.holder_counts[found])
        return best  # the best comes last, and the last one written stays

    def _told(self, match: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the weight of the words of each name that were typed: float32 (n names,)."""
        found = np.flatnonzero(match)
        told = np.repeat(match[found] * self.word_weights[found], self.holder_counts[found])
        return np.bincount(self._holders_of(found), weights=told, minlength=len(self.names)).astype(
            np.float32
        )

    def _holders_of(self, words: NDArray[np.intp]) -> NDArray[np.int32]:
        """Return the names that hold each of `words`, word after word."""
        counts = self.holder_counts[words]
        ends = np.cumsum(counts)
        within = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)
        return np.asarray(self.holders[np.repeat(self.holder_starts[words], counts) + within])
