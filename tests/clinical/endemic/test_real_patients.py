"""The line lists kept for tests, measured: the regression of the published figure comes out."""

import pytest

from ddx.engine import Engine
from model_bundles.embedded import open_embedded_bundle

pytest.importorskip("training.sources.febrile", reason="python-calamine is not installed")

from training.evaluate import real_patients

pytestmark = [pytest.mark.data, pytest.mark.slow]


@pytest.fixture(scope="module")
def questions(clinical_data):
    engine = Engine.from_artifacts(open_embedded_bundle())
    section = real_patients.measure(engine, clinical_data)
    return {question["key"]: question for question in section["questions"]}


def test_every_question_has_the_patients_its_source_counts(questions):
    counts = {key: (q["positive"], q["patients"]) for key, q in questions.items()}
    assert counts["chikungunya_foz"] == (1102, 1953)
    assert counts["dengue_vietnam"] == (1698, 5726)
    assert counts["dengue_indonesia_all"] == (467, 1486)
    assert counts["dengue_indonesia"] == (467, 998)


def test_a_regression_reaches_what_was_published_on_the_same_patients(questions):
    area = questions["chikungunya_foz"]["evidence"]["all"]["regression_cross_validated"]
    assert area["value"] == pytest.approx(0.68, abs=0.02)  # published: .68


def test_the_model_orders_dengue_far_better_than_chance(questions):
    for key in ("dengue_vietnam", "dengue_indonesia"):
        assert questions[key]["evidence"]["all"]["against_the_rest"]["low"] > 0.7
