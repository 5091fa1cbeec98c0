"""Every fitter gives the trees of the embedded one, to the last bit."""

import dataclasses
import json
import multiprocessing
import os
import shutil

import numpy as np
import pytest

from training.fit import fitter, on_spark
from training.fit.boost import FitSettings, parameters, sparse
from training.fit.fitter import EMBEDDED, Boosting, FitRows, device_here

DISEASES, COLUMNS = 5, 40
NO_JAVA = "no Java here: install openjdk-17-jre-headless to test on Apache Spark"


def rows(n, seed, *, weighed):
    """Return findings that are mostly unknown, an age in days and margins of each disease."""
    rng = np.random.default_rng(seed)
    values = np.full((n, COLUMNS), np.nan, dtype=np.float32)
    asked = rng.random((n, COLUMNS)) < 0.2
    values[asked] = rng.integers(0, 2, asked.sum())
    values[:, 0] = rng.gamma(2.0, 6000.0, n)
    truth = rng.integers(0, DISEASES, n)
    values[np.arange(n), 5 + truth] = rng.random(n) < 0.7
    return FitRows(
        values=sparse(values),
        margins=rng.normal(size=(n, DISEASES)).astype(np.float32),
        truth=truth,
        weights=rng.choice([0.5, 1.0, 3.0], n).astype(np.float32) if weighed else None,
    )


def drawn(**changed):
    """Return a fit that draws rows and columns, as those of a retraining do."""
    settings = FitSettings(rounds=30, depth=3, learning_rate=0.4, threads=1, **changed)
    told = parameters(settings, DISEASES) | {"eval_metric": "mlogloss"}
    return Boosting(training=rows(900, 1, weighed=True), parameters=told, rounds=settings.rounds)


def stopped():
    """Return a fit that rows of its own end early."""
    judging = rows(300, 2, weighed=False)
    return dataclasses.replace(drawn(), judging=judging, patience=3)


def quiet(_line):
    pass


def fit_alone(results):
    """Fit on two workers of Apache Spark. Runs in a process of its own."""
    with on_spark.local_fitter(2) as spark:
        found = {"device": spark.device(), "fit": _told(spark.fit(stopped(), quiet))}
        unfit = dataclasses.replace(drawn(), parameters={**drawn().parameters, "max_depth": -3})
        try:
            spark.fit(unfit, quiet)
        except on_spark.SparkFitError as error:
            found["refused"] = error.code
    results.write_text(json.dumps(found), encoding="utf-8")


def _told(booster):
    best = booster.attributes().get("best_iteration")
    return [bytes(booster.save_raw("json")).decode(), best]


@pytest.mark.slow
def test_workers_of_spark_give_the_trees_of_one_process(tmp_path):
    if shutil.which("java") is None:
        if os.environ.get("VEREDA_REQUIRE_JAVA"):
            pytest.fail(NO_JAVA)
        pytest.skip(NO_JAVA)
    results = tmp_path / "fits.json"
    alone = multiprocessing.get_context("spawn").Process(target=fit_alone, args=(results,))
    alone.start()
    alone.join(200)
    alone.kill()
    assert alone.exitcode == 0
    found = json.loads(results.read_text(encoding="utf-8"))
    alike = _told(EMBEDDED.fit(stopped(), quiet))
    assert found["fit"] == alike
    assert 0 < int(alike[1]) < stopped().rounds - 1
    assert found["device"] == device_here()
    assert found["refused"] == "training.spark"


def test_other_rows_give_other_trees():
    """What the comparison above would miss if trees did not depend on the rows."""
    first = drawn()
    other = dataclasses.replace(first, training=rows(900, 3, weighed=True))
    assert _told(EMBEDDED.fit(first, quiet)) != _told(EMBEDDED.fit(other, quiet))


@pytest.mark.parametrize(("taken", "device"), [("cuda:0", "cuda"), ("cpu", "cpu")])
def test_the_device_is_the_one_xgboost_took_when_offered_a_gpu(monkeypatch, taken, device):
    offered = []

    class Fitted:
        def save_config(self):
            return json.dumps({"learner": {"generic_param": {"device": taken}}})

    def train(told, *_):
        offered.append(told["device"])
        return Fitted()

    monkeypatch.setattr(fitter.xgboost, "train", train)
    assert EMBEDDED.device() == device
    assert offered == ["cuda"]


def test_without_a_java_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(on_spark.shutil, "which", lambda _: None)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(on_spark.SparkFitError, match="openjdk"), on_spark.local_fitter(2):
        pass
