"""From a finished run to the clinics: five signatures, stages, and what each device had."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from support import tiny_loop
from support.gold_lake import write_gold

from ddx.domain.engine_time import step_of
from ddx.domain.identifiers import DiseaseId
from model_bundles.authoring import keyfile
from model_bundles.embedded import open_embedded_bundle
from model_bundles.manifest import Release
from model_bundles.rollout import cohort
from training.change_plan import change_plan
from training.commands import approve, monitor, release, retrain, served
from training.commands.workspace import DONE, REFUSED, STOPPED, Workspace
from training.publish.registry import Registry
from training.rollout.control import FellShort

T0 = datetime(2026, 11, 26, 12, tzinfo=UTC)
PASSPHRASE = "correct horse battery"
PEOPLE = ("Ana", "Beto", "Carla", "Dario", "Elsa")
SHIPPED = open_embedded_bundle().release


@pytest.fixture(scope="module")
def workspace(finished, tmp_path_factory):
    return made_workspace(finished, tmp_path_factory.mktemp("workspace"))


def made_workspace(finished, root):
    """Return a workspace with a finished run, registered in MLflow, and five physicians' keys."""
    space = Workspace(root)
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


def sign(workspace):
    for name in PEOPLE:
        key = ["--key", str(workspace.approvers / f"{name}.key")]
        asked = ["latest", *key, "--root", str(workspace.root)]
        assert approve.main(asked, ask=lambda _: PASSPHRASE) == DONE


def test_a_candidate_goes_to_the_clinics_with_five_signatures_and_comes_back_when_it_fails(
    workspace, finished, tmp_path, capsys
):
    quiet = {
        finished.version: {"cases": 200, "errors": 0, "slow": 90},
        SHIPPED.version: {"cases": 1800, "errors": 2, "slow": 900},
    }
    assert go_on(workspace, 0, tmp_path, quiet) == REFUSED
    assert "0 of 5 physicians have signed" in capsys.readouterr().err
    sign(workspace)
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


def go_on_by_devices_alone(workspace, hours):
    given = ["latest", "--root", str(workspace.root), "--keys", str(workspace.root / "keys")]
    given += ["--clinic-root", str(embedded_by_clinics(workspace))]
    given += ["--lake", str(workspace.root / "lake")]
    return release.main([*given, "--at", (T0 + timedelta(hours=hours)).isoformat()])


def test_a_fleet_in_which_only_devices_diagnose_carries_a_release_and_takes_it_back(
    finished, tmp_path, capsys
):
    workspace = made_workspace(finished, tmp_path / "workspace")
    sign(workspace)
    lake, place = workspace.root / "lake", iter(range(10_000, 90_000, 1_000))
    influenzas = [pair for pair in tiny_loop.cases(500) if pair[1] == FLU]
    assert len(influenzas) > 100

    def diagnoses(version, hours, seconds):
        start = T0 + timedelta(hours=hours)
        write_gold(
            lake,
            influenzas,
            first=next(place),
            start=start,
            minutes_apart=0.1,
            model=version,
            proposed=FLU,
            took_s=step_of(seconds),
        )

    for seconds in (0.03, 0.04, 0.05):
        diagnoses(SHIPPED.version, -48, seconds)
    assert go_on_by_devices_alone(workspace, 0) == DONE
    for seconds in (0.03, 0.04, 0.05):
        diagnoses(SHIPPED.version, 20, seconds)
        diagnoses(finished.version, 21, seconds)
    assert go_on_by_devices_alone(workspace, 24) == DONE
    assert offered(workspace) == (finished.version, 2500), capsys.readouterr()

    for seconds in (0.03, 0.04, 0.05):
        diagnoses(SHIPPED.version, 25, seconds)
        diagnoses(finished.version, 25, 3 * seconds)
    assert go_on_by_devices_alone(workspace, 26) == STOPPED
    assert "rolled back (latency)" in capsys.readouterr().out
    assert workspace.current().release == SHIPPED


SHOCK, FLU = DiseaseId("VD:anaphylaxis"), DiseaseId("VD:influenza")


class SaysNothing:
    """An engine in place of the bundle's: what clinics were proposed stands in the lake."""

    candidates = ()

    def diagnose(self, _case):
        return self


def critical_visits(workspace, version, first, *, missed):
    """Write 220 patients with anaphylaxis of whom `missed` were taken for influenza."""
    (case, _), *_ = (pair for pair in tiny_loop.cases(40) if pair[1] == SHOCK)
    lake, day = workspace.root / "lake", T0 + timedelta(days=2, hours=1)
    for n, said in ((missed, FLU), (220 - missed, SHOCK)):
        made = [(case, SHOCK)] * n
        write_gold(lake, made, first=first, start=day, model=version, proposed=said)
        first += n


def monitor_day(workspace, *more):
    until = (T0 + timedelta(days=3)).isoformat()
    given = ["--root", str(workspace.root), "--lake", str(workspace.root / "lake")]
    return monitor.main([*given, "--until", until, "--no-page", *more])


@pytest.mark.slow
def test_a_model_in_production_that_misses_critical_patients_is_taken_back_by_the_monitor(
    finished, tmp_path, capsys, monkeypatch
):
    """Spec, Severity 1: critical recall below 80 %, automatic rollback to the last stable one."""
    monkeypatch.setattr(monitor.Engine, "from_artifacts", lambda _: SaysNothing())
    space, ours = made_workspace(finished, tmp_path), Release(finished.version, finished.digest)
    sign(space)
    telemetry = {
        v: {"cases": 900, "errors": 1, "slow": 400} for v in (ours.version, SHIPPED.version)
    }
    for hours in (0, 24, 28, 32, 36, 40):
        assert go_on(space, hours, tmp_path, telemetry) == DONE
    assert space.current().release == ours
    assert Registry(space.tracking).at_alias("production") == ours.version

    critical_visits(space, SHIPPED.version, 1000, missed=220)  # of the model before: says nothing
    assert monitor_day(space) == DONE
    assert space.current().release == ours
    critical_visits(space, ours.version, 2000, missed=99)
    shutil.rmtree(space.root / "watch")
    capsys.readouterr()
    elsewhere = ("--keys", str(tmp_path / "elsewhere"))
    assert monitor_day(space, *elsewhere) == DONE
    told = capsys.readouterr().out
    assert "CRITICAL     critical_recall_rollback" in told
    assert "the fleet's keys are not here" in told
    assert space.current().release == ours
    assert not (tmp_path / "elsewhere").exists()
    assert monitor_day(space, *elsewhere, "--dry-run") == DONE
    assert "take" not in capsys.readouterr().out

    assert go_on(space, 73, tmp_path, telemetry) == STOPPED  # the next hour, where the keys are
    assert space.current().release == SHIPPED
    assert space.fleet(space.root / "keys").orders().destination(ours) == SHIPPED
    registry = Registry(space.tracking)
    assert registry.stages() == {ours.version: "Archived"}
    assert registry.at_alias("production") is None
    *_, back, again = space.ledger.entries()
    assert (back.event.value, back.detail["reason"]) == ("rolled_back", "critical_recall")
    assert (again.event.value, again.release) == ("promoted", SHIPPED)
    assert space.highest(SHIPPED.version) == ours.version  # its name stays taken
    assert go_on(space, 74, tmp_path, telemetry) == STOPPED
    assert space.ledger.entries()[-1] == again


def test_the_model_that_came_with_the_application_has_none_before_it(workspace, capsys):
    event = FellShort(at=T0, recall=0.5, floor=0.8)
    nobody = Release("2026.1.1", "e" * 64)
    assert not release.take_back(
        workspace, nobody, event, change_plan(), keys=workspace.root / "keys", say=print
    )
    assert capsys.readouterr().out == ""


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
