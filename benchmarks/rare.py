"""Ranking rare diseases beside pyhpo: the same cases, all diseases, one thread, processor time.

pyhpo (training extra) ranks by Resnik best-match average, the measure its documentation shows
for patients. Its time for all diseases is that of 200 drawn at random, scaled.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks import ward
from ddx.domain.case import Case
from ddx.domain.finding import Presence
from ddx.engine import Engine
from ddx.rare_list import rank_rare

FINDINGS = 10
CASES = 200
PEER_CASES = 20
PEER_DISEASES = 200


@dataclass(frozen=True, slots=True)
class RareSpeed:
    """Milliseconds of processor a case of ten findings takes over all diseases."""

    median_ms: float
    p99_ms: float
    peer_ms: float

    @property
    def ratio(self) -> float:
        """How many times slower pyhpo is."""
        return self.peer_ms / self.median_ms

    def rows(self) -> list[str]:
        """Return the rows of the table of `make bench`."""
        return [
            f"| rank rare diseases, ten findings (processor) | {self.median_ms:.1f} "
            f"| {self.p99_ms:.1f} | |",
            f"| the same cases, pyhpo Resnik best-match average (processor) | {self.peer_ms:.0f} "
            f"| | {self.ratio:.0f} of ours |",
        ]


def measure(engine: Engine, data: Path) -> RareSpeed:
    """Time the rare ranker on published cases of ten findings, and pyhpo on some of them."""
    published = ward.rare_cases(data, 10 * CASES)
    cases = [cut for c in published if (cut := _ten_findings(c.case)) is not None][:CASES]
    for case in cases[:10]:
        rank_rare(engine, case)
    ours = np.array([_seconds(engine, case) for case in cases]) * 1e3
    low, high = np.percentile(ours, [50, 99])
    return RareSpeed(float(low), float(high), _peer_ms(engine, cases[:PEER_CASES]))


def _ten_findings(case: Case) -> Case | None:
    """Return the case with its first ten findings seen and all ruled out; None with fewer."""
    seen = [f for f in case.findings if f.presence is Presence.PRESENT]
    ruled_out = tuple(f for f in case.findings if f.presence is Presence.EXCLUDED)
    if len(seen) < FINDINGS:
        return None
    return replace(case, findings=(*seen[:FINDINGS], *ruled_out))


def _seconds(engine: Engine, case: Case) -> float:
    start = time.thread_time()
    rank_rare(engine, case)
    return time.thread_time() - start


def _peer_ms(engine: Engine, cases: Sequence[Case]) -> float:
    from pyhpo import HPOSet, Ontology  # noqa: PLC0415 -- takes 20 s to load, this row only

    Ontology()
    index, rng = engine.rare.index, np.random.default_rng(0)
    taken = []
    for case in cases:
        _, query = engine.read(case)
        patient = HPOSet.from_queries([index.ontology.ids[t.index] for t in query.present])
        drawn = rng.choice(len(index.diseases), PEER_DISEASES, replace=False).tolist()
        profiles = [[index.ontology.ids[t] for t, _ in index.profile(n)] for n in drawn]
        diseases = [HPOSet.from_queries(terms) for terms in profiles]
        start = time.thread_time()
        for disease in diseases:
            patient.similarity(disease, method="resnik", combine="funSimAvg")
        taken.append((time.thread_time() - start) / PEER_DISEASES)
    return float(np.median(taken)) * len(index.diseases) * 1e3
