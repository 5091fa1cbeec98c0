"""From a finished run to the clinics: five signatures, stages, and what each device had."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from support import tiny_loop

from model_bundles.authoring import keyfile
from model_bundles.embedded import open_embedded_bundle
from model_bundles.manifest import Release
from model_bundles.rollout import cohort
from training.change_plan import change_plan
from training.commands import approve, release, retrain, served
from training.commands.workspace import DONE, REFUSED, STOPPED, Workspace
from training.publish.registry import Registry

T0 = datetime(2026, 11, 26, 12, tzinfo=UTC)
PASSPHRASE = "correct horse battery"
PEOPLE = ("Ana", "Beto", "Carla", "Dario", "Elsa")
SHIPPED = open_embedded_bundle().release


@pytest.fixture(scope="module")
def workspace(finished, tmp_path_factory):
    """Return a workspace with a finished run, registered in MLflow, and five physicians' keys."""
    space = Workspace(tmp_path_factory.mktemp("workspace"))
    run = space.runs / finished.folder.name
    shutil.copytree(finished.folder, run)
    (run / "request.json").write_bytes(tiny_loop.request(tiny_loop_lake(space)).to_json())
    said = []
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        for _ in range(2):  # a run that died while telling tells again, and nothing twice
            retrain._tell(replace(finished, folder=run), space, change_plan(), said.append)
    assert sum("is ready for review" in line for line in said) == 1
    for name in PEOPLE:
        path = space.approvers / f"{name}.key"
        keyfile.create(path, role="medical", holder=name, passphrase=PASSPHRASE, scrypt_n=2)
    return space


def tiny_loop_lake(space):
    return tiny_loop.lake(space.root / "lake")


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch, workspace):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(approve, "moment", lambda: T0)


def embedded_by_clinics(workspace):
    """Return the root of trust of the fleet of these tests; its repository is made empty."""
    return workspace.fleet(workspace.root / "keys").directory / "metadata" / "1.root.json"


def offered(workspace):
    offer = workspace.offer()
    return None if offer is None else (offer.release.version, offer.rollout.basis_points)


def go_on(workspace, hours, tmp_path, telemetry):
    path = tmp_path / "telemetry.json"
    path.write_text(json.dumps(telemetry))
    given = ["latest", "--root", str(workspace.root), "--keys", str(workspace.root / "keys")]
    given += ["--clinic-root", str(embedded_by_clinics(workspace))]
    at = (T0 + timedelta(hours=hours)).isoformat()
    return release.main(
        [*given, "--lake", str(workspace.root / "lake"), "--at", at, "--telemetry", str(path)]
    )


def test_a_candidate_goes_to_the_clinics_with_five_signatures_and_comes_back_when_it_fails(
    workspace, finished, tmp_path, capsys
):
    quiet = {
        finished.version: {"cases": 200, "errors": 0, "slow": 90},
        SHIPPED.version: {"cases": 1800, "errors": 2, "slow": 900},
    }
    assert go_on(workspace, 0, tmp_path, quiet) == REFUSED
    assert "0 of 5 physicians have signed" in capsys.readouterr().err
    for name in PEOPLE:
        key = ["--key", str(workspace.approvers / f"{name}.key")]
        asked = ["latest", *key, "--root", str(workspace.root)]
        assert approve.main(asked, ask=lambda _: PASSPHRASE) == DONE
    assert "complete" in capsys.readouterr().out

    mine = ["latest", "--root", str(workspace.root), "--keys", str(workspace.root / "keys")]
    assert release.main(mine) == REFUSED  # signed well, by keys no installed device knows
    assert "no installed device would take" in capsys.readouterr().err
    assert offered(workspace) is None
    assert [e.event.value for e in workspace.ledger.entries()][-1] == "approved"

    assert go_on(workspace, 0, tmp_path, quiet) == DONE
    assert offered(workspace) == (finished.version, 1000)
    assert workspace.current().release == SHIPPED
    told = f"vereda-cloud --repository {workspace.root / 'repository'} --root "
    assert told in capsys.readouterr().out
    assert go_on(workspace, 12, tmp_path, quiet) == DONE
    assert offered(workspace) == (finished.version, 1000)
    assert go_on(workspace, 24, tmp_path, quiet) == DONE
    assert offered(workspace) == (finished.version, 2500)

    bad = {**quiet, finished.version: {"cases": 200, "errors": 12, "slow": 90}}
    assert go_on(workspace, 26, tmp_path, bad) == STOPPED
    assert workspace.current().release == SHIPPED
    orders = workspace.fleet(workspace.root / "keys").orders()
    ours = Release(finished.version, finished.digest)
    assert orders.destination(ours) == SHIPPED
    assert Registry(workspace.tracking).stages() == {finished.version: "Archived"}
    assert go_on(workspace, 27, tmp_path, bad) == STOPPED  # nothing more happens

    device = next(f"d{n}" for n in range(500) if cohort(f"d{n}", finished.version) < 1000)
    entries = workspace.ledger.entries()
    assert [e.event.value for e in entries] == [
        "registered",
        *["approved"] * 5,
        "offered",
        "offered",
        "rolled_back",
    ]
    capsys.readouterr()
    for hours, version in ((1, finished.version), (26.5, SHIPPED.version)):
        at = (T0 + timedelta(hours=hours)).isoformat()
        assert served.main([device, at, "--root", str(workspace.root)]) == DONE
        assert capsys.readouterr().out.startswith(version)


def test_the_run_in_mlflow_holds_figures_parameters_trials_and_the_report(workspace, finished):
    registry = Registry(workspace.tracking)
    (experiment,) = registry.client.search_experiments(filter_string="name LIKE 'retrain_%'")
    (found,) = registry.client.search_runs(
        [experiment.experiment_id], f"tags.digest = '{finished.digest}'"
    )
    run = registry.client.get_run(found.info.run_id)
    told = finished.evaluation.json("evaluation.json")["figures"]
    assert run.data.metrics["new.f1"] == told["new"]["f1"]["value"]
    assert run.data.params["rows.rows_sha256"] == finished.parameters()["rows.rows_sha256"]
    assert run.data.tags["retrain_trigger"] == "schedule"
    names = {a.path for a in registry.client.list_artifacts(run.info.run_id, "report")}
    assert {"report/report.es.html", "report/report.en.html"} <= names
    asked = f"tags.`mlflow.parentRunId` = '{run.info.run_id}'"
    trials = registry.client.search_runs([run.info.experiment_id], asked)
    assert len(trials) == len(finished.trials())
    assert (workspace.root / "artifacts").is_dir()


def test_the_registry_moves_a_release_through_its_stages(workspace, finished, tmp_path):
    registry = Registry(f"sqlite:///{workspace.root / 'mlflow.db'}")
    first, second = Release("2026.11.8", "c" * 64), Release("2026.11.9", "d" * 64)
    run = registry.track(finished, trigger="schedule")
    for made in (first, second):
        registry.register(made, run, tmp_path, {"retrain_trigger": "schedule"})
        assert registry.at_alias("staging") == made.version
        registry.promote(made, T0)
        assert registry.at_alias("production") == made.version
        assert registry.at_alias("staging") is None
    assert registry.stages()[first.version] == "Archived"
    assert registry.stages()[second.version] == "Production"
