"""Codes of phenotypic features against the vocabulary of the bundle: used, replaced or refused."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ddx.domain.artifacts import Artifacts
from ddx.domain.identifiers import FindingId, finding_id
from ddx.errors import IdentifierError
from ddx.intake.suggest import nearest_finding
from ddx.once import once
from ddx.terminology.catalogue import Catalogue
from ddx.terminology.hpo_release import HpoRelease
from ddx.terminology.ontology import PHENOTYPIC_ABNORMALITY

_OTHER: Final = re.compile(r"(?!HPO?[:_])[A-Za-z][A-Za-z0-9.]*:\S+", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One code as the vocabulary sees it.

    id: the finding to use; None when there is none. problem: code of `ddx.phenopackets.issues`,
    empty when the code is as it should be.
    """

    id: FindingId | None
    problem: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    suggestion: str = ""


class FeatureCodes:
    """What the codes of features mean in one bundle. Answers are kept: batches repeat codes."""

    def __init__(self, catalogue: Catalogue, release: HpoRelease) -> None:
        self._catalogue, self._release = catalogue, release
        self._known: dict[tuple[str, str], Feature] = {}
        self._kinds: dict[FindingId, tuple[FindingId, ...]] = {}

    @classmethod
    def from_artifacts(cls, artifacts: Artifacts, catalogue: Catalogue) -> "FeatureCodes":
        """Return the codes of a bundle, whose catalogue was loaded before."""
        return cls(catalogue, HpoRelease(artifacts))

    @property
    def hpo_version(self) -> str:
        """Release of HPO in the bundle, `2025-01-16`."""
        return self._catalogue.ontology.version

    def read(self, text: str, label: str = "") -> Feature:
        """Return what a code means; label: as written beside it, for a suggestion."""
        known = self._known.get((text, label))
        if known is None:
            known = self._known[text, label] = self._read(text, label)
        return known

    def by_label(self, label: str) -> str:
        """Return the finding called exactly so in either language, or an empty string."""
        return self._labels.get(label.strip().casefold(), "") if label.strip() else ""

    def kinds(self, id: FindingId) -> tuple[FindingId, ...]:
        """Return everything the finding is a kind of, itself not among them."""
        known = self._kinds.get(id)
        if known is None:
            graph = self._catalogue.ontology
            known = self._kinds[id] = graph.ancestors(id) if id in graph else ()
        return known

    def _read(self, text: str, label: str) -> Feature:
        try:
            code = finding_id(text)
        except IdentifierError:
            return self._misshapen(text, label)
        if code in self._catalogue:
            return self._in_use(code)
        if self._release.is_obsolete(code):
            return self._retired(code)
        if self._release.is_live(code):
            return _refused("feature.not_a_phenotype", code, "")
        params = {"id": code, "version": self.hpo_version}
        meant = self.by_label(label)
        return Feature(id=None, problem="feature.unknown_id", params=params, suggestion=meant)

    def _misshapen(self, text: str, label: str) -> Feature:
        meant = self.by_label(label)
        if _OTHER.fullmatch(text):
            return _refused("feature.other_vocabulary", text, meant)
        meant = nearest_finding(text, self._catalogue) or self.by_label(text) or meant
        return _refused("feature.malformed_id", text, meant)

    def _in_use(self, id: FindingId) -> Feature:
        primary = self._catalogue.resolve(id)
        if not self._is_shown(primary):
            return _refused("feature.not_a_phenotype", id, "")
        return Feature(id=primary) if primary == id else _replaced(id, primary)

    def _retired(self, id: FindingId) -> Feature:
        successor = self._release.replacement(id)
        if successor is not None and successor in self._catalogue:
            used = self._catalogue.resolve(successor)
            if self._is_shown(used):
                return _replaced(id, used)
        suggested = [s for s in self._release.suggested(id) if s in self._catalogue]
        return _refused("feature.obsolete", id, suggested[0] if suggested else "")

    def _is_shown(self, id: FindingId) -> bool:
        """Return whether a patient can show it: below HP:0000118, or one of our own findings."""
        graph = self._catalogue.ontology
        return id not in graph or (id != PHENOTYPIC_ABNORMALITY and graph.is_phenotype(id))

    @once
    def _labels(self) -> Mapping[str, FindingId]:
        named: dict[str, FindingId] = {}
        for name in sorted(self._catalogue.names(), key=lambda name: not name.preferred):
            named.setdefault(name.text.casefold(), name.id)
        return named


def _refused(problem: str, id: str, suggestion: str) -> Feature:
    return Feature(id=None, problem=problem, params={"id": id}, suggestion=suggestion)


def _replaced(id: FindingId, by: FindingId) -> Feature:
    params = {"id": id, "replacement": by}
    return Feature(id=by, problem="feature.replaced", params=params, suggestion=by)
