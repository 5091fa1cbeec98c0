"""What is new is taken in by itself, and leaves what a build of everything at once leaves."""

import multiprocessing
import os
import random
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from support.lake_records import DAY, NOON, Ears, diagnosis, feedback, findings, visit

from ddx.domain.identifiers import new_record_id
from training.lake import build as module
from training.lake import events
from training.lake.bronze import Bronze
from training.lake.build import build
from training.lake.engine import NativeEngine, open_engine
from training.lake.expectations import Verdict
from training.lake.gold import read_cases
from training.lake.place import Lake
from training.lake.tables import (
    BRONZE_EVENTS,
    GOLD_CASES,
    SILVER_CASES,
    SILVER_FINDINGS,
    SILVER_LABELS,
    WEEK,
)

pytestmark = pytest.mark.usefixtures("unchecked")

MADE = (SILVER_CASES, SILVER_FINDINGS, SILVER_LABELS, GOLD_CASES)
WEEKS = 7 * DAY
SMALL = 6_000  # bytes: a commit or two of these records


def a_year_gone_wrong():
    """Records of some weeks as bad links bring them, in the order the clinics made them."""
    told = [
        diagnosis(patient=f"{i % 7:02x}" * 32, at=NOON + i * 3 * DAY, stated=findings(p1="present"))
        for i in range(9)
    ]
    again = [replace(t, event_id=new_record_id()) for t in told[:2]]  # sent under a second id
    saved_twice = [
        diagnosis(patient=f"{i % 7:02x}" * 32, at=NOON + i * 3 * DAY, stated=findings(p1="present"))
        for i in (2, 3)
    ]
    words = [feedback(t, disease="VD:croup") for t in (*told[:5], saved_twice[1])]
    late = [feedback(told[1], disease="VD:anemia", at=NOON + 9 * WEEKS)]
    older = [feedback(told[1], disease="VD:pneumonia", at=NOON + DAY)]
    orphan = [feedback(diagnosis(), disease="VD:croup")]
    parts = [
        visit("a", part="2", at=NOON + 2 * WEEKS, conditions=[("J18.9", "provisional")]),
        visit("a", part="1", at=NOON, observations=[("8310-5", "Cel", 39.0)]),
        visit("a", part="3", at=NOON + 3 * WEEKS, conditions=[("J18.9", "refuted")]),
        visit("b", part="2", at=NOON + 2 * WEEKS, conditions=[("J18.9", "provisional")]),
        visit("b", part="1", at=NOON + WEEKS, conditions=[("R05", "confirmed")]),
    ]
    return [*told, *again, *saved_twice, *words, *late, *older, *orphan, *parts]


def arrivals(seed: int, commits: int):
    """The same records, mixed, in so many commits of bronze."""
    records = a_year_gone_wrong()
    random.Random(seed).shuffle(records)
    return [records[at::commits] for at in range(commits)]


def store(lake, commits):
    for hour, arriving in enumerate(commits):
        assert not Bronze(lake, now=NOON + 20 * WEEKS + hour * DAY).store(arriving).refused


def rebuilt(lake: Lake, folder: Path, session) -> Lake:
    """Return a lake made of the bronze of another, at once."""
    fresh = Lake(str(folder))
    shutil.copytree(f"{lake.address}/{BRONZE_EVENTS.name}", f"{folder}/{BRONZE_EVENTS.name}")
    build(fresh, NativeEngine("embedded", session, fresh), Ears())
    return fresh


def content(lake: Lake):
    """Every row of silver and gold but the number of the batch that touched it last."""
    held = {}
    for table in MADE:
        names = [name for name in table.schema.names if name != "batch"]
        rows = lake.open(table).to_pyarrow_table().select(names)
        held[table.name] = rows.sort_by([(key, "ascending") for key in table.keys]).to_pylist()
    return held


def test_run_by_run_leaves_every_table_as_a_rebuild_does(tmp_path, lake, engine, session):
    for hour, arriving in enumerate(arrivals(1, commits=4)):
        Bronze(lake, now=NOON + 20 * WEEKS + hour * DAY).store(arriving)
        build(lake, engine, Ears())
    assert content(lake) == content(rebuilt(lake, tmp_path / "at-once", session))


def test_a_backlog_is_taken_in_pieces_and_ends_the_same(
    tmp_path, lake, engine, session, monkeypatch
):
    store(lake, arrivals(3, commits=6))
    at_once = content(rebuilt(lake, tmp_path / "at-once", session))
    monkeypatch.setattr(events, "PIECE_BYTES", SMALL)
    said = []
    report = build(lake, engine, Ears(), said.append)
    assert sum(line.startswith("reading bronze") for line in said) > 2
    assert report.upto == 6
    assert content(lake) == at_once


def test_a_piece_is_whole_batches_of_a_bounded_size(lake, engine, monkeypatch):
    store(lake, [[diagnosis()]] * 2 + [[diagnosis() for _ in range(5)]] + [[diagnosis()]] * 2)
    bronze = engine.read(BRONZE_EVENTS)
    one = len(lake.open(BRONZE_EVENTS).to_pyarrow_table()["payload"][0].as_py())
    monkeypatch.setattr(events, "PIECE_BYTES", 2 * one + one // 2)
    cut = [(piece.after, piece.upto) for piece in events.pieces(bronze, 0)]
    assert cut == [(0, 2), (2, 3), (3, 5)]  # a batch larger than a piece is one
    assert [piece.upto for piece in events.pieces(bronze, 4)] == [5]
    assert events.pieces(bronze, 5) == ()


def files(lake, table) -> dict[str, set[str]]:
    """Week -> the files that hold its rows."""
    found = dict[str, set[str]]()
    for file in lake.open(table).file_uris():
        found.setdefault(Path(file).parent.name, set()).add(file)
    return found


def test_a_run_writes_only_the_weeks_its_records_tell_of(lake, engine, ears, arrive):
    told = [diagnosis(patient=f"{i:02x}" * 32, at=NOON + i * WEEKS) for i in range(4)]
    arrive(*told, *(feedback(t, disease="VD:croup") for t in told))
    before = {table: files(lake, table) for table in MADE}
    arrive(feedback(told[1], disease="VD:anemia", at=NOON + 10 * WEEKS))
    changed = {
        table.name: {week for week in held if files(lake, table).get(week) != held[week]}
        for table, held in before.items()
    }
    second = f"{WEEK}=2026-11-23"  # the Monday of the week of told[1]
    assert changed == {
        SILVER_CASES.name: set(),
        SILVER_FINDINGS.name: set(),
        SILVER_LABELS.name: {second},
        GOLD_CASES.name: {second},
    }


def test_a_repeat_that_proves_another_case_takes_its_label_with_it(lake, arrive):
    """Two visits begin alike; an earlier part of the second tells something else."""
    seen = [("8310-5", "Cel", 39.0)]
    arrive(first := visit("a", part="2", observations=seen), now=NOON)
    arrive(repeat := visit("b", part="2", observations=seen), now=NOON + DAY)
    arrive(visit("b", part="3", at=NOON + DAY, labels=[("VD:croup", "laboratory", True)]))
    assert labels(lake) == {first.case_id: "VD:croup"}
    arrive(visit("b", part="1", at=NOON - DAY, observations=[("8310-5", "Cel", 36.6)]))
    assert labels(lake) == {first.case_id: None, repeat.case_id: "VD:croup"}


def labels(lake):
    rows = read_cases(lake.address, labelled=False).table.to_pylist()
    return {row["case_id"]: row["disease"] for row in rows}


class Killed(NativeEngine):
    """The machine loses power after so many tables were published."""

    left = 0

    def replace(self, table, rows, cases):
        super().replace(table, rows, cases)
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)


def build_until_killed(address: str, published: int) -> None:
    """Build, in a process of its own, and be killed."""
    module.require = lambda suite, *_: Verdict(suite, 0, 0, ())
    events.PIECE_BYTES = SMALL
    lake = Lake(address)
    with open_engine("embedded", lake) as engine:
        dying = Killed("embedded", engine.spark, lake)
        dying.left = published
        build(lake, dying, Ears())


@pytest.mark.parametrize("published", [1, 7])
def test_killed_anywhere_and_started_again_it_ends_the_same(
    tmp_path, lake, engine, session, published
):
    store(lake, arrivals(4, commits=6))
    at_once = content(rebuilt(lake, tmp_path / "at-once", session))
    alone = multiprocessing.get_context("spawn").Process(
        target=build_until_killed, args=(lake.address, published)
    )
    alone.start()
    alone.join(120)
    assert alone.exitcode == -signal.SIGKILL
    build(lake, engine, Ears())
    assert content(lake) == at_once
