"""One typed word against every known word: equal, sounding alike, beginning so, or misspelt.

Words are rows of a byte matrix, so that one typed word is compared with all of them at once.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ddx.terminology.normalise import sound
from ddx.terminology.stems import FAMILIES, FAMILY_WEIGHT, STEM_WEIGHT, root, stem

LONGEST: Final = 24
"""Letters compared; words that differ only after that count as equal."""

EXACT: Final = 1.0
SAME_SOUND: Final = 0.97
BEGINS: Final = 0.82
BEGINS_LENGTH: Final = 0.04  # more, as the typed part nears the whole word
BEGINS_BY_SOUND: Final = 0.72
MISSPELT: Final = (0.0, 0.82, 0.66)  # by number of edits
OTHER_FIRST_LETTER: Final = 0.8  # a slip in the first letter is rare: share of the weight left
BEGINS_MISSPELT: Final = 0.55
"""How much a match counts, 0..1: engineering weights, held by the query lists of the tests."""

STEP: Final = 512
"""Words worked on in one go, a few milliseconds: what waits for the interpreter gets it then."""

_FAR: Final = 99


def edits_allowed(length: int) -> int:
    """Return how many edits a typed word of `length` letters may hold: 0 to 3, 1 to 7, then 2."""
    return 0 if length < 4 else 1 if length < 8 else 2


class Words:
    """Every word of the catalogue, once, in the order given."""

    def __init__(self, words: Sequence[str], pause: Callable[[], object] = lambda: None) -> None:
        """Keep `words`, folded; computing how they sound is the costly part (60 ms).

        pause: called between two steps of at most STEP words.
        """
        sounds: list[str] = []
        roots: list[str] = []
        for start in range(0, len(words), STEP):
            some = words[start : start + STEP]
            sounds += _all_sounds(some)
            roots += _all_sounds([stem(word) for word in some])
            pause()
        self._written, self._heard = _matrix(words), _matrix(sounds)
        pause()
        self._heard_lengths = np.fromiter(
            (min(len(s), LONGEST) for s in sounds), np.int16, len(sounds)
        )
        self._letters = _letters_of(self._heard)
        numbers: dict[str, int] = {}
        of_word = np.array([numbers.setdefault(r, len(numbers)) for r in roots], dtype=np.intp)
        self._roots = numbers
        self._by_root = np.argsort(of_word, kind="stable")  # the words of each root, root by root
        self._root_ends = np.cumsum(np.bincount(of_word, minlength=len(numbers)))

    def match(self, typed: str) -> NDArray[np.float32]:
        """Return how well each word matches the folded word `typed`: float32 (n,), 0..1.

        Also through its stem, and through another word of its family.
        """
        weights = np.zeros(len(self._written), dtype=np.float32)
        heard = sound(typed)[:LONGEST]
        self._misspelt(weights, heard)
        begins = _begins(self._heard, heard) if len(heard) > 1 else np.zeros(len(weights), bool)
        _raise(weights, begins, BEGINS_BY_SOUND)
        _raise(weights, begins & (self._heard_lengths == len(heard)), SAME_SOUND)
        self._related(weights, root(typed))
        begins = _begins(self._written, typed[:LONGEST])
        lengths = np.count_nonzero(self._written[begins], axis=1)
        weights[begins] = np.maximum(
            weights[begins], BEGINS + BEGINS_LENGTH * min(len(typed), LONGEST) / lengths
        )
        _raise(weights, _equals(self._written, typed[:LONGEST]), EXACT)
        return weights

    def _related(self, weights: NDArray[np.float32], typed_root: str) -> None:
        """Raise the words of the same stem, and less those of the same family."""
        for other in FAMILIES.get(typed_root, ()):
            _raise(weights, self._of_root(other), FAMILY_WEIGHT)
        _raise(weights, self._of_root(typed_root), STEM_WEIGHT)

    def _of_root(self, wanted: str) -> NDArray[np.intp]:
        """Return the rows of the words of one root."""
        number = self._roots.get(wanted)
        if number is None:
            return self._by_root[:0]
        start = self._root_ends[number - 1] if number else 0
        return self._by_root[start : self._root_ends[number]]

    def _misspelt(self, weights: NDArray[np.float32], heard: str) -> None:
        """Write the weight of every word within reach of `heard`; near ones get more."""
        allowed = edits_allowed(len(heard))
        if allowed == 0:
            return
        missing = np.bitwise_count(_letters_of(_matrix([heard]))[0] & ~self._letters)
        near = np.flatnonzero((missing <= allowed) & (self._heard_lengths >= len(heard) - allowed))
        last = _distances(heard, self._heard[near], allowed)
        whole = np.take_along_axis(last, self._heard_lengths[near, None].astype(np.intp), axis=1)
        start = last[:, max(len(heard) - allowed, 1) :].min(axis=1)
        weights[near[start <= 1]] = BEGINS_MISSPELT
        for edits in range(allowed, 0, -1):
            weights[near[whole[:, 0] <= edits]] = MISSPELT[edits]
        weights[near[self._heard[near, 0] != ord(heard[0])]] *= OTHER_FIRST_LETTER


def _distances(typed: str, words: NDArray[np.uint8], most: int) -> NDArray[np.int16]:
    """Return the edits from `typed` to every beginning of every word: int16 (n, LONGEST + 1).

    Exact up to `most` edits; beyond, only known to be more (a band of the table is filled).
    Edits: a letter missing, extra, wrong, or two neighbours exchanged.
    Source: optimal string alignment (Damerau 1964; Wagner & Fischer 1974); the band: Ukkonen 1985.
    """
    letters = np.ascontiguousarray(words.T)
    shape = (LONGEST + 1, len(words))
    before = np.full(shape, _FAR, np.int16)
    row = np.repeat(np.arange(LONGEST + 1, dtype=np.int16)[:, None], len(words), axis=1)
    for i, code in enumerate(typed.encode("ascii")):
        below = np.full(shape, _FAR, np.int16)
        below[0] = i + 1
        for j in range(max(1, i + 1 - most), min(LONGEST, i + 1 + most) + 1):
            change = row[j - 1] + (letters[j - 1] != code)
            below[j] = np.minimum(np.minimum(row[j], below[j - 1]) + 1, change)
            if i > 0 and j > 1:
                swapped = (letters[j - 1] == ord(typed[i - 1])) & (letters[j - 2] == code)
                np.minimum(below[j], before[j - 2] + 1, out=below[j], where=swapped)
        before, row = row, below
    return row.T


def _all_sounds(words: Sequence[str]) -> list[str]:
    """Return how each word sounds; folded together, which is the quick way."""
    return sound("\n".join(words)).split("\n")


def _matrix(words: Sequence[str]) -> NDArray[np.uint8]:
    """Return `words` as ASCII codes, zero-padded: uint8 (n, LONGEST)."""
    fixed = np.array([word[:LONGEST].encode("ascii") for word in words], dtype=f"S{LONGEST}")
    return fixed.view(np.uint8).reshape(len(words), LONGEST)


def _letters_of(words: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return which letters each word holds, one bit each; digits share a bit, padding has none."""
    bit = np.zeros(256, np.uint32)
    bit[ord("a") : ord("z") + 1] = 1 << np.arange(26, dtype=np.uint32)
    bit[ord("0") : ord("9") + 1] = 1 << 26
    return np.asarray(np.bitwise_or.reduce(bit[words], axis=1))


def _begins(words: NDArray[np.uint8], typed: str) -> NDArray[np.bool_]:
    codes = np.frombuffer(typed.encode("ascii"), np.uint8)
    return np.asarray(np.all(words[:, : len(codes)] == codes, axis=1))


def _equals(words: NDArray[np.uint8], typed: str) -> NDArray[np.bool_]:
    return np.asarray(np.all(words == _matrix([typed]), axis=1))


def _raise(
    weights: NDArray[np.float32], where: NDArray[np.bool_] | NDArray[np.intp], to: float
) -> None:
    weights[where] = np.maximum(weights[where], to)
