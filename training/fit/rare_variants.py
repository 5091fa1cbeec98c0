"""Ways a case can say less, or say it worse: used to train sturdily and to measure sturdiness."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ddx.domain.case import Case
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import FindingId
from ddx.terminology.ontology import PHENOTYPIC_ABNORMALITY, Ontology


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """What is done to a case.

    limit: findings seen that are kept, at random; None keeps all. vague: share of the findings
    seen that a parent replaces. unrelated: findings added that have nothing to do with it.
    exclusions: whether findings ruled out are kept.
    """

    limit: int | None = None
    vague: float = 0.0
    unrelated: int = 0
    exclusions: bool = True


def vary(
    case: Case,
    variant: Variant,
    graph: Ontology,
    pool: Sequence[FindingId],
    rng: np.random.Generator,
) -> Case:
    """Return the case changed as `variant` says.

    pool: what unrelated findings are drawn from; a finding annotated in many diseases may
    stand in it many times.
    """
    seen = [f.id for f in case.findings if f.presence is Presence.PRESENT]
    if variant.limit is not None and len(seen) > variant.limit:
        seen = [seen[i] for i in sorted(rng.choice(len(seen), variant.limit, replace=False))]
    vague = set(rng.permutation(len(seen))[: round(variant.vague * len(seen))].tolist())
    seen = [vaguer(t, graph, rng) if i in vague else t for i, t in enumerate(seen)]
    if variant.unrelated:
        seen += [pool[i] for i in rng.choice(len(pool), variant.unrelated).tolist()]
    presence: dict[FindingId, Presence] = {}
    if variant.exclusions:
        ruled_out = (f.id for f in case.findings if f.presence is Presence.EXCLUDED)
        presence = dict.fromkeys(ruled_out, Presence.EXCLUDED)
    presence |= dict.fromkeys(seen, Presence.PRESENT)
    return replace(case, findings=tuple(Finding(id=t, presence=p) for t, p in presence.items()))


def vaguer(term: FindingId, graph: Ontology, rng: np.random.Generator) -> FindingId:
    """Return one of the term's parents, or the term where only the phenotype root is above."""
    if term not in graph:
        return term
    parents = [p for p in graph.parents(term) if graph.is_phenotype(p)]
    parents = [p for p in parents if p != PHENOTYPIC_ABNORMALITY]
    return parents[rng.integers(len(parents))] if parents else term


def draw_variant(rng: np.random.Generator) -> Variant:
    """Return the change one training case undergoes: half keep everything they say.

    The mix spans what the ranker is measured on: few findings, no exclusions, vague words,
    unrelated findings.
    """
    few = rng.random() < 0.3
    noisy = rng.random() < 0.25
    return Variant(
        limit=int(rng.integers(3, 11)) if few else None,
        vague=float(rng.uniform(0, 0.4)) if noisy else 0.0,
        unrelated=int(rng.integers(0, 3)) if noisy else 0,
        exclusions=bool(rng.random() < 0.5),
    )


def draw_noisy_variant(rng: np.random.Generator) -> Variant:
    """Return a change that always holds noise, of one strength or another.

    Up to half of the findings vaguer and one to three unrelated ones, around the strength that
    the robustness line measures.
    """
    few = rng.random() < 0.4
    return Variant(
        limit=int(rng.integers(3, 11)) if few else None,
        vague=float(rng.uniform(0.1, 0.5)),
        unrelated=int(rng.integers(1, 4)),
        exclusions=bool(rng.random() < 0.6),
    )
