"""What the rare ranker costs on a device: bytes, time, memory; and beside pyhpo."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import zstandard

from ddx.features.rare_evidence import Patient
from ddx.features.rare_query import read_case
from ddx.inference.rare_learned import RARE_MODEL, RareCalibration, RareReranker
from ddx.inference.session import ModelSession
from training.evaluate.rare_baselines import SimilarityBaseline
from training.fit.rare_rows import RareWorkbench
from training.fit.rare_variants import Variant, vary
from training.sources.phenopackets import LabelledCase

TEN: Final = 10
WARM_UP: Final = 10
PEER_DISEASES: Final = 200
_OUR_CONTENT: Final = "vereda"

_RESIDENT: Final = """
import resource, sys
from pathlib import Path
from ddx.domain.artifacts import HPO_TERMS
from ddx.errors import ModelError
from ddx.terminology.ontology import Ontology
import ddx.engine
folder = Path(sys.argv[1])
class Members:
    version = digest = "measured"
    def read(self, name):
        path = folder / name
        if not path.exists():
            raise ModelError(name)
        return path.read_bytes()
def resident():
    text = Path("/proc/self/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) / 1024
graph = Ontology.from_json(Members().read(HPO_TERMS))
before = resident()
from ddx.inference.rare import RareRanker
from ddx.inference.rare_learned import RareReranker
from ddx.explain.rare_learned import RareExplainer
from ddx.features.rare_evidence import Patient
from ddx.features.rare_query import RareQuery, QueryTerm
ranker = RareRanker.from_artifacts(Members(), graph)
stage = RareReranker.from_artifacts(Members(), ranker)
explainer = RareExplainer.from_artifacts(Members(), ranker, stage)
terms = ranker.index.profile(0)[:10]
query = RareQuery(present=tuple(QueryTerm(t, graph.ids[t]) for t, _ in terms))
stage.rerank(ranker.retrieve(query), Patient(query=query))
explainer.explain(Patient(query=query), ranker.diseases[0])
print(resident() - before, resident())
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Milliseconds of a case: on the processor, and on the clock of a machine shared or not."""

    cases: int
    processor_p50: float
    processor_p99: float
    clock_p50: float
    clock_p99: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerCost:
    """pyhpo's best-match average beside ours, same cases, processor time.

    difference: largest, of the similarity. peer_s: pyhpo over all diseases, scaled from 200.
    ours_ms: the whole ranker. similarity_ms: our own best-match average over all diseases.
    """

    cases: int
    difference: float
    peer_s: float
    ours_ms: float
    similarity_ms: float

    @property
    def ratio(self) -> float:
        """How many times faster the whole ranker is."""
        return self.peer_s * 1e3 / self.ours_ms


def sizes(members: Mapping[str, bytes]) -> dict[str, tuple[int, int]]:
    """Return bytes of every member, and with zstd as a bundle packs them."""
    return {n: (len(raw), len(zstandard.compress(raw, 19))) for n, raw in members.items()}


def resident_mb(members: Mapping[str, bytes]) -> tuple[float, float]:
    """Return what index, learned stage and explainer add to a fresh process, and its total.

    Needs /proc (Linux). members: HPO terms and everything the rare ranker reads.
    """
    with tempfile.TemporaryDirectory() as name:
        for member, raw in members.items():
            path = Path(name) / member
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(raw)
        said = subprocess.run(  # noqa: S603 -- this interpreter, our own text
            [sys.executable, "-c", _RESIDENT, name], check=True, capture_output=True, text=True
        )
    added, total = said.stdout.split()
    return float(added), float(total)


def stage_of(
    bench: RareWorkbench, members: Mapping[str, bytes], calibration: RareCalibration
) -> RareReranker:
    """Return the learned stage as a device runs it."""
    return RareReranker(ModelSession.from_bytes(members[RARE_MODEL]), bench.tables, calibration)


def cases_of_ten(
    bench: RareWorkbench, cases: Sequence[LabelledCase], count: int
) -> list[LabelledCase]:
    """Return cases cut to ten findings seen (seeded)."""
    graph, pool, rng = bench.fit.index.ontology, bench.everyday_terms(), np.random.default_rng(0)
    ten = [c for c in cases if len(c.case.present) >= TEN][:count]
    return [replace(c, case=vary(c.case, Variant(limit=TEN), graph, pool, rng)) for c in ten]


def latency(bench: RareWorkbench, stage: RareReranker, cases: Sequence[LabelledCase]) -> Latency:
    """Time reading, retrieval and re-ranking on one thread; the first ten cases warm up."""
    taken = np.array([_timed(bench, stage, c) for c in cases])[WARM_UP:] * 1e3
    (cpu50, wall50), (cpu99, wall99) = np.percentile(taken, [50, 99], axis=0)
    return Latency(
        cases=len(taken),
        processor_p50=float(cpu50),
        processor_p99=float(cpu99),
        clock_p50=float(wall50),
        clock_p99=float(wall99),
    )


def _timed(
    bench: RareWorkbench, stage: RareReranker, labelled: LabelledCase
) -> tuple[float, float]:
    cpu, wall = time.thread_time(), time.perf_counter()
    query = read_case(labelled.case, bench.fit.index.ontology)
    patient = Patient(query=query, age_years=labelled.case.age_years, sex=labelled.case.sex)
    stage.rerank(bench.ranker.retrieve(query), patient)
    return time.thread_time() - cpu, time.perf_counter() - wall


def beside_pyhpo(
    bench: RareWorkbench, stage: RareReranker, cases: Sequence[LabelledCase]
) -> PeerCost:
    """Compare similarity and time with pyhpo, which computes with our information content.

    pyhpo ranks by Resnik best-match average (`funSimAvg`), 200 diseases a case.
    """
    from pyhpo import HPOSet, Ontology  # noqa: PLC0415 - takes 20 s to load, this line only

    Ontology()
    graph, tables = bench.fit.index.ontology, bench.tables
    for term in Ontology:
        if term.id in graph:
            at = graph.index_of(term.id)
            content = float(tables.content[at]) if tables.index.background[at] > 0 else 0.0
            term.information_content.set_custom(_OUR_CONTENT, content)
    baseline = SimilarityBaseline(tables)
    rng = np.random.default_rng(0)
    differences, peer, ours, similarity = [], [], [], []
    for labelled in cases:
        query = read_case(labelled.case, graph)
        chosen = rng.choice(len(bench.fit.index.diseases), PEER_DISEASES, replace=False)
        theirs = [_pyhpo_set(HPOSet, bench, int(d)) for d in chosen]
        case = HPOSet.from_queries([graph.ids[t.index] for t in query.present])
        start = time.thread_time()
        values = [case.similarity(t, kind=_OUR_CONTENT, method="resnik", combine="funSimAvg")
                  for t in theirs]  # fmt: skip
        peer.append((time.thread_time() - start) / PEER_DISEASES)
        start = time.thread_time()
        mine = baseline.similarities(query).best_match_average[chosen]
        similarity.append(time.thread_time() - start)
        differences.append(float(np.abs(mine - np.array(values)).max()))
        ours.append(_timed(bench, stage, labelled)[0])
    return PeerCost(
        cases=len(cases),
        difference=max(differences),
        peer_s=float(np.median(peer)) * len(bench.fit.index.diseases),
        ours_ms=float(np.median(ours)) * 1e3,
        similarity_ms=float(np.median(similarity)) * 1e3,
    )


def _pyhpo_set(sets: Any, bench: RareWorkbench, disease: int) -> Any:
    graph = bench.fit.index.ontology
    shown = [t for t, share in bench.fit.index.profile(disease) if share != 0]
    return sets.from_queries([graph.ids[t] for t in shown])
