"""What is exported answers like what was fitted, or is not exported at all."""

import json

import numpy as np
import pytest
import xgboost

from ddx.domain.identifiers import DiseaseId, FindingId
from ddx.features.schema import Column, ColumnKind, FeatureSchema
from ddx.inference.common import (
    CORRECTED_KEY,
    SCHEMA_HASH_KEY,
    Calibration,
    CommonModel,
)
from ddx.inference.session import ModelSession
from training.export.forest import ExportError, forest_of
from training.export.onnx import onnx_of
from training.export.parity import prove_parity

DISEASES = tuple(DiseaseId(f"VD:d{i}") for i in range(3))
CALIBRATION = Calibration(diseases=DISEASES, temperature=0.8)
SCHEMA = FeatureSchema(
    (
        Column(ColumnKind.AGE_YEARS),
        Column(ColumnKind.SEX_FEMALE),
        *(Column(ColumnKind.PRESENCE, FindingId(f"VF:f{i}")) for i in range(3)),
    )
)
FREQUENCY = np.zeros((3, 5), dtype=np.float32)


def trees_of(raw, frequency=FREQUENCY):
    return forest_of(
        raw,
        schema_hash=SCHEMA.hash,
        frequency=frequency,
        described=np.ones(frequency.shape, dtype=bool),
        bayes_digest=None,
    )


def model_of(forest):
    session = ModelSession.from_bytes(onnx_of(forest, corrected=3))
    return CommonModel(session, SCHEMA, CALIBRATION, None)


def some_rows(n=1000):
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(n, 5)).astype(np.float32)
    rows[:, 0] = rng.integers(0, 2, n)
    rows[rng.random(rows.shape) < 0.4] = np.nan
    return rows


@pytest.fixture(scope="module")
def booster():
    rows = some_rows()
    truth = (np.nan_to_num(rows[:, 1]) > 0).astype(int) + (np.nan_to_num(rows[:, 0]) > 0)
    parameters = {"objective": "multi:softprob", "num_class": 3, "nthread": 1, "max_depth": 5}
    return xgboost.train(parameters, xgboost.DMatrix(rows, truth), 20)


@pytest.fixture(scope="module")
def forest(booster):
    return trees_of(bytes(booster.save_raw("json")))


def margins_of(booster, rows):
    return booster.predict(xgboost.DMatrix(rows), output_margin=True).astype(np.float64)


def test_thousand_rows_with_gaps_agree_within_the_limit(booster, forest):
    rows = some_rows()
    assert prove_parity(model_of(forest), rows, margins_of(booster, rows)) < 1e-5


def test_value_on_a_threshold_goes_the_same_way(booster, forest):
    inner = forest.feature >= 0
    rows = np.full((int(inner.sum()), 5), np.nan, dtype=np.float32)
    rows[np.arange(len(rows)), forest.feature[inner]] = forest.value[inner]
    assert prove_parity(model_of(forest), rows, margins_of(booster, rows)) < 1e-5


def test_model_that_answers_otherwise_is_not_released(booster, forest):
    rows = some_rows(20)
    margins = margins_of(booster, rows)
    margins[:, 0] += 0.01
    with pytest.raises(ExportError, match="differ"):
        prove_parity(model_of(forest), rows, margins)


def test_parity_on_complete_rows_only_proves_nothing(booster, forest):
    rows = np.nan_to_num(some_rows(20))
    with pytest.raises(ExportError, match="unknown"):
        prove_parity(model_of(forest), rows, margins_of(booster, rows))


def test_export_is_the_same_bytes_twice_and_names_its_schema(forest):
    raw = onnx_of(forest, corrected=3)
    assert raw == onnx_of(forest, corrected=3)
    written = {SCHEMA_HASH_KEY: SCHEMA.hash, CORRECTED_KEY: "3"}
    assert ModelSession.from_bytes(raw).metadata == written


def test_diseases_past_the_classes_of_the_booster_get_no_tree(booster):
    wider = np.zeros((5, 5), dtype=np.float32)
    forest = trees_of(bytes(booster.save_raw("json")), wider)
    answers = ModelSession.from_bytes(onnx_of(forest, corrected=3)).run(some_rows(50))
    assert answers.shape == (50, 5)
    assert not answers[:, 3:].any()
    assert answers[:, :3].any()


def test_more_classes_than_diseases_are_refused(booster):
    with pytest.raises(ExportError, match="named"):
        trees_of(bytes(booster.save_raw("json")), np.zeros((2, 5), dtype=np.float32))


def test_categorical_splits_are_refused(booster):
    raw = json.loads(bytes(booster.save_raw("json")))
    raw["learner"]["gradient_booster"]["model"]["trees"][0]["split_type"][0] = 1
    with pytest.raises(ExportError):
        trees_of(json.dumps(raw).encode())


def test_json_that_is_no_booster_is_refused():
    with pytest.raises(ExportError):
        trees_of(b"{}")
