"""HPO ids that are no longer in use, and what HPO put in their place."""

import re
from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Final

from ddx.domain.artifacts import HPO_OBO, Artifacts
from ddx.domain.identifiers import FindingId
from ddx.errors import ModelError

_ID: Final = re.compile(r"^id: (HP:\d{7})$", re.MULTILINE)
_SUCCESSOR: Final = re.compile(r"^(?:replaced_by|consider): (HP:\d{7})", re.MULTILINE)


class ObsoleteTerms:
    """The obsolete terms of a bundle's hp.obo; read when first asked for (about 0.2 s)."""

    def __init__(self, artifacts: Artifacts) -> None:
        self._artifacts = artifacts

    def __contains__(self, id: object) -> bool:
        return id in self._successors

    def successors(self, id: FindingId) -> tuple[FindingId, ...]:
        """Return what HPO names in place of an obsolete term, a replacement before suggestions."""
        return self._successors.get(id, ())

    def replacement(self, id: FindingId) -> FindingId | None:
        """Return the one term that replaces an obsolete one; None where HPO only suggests."""
        return self._replaced.get(id)

    @cached_property
    def _stanzas(self) -> tuple[str, ...]:
        try:
            text = self._artifacts.read(HPO_OBO).decode()
        except UnicodeDecodeError as error:
            raise ModelError(f"{HPO_OBO} cannot be read: {error!r}") from error
        return tuple(s for s in text.split("\n[Term]\n") if "\nis_obsolete: true" in s)

    @cached_property
    def _successors(self) -> Mapping[FindingId, tuple[FindingId, ...]]:
        found = {}
        for stanza in self._stanzas:
            if match := _ID.search(stanza):
                named = sorted(_SUCCESSOR.finditer(stanza), key=lambda m: m[0].startswith("cons"))
                found[FindingId(match[1])] = tuple(FindingId(m[1]) for m in named)
        return MappingProxyType(found)

    @cached_property
    def _replaced(self) -> Mapping[FindingId, FindingId]:
        found = {}
        for stanza in self._stanzas:
            match = _ID.search(stanza)
            replaced = re.search(r"^replaced_by: (HP:\d{7})", stanza, re.MULTILINE)
            if match and replaced:
                found[FindingId(match[1])] = FindingId(replaced[1])
        return MappingProxyType(found)
