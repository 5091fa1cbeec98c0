"""Held-out cases of both worlds, as the gate between common and rare sees them."""

from collections.abc import Iterable

import numpy as np

from ddx.domain.case import Case
from ddx.engine import Engine
from ddx.inference.meta import GATE_FEATURES, MetaModel, WorldAnswers
from ddx.inquiry.interview import with_budget
from training.sources.phenopackets import LabelledCase

PRESENT_ASKED = (2, 13)
EXCLUDED_ASKED = (0, 13)
"""Findings of a masked visit: a clinician asks eight to fifteen questions (half-open ranges)."""


def ungated() -> MetaModel:
    """Return an aggregation with no opinion: what an engine needs before its gate is fitted."""
    zeros = np.zeros(len(GATE_FEATURES))
    return MetaModel(
        mean=zeros,
        scale=np.ones(len(GATE_FEATURES)),
        weights=zeros,
        bias=0.0,
        rare_prior=0.5,
    )


def common_answers(
    engine: Engine, cases: Iterable[Case], rng: np.random.Generator
) -> list[WorldAnswers]:
    """Return what both models say of common cases, each masked to one visit's questions."""
    return [_answers(engine, _masked(case, rng)) for case in cases]


def rare_answers(engine: Engine, cases: Iterable[LabelledCase]) -> list[WorldAnswers]:
    """Return what both models say of published rare cases."""
    return [_answers(engine, published.case) for published in cases]


def _answers(engine: Engine, case: Case) -> WorldAnswers:
    row, query = engine.read(case)
    return engine.answers(case, row, engine.rank(case, query))


def _masked(case: Case, rng: np.random.Generator) -> Case:
    return with_budget(
        case,
        present=int(rng.integers(*PRESENT_ASKED)),
        excluded=int(rng.integers(*EXCLUDED_ASKED)),
        rng=rng,
    )
