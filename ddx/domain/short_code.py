"""Short codes for paper: the head of a digest in letters nobody confuses, with a check letter.

`7K3M-9QXF-2TBH`: eleven letters of Crockford's base 32 (55 bits of the digest) and one check
letter. The check is a weighted sum over GF(32) with a different weight for each place, so every
single wrong letter and every exchange of two letters is noticed.
Source of the alphabet: D. Crockford, "Base 32" (no I, L, O, U; read 1, 1, 0, V).
"""

from typing import Final

from ddx.errors import DdxError

LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
DATA_LETTERS: Final = 11
"""55 bits: among 50,000 visits two codes are alike with a probability of about 3 in 10^8."""

_REDUCTION: Final = 0b100101
"""x^5 + x^2 + 1, irreducible (and primitive) over GF(2)."""

_READ_AS: Final = str.maketrans("ILOU", "110V")


class ShortCodeError(DdxError):
    """What was typed is not a receipt code; the check letter tells a slip from an unknown code."""

    code = "receipt.short_code"


def short_code_of(digest: str) -> str:
    """Return the code of a SHA-256 (hex), grouped for reading aloud."""
    number = int(digest[:16], 16) >> (64 - 5 * DATA_LETTERS)
    values = [(number >> 5 * place) & 31 for place in reversed(range(DATA_LETTERS))]
    return _grouped("".join(LETTERS[value] for value in (*values, _check(values))))


def read_short_code(typed: str) -> str:
    """Return a code as printed, from what a person typed: any case, blanks, O for 0, I for 1.

    Raises:
        ShortCodeError: not twelve letters of the alphabet, or the check letter does not fit.
    """
    letters = "".join(c for c in typed.upper() if not c.isspace() and c != "-").translate(_READ_AS)
    if len(letters) != DATA_LETTERS + 1 or any(c not in LETTERS for c in letters):
        raise ShortCodeError("a receipt code has twelve letters and digits, in three groups")
    values = [LETTERS.index(c) for c in letters]
    if _check(values[:-1]) != values[-1]:
        raise ShortCodeError("a letter of this receipt code is wrong; read it again")
    return _grouped(letters)


def _check(values: list[int]) -> int:
    """Return the letter that makes the weighted sum over all places zero; its own weight is 1.

    Weights of the others are 2, 3, 4 …: all different, none zero, none 1.
    """
    total = 0
    for weight, value in enumerate(values, start=2):
        total ^= _product(weight, value)
    return total


def _product(a: int, b: int) -> int:
    """Return a times b in GF(32)."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        a, b = a << 1, b >> 1
        if a & 32:
            a ^= _REDUCTION
    return product


def _grouped(letters: str) -> str:
    return "-".join(letters[i : i + 4] for i in range(0, len(letters), 4))
