"""Scores of familiar visits, by which a case outside what the common model knows is told.

Visits are drawn from held-out patients: calibration patients of DDXPlus and, with the share the
prior gives their diseases, simulated ones of the endemic knowledge base. Each patient is seen
several times, with a few findings up to all, so that every band of evidence holds many.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ddx.features.schema import FeatureSchema
from ddx.inference.bayes import BayesTable
from ddx.inference.outside import STEPS, FamiliarBand, OutsideModel, explained
from training.fit.endemic import ENDEMIC_PRIOR, Purpose, simulated
from training.fit.partial import Budget
from training.fit.sample import CommonFitError, Indices, Rows, Sample
from training.sources.endemic import EndemicKnowledge

RATE: Final = 0.05
"""Share of familiar cases that are wrongly told to be unexplained (plan, step 2)."""

LEAST_PRESENT: Final = 3
"""With fewer findings nothing is said: one or two complaints fit too many diseases."""

BOUNDS: Final = (3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 17, 20, 25, 30, None)
"""Most findings present of each band."""

PATIENTS: Final = 4000
"""DDXPlus patients the visits are drawn from, at most."""

FULL, CLINIC = "full_evidence", "clinic_visit"
PRESENT_KNOWN: Final = (3, 4, 5, 6, 8, 10)
_SEED: Final = 20_261_126


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Visits of one kind. rows: float32 (n, n_columns). truth: (n,), number of the disease."""

    protocol: str
    rows: Rows
    truth: Indices


def visits(
    patients: Sample,
    schema: FeatureSchema,
    endemic: EndemicKnowledge | None,
    purpose: Purpose,
    *,
    protocols: Iterable[str | int] = (*PRESENT_KNOWN, CLINIC, FULL),
    per_disease: int | None = None,
) -> Iterator[Visit]:
    """Yield the same patients as visits of every kind: k findings present, a clinic's, all.

    per_disease: simulated patients of each endemic disease; None gives them all together the
    share of their prior. Their numbers follow those of the other diseases.
    """
    rng = np.random.default_rng([_SEED, purpose])
    ours = None
    if endemic is not None:
        others = len(patients.truth) * ENDEMIC_PRIOR / (1.0 - ENDEMIC_PRIOR)
        n = per_disease or max(1, round(others / len(endemic.diseases)))
        first = len(set(patients.vocabulary.disease_of_condition.values()))
        ours = simulated(endemic, n, first, purpose)
    for protocol in protocols:
        rows, truth = [_asked(patients, schema, protocol, rng)], [patients.truth]
        if ours is not None:
            n = len(ours.truth)
            if protocol == FULL:
                rows.append(ours.fully_asked(schema, patients.ontology))
            else:
                budget = _budget(protocol, n, rng)
                rows.append(ours.partly_asked(schema, patients.ontology, budget, rng))
            truth.append(ours.truth)
        name = f"present_{protocol}" if isinstance(protocol, int) else protocol
        yield Visit(protocol=name, rows=np.vstack(rows), truth=np.concatenate(truth))


def _asked(
    patients: Sample, schema: FeatureSchema, protocol: str | int, rng: np.random.Generator
) -> Rows:
    if protocol == FULL:
        return patients.fully_asked(schema)
    budget = _budget(protocol, len(patients.truth), rng)
    return patients.partly_asked(schema, budget, patients.rates(), rng)


def _budget(protocol: str | int, n: int, rng: np.random.Generator) -> Budget:
    return Budget.fixed(n, present=protocol) if isinstance(protocol, int) else Budget.clinic(n, rng)


def fit_outside(
    familiar: Iterable[Rows], schema: FeatureSchema, bayes: BayesTable, rate: float = RATE
) -> OutsideModel:
    """Return the scores of `familiar` visits, in bands of findings present.

    A band too small to hold STEPS visits is joined with the next.

    Raises:
        CommonFitError: too few visits for a single band.
    """
    counted = [explained(rows, schema, bayes) for rows in familiar]
    present = np.concatenate([counts for counts, _ in counted])
    scores = np.concatenate([scores for _, scores in counted])
    return OutsideModel(
        bayes_digest=bayes.digest,
        rate=rate,
        least_present=LEAST_PRESENT,
        bands=tuple(_bands(present, scores)),
    )


def _bands(present: NDArray[np.int64], scores: NDArray[np.float64]) -> Iterator[FamiliarBand]:
    """Yield the bands; whatever is too small at the end joins the last one that was not."""
    least, made = LEAST_PRESENT, list[tuple[int | None, NDArray[np.float64]]]()
    for present_to in BOUNDS:
        most = int(present.max(initial=0)) if present_to is None else present_to
        held = scores[(present >= least) & (present <= most)]
        if len(held) + 1 >= STEPS:
            made.append((present_to, held))
            least = most + 1
    if not made:
        raise CommonFitError(f"fewer than {STEPS - 1} visits hold {LEAST_PRESENT} findings")
    last_to, last = made.pop()
    if last_to is not None:
        last = np.concatenate((last, scores[present > last_to]))
    yield from (FamiliarBand.of(to, held) for to, held in made)
    yield FamiliarBand.of(None, last)
