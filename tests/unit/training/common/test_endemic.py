"""Endemic diseases beside published ones: seen by Bayes, not by trees, in one list."""

import numpy as np
import pytest
from support.tiny_patients import DISEASES, SEVERITY, TINY_SETTINGS, Members, patients, vocabulary

from ddx.domain.case import Case, Sex
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import DiseaseId, FindingId
from ddx.explain.common import CommonExplainer
from ddx.explain.trees import Forest
from ddx.features.encode import EXCLUDED, PRESENT, UNKNOWN, encode
from ddx.inference.common import CommonModel
from training.fit.common import fit_patients
from training.fit.endemic import ENDEMIC_PRIOR, Purpose, simulated, write_implied
from training.fit.partial import Budget
from training.sources.endemic import endemic_knowledge

DENGUE = DiseaseId("VD:dengue-without-warning-signs")
FEVER = FindingId("HP:0001945")
SIGNS = (FEVER, FindingId("HP:0002315"), FindingId("VF:retro-orbital-pain"))


@pytest.fixture(scope="module")
def fit():
    endemic = endemic_knowledge()
    return fit_patients(
        patients(),
        vocabulary(),
        {**SEVERITY, **{disease.id: disease.severity for disease in endemic.diseases}},
        ontology=None,
        settings=TINY_SETTINGS,
        progress=lambda _line: None,
        endemic=endemic,
    )


def case_of(*present):
    findings = tuple(Finding(id=f, presence=Presence.PRESENT) for f in present)
    return Case(age_days=9_000, sex=Sex.FEMALE, findings=findings)


def test_all_diseases_compete_published_ones_first(fit):
    assert len(fit.diseases) == len(DISEASES) + len(endemic_knowledge().diseases)
    assert set(fit.diseases[: len(DISEASES)]) == {DiseaseId(row.id) for row in DISEASES}


def test_fever_headache_and_pain_behind_the_eyes_point_to_dengue(fit):
    row = encode(case_of(*SIGNS), fit.schema)
    order = np.argsort(-fit.model.probabilities(row))
    assert any(fit.diseases[i].startswith("VD:dengue") for i in order[:3])


def test_without_findings_the_endemic_share_is_the_prior(fit):
    nothing = np.full((1, len(fit.schema)), np.nan, dtype=np.float32)
    margins = fit.bayes.margins_of(nothing)[0]
    assert np.exp(margins[len(DISEASES) :]).sum() == pytest.approx(ENDEMIC_PRIOR, abs=1e-9)


def test_reasons_for_an_endemic_disease_are_those_of_bayes_and_add_up(fit):
    members = Members(fit.members())
    model = CommonModel.from_artifacts(members)
    explainer = CommonExplainer.from_artifacts(members, model.schema)
    row = encode(case_of(*SIGNS), model.schema)
    base, weights = explainer.contributions(row, DENGUE)
    at = model.diseases.index(DENGUE)
    assert base + weights.sum() == pytest.approx(model.margins(row)[at], abs=1e-9)
    np.testing.assert_allclose(weights, fit.bayes.contributions(row.values, at), atol=1e-12)
    named = explainer.explain(row, DENGUE)
    assert {c.subject for c in named.contributions} <= {*SIGNS, "age", "sex"}


def test_frequency_is_not_claimed_for_what_nobody_described(fit):
    members = Members(fit.members())
    explainer = CommonExplainer.from_artifacts(members, fit.schema)
    row = encode(case_of(FindingId("VF:retro-orbital-pain")), fit.schema)
    for contribution in explainer.explain(row, DiseaseId("VD:inguinal-hernia")).contributions:
        if contribution.subject == "VF:retro-orbital-pain":
            assert contribution.frequency is None
    forest = Forest.from_npz(fit.trees)
    column = fit.schema.positions[FindingId("VF:retro-orbital-pain")]
    assert not forest.described[: len(DISEASES), column].any()
    assert np.isfinite(forest.frequency[:, column]).all()


def test_trees_add_nothing_to_an_endemic_disease(fit):
    rows = np.stack([encode(case_of(*SIGNS[:k]), fit.schema).values for k in range(4)])
    added = fit.model.margins_of(rows) - fit.bayes.margins_of(rows)
    assert not added[:, len(DISEASES) :].any()


def test_simulated_figures_are_named_as_such(fit):
    named = {name for name in fit.metrics if name.startswith("simulated_")}
    assert {"simulated_full_evidence", "simulated_clinic_visit", "simulated_present_5"} <= named
    assert fit.metrics["simulated_full_evidence"]["top3"].value > 0.8
    assert "mixed_clinic_visit" in fit.metrics


def test_each_purpose_draws_patients_of_its_own_and_the_same_every_time():
    knowledge = endemic_knowledge()
    one = simulated(knowledge, 3, 4, Purpose.COUNTING)
    again = simulated(knowledge, 3, 4, Purpose.COUNTING)
    other = simulated(knowledge, 3, 4, Purpose.MEASURING)
    np.testing.assert_array_equal(one.table.presence, again.table.presence)
    assert not np.array_equal(one.table.presence, other.table.presence)
    assert one.truth.tolist() == [4 + i // 3 for i in range(3 * len(knowledge.diseases))]


def test_partly_asked_simulated_patients_keep_only_what_is_true(fit):
    some = simulated(endemic_knowledge(), 5, 4, Purpose.MEASURING)
    n = len(some.truth)
    budget = Budget.fixed(n, present=4, excluded=5)
    rows = some.partly_asked(fit.schema, None, budget, np.random.default_rng(0))
    whole = some.fully_asked(fit.schema, None)
    known = ~np.isnan(rows)
    np.testing.assert_array_equal(rows[known], whole[known])
    assert (rows[:, 2:] > 0).sum(axis=1).max() == 4


def test_simulated_patients_become_cases_without_what_they_cannot_tell():
    some = simulated(endemic_knowledge(), 5, 4, Purpose.MEASURING)
    silent = int((some.table.presence == UNKNOWN).any(axis=1).argmax())
    (case,) = some.cases([silent])
    states = some.table.presence[silent]
    assert len(case.present) == (states == PRESENT).sum()
    assert len(case.excluded) == (states == EXCLUDED).sum()


def test_what_is_implied_is_written_only_where_nobody_asked():
    rows = np.array([[np.nan, 1.0], [0.0, 1.0], [np.nan, 0.0]], dtype=np.float32)
    write_implied(rows, {0: (1,)})
    np.testing.assert_array_equal(rows[:, 0], [1.0, 0.0, np.nan])
