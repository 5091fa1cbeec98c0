"""Boosts on the workers of a Spark cluster: each holds some columns of every row.

`xgboost.spark` cannot start the trees of each disease from a margin of its own
(docs/adr/0030-columns-not-rows-on-spark.md), so this goes one floor below it: a barrier stage whose
tasks form XGBoost's own communicator. Split by columns, a worker sums the histogram of a column
over all rows as one process would, in the same order, and draws the same rows: the trees are those
of `EmbeddedFitter` to the last bit, however many workers there are.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Thread
from typing import Any, ClassVar, Final

import numpy as np
import xgboost
from py4j.protocol import Py4JError
from pyspark import BarrierTaskContext
from pyspark.sql import SparkSession
from xgboost import collective
from xgboost.core import DataSplitMode
from xgboost.tracker import RabitTracker

from ddx.errors import DdxError
from training.fit.fitter import Boosting, FitRows, Progress, device_here, trained

_GPU: Final = "gpu"
"""Resource of a task. Source: Spark documentation, Custom Resource Scheduling."""


class SparkFitError(DdxError):
    """Spark is not there or its workers could not fit. Nothing was kept; run it again."""

    code: ClassVar[str] = "training.spark"
    retryable: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SparkFitter:
    """Implements `Fitter`. workers: tasks that fit together, each in a slot of its own."""

    spark: SparkSession
    workers: int

    def fit(self, boosting: Boosting, progress: Progress) -> xgboost.Booster:
        """See `Fitter.fit`. The rows travel once to each worker; it keeps its own columns."""
        workers = min(self.workers, boosting.training.values.shape[1])
        sent = self.spark.sparkContext.broadcast(boosting)
        try:
            (model,) = self._run(workers, lambda: bytes(_fit(sent.value).save_raw("json")))
        finally:
            sent.destroy()
        progress(f"boosted on {workers} workers of Spark")
        booster = xgboost.Booster()
        booster.load_model(bytearray(model))
        return booster

    def device(self) -> str:
        """See `Fitter.device`: `cuda` when every worker has one."""
        found = self._run(self.workers, _devices)
        return "cuda" if all(device == "cuda" for device in found[0]) else "cpu"

    def _run(self, workers: int, made: Callable[[], Any]) -> list[Any]:
        """Return what the first worker made; all of them make it, at the same time."""

        def task(_: Iterable[int]) -> Iterable[Any]:
            found = made()
            if BarrierTaskContext.get().partitionId() == 0:
                yield found

        slots = self.spark.sparkContext.parallelize(range(workers), workers)
        try:
            return slots.barrier().mapPartitions(task).collect()
        except Py4JError as error:
            raise SparkFitError(
                f"{workers} workers of Spark could not fit together; they need as many free slots, "
                "and the reason stands in their log"
            ) from error


def _devices() -> list[str]:
    """Return what every worker can fit on. Two must not share a GPU: Spark has to hand them out."""
    context = BarrierTaskContext.get()
    return context.allGather(device_here() if _GPU in context.resources() else "cpu")


def _fit(boosting: Boosting) -> xgboost.Booster:
    """Fit in a barrier task, together with the others. A stage that is retried meets anew."""
    context = BarrierTaskContext.get()
    parameters = dict(boosting.parameters)
    if parameters.get("device") == "cuda":
        parameters["device"] = f"cuda:{_gpu(context)}"
    with collective.CommunicatorContext(dmlc_task_id=str(context.partitionId()), **_met(context)):
        threads, judging = parameters["nthread"], boosting.judging
        return trained(
            replace(boosting, parameters=parameters),
            _matrix(boosting.training, threads),
            None if judging is None else _matrix(judging, threads),
        )


def _met(context: BarrierTaskContext) -> dict[str, Any]:
    """Return how the workers find each other: the first of them runs the tracker."""
    told = "{}"
    if context.partitionId() == 0:
        host = context.getTaskInfos()[0].address.split(":")[0]
        tracker = RabitTracker(n_workers=len(context.getTaskInfos()), host_ip=host, sortby="task")
        tracker.start()
        Thread(target=tracker.wait_for, daemon=True).start()  # it holds the tracker until all left
        told = json.dumps(tracker.worker_args())
    found: dict[str, Any] = json.loads(context.allGather(told)[0])
    return found


def _matrix(rows: FitRows, threads: object) -> xgboost.DMatrix:
    """Return this worker's columns. A QuantileDMatrix of columns counts only those of its own."""
    rank, workers = collective.get_rank(), collective.get_world_size()
    ends = np.linspace(0, rows.values.shape[1], workers + 1).astype(int)
    return xgboost.DMatrix(
        rows.values[:, ends[rank] : ends[rank + 1]],
        rows.truth,
        weight=rows.weights,
        base_margin=rows.margins,
        nthread=threads,
        data_split_mode=DataSplitMode.COL,
    )


def _gpu(context: BarrierTaskContext) -> str:
    """Return the GPU Spark gave this task; the first where a person asked all the same."""
    given = context.resources().get(_GPU)
    return given.addresses[0] if given else "0"


@contextmanager
def cluster_fitter(workers: int) -> Iterator[SparkFitter]:
    """Yield a fitter on the session of the cluster this runs on; the session stays open."""
    yield SparkFitter(spark=SparkSession.builder.getOrCreate(), workers=workers)


@contextmanager
def local_fitter(workers: int) -> Iterator[SparkFitter]:
    """Yield a fitter on an Apache Spark of this machine, on loopback, that ends with the block.

    Raises SparkFitError when there is no Java.
    """
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        raise SparkFitError("Apache Spark needs a Java: install openjdk-17-jre-headless")
    os.environ.pop("SPARK_CONNECT_MODE_ENABLED", None)
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder: Any = SparkSession.builder
    spark = (
        builder.master(f"local[{workers}]")
        .appName("vereda-fit")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.memory", "2g")
        .config("spark.log.level", "ERROR")
        .getOrCreate()
    )
    try:
        yield SparkFitter(spark=spark, workers=workers)
    finally:
        spark.stop()
