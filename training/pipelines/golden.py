"""Golden cases: answers that a bundle must reproduce on a device before it may serve.

No patient stands behind them. They are drawn at random from the vocabulary the bundle itself
carries, so that they may travel with it.
"""

import json
from collections.abc import Iterator

import numpy as np

from ddx.domain.case import DAYS_PER_YEAR, Case, Sex
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import FindingId
from ddx.domain.wire import case_to_json
from ddx.engine import Engine

COMMON_CASES = 24
RARE_CASES = 24
TOP = 10
"""Candidates written per case: what a clinician sees without scrolling."""


def golden_cases(engine: Engine, seed: int = 20261123) -> bytes:
    """Return the member `golden/cases.json` with the answers `engine` gives today."""
    return json.dumps(
        [
            {
                "case": case_to_json(case),
                "differential": {
                    "top": [
                        [c.disease, c.probability] for c in engine.diagnose(case).candidates[:TOP]
                    ]
                },
            }
            for case in _cases(engine, np.random.default_rng(seed))
        ],
        separators=(",", ":"),
    ).encode()


def _cases(engine: Engine, rng: np.random.Generator) -> Iterator[Case]:
    common = engine.catalogue.findings
    rare = tuple(term for term in engine.catalogue.ontology.ids if term not in set(common))
    for _ in range(COMMON_CASES):
        yield _case(common, rng)
    for _ in range(RARE_CASES):
        yield _case(rare, rng)


def _case(vocabulary: tuple[FindingId, ...], rng: np.random.Generator) -> Case:
    chosen = rng.choice(len(vocabulary), size=int(rng.integers(3, 13)), replace=False)
    present = rng.random(len(chosen)) < 0.7  # a typical visit names more than it excludes
    return Case(
        age_days=int(rng.integers(0, int(90 * DAYS_PER_YEAR))),
        sex=(Sex.FEMALE, Sex.MALE, Sex.UNKNOWN)[int(rng.integers(3))],
        findings=tuple(
            Finding(
                id=vocabulary[at],
                presence=Presence.PRESENT if seen else Presence.EXCLUDED,
                grade=float(rng.integers(1, 11)) if seen else None,
            )
            for at, seen in zip(chosen, present, strict=True)
        ),
    )
