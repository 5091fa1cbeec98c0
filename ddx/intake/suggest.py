"""What an unknown finding code was likely meant to be."""

import difflib
import re
from typing import Final

from ddx.domain.identifiers import FindingId
from ddx.terminology.catalogue import Catalogue, Language
from ddx.terminology.normalise import fold

CLOSE: Final = 0.75
"""Least similarity (difflib ratio) of a suggestion: one slip in a word of eight letters passes,
two unrelated words do not."""

_HPO: Final = re.compile(r"hpo?[:_\s-]*(\d{1,7})", re.IGNORECASE)


def nearest_finding(text: str, catalogue: Catalogue) -> str:
    """Return the id of the finding `text` likely means, or an empty string.

    Reads HPO codes written loosely ("hp 1945", "HP_0001945"), own codes with a slip, and labels
    of the findings of the common model.
    """
    if hpo := _HPO.fullmatch(text.strip()):
        code = FindingId(f"HP:{int(hpo[1]):07d}")
        return code if code in catalogue else ""
    by_text = {fold(finding): finding for finding in catalogue.findings}
    for finding in catalogue.findings:
        for language in Language:
            by_text.setdefault(fold(catalogue.label(finding, language)), finding)
    close = difflib.get_close_matches(fold(text), by_text, n=1, cutoff=CLOSE)
    return by_text[close[0]] if close else ""
