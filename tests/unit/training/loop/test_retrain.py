"""A retraining ends with the same candidate however often it is killed, and can be made again."""

import shutil
from dataclasses import replace
from datetime import datetime, timedelta

import deltalake
import pytest
from support import tiny_loop
from support.gold_lake import START, write_gold

from model_bundles.verify import Trust, open_verified
from training.commands import monitor, retrain
from training.commands.rebuild import request_of
from training.commands.workspace import Workspace
from training.lake.gold import read_cases
from training.pipelines import steps
from training.pipelines.lineage import LINEAGE, Lineage, LineageError
from training.pipelines.request import Request, TooFewCasesError, confirmed, pinned, start
from training.pipelines.retrain import CHANNEL
from training.pipelines.steps import StepError, StoppedByPlan
from training.publish.ledger import Event


class Killed(BaseException):
    """The process ends here: nothing behind this line runs, no handler sees it."""


def bundle_of(outcome):
    root = (outcome.signed / "metadata" / "1.root.json").read_bytes()
    return open_verified(outcome.signed, Trust(root), channel=CHANNEL)


def test_a_candidate_is_signed_and_carries_its_lineage(finished, lake):
    bundle = bundle_of(finished)
    lineage = Lineage.of(bundle)
    table = deltalake.DeltaTable(f"{lake}/gold_cases")
    assert bundle.digest == finished.digest
    assert (lineage.rows.table_id, lineage.rows.version) == (str(table.metadata().id), 0)
    assert lineage.rows.count == 120
    assert lineage.code == tiny_loop.CODE
    assert lineage.parameters["settings"]["best"]["rounds"] >= 1
    assert {"xgboost-cpu", "numpy"} <= set(lineage.packages)


def test_what_the_plan_does_not_let_change_is_taken_over_byte_for_byte(finished):
    bundle, before = bundle_of(finished), tiny_loop.current()
    allowed = tiny_loop.change_plan().changes.members
    kept = [name for name in before.members if name not in allowed]
    assert len(kept) > 5
    assert all(bundle.read(name) == before.read(name) for name in kept)


def test_a_rebuild_killed_at_every_step_gives_the_digest_of_the_bundle(
    finished, lake, tmp_path, monkeypatch
):
    request = request_of(Lineage.of(bundle_of(finished)))
    seen: set[str] = set()
    kills = 0

    def dies_at_new_lines(line):
        place = line.partition(":")[0] if line.startswith("trial") else line.split(" s (")[0]
        if place not in seen:
            seen.add(place)
            raise Killed

    def dies_before_the_name(folder, sync=steps._sync):
        if folder.name not in seen and "fit" in folder.name:
            seen.add(folder.name)
            raise Killed
        sync(folder)

    monkeypatch.setattr(steps, "_sync", dies_before_the_name)
    while True:
        try:
            digest = tiny_loop.retraining(
                tmp_path / "run", lake, request, dies_at_new_lines
            ).digest()
            break
        except Killed:
            kills += 1
    assert digest == finished.digest
    assert kills > 15
    names = {line.split(": running")[0].split("] ")[-1] for line in seen if ": running" in line}
    assert names == {"cases", "search", "fit", "around", "answers", "bundle"}
    assert not list((tmp_path / "run" / "steps").glob(".*"))


def test_new_cases_do_not_move_a_run_that_started_before_them(finished, lake, tmp_path):
    copy = tmp_path / "lake"
    write_gold(copy, tiny_loop.cases(120))
    request = tiny_loop.request(copy)
    write_gold(copy, tiny_loop.cases(20, seed=5), first=120)
    again = tiny_loop.retraining(tmp_path / "run", copy, request)
    assert len(again.gold) == 120
    assert again.gold.rows_sha256 == request.rows.rows_sha256


def test_a_lake_whose_pinned_version_reads_otherwise_stops_the_run(lake, tmp_path):
    request = tiny_loop.request(lake)
    other = replace(request, rows=replace(request.rows, rows_sha256="0" * 64))
    with pytest.raises(LineageError, match="other rows"):
        tiny_loop.retraining(tmp_path / "run", lake, other).run()


def test_a_run_does_not_go_on_with_other_code(lake, tmp_path):
    request = tiny_loop.request(lake)
    start(tmp_path, request)
    changed = replace(request, code=replace(request.code, sources_sha256="2" * 64))
    with pytest.raises(StepError, match="code changed"):
        start(tmp_path, changed)
    assert start(tmp_path, request) == request


def test_a_request_survives_being_written_down(lake):
    request = tiny_loop.request(lake)
    assert Request.from_json(request.to_json()) == request


def test_a_dry_run_names_the_first_step_and_writes_nothing(lake, tmp_path):
    said = []
    with pytest.raises(StepError, match="dry run"):
        tiny_loop.retraining(tmp_path / "run", lake, say=said.append, dry_run=True).run()
    assert said == ["[1/8] cases: would run, and what follows"]
    assert not (tmp_path / "run").exists()


def test_rows_that_fail_their_suite_train_nothing(lake, tmp_path):
    def refuse(gold):
        raise StepError(f"{len(gold)} rows are not what is expected")

    with pytest.raises(StepError, match="120 rows"):
        tiny_loop.retraining(tmp_path / "run", lake, check=refuse).run()
    assert not list((tmp_path / "run" / "steps").glob("[0-9]*"))


def test_a_damaged_step_is_made_again(finished, tmp_path):
    run = steps.Steps(tmp_path, lambda _: None, 1)
    first = run.run("one", {}, lambda folder: (folder / "a").write_bytes(b"a"))
    (first.folder / "a").write_bytes(b"b")
    again = steps.Steps(tmp_path, lambda _: None, 1)
    made = again.run("one", {}, lambda folder: (folder / "a").write_bytes(b"a"))
    assert made.read("a") == b"a"


def test_too_few_cases_are_told_before_anything_is_trained(tmp_path):
    write_gold(tmp_path, tiny_loop.cases(30))
    with pytest.raises(StepError, match="too few"):
        tiny_loop.request(tmp_path)


def pin(lake, plan_most, said=None, **more):
    """Return the rows pinned under a plan that expects at most so many new cases."""
    plan = tiny_loop.change_plan().model_copy(deep=True)
    plan.data.window_expected.most.__dict__["value"] = plan_most
    say = (said if said is not None else []).append
    given = {"until": None, "version": None, "held_out": 40, "plan": plan, "say": say, **more}
    return pinned(lake, **given)


def test_few_new_cases_judge_together_with_older_ones_and_leave_some_to_train_on(lake):
    """120 visits five minutes apart, the last 30 new; 40 judge, and 50 before them train."""
    new_since = START + timedelta(minutes=5 * 90)
    said = []
    rows = pin(lake, 50, said, new_since=new_since)
    assert (rows.count, rows.held_out) == (90, 40)
    assert rows.since == (START + timedelta(minutes=5 * 30)).isoformat()
    assert said == ["note: 30 new cases; the plan expects 500 to 50"]
    again = confirmed(read_cases(lake, datetime.fromisoformat(rows.since)))
    assert again.rows_sha256 == rows.rows_sha256


def test_all_new_cases_are_taken_however_many_and_a_given_start_is_kept(lake):
    assert pin(lake, 5, new_since=START + timedelta(minutes=5 * 20)).count == 100
    assert pin(lake, 5, new_since=None).count == 120
    assert pin(lake, 500, since=START + timedelta(minutes=5 * 60)).count == 60


def test_without_a_new_case_nothing_is_trained(lake):
    with pytest.raises(TooFewCasesError, match="newer"):
        pin(lake, 50, new_since=START + timedelta(days=9))


def test_a_candidate_the_plan_stops_counts_as_the_last_training(finished, tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    space = Workspace(tmp_path)
    run = space.runs / finished.folder.name
    shutil.copytree(finished.folder, run)
    (run / "request.json").write_bytes(tiny_loop.request(tiny_loop.lake(tmp_path / "l")).to_json())
    declined = replace(finished, folder=run, signed=None)
    assert monitor._last_ended(space) is None
    for _ in range(2):
        retrain._tell(declined, space, tiny_loop.change_plan(), lambda _: None)
    (entry,) = space.ledger.entries()
    assert (entry.event, entry.digest) == (Event.DECLINED, finished.digest)
    assert monitor._last_ended(space) == entry


def test_a_bundle_without_lineage_says_so():
    with pytest.raises(LineageError, match="no lineage"):
        Lineage.of(tiny_loop.current())
    assert LINEAGE not in tiny_loop.current().members


def test_a_candidate_the_plan_stops_is_reported_and_not_signed(finished, lake, tmp_path):
    """The same candidate under a plan that asks for more: only judging is done again."""
    folder = tmp_path / "run"
    shutil.copytree(finished.folder, folder)
    for signed in folder.glob("steps/08-*"):
        shutil.rmtree(signed)
    strict = tiny_loop.change_plan().model_copy(deep=True)
    rise = strict.gate.f1.must_rise_by.model_copy(update={"value": 0.9})
    f1 = strict.gate.f1.model_copy(update={"must_rise_by": rise})
    plan = strict.model_copy(update={"gate": strict.gate.model_copy(update={"f1": f1})})
    outcome = tiny_loop.retraining(folder, lake, plan=plan).run()
    assert outcome.signed is None
    assert (outcome.evaluation.folder / "report.es.html").is_file()
    assert not list(folder.glob("steps/08-*"))
    with pytest.raises(StoppedByPlan, match="f1"):
        outcome.require()


def test_the_report_tells_what_a_reviewer_needs_in_both_languages(finished):
    page = finished.evaluation.read("report.es.html").decode()
    assert '<html lang="es">' in page
    for told in ("Sensibilidad, enfermedades críticas", "Anafilaxia", "Matriz de confusión"):
        assert told in page
    assert finished.digest in page
    assert "python -m training approve retrain-20261126T100000Z" in page
    assert "Confusion matrix" in finished.evaluation.read("report.en.html").decode()
    assert "<script" not in page
    assert "http" not in page
