"""The asset bundle is what Databricks' own models accept, and calls commands that exist."""

import re
from pathlib import Path

import pytest
import yaml
from databricks.bundles.jobs import Job

from training.commands import monitor, retrain

FOLDER = Path(__file__).resolve().parents[4] / "deploy" / "databricks"
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
        Job.from_dict({"name": "x", "clusterz": 1})


def test_the_cluster_is_that_of_the_reference_architecture(jobs):
    cluster = jobs["retrain_ensemble"].job_clusters[0].new_cluster
    assert cluster.node_type_id == cluster.driver_node_type_id == "Standard_NC6s_v3"
    assert (cluster.autoscale.min_workers, cluster.autoscale.max_workers) == (2, 8)
    assert cluster.spark_conf["spark.sql.adaptive.enabled"] == "true"
    assert cluster.spark_conf["spark.databricks.delta.preview.enabled"] == "true"
    assert cluster.custom_tags == {"project": "medical-diagnosis", "environment": "production"}
    assert "gpu-ml" in cluster.spark_version


@pytest.mark.parametrize(
    ("job", "command"), [("retrain_ensemble", retrain), ("monitor_daily", monitor)]
)
def test_each_job_calls_a_command_with_arguments_it_takes(jobs, job, command):
    task = jobs[job].tasks[0]
    assert task.python_wheel_task.entry_point == "vereda-train"
    named, *given = task.python_wheel_task.parameters
    assert named == command.__name__.rpartition(".")[2]
    asked = command._parser().parse_args(given)
    assert asked.lake.startswith("abfss://")
    assert (asked.fitter, asked.workers) == ("databricks", 2)
    least = jobs[job].job_clusters[0].new_cluster.autoscale.min_workers
    assert asked.workers <= least  # a barrier stage waits for all of its workers
    assert task.job_cluster_key == jobs[job].job_clusters[0].job_cluster_key


def test_no_secret_stands_in_the_bundle(jobs):
    told = jobs["retrain_ensemble"].job_clusters[0].new_cluster.spark_env_vars
    addresses = {n: v for n, v in told.items() if n.startswith("VEREDA_")}
    assert all(re.fullmatch(r"\{\{secrets/vereda/[a-z-]+\}\}", v) for v in addresses.values())
