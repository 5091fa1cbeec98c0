"""The step of a release that interviews, on a few real held-out patients of the data set."""

import json

import pytest

from ddx.inference.conformal import ConformalSets
from training.evaluate.conformal import REPORTED
from training.evaluate.held_out import HeldOut
from training.pipelines.visits import Sizes, measure_visits
from training.pipelines.visits_card import visits_markdown

pytestmark = [pytest.mark.data, pytest.mark.slow]

FEW = Sizes(
    calibrated=400,
    calibrated_interviews=60,
    measured_interviews=60,
    ranked=30,
    simulated_calibrated=10,
    simulated_measured=10,
)


def test_a_few_patients_give_sets_figures_and_a_section_of_the_card(clinical_data):
    held = HeldOut.read(clinical_data)
    found = measure_visits(
        held.engine,
        held.everyone,
        held.split,
        say=lambda _line: None,
        sizes=FEW,
    )
    assert ConformalSets.from_json(found.sets.to_json()) == found.sets
    assert found.sets.groups.count(0) == 49
    assert {line.protocol for line in found.coverage} == set(REPORTED)
    full = next(line for line in found.coverage if line.protocol == "full_evidence")
    assert full.bare.value == pytest.approx(0.90, abs=0.04)  # all test patients; 400 calibrated
    assert full.shown.value > 0.98
    adaptive, at_random = found.interviews["adaptive"], found.interviews["random"]
    assert adaptive["top1"]["10"]["value"] > at_random["top1"]["10"]["value"] + 0.2
    text = visits_markdown(json.loads(json.dumps(found.to_json(), allow_nan=False)))
    assert "**gap by sex**" in text
