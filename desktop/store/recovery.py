"""The printed recovery key: 160 random bits as eight groups of four letters and a check letter.

`ABCD7-…`: base32 (RFC 4648). The fifth letter of a group tells a misread group before anything
is tried, and says which one. Keys printed before check letters (groups of four) still read.
"""

import os
from typing import ClassVar, Final

from desktop.store.errors import WrongKeyError

RECOVERY_BYTES: Final = 20
GROUPS: Final = 8
_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_WEIGHTS: Final = (1, 3, 5, 7)  # odd: any one wrong letter changes the sum modulo 32


class RecoveryTypingError(WrongKeyError):
    """A recovery key is mistyped. groups: 1-based numbers of the groups that cannot be right.

    Tells nothing about the key itself: the check letters are a function of what was typed.
    """

    code: ClassVar[str] = "recovery.mistyped"

    def __init__(self, groups: tuple[int, ...]) -> None:
        super().__init__(f"groups {', '.join(map(str, groups))} are mistyped")
        self.groups = groups


def new_recovery_secret() -> bytes:
    """Return 20 fresh random bytes."""
    return os.urandom(RECOVERY_BYTES)


def printed(secret: bytes) -> str:
    """Return `secret` (20 bytes) as it is shown and printed."""
    bits = int.from_bytes(secret, "big")
    letters = [_ALPHABET[bits >> shift & 31] for shift in range(155, -1, -5)]
    quads = ("".join(letters[i : i + 4]) for i in range(0, 32, 4))
    return "-".join(quad + _check(number, quad) for number, quad in enumerate(quads))


def read(typed: str) -> bytes:
    """Return the secret behind a key as people type it: any case, spaces, 0 for O, 1 for I.

    Raises:
        RecoveryTypingError: check letters do not hold; `groups` names the groups.
        WrongKeyError: not a recovery key at all.
    """
    letters = _plain(typed)
    if len(letters) == GROUPS * 5:
        groups = [letters[i : i + 5] for i in range(0, len(letters), 5)]
        wrong = tuple(n + 1 for n, g in enumerate(groups) if _check(n, g[:4]) != g[4])
        if wrong:
            raise RecoveryTypingError(wrong)
        letters = "".join(g[:4] for g in groups)
    if len(letters) != GROUPS * 4:
        raise WrongKeyError("not a recovery key")
    value = 0
    for letter in letters:
        value = value << 5 | _ALPHABET.index(letter)
    return value.to_bytes(RECOVERY_BYTES, "big")


def looks_like_one(typed: str) -> bool:
    """Whether `typed` has the letters of a recovery key, right or mistyped."""
    try:
        return len(_plain(typed)) in {GROUPS * 4, GROUPS * 5}
    except WrongKeyError:
        return False


def _plain(typed: str) -> str:
    letters = "".join(typed.upper().split()).replace("-", "")
    letters = letters.translate(str.maketrans("018", "OIB"))
    if any(letter not in _ALPHABET for letter in letters):
        raise WrongKeyError("not a recovery key")
    return letters


def _check(number: int, quad: str) -> str:
    # The place of the group counts too, so that two groups swapped are noticed.
    weighed = sum(w * _ALPHABET.index(c) for w, c in zip(_WEIGHTS, quad, strict=True))
    return _ALPHABET[(weighed + 9 * number) % 32]
