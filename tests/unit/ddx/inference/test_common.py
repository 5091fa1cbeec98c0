"""The common model of a bundle: calibrated, complete, and refused when its parts do not match."""

import numpy as np
import pytest
from support.tiny_patients import Members, fit, vocabulary

from ddx.domain.artifacts import COMMON_CALIBRATION, COMMON_MODEL, COMMON_SCHEMA
from ddx.domain.case import Case, Sex
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import DiseaseId, FindingId
from ddx.errors import ModelError, SchemaMismatchError
from ddx.features.encode import encode
from ddx.features.schema import FeatureSchema
from ddx.inference.common import Calibration, CommonModel
from training.sources.ddxplus import case_of

FLU, HERNIA = DiseaseId("VD:influenza"), DiseaseId("VD:inguinal-hernia")


def loaded(**changed):
    return CommonModel.from_artifacts(Members({**fit().members(), **changed}))


def test_groin_pain_points_to_the_hernia():
    model = loaded()
    groin = Finding(id=FindingId("VF:pain-site.groin"), presence=Presence.PRESENT)
    case = Case(age_days=15_000, sex=Sex.MALE, findings=(groin,))
    probabilities = model.probabilities(encode(case, model.schema))
    assert model.diseases[int(probabilities.argmax())] == HERNIA


def test_probabilities_are_the_tempered_softmax_of_the_margins():
    model = loaded()
    row = encode(case_of(fit().patients[0], vocabulary()), model.schema)
    margins = model.margins(row) / fit().calibration.temperature
    by_hand = np.exp(margins) / np.exp(margins).sum()
    np.testing.assert_allclose(model.probabilities(row), by_hand, rtol=1e-12)
    assert model.probabilities(row).sum() == pytest.approx(1.0, abs=1e-12)
    assert model.probabilities(row).dtype == np.float64


def test_one_row_and_many_rows_agree():
    model = loaded()
    rows = [encode(case_of(p, vocabulary()), model.schema) for p in fit().patients[:5]]
    together = model.probabilities_of(np.stack([r.values for r in rows]))
    np.testing.assert_array_equal(together, np.stack([model.probabilities(r) for r in rows]))


def test_softmax_of_huge_margins_does_not_overflow():
    calibration = Calibration(diseases=(FLU, HERNIA), temperature=0.5)
    np.testing.assert_allclose(calibration.probabilities(np.array([5000.0, -5000.0])), [1.0, 0.0])


def test_schema_of_another_model_is_refused():
    other = FeatureSchema(fit().schema.columns[::-1])
    with pytest.raises(SchemaMismatchError):
        loaded(**{COMMON_SCHEMA: other.to_json()})


def test_disease_list_of_another_length_is_refused():
    short = Calibration(diseases=(FLU,), temperature=1.0)
    with pytest.raises(SchemaMismatchError):
        loaded(**{COMMON_CALIBRATION: short.to_json()})


@pytest.mark.parametrize(
    "raw",
    [
        b"{}",
        b"no json",
        b'{"diseases":["VD:influenza"],"temperature":0}',
        b'{"diseases":["VD:influenza"],"temperature":NaN}',
        b'{"diseases":["flu"],"temperature":1}',
        b'{"diseases":["VD:influenza","VD:influenza"],"temperature":1}',
    ],
)
def test_malformed_calibration_is_a_model_error(raw):
    with pytest.raises(ModelError):
        Calibration.from_json(raw)


def test_bundle_without_the_model_is_a_model_error():
    members = {k: v for k, v in fit().members().items() if k != COMMON_MODEL}
    with pytest.raises(ModelError):
        CommonModel.from_artifacts(Members(members))
