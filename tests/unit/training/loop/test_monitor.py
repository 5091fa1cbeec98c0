"""Drift is caught within a day, twenty quiet days stay quiet, and late labels are told apart."""

import json
import math
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from support import tiny_loop
from support.gold_lake import START, write_gold

from ddx.domain.case import VitalSigns
from ddx.domain.identifiers import DiseaseId
from model_bundles.manifest import Release
from training.change_plan import change_plan
from training.commands import monitor, retrain
from training.commands.workspace import REFUSED, STOPPED, Workspace
from training.evaluate.common import Estimate
from training.lake.gold import read_cases
from training.monitor import daily, evidently_page, notify
from training.monitor.daily import DailyWatch, Watched, findings_from
from training.monitor.drift import Drift, column_drift, drift_of
from training.monitor.performance import Performance, expected_f1, performance_of
from training.monitor.snapshot import aligned, counts_of
from training.monitor.stretch import Stretch, stretch_of
from training.monitor.triggers import Day, Trigger, judge_day
from training.pipelines.request import REQUEST, Request
from training.pipelines.steps import StepError
from training.publish.ledger import Event

PLAN = change_plan()
WATCH = PLAN.monitor
PER_DAY = 300
FLU, SHOCK = DiseaseId("VD:influenza"), DiseaseId("VD:anaphylaxis")


def visits(n, seed, weights=None, thermometer=None):
    """Return n labelled visits of the miniature, with temperatures; seeded."""
    rng = np.random.default_rng(seed)
    pool = tiny_loop.cases(n if weights is None else 4 * n, seed=seed)
    chance = np.array([1.0 if weights is None else weights.get(d, 1.0) for _, d in pool])
    chosen = rng.choice(len(pool), size=n, replace=False, p=chance / chance.sum())
    return [
        (
            replace(
                pool[i][0],
                vitals=VitalSigns(
                    temperature_c=round(float(rng.normal(37.2, 0.8)), 1)
                    if thermometer is None
                    else thermometer
                ),
            ),
            pool[i][1],
        )
        for i in chosen
    ]


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    lake = tmp_path_factory.mktemp("reference")
    write_gold(lake, visits(2000, 1))
    return counts_of(read_cases(lake))


def score(reference, lake, cases):
    write_gold(lake, cases)
    day = read_cases(lake)
    before, now = aligned(reference, counts_of(day))
    return drift_of(before, now, len(day), WATCH)


def test_twenty_days_without_drift_raise_no_alarm(reference, tmp_path):
    worst = [
        score(reference, tmp_path / str(seed), visits(PER_DAY, 100 + seed)).score
        for seed in range(20)
    ]
    assert max(worst) < WATCH.drift_alert.value


def test_a_broken_thermometer_is_named_the_same_day(reference, tmp_path):
    found = score(reference, tmp_path, visits(PER_DAY, 7, thermometer=36.0))
    assert found.score > WATCH.drift_retrain.value
    assert found.columns[0].column == "temperature_c"
    assert found.columns[0].moved == "from 36.0"


def test_a_season_with_another_prevalence_is_caught_the_same_day(reference, tmp_path):
    found = score(reference, tmp_path, visits(PER_DAY, 8, weights={SHOCK: 12.0}))
    assert found.score > WATCH.drift_alert.value


def test_a_moderate_shift_scores_the_alert_and_a_major_one_the_retraining():
    """PSI by hand: shares (.5, .5) -> (.5+d, .5-d); many cases, so noise takes nothing off."""
    for psi, threshold in ((0.1, WATCH.drift_alert), (0.25, WATCH.drift_retrain)):
        steps = np.arange(0, 0.5, 1e-5)
        d = next(d for d in steps if d * math.log((0.5 + d) / (0.5 - d)) >= psi)
        n = 10_000_000
        before, now = {"a": n / 2, "b": n / 2}, {"a": n * (0.5 + d), "b": n * (0.5 - d)}
        found = column_drift("x", before, now, 1e-5, WATCH.drift_half_psi.value)
        assert found.psi == pytest.approx(psi, rel=1e-3)
        assert found.score == pytest.approx(psi / (psi + 0.1), rel=1e-3)
        assert found.score >= threshold.value - 1e-3


@pytest.mark.data
def test_dengue_of_other_years_is_caught_and_days_of_the_same_year_are_not(clinical_data):
    """Peru's notified dengue: 300 notifications of a day against the year 2019."""
    import csv
    import gzip

    path = clinical_data / "latam" / "peru_dengue_2019_2022.csv.gz"
    years = {}
    with gzip.open(path, "rt", encoding="utf-8-sig") as lines:
        for row in csv.DictReader(lines):
            years.setdefault(row["ano"], []).append(row)
    rng = np.random.default_rng(3)

    def columns(rows):
        ages = Counter(f"from {15 * (int(float(r['edad'])) // 15)}" for r in rows)
        named = {k: Counter(r[k] for r in rows) for k in ("departamento", "sexo", "enfermedad")}
        return {"age": ages, **named}

    def day(year):
        rows = years[year]
        chosen = rng.choice(len(rows), PER_DAY, replace=False)
        return drift_of(columns(years["2019"]), columns([rows[i] for i in chosen]), PER_DAY, WATCH)

    assert max(day("2019").score for _ in range(20)) < WATCH.drift_alert.value
    for year in ("2020", "2021", "2022"):
        found = [day(year) for _ in range(5)]
        assert min(d.score for d in found) > WATCH.drift_alert.value
        assert {d.columns[0].column for d in found} == {"departamento"}


def test_a_finding_nobody_asks_any_more_is_drift(reference, tmp_path):
    mute = [
        (replace(c, findings=tuple(f for f in c.findings if f.id != "HP:0012735")), d)
        for c, d in visits(PER_DAY, 9)
    ]
    found = score(reference, tmp_path, mute)
    assert found.columns[0].column == "HP:0012735"
    assert found.score > WATCH.drift_retrain.value


def test_expected_f1_by_hand():
    """Two cases, flu 0.8 and shock 0.6 first, the rest on the other; said: flu, shock.

    Truth (flu, shock), 0.48: F1 1. (flu, flu), 0.32: one disease, F1 2/3. (shock, shock), 0.12:
    2/3. (shock, flu), 0.08: 0.
    """
    found = expected_f1([{FLU: 0.8, SHOCK: 0.2}, {SHOCK: 0.6, FLU: 0.4}])
    assert found == pytest.approx(0.48 + (0.32 + 0.12) * 2 / 3, abs=0.05)
    assert expected_f1([{FLU: 1.0}, {SHOCK: 1.0}]) == 1.0
    assert math.isnan(expected_f1([]))


def test_estimate_and_truth_agree_when_probabilities_are_calibrated():
    rng = np.random.default_rng(2)
    sure = rng.choice([0.6, 0.75, 0.9], size=3000)
    first = rng.random(3000) < 0.5
    cases = [
        {FLU: float(p), SHOCK: float(1 - p)} if f else {SHOCK: float(p), FLU: float(1 - p)}
        for p, f in zip(sure, first, strict=True)
    ]
    right = rng.random(3000) < sure
    said = [FLU if f else SHOCK for f in first]
    truth = [s if r else (SHOCK if s == FLU else FLU) for s, r in zip(said, right, strict=True)]
    labels = [t if n % 3 == 0 else None for n, t in enumerate(truth)]
    found = performance_of(cases, said, labels, {SHOCK: 1, FLU: 4}.get)
    assert (found.cases, found.labelled) == (3000, 1000)
    assert found.estimated == pytest.approx(found.confirmed.value, abs=0.04)
    assert found.confirmed.low < found.estimated_labelled < found.confirmed.high


def test_without_labels_the_estimate_stands_alone():
    found = performance_of([{FLU: 0.9}], [FLU], [None], {}.get)
    assert found.labelled == 0
    assert math.isnan(found.confirmed.value)


NOW = datetime(2026, 11, 26, tzinfo=UTC)


def day(
    *,
    score=0.0,
    f1=0.9,
    labelled=500,
    base=0.9,
    recall=0.97,
    trained_days=3,
    half=0.02,
    cases=300,
    of_day=300,
    reference=2000,
):
    column = () if not score else (column_drift("a", {"x": 1}, {"x": 1}, 0.1, 0.1),)
    drift = Drift(cases=cases, columns=tuple(replace(c, score=score) for c in column))
    performance = Performance(
        cases=600,
        labelled=labelled,
        estimated=f1,
        estimated_labelled=f1,
        confirmed=Estimate(f1, f1 - half, f1 + half),
        critical_recall=Estimate(recall, recall - half, recall + half),
    )
    return Day(
        at=NOW,
        last_training=NOW - timedelta(days=trained_days),
        of_day=of_day,
        reference=reference,
        drift=drift,
        performance=performance,
        baseline_f1=base,
    )


@pytest.mark.parametrize(
    ("made", "codes", "retrain"),
    [
        (day(), [], None),
        (day(score=0.55), ["drift_alert"], None),
        (day(score=0.75), ["drift_retrain"], Trigger.DRIFT),
        (day(f1=0.85, base=0.9), ["f1_drop"], Trigger.PERFORMANCE),
        (day(f1=0.85, base=0.9, labelled=50), [], None),
        (day(f1=0.85, base=0.9, half=0.08), [], None),
        (day(f1=0.80, base=float("nan")), ["f1_low"], Trigger.PERFORMANCE),
        (day(recall=0.90), ["critical_recall_low"], None),
        (day(recall=0.70), ["critical_recall_rollback"], None),
        (day(trained_days=14), ["schedule"], Trigger.SCHEDULE),
        (day(of_day=0, cases=0, trained_days=14), ["no_cases", "schedule"], Trigger.SCHEDULE),
        (day(reference=0, cases=0), ["no_reference"], None),
        (day(score=0.9, cases=99, of_day=60), ["few_cases"], None),
    ],
)
def test_triggers_and_alarms_follow_the_plan(made, codes, retrain):
    found = judge_day(made, WATCH)
    assert [f.code for f in found] == codes
    assert [f.retrain for f in found if f.retrain] == ([retrain] if retrain else [])


def test_a_day_is_watched_in_steps_and_a_second_look_does_nothing_again(tmp_path):
    lake, days = tmp_path / "lake", timedelta(days=1)
    write_gold(lake, visits(400, 11), minutes_apart=5.0)
    write_gold(lake, visits(280, 12, thermometer=36.0), first=400, start=START + 2 * days)
    version = read_cases(lake).version

    class NobodyAsks:
        def diagnose(self, case):
            found = type("Found", (), {})()
            found.candidates = ()
            return found

    def watch(said):
        return DailyWatch(
            folder=tmp_path / "watch",
            lake=lake,
            watched=Watched(
                version=version,
                model="2026.11.1",
                reference_since=None,
                reference_until=START + 2 * days,
                stretch=Stretch(
                    since=START + 2 * days,
                    until=START + 3 * days,
                    days=1,
                    of_day=280,
                    cases=280,
                ),
                labels_since=START,
                last_training=START,
                baseline_f1=0.9,
            ),
            engine=NobodyAsks,
            severity={}.get,
            plan=PLAN,
            say=said.append,
            page=False,
        ).run()

    first, again = [], []
    done = watch(first)
    assert "drift_retrain" in [f.code for f in findings_from(done)]
    assert json.loads(done.read("verdict.json"))["cases"] == 280
    assert watch(again).digest == done.digest
    assert all("done before" in line for line in again)


def test_without_evidently_the_watch_goes_on_and_says_so(tmp_path, monkeypatch):
    """The page's process ends with an error; nothing of the cases is left on the disk."""
    write_gold(tmp_path / "lake", visits(60, 13))
    gold = read_cases(tmp_path / "lake")
    monkeypatch.setattr(evidently_page.sys, "executable", "/bin/false")
    with pytest.raises(evidently_page.EvidentlyError, match="not made"):
        evidently_page.write_page(gold, gold, tmp_path / "page.html")
    assert [p.name for p in tmp_path.iterdir()] == ["lake"]
    flat = evidently_page._flat(gold, ["HP:0012735"])
    assert set(flat.column("HP:0012735").to_pylist()) <= {"present", "excluded", "unknown"}
    assert "predicted" not in flat.column_names  # nobody proposed anything here


MIDNIGHT = datetime(2026, 11, 15, tzinfo=UTC)
DAY = timedelta(days=1)


def times(*counts):
    """Return visits of the days before MIDNIGHT, the newest day first."""
    return [
        MIDNIGHT - (back + 1) * DAY + timedelta(minutes=n)
        for back, count in enumerate(counts)
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("counts", "days", "cases"),
    [
        ((300, 300), 1, 300),
        ((60, 30, 20, 90), 3, 110),
        ((60, 0, 0, 60), 4, 120),
        ((1,) * 20, 14, 14),
        ((0, 300), 1, 0),
        ((), 1, 0),
    ],
)
def test_a_day_with_few_cases_is_joined_to_as_many_before_it_as_it_needs(counts, days, cases):
    found = stretch_of(times(*counts), MIDNIGHT, WATCH)
    assert (found.days, found.cases) == (days, cases)
    assert (found.since, found.until) == (MIDNIGHT - days * DAY, MIDNIGHT)
    assert found.of_day == (counts[0] if counts else 0)


@pytest.fixture
def watch_day(tmp_path, receiver, monkeypatch, capsys):
    """Return (lake, watch): watch runs the command, returning code, text and what was told."""
    address, received, _ = receiver
    for service, name in notify.ADDRESSES.items():
        monkeypatch.setenv(name, f"{address}/{service}")
    monkeypatch.setattr(daily, "DIAGNOSED", 10)  # too few labels to judge the performance by
    root, lake = tmp_path / "learning", tmp_path / "lake"

    def watch(*more):
        received.clear()
        given = ["--root", str(root), "--lake", str(lake), "--until", MIDNIGHT.isoformat()]
        code = monitor.main([*given, "--no-page", *more])
        return code, "".join(capsys.readouterr()), {path for path, _ in received}

    return lake, watch


def test_sixty_cases_with_a_stuck_thermometer_are_an_alarm(watch_day):
    lake, watch = watch_day
    for back in range(8, 1, -1):
        write_gold(lake, visits(60, back), first=100 * back, start=MIDNIGHT - back * DAY)
    write_gold(lake, visits(60, 1, thermometer=36.0), start=MIDNIGHT - DAY)
    code, said, told = watch()
    assert code == 0
    assert "120 cases, 2 days joined" in said
    assert "drift_retrain" in said
    assert "(temperature_c)" in said
    assert told == {"/slack", "/teams"}
    assert watch()[2] == set()  # a second look tells nothing again
    write_gold(lake, visits(1, 99), first=5000, start=MIDNIGHT - 3 * DAY)
    assert "120 cases, 2 days joined" in watch()[1]  # a late record: the day is judged anew


@pytest.mark.parametrize(
    ("ended", "in_production", "retrains"),
    [
        ((Event.REGISTERED, 1), False, False),  # it waits for its physicians
        ((Event.DECLINED, 13), False, False),  # the same cases, and a few more
        ((Event.DECLINED, 14), False, True),
        ((Event.REGISTERED, 1), True, True),  # what drifts or falls short now is the new one
    ],
)
def test_what_goes_on_drifting_makes_no_candidate_a_day(
    watch_day, monkeypatch, ended, in_production, retrains
):
    lake, watch = watch_day
    write_gold(lake, visits(600, 8), start=MIDNIGHT - 8 * DAY)
    write_gold(lake, visits(300, 1, thermometer=36.0), first=5000, start=MIDNIGHT - DAY)
    asked = []
    monkeypatch.setattr(retrain, "main", lambda given: asked.append(given) or 0)
    workspace = Workspace(lake.parent / "learning")
    made = workspace.current().release if in_production else Release("2026.11.9", "b" * 64)
    event, days_ago = ended
    workspace.ledger.once(event, made, MIDNIGHT - days_ago * DAY)
    code, said, _ = watch("--retrain")
    assert code == 0
    assert "drift_retrain" in said
    assert bool(asked) == retrains
    assert ("no retraining: 2026.11.9 was made on" in said) == (not retrains)


def test_a_day_without_cases_is_critical_and_the_schedule_is_judged_all_the_same(watch_day):
    lake, watch = watch_day
    write_gold(lake, visits(300, 5), start=MIDNIGHT - 3 * DAY)
    code, said, told = watch()
    assert code == 0
    assert "CRITICAL     no_cases" in said
    assert "schedule" in said
    assert told == {"/pagerduty", "/teams"}


def test_a_watch_that_cannot_run_tells_somebody(watch_day):
    _, watch = watch_day
    code, said, told = watch()
    assert code == 2
    assert "no gold cases" in said
    assert told == {"/slack", "/teams"}
    assert watch("--dry-run")[2] == set()


def test_a_trigger_retrains_as_the_plan_says_and_a_refusal_is_told(watch_day, monkeypatch):
    lake, watch = watch_day
    write_gold(lake, visits(500, 4), start=MIDNIGHT - 20 * DAY)
    write_gold(lake, visits(280, 3), first=1000, start=MIDNIGHT - DAY)
    code, said, told = watch("--retrain")
    assert code == STOPPED  # a job is not to try again
    assert "780 confirmed cases, 1000 of them judge" in said
    assert told == {"/teams"}  # information: more cases will come

    write_gold(lake, visits(600, 6), first=2000, start=MIDNIGHT - 10 * DAY)

    def no_further(run):
        raise StepError("the test ends here")

    monkeypatch.setattr(retrain.Retraining, "run", no_further)
    trained = MIDNIGHT - 2 * DAY  # 280 cases are new: too few to judge by themselves
    monkeypatch.setattr(retrain, "_trained_until", lambda current: trained)
    code, said, told = watch("--retrain")
    assert code == REFUSED
    assert "the test ends here" in said
    assert "note: 280 new cases; the plan expects 500 to 5,000" in said
    assert told == {"/slack", "/teams"}
    workspace = Workspace(lake.parent / "learning")
    request = Request.from_json((workspace.open_run("latest") / REQUEST).read_bytes())
    assert request.settings.search.trials == PLAN.data.trials.value
    assert request.trigger == "schedule"
    assert (request.rows.count, request.rows.held_out) == (1380, 1000)
