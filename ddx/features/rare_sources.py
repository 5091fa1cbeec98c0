"""Rare diseases as if some papers had never been annotated.

Half of the published patients come from a paper that also feeds the profile of their disease.
Ranking them fairly means taking that paper out: the rows of phenotype.hpoa that name it go, the
profile of every disease that loses a row is pooled and propagated again from the rows left, as
the fit would have done. Which rows go:

- a row that names an excluded source goes, also when it names other sources beside it;
- with `keep_shared`, a row goes only when it names no source that is left;
- for every disease, not only for the one the patient is known to have;
- rows of other aspects (inheritance, onset) are no part of a profile.

A disease that loses all its rows stays in the list with an empty profile. The mean frequency of
a finding over all diseases stays that of the whole index: a few diseases of 12,680 do not move it.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ddx.domain.artifacts import PHENOTYPE_HPOA, Artifacts
from ddx.domain.identifiers import DiseaseId, FindingId
from ddx.errors import ModelError, UnknownFindingError
from ddx.features.rare_annotations import (
    Frequency,
    PooledFrequency,
    frequency_code,
    parse_frequency,
    pool,
    propagate,
)
from ddx.features.rare_index import STATED_STEPS, RareIndex
from ddx.terminology.ontology import PHENOTYPIC_ABNORMALITY

SourceId = str
"""`PMID:12345678`, or another reference of an annotation (`OMIM:154700`, `ORPHA:558`)."""

KEPT_STAND_INS: Final = 32
"""Answers remembered by set of papers: patients of one paper follow each other in a batch. Each
holds 20 kB per disease concerned."""

_PMID = re.compile(r"\s*(?:pmid)?\s*[:_ ]?\s*(\d{1,8})\s*", re.IGNORECASE)
_CURIE = re.compile(r"[A-Za-z][A-Za-z0-9.]*:[A-Za-z0-9._/-]+")
_COLUMNS: Final = ("database_id", "qualifier", "hpo_id", "reference", "frequency", "aspect")


def source_id(text: str) -> SourceId | None:
    """Return `text` as annotations write a source; None when it is shaped like none.

    `12345678`, `PMID_12345678` and `pmid: 12345678` are all `PMID:12345678`.
    """
    if match := _PMID.fullmatch(text):
        return f"PMID:{int(match[1])}"
    return text.strip() if _CURIE.fullmatch(text.strip()) else None


@dataclass(frozen=True, slots=True)
class SourcedRow:
    """One phenotypic row of phenotype.hpoa. references: as listed, one or more."""

    hpo_id: FindingId
    excluded: bool
    frequency: Frequency | None
    references: tuple[SourceId, ...]

    def leans_on(self, sources: frozenset[SourceId], *, keep_shared: bool) -> bool:
        """Return whether the row goes when `sources` do; see the module's docstring."""
        named = [reference in sources for reference in self.references]
        return all(named) if keep_shared else any(named)


class _Line(NamedTuple):
    """A row not yet read: most diseases are never asked for."""

    qualifier: str
    hpo_id: str
    reference: str
    frequency: str


class SourcedAnnotations:
    """Phenotypic rows by disease, and which diseases each source speaks of."""

    def __init__(
        self,
        lines: Mapping[DiseaseId, list[_Line]],
        diseases: Mapping[SourceId, frozenset[DiseaseId]],
    ) -> None:
        self._lines, self._diseases = lines, diseases

    @classmethod
    def from_artifacts(cls, artifacts: Artifacts) -> Self:
        """Return the annotations of a bundle (about 1 s, 100 MB while it is held).

        Raises:
            ModelError: the member is missing or not phenotype.hpoa.
        """
        return cls.from_hpoa(artifacts.read(PHENOTYPE_HPOA))

    @classmethod
    def from_hpoa(cls, raw: bytes) -> Self:
        """Return the annotations a phenotype.hpoa holds. Raises ModelError."""
        lines: dict[DiseaseId, list[_Line]] = defaultdict(list)
        diseases: dict[SourceId, set[DiseaseId]] = defaultdict(set)
        for disease, line in _phenotypic_lines(raw):
            lines[disease].append(line)
            for source in line.reference.split(";"):
                diseases[source].add(disease)
        return cls(lines, {source: frozenset(named) for source, named in diseases.items()})

    @property
    def sources(self) -> tuple[SourceId, ...]:
        """Return every source that a phenotypic row names, in file order."""
        return tuple(self._diseases)

    def named(self, source: SourceId) -> frozenset[DiseaseId]:
        """Return the diseases with a row that names the source."""
        return self._diseases.get(source, frozenset())

    def rows(self, disease: DiseaseId) -> tuple[SourcedRow, ...]:
        """Return the rows of one disease, in file order. Raises ModelError."""
        try:
            return tuple(
                SourcedRow(
                    hpo_id=FindingId(line.hpo_id),
                    excluded=line.qualifier == "NOT",
                    frequency=parse_frequency(line.frequency),
                    references=tuple(line.reference.split(";")),
                )
                for line in self._lines.get(disease, ())
            )
        except ValueError as error:
            raise ModelError(f"{PHENOTYPE_HPOA}, {disease}: {error}") from error


@dataclass(frozen=True, slots=True)
class StandIns:
    """Profiles that stand in for those of the index, one row per disease.

    numbers: int32 (n,), diseases by number in the index, ascending. codes: uint8
    (n, n_terms of the ontology), propagated frequency as the index stores it, 0 where not shown.
    profiles: per disease, annotated terms and stated frequencies, as `RareIndex.profile`.
    """

    numbers: NDArray[np.int32]
    codes: NDArray[np.uint8]
    profiles: tuple[tuple[tuple[int, float | None], ...], ...]

    def row_of(self, disease: int) -> int | None:
        """Return the row of a disease; None when its own profile stands."""
        at = int(np.searchsorted(self.numbers, disease))
        return at if at < len(self.numbers) and self.numbers[at] == disease else None


class SourceRemoval:
    """Works out the profiles of one index without some sources."""

    def __init__(
        self,
        index: RareIndex,
        annotations: SourcedAnnotations,
    ) -> None:
        """Join an index with the annotations it was fitted from."""
        self._index, self._annotations = index, annotations
        self._numbers = {code: number for number, codes in enumerate(index.codes) for code in codes}
        self._known: dict[tuple[frozenset[SourceId], bool], StandIns] = {}
        self._root = index.ontology.index_of(PHENOTYPIC_ABNORMALITY)

    def knows(self, source: SourceId) -> bool:
        """Return whether any row of a disease of the index names the source."""
        return any(code in self._numbers for code in self._annotations.named(source))

    def without(self, sources: Iterable[SourceId], *, keep_shared: bool = False) -> StandIns:
        """Return the profile of every disease that loses a row when `sources` go.

        Raises:
            ModelError: the index was not fitted from these annotations with the constants of
            `ddx.features.rare_annotations`; no fair answer can be given.
        """
        key = frozenset(sources), keep_shared
        known = self._known.get(key)
        if known is None:
            while len(self._known) >= KEPT_STAND_INS:
                del self._known[next(iter(self._known))]
            known = self._known[key] = self._worked_out(*key)
        return known

    def _worked_out(self, sources: frozenset[SourceId], keep_shared: bool) -> StandIns:
        named = {code for source in sources for code in self._annotations.named(source)}
        numbers = sorted({self._numbers[code] for code in named if code in self._numbers})
        changed: list[tuple[int, NDArray[np.uint8], tuple[tuple[int, float | None], ...]]] = []
        for number in numbers:
            rows = self._rows(number)
            left = [row for row in rows if not row.leans_on(sources, keep_shared=keep_shared)]
            if len(left) < len(rows):
                self._must_agree(number, rows)
                pooled = pool(left, self._index.ontology)
                changed.append((number, self._codes(pooled), _profile(pooled)))
        width = len(self._index.ontology)
        return StandIns(
            numbers=np.array([n for n, _, _ in changed], dtype=np.int32),
            codes=np.array([c for _, c, _ in changed], dtype=np.uint8).reshape(-1, width),
            profiles=tuple(p for _, _, p in changed),
        )

    def _rows(self, number: int) -> list[SourcedRow]:
        """Return the rows behind a disease of the index: those about what patients show."""
        graph = self._index.ontology
        codes = self._index.codes[number]
        rows = [row for code in codes for row in self._annotations.rows(code)]
        try:
            return [row for row in rows if self._root in graph.lineage(graph.index_of(row.hpo_id))]
        except UnknownFindingError as error:
            raise ModelError(f"{PHENOTYPE_HPOA}, {codes[0]}: {error}") from error

    def _codes(self, pooled: Mapping[int, PooledFrequency]) -> NDArray[np.uint8]:
        codes = np.zeros(len(self._index.ontology), dtype=np.uint8)
        for term, share in propagate(pooled, self._index.ontology).items():
            codes[term] = frequency_code(share)
        return codes

    def _must_agree(self, number: int, rows: list[SourcedRow]) -> None:
        """Raise unless all rows together give the profile that the index holds."""
        pooled = _profile(pool(rows, self._index.ontology))
        held = tuple(sorted(self._index.profile(number)))
        if [t for t, _ in pooled] != [t for t, _ in held] or not all(
            _agree(ours, theirs) for (_, ours), (_, theirs) in zip(pooled, held, strict=True)
        ):
            raise ModelError(
                f"{self._index.diseases[number]}: the rare index was not fitted from the "
                "annotations beside it; sources cannot be left out with this bundle"
            )


def _profile(pooled: Mapping[int, PooledFrequency]) -> tuple[tuple[int, float | None], ...]:
    return tuple(sorted((term, frequency.stated) for term, frequency in pooled.items()))


def _agree(ours: float | None, theirs: float | None) -> bool:
    if ours is None or theirs is None:
        return ours is theirs
    return abs(ours - theirs) <= 0.5 / STATED_STEPS + 1e-9  # stored to the nearest step


def _phenotypic_lines(raw: bytes) -> Iterator[tuple[DiseaseId, _Line]]:
    try:
        lines = (line for line in raw.decode().splitlines() if not line.startswith("#"))
        header = next(lines).split("\t")
        disease, qualifier, hpo, reference, frequency, aspect = map(header.index, _COLUMNS)
        for line in lines:
            cells = line.split("\t")
            if cells[aspect] == "P":
                yield (
                    DiseaseId(cells[disease]),
                    _Line(cells[qualifier], cells[hpo], cells[reference], cells[frequency]),
                )
    except (UnicodeDecodeError, ValueError, IndexError, StopIteration) as error:
        raise ModelError(f"{PHENOTYPE_HPOA} cannot be read: {error!r}") from error
