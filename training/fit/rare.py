"""Fits the rare-disease index: pools annotations per disease, propagates, quantises.

Everything a device needs to weigh a finding against 12,680 diseases comes from two HPO files;
"fitting" is pooling what several papers say of one finding, filling what they leave open, and
choosing the constants of the likelihood ratio (`PARAMETERS`, tuned by coordinate search on the
phenopackets that `training.sources.phenopackets.tuning_cases` allows, see
`training.evaluate.rare`).
"""

import io
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from itertools import chain
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ddx.domain.artifacts import RARE_DISEASES, RARE_INDEX
from ddx.domain.identifiers import DiseaseId
from ddx.features.rare_annotations import (
    POOLING,
    PooledFrequency,
    frequency_code,
    pool,
    propagate,
)
from ddx.features.rare_index import (
    FREQUENCY_STEPS,
    NOT_STATED,
    STATED_STEPS,
    RareIndex,
    RareParameters,
)
from ddx.terminology.ontology import PHENOTYPIC_ABNORMALITY, Ontology
from training.sources.hpo import AnnotationRelease, AnnotationRow, OntologyRelease


@dataclass(frozen=True, slots=True, kw_only=True)
class FitSettings:
    """How annotations become frequencies, and the constants of the likelihood ratio.

    prior_patients, prior_frequency: pseudo-patients added to every count, so that 1/1 is not
    "always" (Beta prior). class_patients: pseudo-patients a frequency class or percentage
    stands for. unstated_frequency: assumed where no annotation states one.
    background_diseases: pseudo-diseases showing every term, against P = 0.
    """

    prior_patients: float
    prior_frequency: float
    class_patients: float
    unstated_frequency: float
    background_diseases: float
    parameters: RareParameters


DEFAULT_SETTINGS: Final = FitSettings(
    **asdict(POOLING),  # the device works profiles out again with the same constants
    background_diseases=1.0,
    parameters=RareParameters(
        noise=0.2,
        ancestor_weight=0.35,
        ancestor_exponent=0.7,
        excluded_strength=0.9,
        excluded_exponent=8.0,
        excluded_weight=0.5,
    ),
)


@dataclass(frozen=True, slots=True)
class RareFit:
    """A fitted index and what it came from.

    settings: as fitted. rows: phenotypic annotation rows by disease, for leave-one-paper-out.
    also: by disease, its other codes and the name each source gives it.
    """

    version: str
    index: RareIndex
    names: tuple[str, ...]
    arrays: Mapping[str, NDArray[np.generic]]
    settings: FitSettings
    rows: Mapping[DiseaseId, tuple[AnnotationRow, ...]]
    also: Mapping[DiseaseId, tuple[tuple[DiseaseId, str], ...]] = field(default_factory=dict)

    def members(self) -> dict[str, bytes]:
        """Return the bundle members `models/rare_index.npz` and `models/rare_diseases.json`."""
        packed = io.BytesIO()
        np.savez(
            packed, allow_pickle=False, **self.arrays
        )  # stored, not deflated: the bundle compresses as a whole
        counts = np.diff(self.arrays["profile_offsets"]).tolist()
        diseases = [
            {"id": disease, "en": name, "annotations": n} | self._also(disease)
            for disease, name, n in zip(self.index.diseases, self.names, counts, strict=True)
        ]
        listing = {"version": self.version, "diseases": diseases}
        text = json.dumps(listing, ensure_ascii=False, separators=(",", ":"))
        return {RARE_INDEX: packed.getvalue(), RARE_DISEASES: text.encode()}

    def _also(self, disease: DiseaseId) -> dict[str, list[dict[str, str]]]:
        others = [{"id": code, "en": name} for code, name in self.also.get(disease, ())]
        return {"also": others} if others else {}

    def without_paper(
        self, disease: DiseaseId, pmid: str, *, sole_source: bool
    ) -> dict[int, float]:
        """Return the propagated profile of a disease as if a paper had not been annotated.

        sole_source: drop only rows that name no other source; otherwise every row naming it.
        Quantised like the index, so that only the removed rows make a difference.
        """
        kept = [row for row in self.rows[disease] if not _leans_on(row, pmid, sole_source)]
        pooled = pool(kept, self.index.ontology, self.settings)
        shares = propagate(pooled, self.index.ontology)
        return {term: frequency_code(share) / FREQUENCY_STEPS for term, share in shares.items()}


def fit_rare(
    ontology: OntologyRelease,
    annotations: AnnotationRelease,
    *,
    exclude_sources: frozenset[str] = frozenset(),
    settings: FitSettings = DEFAULT_SETTINGS,
    also: Mapping[DiseaseId, tuple[tuple[DiseaseId, str], ...]] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> RareFit:
    """Return the index of every OMIM, ORPHA and DECIPHER disease with a phenotypic annotation.

    exclude_sources: papers (`PMID:…`) whose rows are left out wherever they are named.
    also: other codes of a disease and their names (`training.fit.rare_facts.merge_equivalents`).
    progress: called with (diseases done, diseases in all) every 500 diseases.

    Raises:
        UnknownFindingError: an annotation names a term the ontology release lacks.
    """
    graph = live_graph(ontology)
    rows = _phenotypic_rows(annotations.rows, graph, exclude_sources)
    diseases = tuple(sorted(rows))
    pooled: list[dict[int, PooledFrequency]] = []
    propagated: list[dict[int, float]] = []
    for number, disease in enumerate(diseases):
        pooled.append(pool(rows[disease], graph, settings))
        propagated.append(propagate(pooled[-1], graph))
        if progress is not None and (number + 1) % 500 == 0:
            progress(number + 1, len(diseases))
    arrays = _arrays(graph, pooled, propagated, settings)
    names = tuple(rows[disease][0].disease_name for disease in diseases)
    others = {d: own for d, own in (also or {}).items() if d in rows}
    codes = tuple((d, *(code for code, _ in others.get(d, ()))) for d in diseases)
    index = RareIndex(graph, arrays, diseases, codes)
    return RareFit(annotations.version, index, names, arrays, settings, rows, others)


def live_graph(release: OntologyRelease) -> Ontology:
    """Return the graph of all terms of a release that are not obsolete, in file order."""
    live = (t for t in release.terms if not t.obsolete)
    return Ontology(release.version, ((t.id, t.parents, t.alt_ids) for t in live))


def _leans_on(row: AnnotationRow, pmid: str, sole_source: bool) -> bool:
    return row.references == (pmid,) if sole_source else pmid in row.references


def _phenotypic_rows(
    rows: Iterable[AnnotationRow], graph: Ontology, exclude_sources: frozenset[str]
) -> dict[DiseaseId, tuple[AnnotationRow, ...]]:
    """Return the rows about what patients show, by disease; diseases left with none drop out."""
    root = graph.index_of(PHENOTYPIC_ABNORMALITY)
    kept: dict[DiseaseId, list[AnnotationRow]] = defaultdict(list)
    for row in rows:
        if row.aspect != "P" or not exclude_sources.isdisjoint(row.references):
            continue
        if root in graph.lineage(graph.index_of(row.hpo_id)):
            kept[row.disease_id].append(row)
    return {d: tuple(rs) for d, rs in kept.items() if not all(r.excluded for r in rs)}


def _arrays(
    graph: Ontology,
    pooled: list[dict[int, PooledFrequency]],
    propagated: list[dict[int, float]],
    settings: FitSettings,
) -> dict[str, NDArray[np.generic]]:
    """Return the arrays of `ddx.features.rare_index.ARRAYS`."""
    terms = set(chain.from_iterable(propagated)) | set(chain.from_iterable(pooled))
    used = sorted(terms, key=graph.ids.__getitem__)
    column = {term: c for c, term in enumerate(used)}
    postings: list[list[tuple[int, int]]] = [[] for _ in used]
    for number, shares in enumerate(propagated):
        for term, share in shares.items():
            postings[column[term]].append((number, frequency_code(share)))
    flat = np.array([p for ps in postings for p in ps], dtype=np.int32).reshape(-1, 2)
    sums = np.array([sum(code for _, code in ps) for ps in postings]) / FREQUENCY_STEPS
    extra = settings.background_diseases
    profiles = [sorted((column[t], _stated(f)) for t, f in p.items()) for p in pooled]
    entries = np.array([e for p in profiles for e in p], dtype=np.int32).reshape(-1, 2)
    return {
        "terms": np.array([int(graph.ids[t][3:]) for t in used], dtype=np.uint32),
        "background": ((sums + extra) / (len(pooled) + extra)).astype(np.float32),
        "posting_offsets": _offsets(postings),
        "posting_diseases": flat[:, 0].astype(np.uint16),
        "posting_codes": flat[:, 1].astype(np.uint8),
        "profile_offsets": _offsets(profiles),
        "profile_terms": entries[:, 0].astype(np.uint16),
        "profile_codes": entries[:, 1].astype(np.uint8),
        "parameters": settings.parameters.as_array(),
    }


def _stated(frequency: PooledFrequency) -> int:
    return NOT_STATED if frequency.stated is None else round(frequency.stated * STATED_STEPS)


def _offsets(rows: Iterable[list[tuple[int, int]]]) -> NDArray[np.int32]:
    return np.cumsum([0, *map(len, rows)], dtype=np.int32)
