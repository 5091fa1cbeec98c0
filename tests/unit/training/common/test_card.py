"""The card says how the common model did beside its rivals, for whom, and on what it rests."""

import json

from support.tiny_patients import fit

from training.pipelines.common_card import BARS, common_json, common_markdown


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
