"""The asset bundle is what Databricks' own models accept, and every job starts from the wheel."""

import json
import os
import re
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from databricks.bundles.jobs import Job
from support import tiny_loop
from support.gold_lake import write_gold

from training.commands import monitor, retrain
from training.pipelines.lineage import code_here

ROOT = Path(__file__).resolve().parents[4]
FOLDER = ROOT / "deploy" / "databricks"
BUNDLE = yaml.safe_load((FOLDER / "databricks.yml").read_text(encoding="utf-8"))


def resolved(value):
    """Return the value with the bundle's variables filled in; an unknown one fails."""
    if isinstance(value, dict):
        return {name: resolved(part) for name, part in value.items()}
    if isinstance(value, list):
        return [resolved(part) for part in value]
    if isinstance(value, str):
        return re.sub(r"\$\{var\.(\w+)\}", lambda m: BUNDLE["variables"][m[1]]["default"], value)
    return value


@pytest.fixture(scope="module")
def jobs():
    found = {}
    for pattern in BUNDLE["include"]:
        for path in FOLDER.glob(pattern):
            found |= yaml.safe_load(path.read_text(encoding="utf-8"))["resources"]["jobs"]
    return {name: Job.from_dict(resolved(raw)) for name, raw in found.items()}


def test_a_field_databricks_does_not_know_is_refused():
    with pytest.raises(ValueError, match="clusterz"):
        Job.from_dict({"name": "x", "clusterz": 1})  # type: ignore[typeddict-unknown-key]


def test_the_cluster_is_that_of_the_reference_architecture(jobs):
    cluster = jobs["retrain_ensemble"].job_clusters[0].new_cluster
    assert cluster.node_type_id == cluster.driver_node_type_id == "Standard_NC6s_v3"
    assert (cluster.autoscale.min_workers, cluster.autoscale.max_workers) == (2, 8)
    assert cluster.spark_conf["spark.sql.adaptive.enabled"] == "true"
    assert cluster.spark_conf["spark.databricks.delta.preview.enabled"] == "true"
    assert cluster.custom_tags == {"project": "medical-diagnosis", "environment": "production"}
    assert "gpu-ml" in cluster.spark_version


def tasks_of(jobs):
    return {f"{name}.{task.task_key}": task for name, job in jobs.items() for task in job.tasks}


def test_each_task_runs_on_a_cluster_of_its_job_and_installs_what_was_built(jobs):
    for job in jobs.values():
        clusters = {cluster.job_cluster_key for cluster in job.job_clusters}
        for task in job.tasks:
            assert task.job_cluster_key in clusters
            assert task.python_wheel_task.entry_point == "vereda-job"
            built, *cuda = task.libraries
            assert built.requirements.startswith(VOLUME)
            assert bool(cuda) is (task.job_cluster_key == "ml_training_gpu")


@pytest.mark.parametrize(
    ("job", "command"), [("retrain_ensemble", retrain), ("monitor_daily", monitor)]
)
def test_each_job_that_boosts_does_it_on_the_workers_it_has(jobs, job, command):
    task = jobs[job].tasks[0]
    named, *given = task.python_wheel_task.parameters
    assert named == command.__name__.rpartition(".")[2]
    asked = command._parser().parse_args(given)
    assert (asked.fitter, asked.workers) == ("databricks", 2)
    least = jobs[job].job_clusters[0].new_cluster.autoscale.min_workers
    assert asked.workers <= least  # a barrier stage waits for all of its workers


VOLUME = BUNDLE["variables"]["wheels"]["default"]
LAUNCHER = """
import json, sys
from importlib import metadata

import training
from training.pipelines.lineage import code_here

for name, parameters in json.load(sys.stdin).items():
    print("==", name, flush=True)
    sys.argv = ["launcher", *parameters]
    (entry,) = [e for e in metadata.distribution("vereda").entry_points if e.name == "vereda-job"]
    try:
        entry.load()()
    except SystemExit as ended:
        print("exit", ended.code, flush=True)
print("==", "end")
print(training.__file__)
print(json.dumps([code_here().commit, code_here().sources_sha256]))
"""
"""A process as Databricks starts it: the entry point by its name, parameters as sys.argv."""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Return the folder that build.sh fills, for a volume that is this folder."""
    if not (ROOT / ".git").exists():
        pytest.skip("the wheel is built from what git tracks")
    folder = tmp_path_factory.mktemp("wheels")
    made = [FOLDER / "build.sh", str(folder), str(folder)]
    subprocess.run(made, env=os.environ | {"PYTHON": sys.executable}, check=True)
    return folder


@pytest.fixture(scope="module")
def said(built, jobs, tmp_path_factory):
    """Return what each task says from the wheel alone, as a dry run where it has one."""
    place = tmp_path_factory.mktemp("cluster")
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        wheel.extractall(place / "site")
    write_gold(place / "lake", tiny_loop.cases(1100), start=datetime.now(UTC) - timedelta(days=4))
    here = {"lake": "lake", "learning": "learning", "data": "data", "keys": "keys"}
    there = {BUNDLE["variables"][n]["default"]: str(place / p) for n, p in here.items()}
    given = {}
    for name, task in tasks_of(jobs).items():
        parameters = list(task.python_wheel_task.parameters)
        for before, after in there.items():
            parameters = [p.replace(before, after) for p in parameters]
        given[name] = [*parameters, *([] if name == "lake_tidy.tidy" else ["--dry-run"])]
    done = subprocess.run(
        [sys.executable, "-c", LAUNCHER],
        input=json.dumps(given),
        env={
            **{k: v for k, v in os.environ.items() if not k.startswith("VEREDA_")},
            "PYTHONPATH": str(place / "site"),
            "VEREDA_COMMIT": "c0ffee",
        },
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    parts = re.split(r"^== (.+)$", done.stdout, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True)) | {"site": str(place / "site")}


@pytest.mark.slow
def test_every_task_starts_from_the_built_wheel(said, jobs):
    expected = {
        "lake_hourly.ingest": "would be made",
        "lake_hourly.build": "nothing waits",
        "lake_hourly.features": "would compute the features",
        "lake_tidy.tidy": "gold_cases: ",
        "retrain_ensemble.retrain": "would start retrain-",
        "monitor_daily.monitor": "window: would run",
    }
    refused = {"release_hourly.release"}  # nobody has made a candidate: the job is to fail
    assert {*expected, *refused} == set(tasks_of(jobs))
    for name, words in expected.items():
        assert words in said[name], name
        assert "exit" not in said[name], name
    assert "exit 2" in said["release_hourly.release"]


@pytest.mark.slow
def test_a_run_of_the_wheel_is_found_again_in_a_checkout(said):
    """The same hash over the sources, and the commit the job was told of."""
    place, told = said["end"].strip().splitlines()
    assert place.startswith(said["site"])
    assert json.loads(told) == ["c0ffee", code_here().sources_sha256]


@pytest.mark.slow
def test_pip_takes_what_the_cluster_is_told_to_install(built):
    """The wheel's name is one, its extra is known, and the lock constrains what comes with it."""
    asked = ["-m", "pip", "install", "--dry-run", "--no-index", "--no-deps", "--ignore-installed"]
    done = subprocess.run(
        [sys.executable, *asked, "--quiet", "--report", "-", "-r", built / "requirements.txt"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = json.loads(done.stdout)["install"]
    assert wheel["requested_extras"] == ["training"]
    locked = (built / "constraints.txt").read_text()
    for name in ("deltalake", "mlflow", "xgboost-cpu", "pyspark"):
        assert re.search(rf"^{name}==", locked, flags=re.MULTILINE)
    assert "--hash" not in locked  # one hash asks for the hash of everything, the wheel too


def test_no_secret_stands_in_the_bundle(jobs):
    told = jobs["retrain_ensemble"].job_clusters[0].new_cluster.spark_env_vars
    open_ones = {"VEREDA_COMMIT", "MLFLOW_TRACKING_URI", "AZURE_STORAGE_ACCOUNT_NAME"}
    addresses = {n: v for n, v in told.items() if n not in open_ones}
    assert len(addresses) == 8
    assert all(re.fullmatch(r"\{\{secrets/vereda/[a-z-]+\}\}", v) for v in addresses.values())
