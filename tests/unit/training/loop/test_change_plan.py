"""The plan is the only place with limits, and a slip of the pen in it is refused."""

import os
import subprocess
import sys

import pytest
import yaml

from model_bundles.authoring import commands
from model_bundles.rollout import STAGES
from training.change_plan import ChangePlanError, change_plan, read_plan
from training.shipped import PLAN


@pytest.fixture
def edited(tmp_path):
    def edit(change):
        raw = yaml.safe_load(PLAN.read_bytes())
        change(raw)
        path = tmp_path / "pccp.yaml"
        path.write_text(yaml.safe_dump(raw), encoding="utf-8")
        return path

    return edit


def test_every_number_has_a_source(edited):
    def forget(raw):
        del raw["gate"]["latency"]["most_p99_ms"]["source"]

    with pytest.raises(ChangePlanError, match=r"most_p99_ms\.source"):
        read_plan(edited(forget))


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw["gate"].update(f2={"must_rise_by": {"value": 0, "source": "nobody"}}),
        lambda raw: raw["gate"]["critical_recall"]["may_fall_by"].update(value=1.5),
        lambda raw: raw["rollout"]["stages_percent"].update(value=[25, 20, 100]),
        lambda raw: raw["rollout"]["stages_percent"].update(value=[25, 50]),
        lambda raw: raw["rollout"]["false_rollback_chance"].update(value=0.5),
        lambda raw: raw["notify"].update(high=["fax"]),
        lambda raw: raw["changes"]["members"].append("models/rare_index.npz"),
        lambda raw: raw["changes"]["impact"].pop(),
        lambda raw: raw["changes"]["impact"][0]["members"].append("models/meta.json"),
        lambda raw: raw["changes"]["impact"][0].update(held_by=["hope"]),
        lambda raw: raw["roles"].pop("clinical_safety"),
        lambda raw: raw["approval"].update(role="ml_lead"),
        lambda raw: raw["roles"]["loop"].update(may=["approve", "everything"]),
        lambda raw: raw.update(format=2),
    ],
    ids=[
        "unknown gate",
        "range",
        "falling stages",
        "ends early",
        "chances",
        "service",
        "member without assessment",
        "assessment gone",
        "assessed twice",
        "held by nothing",
        "nobody may stop",
        "approver",
        "act",
        "format",
    ],
)
def test_a_slip_of_the_pen_is_refused(edited, change):
    with pytest.raises(ChangePlanError):
        read_plan(edited(change))


def test_another_limit_is_another_plan(edited):
    path = edited(lambda raw: raw["approval"]["signatures"].update(value=4))
    assert read_plan(path).digest != change_plan().digest


def test_the_digest_is_the_same_in_every_process():
    probe = "from training.change_plan import change_plan; print(change_plan().digest)"
    for seed in ("1", "2"):
        told = subprocess.run(
            [sys.executable, "-c", probe],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(PLAN.parents[2])},
            capture_output=True,
            text=True,
            check=True,
        )
        assert told.stdout.strip() == change_plan().digest


def test_the_stages_are_those_the_devices_and_the_keys_command_know():
    rollout = change_plan().rollout
    percent = (rollout.ab_percent.value, *rollout.stages_percent.value)
    assert tuple(100 * p for p in percent) == STAGES


def test_every_key_of_a_role_is_one_that_can_be_made():
    for key in {duty.key for duty in change_plan().roles.values()}:
        made = commands._parser().parse_args(
            ["create", "--role", key, "--holder", "Ana", "--out", "a.key"]
        )
        assert made.role == key
