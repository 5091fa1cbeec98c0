"""Answers and figures of both models, as a step keeps them.

Times stand apart from what was said: they differ from run to run, and the bundle's digest must not.
"""

import math
from dataclasses import asdict
from typing import Any

import numpy as np

from ddx.domain.differential import Band, Candidate, World
from ddx.domain.identifiers import disease_id
from training.evaluate.candidate import Answers, Figures
from training.pipelines.steps import Done


def answers_json(answers: Answers) -> dict[str, Any]:
    """Return what one model said, without the times."""
    top = [[[c.disease, c.probability, c.world.value] for c in t] for t in answers.top]
    return {"version": answers.version, "digest": answers.digest, "top": top}


def answers_of(done: Done) -> dict[str, Answers]:
    """Return `current` and `new` of an answers step."""
    seconds, said = done.json("seconds.json"), done.json("answers.json")
    return {
        name: Answers(
            version=raw["version"],
            digest=raw["digest"],
            top=tuple(
                tuple(_candidate(rank, *c) for rank, c in enumerate(t, 1)) for t in raw["top"]
            ),
            seconds=np.array(seconds[name]),
        )
        for name, raw in said.items()
    }


def _candidate(rank: int, disease: str, probability: float, world: str) -> Candidate:
    return Candidate(
        rank=rank,
        disease=disease_id(disease),
        probability=probability,
        band=Band.POSSIBLE,
        world=World(world),
    )


def figures_json(figures: Figures) -> dict[str, Any]:
    """Return the figures; None for nan, which JSON has no word for."""
    return {name: _known(value) for name, value in asdict(figures).items()}


def _known(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _known(part) for name, part in value.items()}
    return None if math.isnan(value) else value
