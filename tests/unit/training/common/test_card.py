"""The card says how the common model did beside its rivals, for whom, and on what it rests."""

import json

from support.tiny_patients import fit

from training.pipelines.common_card import BARS, common_json, common_markdown
from training.pipelines.visits_card import visits_markdown


def written():
    return json.loads(json.dumps(common_json(fit()), allow_nan=False))


def test_every_bar_stands_beside_the_figures_of_all_models():
    text = common_markdown(written())
    for protocol, bar in BARS.items():
        line = next(row for row in text.splitlines() if row.startswith(f"| {protocol} | {bar:.3f}"))
        assert line.count("|") == 8
        assert f"{fit().metrics[protocol]['top1'].value:.4f}" in line


def test_gaps_between_groups_and_what_calibration_was_tried_are_written():
    card = written()
    assert set(card["fairness"]) == {"full_evidence", "clinic_visit"}
    assert all({"sex", "age"} == set(found) for found in card["fairness"].values())
    assert set(card["calibration"]) == {"untouched_ece", "temperature_ece", "isotonic_ece"}
    text = common_markdown(card)
    assert "**gap by sex**" in text
    assert "**gap by age**" in text


def test_prior_of_endemic_disease_is_called_an_estimate():
    assert written()["endemic_prior_is_estimate"] is True
    assert written()["endemic_diseases"] == 0  # none in the miniature


def estimate(value):
    return {"value": value, "low": value - 0.01, "high": value + 0.01}


def test_orders_gaps_and_sets_of_the_interviews_are_written():
    order = {
        "patients": 900,
        "top1": {"0": estimate(0.31), "3": estimate(0.94), "10": estimate(0.98)},
        "last": {"macro_f1": estimate(0.972), "ece": estimate(0.011)},
    }
    stopped = {"questions_when_stopped": estimate(3.2), "top1_when_stopped": estimate(0.986)}
    every_step = {**order["top1"], "4": estimate(0.95)}
    text = visits_markdown(
        {
            "interviews": {
                "adaptive": {**order, **stopped, "top1": every_step},
                "random": {**order, "top1": {**order["top1"], "10": estimate(0.52)}},
            },
            "fairness_after_interview": written()["fairness"]["clinic_visit"],
            "conformal": [
                {
                    "protocol": "interview_3",
                    "group": "simulated",
                    "patients": 2300,
                    "bare": estimate(0.897),
                    "shown": estimate(0.903),
                    "size": 4.25,
                }
            ],
        }
    )
    after_ten = next(row for row in text.splitlines() if row.startswith("| top-1 after 10 "))
    assert "0.9800" in after_ten
    assert "0.5200" in after_ten
    assert "top-1 after 4 " not in text, "an order that was not ranked there has nothing to say"
    assert "| macro_f1 after 10 | 0.95 |" in text
    assert "0.9860 (0.9760–0.9960) (bar 0.985)" in text
    assert "| interview_3 | simulated | 2,300 | 0.8970 (0.8870–0.9070) |" in text
    assert "**gap by age**" in text
