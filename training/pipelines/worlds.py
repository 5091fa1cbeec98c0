"""Held-out cases of both worlds, as the gate between common and rare sees them.

Every case is seen twice: as a whole visit, or as published, and with a few findings. Patients of
both common sources answer nothing but what the common model has a column for; a clinician writes
other words as well ("pain in the groin" where the model knows the iliac fossa). In part of the
visits some findings therefore have no column, or the gate would take any such finding for a sign
of a rare disease.
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from ddx.domain.case import Case
from ddx.engine import Engine
from ddx.features.encode import FeatureRow, encode
from ddx.inference.meta import GATE_FEATURES, MetaModel, WorldAnswers
from ddx.inquiry.interview import partial, with_budget
from training.sources.phenopackets import LabelledCase

PRESENT_ASKED = (2, 13)
EXCLUDED_ASKED = (0, 13)
"""Findings of a masked visit: a clinician asks eight to fifteen questions (half-open ranges)."""

PRESENT_OF_FEW, EXCLUDED_OF_FEW = (1, 6), (0, 5)
"""Findings of a visit of few (half-open ranges)."""

VIEWS = 2
"""Answers per case, one after another: the whole visit, then few findings."""

UNREAD_VISITS = 0.05
UNREAD_FINDINGS = (1, 3)
"""Share of common visits in which findings have no column, and how many have none (half-open
range). Estimates: no register says in what words clinicians describe common disease."""


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
    """Return what both models say of common cases, VIEWS of each."""
    return [
        _partly_read(engine, view, rng)
        for case in cases
        for view in (_masked(case, PRESENT_ASKED, EXCLUDED_ASKED, rng), _few(case, rng))
    ]


def rare_answers(
    engine: Engine, cases: Iterable[LabelledCase], rng: np.random.Generator
) -> list[WorldAnswers]:
    """Return what both models say of published rare cases, VIEWS of each."""
    return [
        _answers(engine, view, engine.read(view)[0])
        for published in cases
        for view in (published.case, _few(published.case, rng))
    ]


def _partly_read(engine: Engine, case: Case, rng: np.random.Generator) -> WorldAnswers:
    """Return what both say of `case` when the common model may lack columns for findings."""
    wanted = int(rng.integers(*UNREAD_FINDINGS)) if rng.random() < UNREAD_VISITS else 0
    unread = {case.present[i].id for i in rng.permutation(len(case.present))[:wanted]}
    read = partial(case, {finding.id for finding in case.findings} - unread)
    row = encode(read, engine.common.schema, engine.catalogue.ontology)
    return _answers(engine, case, replace(row, dropped=(*row.dropped, *unread)))


def _answers(engine: Engine, case: Case, row: FeatureRow) -> WorldAnswers:
    return engine.answers(case, row)


def _few(case: Case, rng: np.random.Generator) -> Case:
    return _masked(case, PRESENT_OF_FEW, EXCLUDED_OF_FEW, rng)


def _masked(
    case: Case, present: tuple[int, int], excluded: tuple[int, int], rng: np.random.Generator
) -> Case:
    """Return `case` with as many findings as drawn from these half-open ranges."""
    return with_budget(
        case,
        present=int(rng.integers(*present)),
        excluded=int(rng.integers(*excluded)),
        rng=rng,
    )
