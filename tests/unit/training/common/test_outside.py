"""Familiar visits are told at the stated rate; two diseases at once, and the card, are told."""

import json

import numpy as np
import pytest
from support.tiny_patients import fit, patients

from ddx.inference.outside import explained
from training.evaluate import outside
from training.fit.endemic import Purpose
from training.fit.outside import BOUNDS, CLINIC, FULL, LEAST_PRESENT, RATE, fit_outside, visits
from training.fit.sample import CommonFitError, Sample, split_patients
from training.pipelines.outside_card import outside_markdown


@pytest.fixture(scope="module")
def material():
    """Six thousand patients in miniature, counted anew; their table is not that of `fit`."""
    made, many = fit(), patients(6000, seed=8)
    everyone = Sample.of(many, made.vocabulary, made.diseases, None)
    return outside.Material.of(everyone, split_patients(many), made.schema, made.diseases, None)


@pytest.fixture(scope="module")
def bayes(material):
    return material.counts.table(material.known, selective=True)


@pytest.fixture(scope="module")
def model(material, bayes):
    return fit_outside(
        (v.rows for v in material.calibration()), material.schema, bayes, material.source
    )


def test_every_kind_of_visit_holds_the_same_patients(material):
    made = {visit.protocol: visit for visit in material.test(50, (1, CLINIC, FULL))}
    assert list(made) == ["present_1", CLINIC, FULL]
    assert all(len(visit.truth) == 50 for visit in made.values())
    findings = list(material.schema.positions.values())
    present = {name: (v.rows[:, findings] > 0).sum(axis=1) for name, v in made.items()}
    assert present["present_1"].max() == 1
    assert present[FULL].sum() > present["present_1"].sum()


def test_bands_hold_the_visits_and_too_small_ones_are_joined(model, material, bayes):
    (bands,) = model.bands
    assert bands[-1].present_to is None
    assert len(bands) < len(BOUNDS)  # nobody here has thirty findings
    present = np.concatenate(
        [explained(v.rows, material.schema, bayes).present for v in material.calibration()]
    )
    assert sum(band.cases for band in bands) == (present >= LEAST_PRESENT).sum()


def test_too_few_visits_are_refused(material, bayes):
    few = [visit.rows for visit in material.test(5, (3,))]
    with pytest.raises(CommonFitError, match="fewer than 99 visits"):
        fit_outside(few, material.schema, bayes, material.source)


def test_familiar_visits_are_told_at_most_at_the_stated_rate(model, material, bayes):
    for visit in material.test(600, (3, CLINIC, FULL)):
        p = model.p_values(visit.rows, material.schema, bayes)
        assessed = p[~np.isnan(p)]
        assert len(assessed) > 100
        # scores take few values here and ties count for explained; 600 patients err by 0.02
        assert (assessed <= RATE).mean() <= RATE + 0.025


def test_a_disease_left_out_takes_its_column_and_what_only_it_has(material):
    disease = material.diseases.index("VD:urticaria")
    table, readable = material.without(disease)
    assert len(table.prior) == len(material.diseases) - 1
    assert np.exp(table.prior).sum() == pytest.approx(1.0)
    assert not readable[material.schema.positions["VF:skin-lesion"]]  # nobody else has it
    assert readable[material.schema.positions["HP:0012735"]]


def test_findings_of_two_diseases_at_once_are_told(model, material, bayes):
    schema = material.schema
    row = np.full((1, len(schema)), np.nan, dtype=np.float32)
    for finding in ("VF:skin-lesion", "VF:pain-site.groin", "HP:0001945", "HP:0002094"):
        row[0, schema.positions[finding]] = 1.0
    assert model.p_values(row, schema, bayes)[0] <= RATE


def test_figures_stand_in_the_card(material, model, bayes, monkeypatch):
    monkeypatch.setattr(outside, "read_phenopackets", lambda _: ())
    monkeypatch.setattr(
        outside,
        "rare",
        lambda *_: {
            "visits": 2,
            "assessed": 1,
            "told": {"value": 1.0, "low": 1.0, "high": 1.0},
            "auroc_against_clinic_visits": 0.9,
            "by_findings_read": {},
        },
    )
    monkeypatch.setattr(outside, "LEFT_OUT_AT", (3, FULL))
    section = json.loads(json.dumps(outside.measure(model, bayes, material, None)))
    assert set(section["left_out_diseases"]) == set(material.diseases)
    text = outside_markdown(section)
    for protocol in ("present_3", FULL):
        found = section["left_out"][protocol]["auroc"]
        assert f"| {protocol} | all | {found['value']:.3f}" in text
        assert 0.0 <= found["value"] <= 1.0
    assert "clinic_visit" in text


def test_a_card_without_the_figures_says_so():
    assert "Not measured" in outside_markdown(None)


def test_visits_of_a_purpose_repeat():
    made = fit()
    sample = Sample.of(made.patients, made.vocabulary, made.diseases, None)
    once, again = (
        next(visits(sample, made.schema, None, Purpose.CALIBRATION, protocols=(3,))).rows
        for _ in range(2)
    )
    np.testing.assert_array_equal(once, again)
