"""Recall of the rare ranker on published cases, with and without the paper that tells on them.

Three protocols, because phenotype.hpoa was partly curated from the very cases that test it:

- as published: the annotations as they are;
- sole source removed: rows whose only source is the paper of the case are taken out of the
  profile of its disease, per case (the line the literature calls "leak removed");
- paper removed: every row naming that paper is taken out, also rows that other papers support.
  A lower bound: the case's own findings then remain in the profile 4 % of the time, against
  47 % for cases from papers that were never annotated.

Background frequencies stay those of the whole index: one disease of 12,680 does not move them.

    python -m training.evaluate.rare [--data FOLDER]
"""

import argparse
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache, partial
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ddx.domain.identifiers import DiseaseId
from ddx.features.rare_query import read_case
from ddx.inference.rare import RareRanker
from training.fit.rare import RareFit, fit_rare
from training.sources.hpo import read_annotations, read_ontology
from training.sources.phenopackets import (
    LabelledCase,
    read_phenobrain,
    read_phenopackets,
    tuning_cases,
)

CUTOFFS: Final = (1, 3, 10, 200)
RESAMPLES: Final = 1000
RECALL_BAR: Final = 0.75  # recall in the first 200, the candidates a learned ranker may re-order
MISSED: Final = np.iinfo(np.int64).max


class Protocol(StrEnum):
    """What is done about the paper of the case; see the module's docstring."""

    AS_PUBLISHED = "as published"
    SOLE_SOURCE_REMOVED = "sole source removed"
    PAPER_REMOVED = "paper removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallLine:
    """Recall of one set under one protocol.

    unranked: cases whose disease is not in the index; they count as misses.
    recall, low, high: by cut-off; bounds are the 2.5 and 97.5 percentiles of a bootstrap over
    papers (cases of one paper resemble each other).
    """

    name: str
    protocol: Protocol
    cases: int
    unranked: int
    recall: dict[int, float]
    low: dict[int, float]
    high: dict[int, float]
    mean_reciprocal_rank: float


def ranks(
    fit: RareFit,
    cases: Iterable[LabelledCase],
    protocol: Protocol = Protocol.AS_PUBLISHED,
    *,
    use_excluded: bool = True,
) -> NDArray[np.int64]:
    """Return the position of the right disease per case, 1 for the first, MISSED when unknown.

    The best position counts when several codes name the disease. Ties go by disease id, as
    they do on the device.
    """
    ranker = RareRanker(fit.index)
    without_paper = cache(fit.without_paper)
    found = []
    for labelled in cases:
        query = read_case(labelled.case, fit.index.ontology)
        query = query if use_excluded else replace(query, excluded=())
        scores = ranker.score_all(query)
        positions = [MISSED]
        for disease in labelled.truths:
            if not _is_ranked(fit, disease):
                continue
            number = fit.index.number_of(disease)
            main = fit.index.diseases[number]
            if protocol is not Protocol.AS_PUBLISHED and labelled.pmid is not None:
                sole = protocol is Protocol.SOLE_SOURCE_REMOVED
                profile = without_paper(main, labelled.pmid, sole_source=sole)
                own = ranker.weigh(query, partial(_share, profile)).score
            else:
                own = float(scores[number])
            positions.append(_position(scores, number, own))
        found.append(min(positions))
    return np.array(found, dtype=np.int64)


def _share(profile: Mapping[int, float], term: int) -> float:
    return float(profile.get(term, 0.0))


def recall_line(
    name: str, protocol: Protocol, cases: Sequence[LabelledCase], positions: NDArray[np.int64]
) -> RecallLine:
    """Return recall at every cut-off with its interval (seeded: same input, same interval)."""
    hits = np.stack([positions <= k for k in CUTOFFS], axis=1).astype(float)
    bounds = np.percentile(_resampled(hits, cases), [2.5, 97.5], axis=0)
    return RecallLine(
        name=name,
        protocol=protocol,
        cases=len(cases),
        unranked=int((positions == MISSED).sum()),
        recall=_by_cutoff(hits.mean(axis=0)),
        low=_by_cutoff(bounds[0]),
        high=_by_cutoff(bounds[1]),
        mean_reciprocal_rank=float(np.mean(1.0 / positions)),
    )


def evaluate_rare(fit: RareFit, folder: Path) -> tuple[RecallLine, ...]:
    """Return every line of the rare benchmark from the clinical data sets in `folder`.

    Raises:
        CaseSourceError: a set is missing or malformed.
    """
    cases = read_phenopackets(folder)
    published = [c for c in cases if c.published]
    clean = [c for c in cases if c.clean]
    plan: list[tuple[str, list[LabelledCase], Protocol]] = [
        *(("published 4,917 (those found)", published, p) for p in Protocol),
        ("  of these, never leaked", [c for c in published if not c.leaked], Protocol.AS_PUBLISHED),
        ("clean", clean, Protocol.AS_PUBLISHED),
        ("  of these, disease annotated", _ranked(fit, clean), Protocol.AS_PUBLISHED),
        ("PhenoBrain 873", list(read_phenobrain(folder)), Protocol.AS_PUBLISHED),
        ("tuning", list(tuning_cases(cases)), Protocol.SOLE_SOURCE_REMOVED),
    ]
    return tuple(recall_line(name, p, chosen, ranks(fit, chosen, p)) for name, chosen, p in plan)


def table(lines: Iterable[RecallLine]) -> str:
    """Return the lines as a Markdown table."""
    head = ("set", "protocol", "cases", "not in index", *(f"top-{k}" for k in CUTOFFS), "MRR")
    rows = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for line in lines:
        cells = [f"{line.recall[k]:.3f} ({line.low[k]:.3f}-{line.high[k]:.3f})" for k in CUTOFFS]
        counts = (str(line.cases), str(line.unranked))
        mrr = f"{line.mean_reciprocal_rank:.3f}"
        rows.append("| " + " | ".join((line.name, line.protocol, *counts, *cells, mrr)) + " |")
    return "\n".join(rows)


def _is_ranked(fit: RareFit, disease: DiseaseId) -> bool:
    return disease in fit.index


def _ranked(fit: RareFit, cases: Iterable[LabelledCase]) -> list[LabelledCase]:
    return [c for c in cases if any(_is_ranked(fit, d) for d in c.truths)]


def _position(scores: NDArray[np.float64], number: int, own: float) -> int:
    """Return where a disease stands when it scores `own` and the others score `scores`."""
    before = np.arange(len(scores)) < number
    better = (scores > own) | ((scores == own) & before)
    better[number] = False
    return int(better.sum()) + 1


def _resampled(hits: NDArray[np.float64], cases: Sequence[LabelledCase]) -> NDArray[np.float64]:
    """Return recall in RESAMPLES draws of papers with replacement: (RESAMPLES, n_cutoffs)."""
    _, paper = np.unique([c.pmid or c.id for c in cases], return_inverse=True)
    n_papers = int(paper.max()) + 1
    sums = np.zeros((n_papers, hits.shape[1] + 1))
    np.add.at(sums, paper, np.column_stack([hits, np.ones(len(hits))]))
    draws = np.random.default_rng(0).multinomial(
        n_papers, np.full(n_papers, 1 / n_papers), RESAMPLES
    )
    totals = draws @ sums
    return totals[:, :-1] / totals[:, -1:]


def _by_cutoff(values: NDArray[np.float64]) -> dict[int, float]:
    return dict(zip(CUTOFFS, values.tolist(), strict=True))


def main() -> None:
    """Fit the index and print the benchmark."""
    default = os.environ.get("VEREDA_DATA", "../shared/data")
    parser = argparse.ArgumentParser(description="Recall of the rare ranker on published cases.")
    parser.add_argument("--data", type=Path, default=Path(default), help="clinical data sets")
    fit = fit_rare(read_ontology(), read_annotations())
    print(table(evaluate_rare(fit, parser.parse_args().data)))


if __name__ == "__main__":
    main()
