"""Names folded for search, so that `jose nunez` finds José Núñez."""

import unicodedata


def folded(text: str) -> str:
    """Return `text` without accents, in lower case, with single spaces."""
    bare = (c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join("".join(bare).casefold().split())
