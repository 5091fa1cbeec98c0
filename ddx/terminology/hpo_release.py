"""HPO ids outside the vocabulary of phenotypes: terms no longer in use, and of other branches."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from ddx.domain.artifacts import HPO_OBO, Artifacts
from ddx.domain.identifiers import FindingId
from ddx.errors import ModelError
from ddx.once import once

_ID: Final = re.compile(r"^id: (HP:\d{7})$", re.MULTILINE)
_REPLACED: Final = re.compile(r"^replaced_by: (HP:\d{7})", re.MULTILINE)
_CONSIDER: Final = re.compile(r"^consider: (HP:\d{7})", re.MULTILINE)
_OBSOLETE: Final = "\nis_obsolete: true"


class HpoRelease:
    """The hp.obo of a bundle; read when first asked for (about 0.3 s), never for sound ids."""

    def __init__(self, artifacts: Artifacts) -> None:
        self._artifacts = artifacts

    def is_live(self, id: FindingId) -> bool:
        """Return whether the release holds the term, in any branch, and still uses it."""
        return id in self._live

    def is_obsolete(self, id: FindingId) -> bool:
        """Return whether the release marks the term as no longer in use."""
        return id in self._obsolete

    def replacement(self, id: FindingId) -> FindingId | None:
        """Return the one term that replaces an obsolete one; None where HPO names none."""
        match = _REPLACED.search(self._obsolete.get(id, ""))
        return FindingId(match[1]) if match else None

    def suggested(self, id: FindingId) -> tuple[FindingId, ...]:
        """Return the terms HPO asks to consider in place of an obsolete one."""
        return tuple(FindingId(m[1]) for m in _CONSIDER.finditer(self._obsolete.get(id, "")))

    def _stanzas(self) -> Iterator[tuple[FindingId, str]]:
        try:
            text = self._artifacts.read(HPO_OBO).decode()
        except UnicodeDecodeError as error:
            raise ModelError(f"{HPO_OBO} cannot be read: {error!r}") from error
        for stanza in text.split("\n[Term]\n")[1:]:
            if match := _ID.search(stanza):
                yield FindingId(match[1]), stanza

    @once
    def _terms(self) -> tuple[frozenset[FindingId], Mapping[FindingId, str]]:
        live: list[FindingId] = []
        obsolete: dict[FindingId, str] = {}
        for term, stanza in self._stanzas():
            if _OBSOLETE in stanza:
                obsolete[term] = stanza
            else:
                live.append(term)
        return frozenset(live), MappingProxyType(obsolete)

    @property
    def _live(self) -> frozenset[FindingId]:
        return self._terms[0]

    @property
    def _obsolete(self) -> Mapping[FindingId, str]:
        return self._terms[1]
