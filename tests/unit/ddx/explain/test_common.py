"""Why a common disease stands where it stands."""

import numpy as np
import pytest
import xgboost
from support.tiny_patients import Members, fit, patients, vocabulary

from ddx.domain.case import Case, Sex
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import DiseaseId, FindingId
from ddx.errors import SchemaMismatchError, UnknownDiseaseError
from ddx.explain.common import CommonExplainer
from ddx.features.encode import FeatureRow, encode
from ddx.features.schema import FeatureSchema
from ddx.inference.common import CommonModel
from ddx.inquiry.interview import with_budget
from training.export.forest import forest_of
from training.fit.partial import Budget
from training.fit.sample import Sample
from training.sources.ddxplus import case_of

HERNIA = DiseaseId("VD:inguinal-hernia")
GROIN, INTENSITY = FindingId("VF:pain-site.groin"), FindingId("VF:pain-intensity")


@pytest.fixture(scope="module")
def model():
    return CommonModel.from_artifacts(Members(fit().members()))


@pytest.fixture(scope="module")
def explainer(model):
    return CommonExplainer.from_artifacts(Members(fit().members()), model.schema)


def groin_pain_only():
    groin = Finding(id=GROIN, presence=Presence.PRESENT)
    return Case(age_days=15_000, sex=Sex.UNKNOWN, findings=(groin,))


def test_reasons_add_up_to_the_margin_of_every_disease(model, explainer):
    rng = np.random.default_rng(0)
    cases = [case_of(p, vocabulary()) for p in fit().patients[:20]]
    cases += [with_budget(case, present=2, excluded=1, rng=rng) for case in cases]
    for case in cases:
        row = encode(case, model.schema)
        for disease, margin in zip(model.diseases, model.margins(row), strict=True):
            base, weights = explainer.contributions(row, disease)
            assert base + weights.sum() == pytest.approx(margin, abs=1e-4)


def test_reasons_are_those_of_the_table_and_of_xgboost_itself():
    bayes, schema, diseases = fit().bayes, fit().schema, fit().diseases
    sample = Sample.of(patients(), vocabulary(), diseases, None)
    rng = np.random.default_rng(6)
    budget = Budget.clinic(len(sample.truth), rng)
    rows = sample.partly_asked(schema, budget, sample.rates(), rng)
    matrix = xgboost.DMatrix(rows, sample.truth, base_margin=bayes.margins_of(rows))
    parameters = {"objective": "multi:softprob", "num_class": len(diseases), "base_score": 0.0}
    booster = xgboost.train({**parameters, "max_depth": 3, "nthread": 1}, matrix, 5)
    forest = forest_of(
        bytes(booster.save_raw("json")),
        schema_hash=schema.hash,
        frequency=np.zeros((len(diseases), len(schema)), dtype=np.float32),
        bayes_digest=bayes.digest,
    )
    explainer = CommonExplainer(forest, diseases, schema, bayes)
    theirs = booster.predict(matrix, pred_contribs=True)
    for i in range(30):
        row = FeatureRow(values=rows[i], asked=~np.isnan(rows[i]), dropped=())
        for number, disease in enumerate(diseases):
            base, weights = explainer.contributions(row, disease)
            both = theirs[i, number, :-1] + bayes.contributions(rows[i], number)
            np.testing.assert_allclose(weights, both, atol=2e-5)
            assert base + weights.sum() == pytest.approx(theirs[i, number].sum(), abs=1e-4)


def test_groin_pain_is_the_first_reason_for_a_hernia(model, explainer):
    explanation = explainer.explain(encode(groin_pain_only(), model.schema), HERNIA)
    first = explanation.contributions[0]
    assert (first.subject, first.presence) == (GROIN, Presence.PRESENT)
    assert first.weight > 0
    assert first.frequency == pytest.approx(0.9, abs=0.06)


def test_explanation_adds_up_and_names_what_was_not_asked(model, explainer):
    explanation = explainer.explain(encode(groin_pain_only(), model.schema), HERNIA)
    total = explanation.base + sum(c.weight for c in explanation.contributions)
    assert total == pytest.approx(explanation.margin, abs=1e-9)
    assert explanation.expected == (INTENSITY,)
    states = {c.subject: c.presence for c in explanation.contributions}
    assert states.get("sex", Presence.UNKNOWN) is Presence.UNKNOWN


def test_unknown_disease_has_no_reasons(model, explainer):
    with pytest.raises(UnknownDiseaseError):
        explainer.explain(encode(groin_pain_only(), model.schema), DiseaseId("VD:scurvy"))


def test_trees_of_another_schema_are_refused():
    other = FeatureSchema(fit().schema.columns[::-1])
    with pytest.raises(SchemaMismatchError):
        CommonExplainer.from_artifacts(Members(fit().members()), other)
