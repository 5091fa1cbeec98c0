"""Rows the learned rare ranker is fitted and measured on: one block of candidates per case."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ddx.domain.case import Case
from ddx.domain.identifiers import DiseaseId, FindingId
from ddx.features.rare_evidence import Patient, gather
from ddx.features.rare_facts import RareFacts
from ddx.features.rare_index import RareIndex
from ddx.features.rare_pairs import pair_features
from ddx.features.rare_query import read_case
from ddx.features.rare_tables import Profile, RareTables
from ddx.inference.rare import DEFAULT_LIMIT, RareRanker
from training.evaluate.rare import Protocol
from training.fit.rare import RareFit, fit_rare
from training.fit.rare_facts import MergedAnnotations, fit_facts, merge_equivalents, profile_of
from training.fit.rare_simulate import SimulatedPatient
from training.sources.hpo import OntologyRelease, read_annotations, read_ontology
from training.sources.phenopackets import LabelledCase

REMEMBERED_TERMS: Final = 1500
"""Findings whose ratios are kept: 100 kB each."""


REMEMBERED_PROFILES: Final = 1000
"""Profiles without a paper that are kept: 80 kB each."""


class RememberingRanker(RareRanker):
    """Scores as any `RareRanker`; keeps what a finding says of every disease.

    Thousands of cases share their findings, and each case is ranked under several protocols.
    """

    def __init__(self, index: RareIndex) -> None:
        super().__init__(index)
        self._remembered: dict[int, NDArray[np.float64]] = {}

    def _present_ratios(self, term: int) -> NDArray[np.float64]:
        known = self._remembered.get(term)
        if known is None:
            while len(self._remembered) >= REMEMBERED_TERMS:
                del self._remembered[next(iter(self._remembered))]
            known = self._remembered[term] = super()._present_ratios(term)
        return known


@dataclass(frozen=True, slots=True)
class RareWorkbench:
    """The merged index and everything needed to turn a case into rows."""

    fit: RareFit
    merged: MergedAnnotations
    arrays: Mapping[str, NDArray[Any]]
    ranker: RareRanker
    tables: RareTables

    @classmethod
    def build(cls, folder: Path, ontology: OntologyRelease | None = None) -> "RareWorkbench":
        """Fit index and facts from the installed HPO release and the data sets in `folder`.

        ontology: the release, or what a bundle keeps of it.
        """
        merged = merge_equivalents(read_annotations(), folder)
        fit = fit_rare(ontology or read_ontology(), merged.release, also=merged.also)
        arrays = fit_facts(fit, merged, folder)
        tables = RareTables(fit.index, RareFacts(arrays))
        return cls(fit, merged, arrays, RememberingRanker(fit.index), tables)

    def everyday_terms(self) -> list[FindingId]:
        """Return every annotated term, as often as diseases are annotated with it."""
        return [r.hpo_id for rows in self.fit.rows.values() for r in rows if not r.excluded]

    def main_codes(self, truths: Iterable[DiseaseId]) -> tuple[DiseaseId, ...]:
        """Return the codes under which the diseases are ranked; those not in the index drop."""
        main = self.merged.main_code
        return tuple(dict.fromkeys(main[t] for t in truths if main.get(t) in self.fit.rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRows:
    """One case and its candidates.

    numbers: int32, candidates by first-stage score. features: float32 (n, len(FEATURES)).
    right: bool, which candidates are the diagnosis; all False when it was not retrieved.
    first_stage: position of the diagnosis among ALL diseases by likelihood ratio, 0 when the
    index lacks it or nothing of the case can be read. described: terms the profile of the
    diagnosis states, 0 when the index lacks it. group: what a split must not cut: the diseases
    of the case.
    """

    id: str
    paper: str
    group: tuple[DiseaseId, ...]
    numbers: NDArray[np.int32]
    features: NDArray[np.float32]
    right: NDArray[np.bool_]
    first_stage: int
    described: int = 0


def rows_of_case(
    bench: RareWorkbench,
    labelled: LabelledCase,
    protocol: Protocol,
    change: Callable[[Case], Case] = lambda case: case,
) -> CaseRows:
    """Return the rows of a published case, its paper dealt with as the protocol says.

    change: applied to the case first (fewer findings, vaguer ones …).
    """
    stand_ins = stand_ins_of(bench, labelled, protocol)
    rows = _rows(bench, change(labelled.case), bench.main_codes(labelled.truths), stand_ins)
    return replace(rows, id=labelled.id, paper=labelled.pmid or labelled.id)


def stand_ins_of(
    bench: RareWorkbench, labelled: LabelledCase, protocol: Protocol
) -> dict[int, Profile]:
    """Return the diagnosis' profile without the paper of the case, where that differs."""
    if protocol is Protocol.AS_PUBLISHED or labelled.pmid is None:
        return {}
    sole = protocol is Protocol.SOLE_SOURCE_REMOVED
    return {
        bench.fit.index.number_of(truth): profile
        for truth in bench.main_codes(labelled.truths)
        if (profile := without_paper(bench, truth, labelled.pmid, sole)) is not None
    }


def rows_of_simulated(bench: RareWorkbench, patient: SimulatedPatient, id: str) -> CaseRows:
    """Return the rows of a simulated patient, scored without its source."""
    stand_ins: dict[int, Profile] = {}
    if patient.kept is not None:
        number = bench.fit.index.number_of(patient.disease)
        profile = profile_of(bench.fit, bench.tables.facts, patient.disease, patient.kept)
        stand_ins[number] = profile
    rows = _rows(bench, patient.case, (patient.disease,), stand_ins)
    return replace(rows, id=id, paper=patient.source)


def without_paper(
    bench: RareWorkbench, disease: DiseaseId, pmid: str, sole_source: bool
) -> Profile | None:
    """Return the profile of a disease without a paper; None when that changes nothing."""
    rows = bench.fit.rows[disease]
    if not any(pmid in row.references for row in rows):
        return None
    return _cached_profile(_Removal(bench, disease, pmid, sole_source))


@dataclass(frozen=True, slots=True)
class _Removal:
    bench: RareWorkbench
    disease: DiseaseId
    pmid: str
    sole_source: bool

    def __hash__(self) -> int:
        return hash((id(self.bench), self.disease, self.pmid, self.sole_source))


@lru_cache(REMEMBERED_PROFILES)
def _cached_profile(removal: _Removal) -> Profile:
    bench, pmid = removal.bench, removal.pmid
    kept = [
        row
        for row in bench.fit.rows[removal.disease]
        if (row.references != (pmid,) if removal.sole_source else pmid not in row.references)
    ]
    return profile_of(bench.fit, bench.tables.facts, removal.disease, kept)


def _rows(
    bench: RareWorkbench,
    case: Case,
    truths: tuple[DiseaseId, ...],
    stand_ins: Mapping[int, Profile],
) -> CaseRows:
    query = read_case(case, bench.fit.index.ontology)
    order = bench.ranker.retrieve(query, len(bench.ranker.diseases), stand_ins).indices
    numbers = order[:DEFAULT_LIMIT]
    right = [bench.fit.index.number_of(t) for t in truths]
    first = min((int(at) + 1 for n in right for at in np.flatnonzero(order == n)), default=0)
    patient = Patient(query=query, age_years=case.age_years, sex=case.sex)
    evidence = gather(bench.tables, query, numbers, stand_ins)
    return CaseRows(
        id="",
        paper="",
        group=truths,
        numbers=numbers,
        features=pair_features(evidence, patient, bench.fit.index.parameters),
        right=np.isin(numbers, right),
        first_stage=first,
        described=max((len(_terms(bench, n, stand_ins)) for n in right), default=0),
    )


def _terms(
    bench: RareWorkbench, number: int, stand_ins: Mapping[int, Profile]
) -> NDArray[np.int32]:
    own = stand_ins.get(number)
    return bench.tables.profile(number)[0] if own is None else own.terms
