"""Text as the search compares it: no accents, no case, no punctuation; and how it sounds.

`sound` folds the letters that Spanish speakers exchange in writing because they sound alike in
Latin America (v/b, z/s, c/s/k, silent h, ll/y, g/j, x/s), so that "vomito" and "bomito", or
"hemorragia" and "emorrajia", are one word. It is applied to both sides, whatever the language.
"""

import re
import unicodedata
from typing import Final

_NOT_A_WORD: Final = re.compile(r"[^a-z0-9\n]+")

_SOUNDS: Final = (
    (re.compile(r"(?<!c)h"), ""),
    (re.compile(r"v"), "b"),
    (re.compile(r"ph"), "f"),
    (re.compile(r"qu|q(?!u)"), "k"),
    (re.compile(r"gu(?=[ei])"), "g"),
    (re.compile(r"g(?=[ei])"), "j"),
    (re.compile(r"c(?=[eiy])|z|x"), "s"),
    (re.compile(r"c(?!h)"), "k"),
    (re.compile(r"ll"), "y"),
    (re.compile(r"(?<=[a-z])y(?=\b)"), "i"),
    (re.compile(r"([a-z])\1+"), r"\1"),
)


def fold(text: str) -> str:
    """Return `text` in lower-case ASCII words, one space between; line breaks stay.

    Letters without an ASCII base (Greek, say) are dropped.
    """
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    ascii_text = decomposed.encode("ascii", "ignore").decode("ascii")
    spaced = _NOT_A_WORD.sub(" ", ascii_text)
    return spaced.replace(" \n", "\n").replace("\n ", "\n").strip(" ")


def sound(folded: str) -> str:
    """Return folded text as it sounds; word and line breaks stay where they are."""
    for letters, heard in _SOUNDS:
        folded = letters.sub(heard, folded)
    return folded
