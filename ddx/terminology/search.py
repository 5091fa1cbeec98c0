"""What the clinician types, found: accents, typing errors, word order and lay words forgiven.

Every label and synonym of both languages is a name; a hit is a term, shown by its label in the
language of the screen. The index is built on first use, in arrays, and never changes; a name
itself is asked of the catalogue when it is a hit.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ddx.domain.identifiers import FindingId
from ddx.terminology.catalogue import Catalogue, FindingKind, Language, Name
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


STEP: Final = 128
"""Terms worked on in one go, a few milliseconds: what waits for the interpreter gets it then."""


class FindingSearch:
    """Search over the names of a catalogue. Safe to warm on another thread."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._built: _NameIndex | None = None
        self._building = threading.Lock()

    def warm(self, pause: Callable[[], object] = lambda: None) -> None:
        """Build the index now rather than with the first search (about half a second).

        pause: called between two steps of a few milliseconds; it may wait.
        """
        self._index_built(pause)

    def search(self, text: str, language: str = Language.ES, limit: int = 10) -> tuple[Hit, ...]:
        """Return the terms whose names hold what was typed, best first; none for blank text.

        Each word may be the beginning of one in the name, another form of it, or another word of
        its family. A word that few names hold tells more than one that many hold; the terms that
        answer at least ENOUGH of what was told come back.
        """
        typed = list(dict.fromkeys(fold(text).split()))[:MOST_WORDS]
        if not typed:
            return ()
        index = self._index_built()
        scores = index.score(typed, Language(language))
        best = index.best_terms(scores, limit)
        return tuple(self._hit(index, name, float(scores[name]), language) for name in best)

    def _hit(self, index: "_NameIndex", place: int, score: float, language: str) -> Hit:
        term = index.terms[index.term_of[place]]
        name = _names_of(self._catalogue, term)[index.place_in_term[place]]
        label = self._catalogue.label(term, language)
        return Hit(id=term, label=label, matched=name.text, score=round(score, 4))

    def _index_built(self, pause: Callable[[], object] = lambda: None) -> "_NameIndex":
        with self._building:
            if self._built is None:
                self._built = _NameIndex(self._catalogue, pause)
            return self._built


def _names_of(catalogue: Catalogue, term: FindingId) -> list[Name]:
    """Return the names of a term; after those of a yes-or-no finding, its questions.

    A question says in plain words what its finding is. Those of the other kinds are shared by
    many findings and tell none of them apart.
    """
    return [*catalogue.names_of(term), *_questions(catalogue, term)]


def _questions(catalogue: Catalogue, id: FindingId) -> Iterator[Name]:
    if not catalogue.is_common(id):
        return
    term = catalogue.term(id)
    if term.kind is FindingKind.BINARY:
        for language, question in term.questions.items():
            yield Name(term.id, language, question, preferred=False)


class _NameIndex:
    """Names as arrays.

    terms: every term that has a name. term_of: the place there of the term of each name, and
    place_in_term: that of the name among those of its term (`_names_of`). words: every distinct
    word. holders: the names that hold each word, word after word, and holder_starts: where each
    word begins there. term_starts: where each term begins among the names (the names of one term
    are neighbours).
    """

    def __init__(self, catalogue: Catalogue, pause: Callable[[], object]) -> None:
        """Read every name. pause: called between two steps of at most STEP terms."""
        reader, terms = _Reader(catalogue), catalogue.terms
        read = []
        while some := tuple(islice(terms, STEP)):
            read.append(reader.read(some))
            pause()
        names = _Columns(*map(np.concatenate, zip(*read, strict=True)))
        self.terms = reader.terms
        self.term_of, self.place_in_term = names.term_of, names.place_in_term
        self.term_starts = np.flatnonzero(np.diff(self.term_of, prepend=-1))
        self.term_sizes = np.diff(self.term_starts, append=len(self.term_of))
        common = np.array([catalogue.is_common(term) for term in self.terms])[self.term_of]
        self.bonus = (COMMON_BONUS * common + LABEL_BONUS * names.preferred).astype(np.float32)
        self.spanish = names.spanish > 0
        pause()
        self._tie(list(reader.words), names, pause)

    def _tie(self, words: list[str], names: "_Columns", pause: Callable[[], object]) -> None:
        """Tie words to the names that hold them."""
        count = len(self.term_of)
        owners = np.repeat(np.arange(count, dtype=np.int32), names.words_in_name)
        self.holders = owners[np.argsort(names.tokens, kind="stable")]
        self.holder_counts = np.bincount(names.tokens, minlength=len(words))
        self.holder_starts = np.concatenate(([0], np.cumsum(self.holder_counts)[:-1]))
        pause()
        light = [FILLER_WEIGHT if word in FILLERS else 1.0 for word in words]
        self.word_weights = np.array(light, dtype=np.float32)
        weights = self.word_weights[names.tokens]
        self.name_weights = np.bincount(owners, weights, minlength=count).astype(np.float32)
        pause()
        self.words = Words(words, pause)

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
        best = np.zeros(len(self.term_of), np.float32)
        found = np.flatnonzero(match)
        found = found[np.argsort(match[found], kind="stable")]
        best[self._holders_of(found)] = np.repeat(match[found], self.holder_counts[found])
        return best  # the best comes last, and the last one written stays

    def _told(self, match: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the weight of the words of each name that were typed: float32 (n names,)."""
        found = np.flatnonzero(match)
        told = np.repeat(match[found] * self.word_weights[found], self.holder_counts[found])
        names = len(self.term_of)
        return np.bincount(self._holders_of(found), weights=told, minlength=names).astype(
            np.float32
        )

    def _holders_of(self, words: NDArray[np.intp]) -> NDArray[np.int32]:
        """Return the names that hold each of `words`, word after word."""
        counts = self.holder_counts[words]
        ends = np.cumsum(counts)
        within = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)
        return np.asarray(self.holders[np.repeat(self.holder_starts[words], counts) + within])


class _Columns(NamedTuple):
    """What is read of names: one number for each name; of `tokens`, for each of their words."""

    term_of: NDArray[np.int32]
    place_in_term: NDArray[np.int32]
    preferred: NDArray[np.int32]
    spanish: NDArray[np.int32]
    words_in_name: NDArray[np.int32]
    tokens: NDArray[np.int32]


class _Reader:
    """Reads the names of terms, some at a time, and numbers their words and terms."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self.terms: list[FindingId] = []
        self.words: dict[str, int] = {}

    def read(self, terms: Iterable[FindingId]) -> _Columns:
        """Return the names of some more terms; a name without a letter is none."""
        names = [(name, at) for term in terms for at, name in enumerate(self._names(term))]
        texts = fold("\n".join(name.text.replace("\n", " ") for name, _ in names)).split("\n")
        kept = [(*named, text) for named, text in zip(names, texts, strict=True) if text]
        split = [text.split(" ") for _, _, text in kept]
        rows = (
            [self._number(name.id) for name, _, _ in kept],
            [at for _, at, _ in kept],
            [name.preferred for name, _, _ in kept],
            [name.language is Language.ES for name, _, _ in kept],
            [len(words) for words in split],
            [self.words.setdefault(word, len(self.words)) for words in split for word in words],
        )
        return _Columns(*(np.array(row, dtype=np.int32) for row in rows))

    def _names(self, term: FindingId) -> list[Name]:
        return _names_of(self._catalogue, term)

    def _number(self, term: FindingId) -> int:
        if not self.terms or self.terms[-1] != term:
            self.terms.append(term)
        return len(self.terms) - 1
