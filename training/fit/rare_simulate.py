"""Simulated rare-disease patients, drawn from one source and scored without it.

A patient drawn from a disease's own profile is far too easy: every finding is annotated. Real
patients are described by other people than those who annotated the disease. So a patient is
drawn from the rows of ONE reference (a paper, Orphanet, OMIM), with that reference's
frequencies, and its disease is scored by what the OTHER references say. Frequency, vocabulary
and imprecision then differ as they do between a new patient and the books. A further share of
findings is made vaguer, dropped, or unrelated (Köhler et al. 2009 simulate the same three).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from ddx.domain.case import DAYS_PER_YEAR, Case, Sex
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import DiseaseId, FindingId
from ddx.features.rare_facts import FACTS, RareFacts
from ddx.terminology.ontology import Ontology
from training.fit.rare import RareFit
from training.fit.rare_variants import vaguer
from training.sources.hpo import AnnotationRow


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationSettings:
    """How far a simulated patient strays from the rows it is drawn from.

    own_profile: share of patients whose source stays in the profile (the published protocol).
    vague: share of findings replaced by a parent. unrelated: mean number of unrelated findings
    (Poisson). unstated: chance of a finding whose row states no frequency. asked: share of the
    findings not drawn, though others of the source had them, that count as ruled out.
    """

    own_profile: float
    vague: float
    unrelated: float
    unstated: float
    asked: float


DEFAULT: Final = SimulationSettings(
    own_profile=0.35, vague=0.1, unrelated=0.5, unstated=0.6, asked=0.5
)

MIN_FINDINGS: Final = 2
"""A source or a remaining profile with fewer terms makes no patient."""


@dataclass(frozen=True, slots=True)
class SimulatedPatient:
    """A patient, the disease, and the rows its profile keeps (None: all of them)."""

    case: Case
    disease: DiseaseId
    source: str
    kept: tuple[AnnotationRow, ...] | None


@dataclass(frozen=True, slots=True)
class _Source:
    disease: DiseaseId
    reference: str
    rows: tuple[AnnotationRow, ...]
    kept: tuple[AnnotationRow, ...]


def simulate(
    fit: RareFit,
    facts: RareFacts,
    *,
    count: int,
    sizes: Sequence[int],
    forbidden: frozenset[str],
    settings: SimulationSettings = DEFAULT,
    seed: int = 0,
) -> Iterator[SimulatedPatient]:
    """Yield `count` patients, diseases with several sources drawn equally often.

    sizes: numbers of findings of real cases, drawn from. forbidden: references that no patient
    may come from (papers of test cases).

    Raises:
        ValueError: no disease has two sources left.
    """
    rng = np.random.default_rng(seed)
    sources = list(_sources(fit, forbidden))
    if not sources:
        raise ValueError("no disease is described by two sources")
    by_disease: dict[DiseaseId, list[_Source]] = defaultdict(list)
    for source in sources:
        by_disease[source.disease].append(source)
    diseases = sorted(by_disease)
    everything = sorted({row.hpo_id for source in sources for row in source.rows})
    made = 0
    while made < count:
        disease = diseases[rng.integers(len(diseases))]
        source = by_disease[disease][rng.integers(len(by_disease[disease]))]
        size = int(sizes[int(rng.integers(len(sizes)))])
        findings = _findings(source, size, fit.index.ontology, everything, rng, settings=settings)
        if findings:
            made += 1
            number = fit.index.number_of(disease)
            table = dict(zip(FACTS, facts.facts[number].tolist(), strict=True))
            kept = None if rng.random() < settings.own_profile else source.kept
            case = replace(_person(table, rng), findings=findings)
            yield SimulatedPatient(case, disease, source.reference, kept)


def _sources(fit: RareFit, forbidden: frozenset[str]) -> Iterator[_Source]:
    for disease, rows in fit.rows.items():
        for reference in sorted({ref for row in rows for ref in row.references} - forbidden):
            own = tuple(r for r in rows if reference in r.references)
            kept = tuple(r for r in rows if r.references != (reference,))
            if min(_positive(own), _positive(kept)) >= MIN_FINDINGS:
                yield _Source(disease, reference, own, kept)


def _positive(rows: Iterable[AnnotationRow]) -> int:
    shown = {
        r.hpo_id for r in rows if not r.excluded and (r.frequency is None or r.frequency.share)
    }
    return len(shown)


def _findings(
    source: _Source,
    size: int,
    graph: Ontology,
    everything: Sequence[FindingId],
    rng: np.random.Generator,
    *,
    settings: SimulationSettings,
) -> tuple[Finding, ...]:
    """Return what one patient of the source shows and lacks; empty when nothing was drawn."""
    chance = {
        r.hpo_id: 0.0
        if r.excluded
        else settings.unstated
        if r.frequency is None
        else r.frequency.share
        for r in source.rows
    }
    terms = list(chance)
    drawn = rng.random(len(terms)) < np.array([chance[t] for t in terms])
    shown = [t for t, yes in zip(terms, drawn, strict=True) if yes]
    lacked = [t for t, yes in zip(terms, drawn, strict=True) if not yes]
    rng.shuffle(shown)
    seen = [vaguer(t, graph, rng) if rng.random() < settings.vague else t for t in shown[:size]]
    if not seen:
        return ()
    unrelated = rng.choice(len(everything), size=rng.poisson(settings.unrelated))
    seen += [everything[i] for i in unrelated.tolist()]
    presence: dict[FindingId, Presence] = {
        t: Presence.EXCLUDED for t in lacked if rng.random() < settings.asked
    }
    presence |= dict.fromkeys(seen, Presence.PRESENT)
    return tuple(Finding(id=t, presence=p) for t, p in presence.items())


def _person(facts: Mapping[str, float], rng: np.random.Generator) -> Case:
    """Return age (known in 70 %, as in the tuning cases) and sex (known in 92 %)."""
    first, last = facts["onset_first"], facts["onset_last"]
    years = rng.uniform(0, 30)
    if np.isfinite(first):
        years = rng.uniform(first, max(last, first)) + rng.exponential(5.0)
    male = rng.random() < (0.85 if facts["x_linked"] == 1 else 0.5)
    sex = Sex.MALE if male else Sex.FEMALE
    return Case(
        age_days=round(years * DAYS_PER_YEAR) if rng.random() < 0.7 else None,
        sex=sex if rng.random() < 0.92 else Sex.UNKNOWN,
        findings=(),
    )
