"""Trees boosted from the Bayes margins, on DDXPlus patients asked in full and in part.

A clinic never asks 900 questions, so most rows are partly asked (`training.fit.partial`): what
patients mention, by finding or by question, and short interviews. A question nobody asked is nan,
never zero.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import scipy.sparse
import xgboost
from numpy.typing import NDArray

from ddx.features.schema import FeatureSchema
from training.fit.bayes import BayesSettings
from training.fit.fitter import EMBEDDED, Boosting, FitRows, Fitter, Progress
from training.fit.interview import Interview
from training.fit.partial import Budget
from training.fit.recorded import Recorded
from training.fit.sample import Indices, Rows, Sample, chunks

MAX_BIN: Final = 16
"""Findings need two bins, grades eleven; age is cut as finely as its bands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FitSettings:
    """Size and shape of one fit.

    bayes: constants of the table the trees start from. full_rows: patients with every question
    answered. partial_rows: what patients mention, question_share of them drawn by question, the
    rest by finding. interview_rows: an opening complaint and up to twenty questions. row_share,
    column_share: drawn for each round. shrinkage, least_weight: XGBoost's lambda and
    min_child_weight. Searched by hand on held-out partial evidence: from these
    margins more rounds, deeper trees or more rows move no figure by 0.2 points, and 30 rounds
    without min_split_gain lose 0.1 at three findings. A search of 17 trials (record in
    docs/common_model.md) found nothing better at all bars.
    """

    bayes: BayesSettings = field(default_factory=BayesSettings)
    rounds: int = 15
    depth: int = 4
    learning_rate: float = 0.2
    min_split_gain: float = 0.3
    shrinkage: float = 1.0
    least_weight: float = 1.0
    row_share: float = 0.5
    column_share: float = 0.7
    full_rows: int = 10_000
    partial_rows: int = 120_000
    question_share: float = 0.5
    interview_rows: int = 40_000
    recorded_weight: float = 2.0
    balance: float = 0.0
    device: str = "cpu"
    threads: int = 2
    seed: int = 7


def boost(
    train: Sample,
    schema: FeatureSchema,
    interview: Interview,
    settings: FitSettings,
    progress: Progress,
    *,
    recorded: Recorded | None = None,
    fitter: Fitter = EMBEDDED,
) -> xgboost.Booster:
    """Return trees that correct the margins of the first diseases, those of `train`.

    The margins are those of the table the interviews are held with. recorded: clinics' own visits,
    as they were asked; those of other diseases are left out.
    """
    diseases = int(train.truth.max()) + 1
    made = training_rows(train, schema, interview, settings)
    rows = with_recorded(
        made, recorded, train, schema=schema, interview=interview, settings=settings
    )
    n, columns = rows.values.shape
    progress(f"{n:,} training rows, {columns} columns, {diseases} diseases")
    boosting = Boosting(
        training=rows, parameters=parameters(settings, diseases), rounds=settings.rounds
    )
    return fitter.fit(boosting, progress)


def parameters(settings: FitSettings, diseases: int) -> dict[str, object]:
    """Return the settings in XGBoost's words."""
    return {
        "objective": "multi:softprob",
        "num_class": diseases,
        "base_score": 0.0,
        "tree_method": "hist",
        "max_bin": MAX_BIN,
        "max_depth": settings.depth,
        "eta": settings.learning_rate,
        "gamma": settings.min_split_gain,
        "lambda": settings.shrinkage,
        "min_child_weight": settings.least_weight,
        "device": settings.device,
        "subsample": settings.row_share,
        "colsample_bytree": settings.column_share,
        "nthread": settings.threads,
        "seed": settings.seed,
    }


def training_rows(
    train: Sample,
    schema: FeatureSchema,
    interview: Interview,
    settings: FitSettings,
) -> "TrainingRows":
    """Return rows, Bayes margins and truth; what a sparse row does not store is unknown."""
    rng = np.random.default_rng(settings.seed)
    blocks, margins, chosen = [], [], []
    for patients, rows in _asked(train, schema, interview, settings, rng):
        blocks.append(sparse(rows))
        margins.append(interview.bayes.margins_of(rows).astype(np.float32))
        chosen.append(patients)
    stacked = scipy.sparse.vstack(blocks, format="csr")
    return stacked, np.vstack(margins), train.truth[np.concatenate(chosen)]


TrainingRows = tuple[scipy.sparse.csr_matrix, NDArray[np.float32], Indices]
"""Rows, Bayes margins, truth."""


def with_recorded(
    made: TrainingRows,
    recorded: Recorded | None,
    train: Sample,
    *,
    schema: FeatureSchema,
    interview: Interview,
    settings: FitSettings,
) -> FitRows:
    """Return the rows with the recorded visits added, weighed as the settings say."""
    rows, margins, truth = made
    weights = np.ones(len(truth), dtype=np.float32)
    diseases = int(train.truth.max()) + 1
    known = None if recorded is None else recorded.take(np.flatnonzero(recorded.truth < diseases))
    if known is not None and len(known.truth):
        theirs = known.rows(schema, train.ontology)
        rows = scipy.sparse.vstack((rows, sparse(theirs)), format="csr")
        margins = np.vstack((margins, interview.bayes.margins_of(theirs).astype(np.float32)))
        truth = np.concatenate((truth, known.truth))
        more = np.full(len(known.truth), settings.recorded_weight, dtype=np.float32)
        weights = np.concatenate((weights, more))
    if settings.balance:
        weights = weights * class_weights(truth, diseases, settings.balance)
    alike = bool((weights == 1.0).all())
    return FitRows(
        values=rows,
        margins=margins[:, :diseases],
        truth=truth,
        weights=None if alike else weights,
    )


def class_weights(truth: Indices, diseases: int, strength: float) -> NDArray[np.float32]:
    """Return (mean count / count of the row's disease) ** strength, scaled to a mean of 1."""
    counts = np.maximum(np.bincount(truth, minlength=diseases), 1)
    weights = (counts.mean() / counts[truth]) ** strength
    each: NDArray[np.float32] = (weights / weights.mean()).astype(np.float32)
    return each


def _asked(
    train: Sample,
    schema: FeatureSchema,
    interview: Interview,
    settings: FitSettings,
    rng: np.random.Generator,
) -> Iterator[tuple[Indices, Rows]]:
    """Yield patients by number and as rows, each kind of visit in turn."""
    rates = train.rates()
    by_questions = round(settings.partial_rows * settings.question_share)
    by_findings = settings.partial_rows - by_questions
    for some in chunks(_draw(len(train.truth), settings.full_rows, rng)):
        yield some, train.take(some).fully_asked(schema)
    for by_question, wanted in ((False, by_findings), (True, by_questions)):
        for some in chunks(_draw(len(train.truth), wanted, rng)):
            budget = Budget.clinic(len(some), rng)
            asked = train.take(some)
            yield some, asked.partly_asked(schema, budget, rates, rng, by_question=by_question)
    for some in chunks(_draw(len(train.truth), settings.interview_rows, rng)):
        yield some, interview.hold(train.take(some), schema, rng)


def _draw(n: int, wanted: int, rng: np.random.Generator) -> Indices:
    """Return `wanted` of n patients, every one before any twice."""
    repeats = max(1, -(-wanted // n))
    return np.concatenate([rng.permutation(n) for _ in range(repeats)])[:wanted]


def sparse(rows: Rows) -> scipy.sparse.csr_matrix:
    """Return the known values only; a known zero stays stored, nan does not."""
    known = ~np.isnan(rows)
    offsets = np.concatenate(([0], np.cumsum(known.sum(axis=1))))
    return scipy.sparse.csr_matrix((rows[known], np.nonzero(known)[1], offsets), rows.shape)
