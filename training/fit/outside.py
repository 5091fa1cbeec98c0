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

from ddx.features.encode import KindOf
from ddx.features.schema import FeatureSchema
from ddx.inference.bayes import BayesTable
from ddx.inference.outside import STEPS, FamiliarBand, OutsideModel, explained
from training.fit.endemic import ENDEMIC_PRIOR, Purpose, Simulated, simulated
from training.fit.partial import Budget
from training.fit.sample import CommonFitError, Indices, Rows, Sample
from training.sources.endemic import EndemicKnowledge

Protocol = str | int
"""A kind of visit: FULL, CLINIC, or the number of findings present."""

RATE: Final = 0.05
"""Share of familiar cases that are wrongly told to be unexplained (plan, step 2)."""

LEAST_PRESENT: Final = 3
"""With fewer findings nothing is said: one or two complaints fit too many diseases."""

BOUNDS: Final = (3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 17, 20, 25, 30, None)
"""Most findings present of each band."""

PATIENTS: Final = 4000
"""DDXPlus patients the visits are drawn from, at most."""

FULL, CLINIC = "full_evidence", "clinic_visit"
PROTOCOLS: Final[tuple[Protocol, ...]] = (3, 5, 10, CLINIC, CLINIC, CLINIC, CLINIC, FULL)
"""Kinds of visit the scores are drawn from. Most are a clinic's: what is excluded there moves the
belief, and without them those visits were told more often than the rate."""

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
    protocols: Iterable[Protocol] = PROTOCOLS,
) -> Iterator[Visit]:
    """Yield the same patients as visits of every kind: k findings present, a clinic's, all.

    Simulated patients have the share of their prior; their numbers follow those of the others.
    """
    ours = None
    if endemic is not None:
        others = len(patients.truth) * ENDEMIC_PRIOR / (1.0 - ENDEMIC_PRIOR)
        n = max(1, round(others / len(endemic.diseases)))
        first = len(set(patients.vocabulary.disease_of_condition.values()))
        ours = simulated(endemic, n, first, purpose)
    rng = np.random.default_rng([_SEED, purpose])
    for protocol in protocols:
        visit = visit_of(patients, schema, protocol, rng)
        if ours is not None:
            more = simulated_visit_of(ours, schema, patients.ontology, protocol, rng)
            visit = Visit(
                protocol=visit.protocol,
                rows=np.vstack((visit.rows, more.rows)),
                truth=np.concatenate((visit.truth, more.truth)),
            )
        yield visit


def visit_of(
    patients: Sample, schema: FeatureSchema, protocol: Protocol, rng: np.random.Generator
) -> Visit:
    """Return DDXPlus patients as visits of one kind."""
    if protocol == FULL:
        rows = patients.fully_asked(schema)
    else:
        budget = _budget(protocol, len(patients.truth), rng)
        rows = patients.partly_asked(schema, budget, patients.rates(), rng)
    return Visit(protocol=_name(protocol), rows=rows, truth=patients.truth)


def simulated_visit_of(
    ours: Simulated,
    schema: FeatureSchema,
    ontology: KindOf | None,
    protocol: Protocol,
    rng: np.random.Generator,
) -> Visit:
    """Return simulated patients as visits of one kind."""
    if protocol == FULL:
        rows = ours.fully_asked(schema, ontology)
    else:
        budget = _budget(protocol, len(ours.truth), rng)
        rows = ours.partly_asked(schema, ontology, budget, rng)
    return Visit(protocol=_name(protocol), rows=rows, truth=ours.truth)


def _name(protocol: Protocol) -> str:
    return protocol if isinstance(protocol, str) else f"present_{protocol}"


def _budget(protocol: Protocol, n: int, rng: np.random.Generator) -> Budget:
    return Budget.fixed(n, present=protocol) if isinstance(protocol, int) else Budget.clinic(n, rng)


def fit_outside(
    familiar: Iterable[Rows],
    schema: FeatureSchema,
    bayes: BayesTable,
    source: Indices,
    rate: float = RATE,
) -> OutsideModel:
    """Return the model made of `familiar` visits.

    source: int64 (n_diseases,), number of the source that describes each disease. A band too small
    to hold STEPS visits is joined with the next.

    Raises:
        CommonFitError: a source has too few visits for a single band.
    """
    seen = [explained(rows, schema, bayes) for rows in familiar]
    present = np.concatenate([e.present for e in seen])
    scores = np.concatenate([e.score for e in seen])
    sources = source[np.concatenate([e.believed for e in seen])]
    return OutsideModel(
        bayes_digest=bayes.digest,
        rate=rate,
        least_present=LEAST_PRESENT,
        source=tuple(source.tolist()),
        bands=tuple(
            tuple(_bands(present[sources == number], scores[sources == number]))
            for number in range(int(source.max()) + 1)
        ),
    )


def sources_of(n_diseases: int, endemic: EndemicKnowledge | None) -> Indices:
    """Return 0 for the diseases of DDXPlus and 1 for the endemic ones, which follow."""
    ours = len(endemic.diseases) if endemic else 0
    return (np.arange(n_diseases) >= n_diseases - ours).astype(np.int64)


def _bands(present: Indices, scores: NDArray[np.float64]) -> Iterator[FamiliarBand]:
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
