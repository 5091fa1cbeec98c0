from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import pytest

from desktop.presenters.freshness import (
    Downloading,
    Failed,
    FreshnessState,
    ModelRead,
    ReadModel,
    ReadSync,
    RunSync,
    SyncAsked,
    SyncDone,
    SyncDue,
    SyncRead,
    Tick,
    Tone,
    UpdateDone,
    UpdateModel,
    model_age,
    step,
)
from desktop.presenters.reducer import Refusal
from desktop.services.records import ModelStatus

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Phase(StrEnum):
    IDLE = "idle"
    NOT_LINKED = "not_linked"
    OFFLINE = "offline"


@dataclass(frozen=True)
class Standing:
    pending: int = 3
    quarantined: int = 0
    last_contact_at: None = None
    phase: Phase = Phase.IDLE
    code: str = ""


@dataclass(frozen=True)
class Model:
    version: str = "2026.11.1"
    built_at: datetime = NOW


def test_a_tick_reads_both_standings():
    assert step(FreshnessState(), Tick())[1] == (ReadSync(), ReadModel())


def test_syncing_pushes_before_it_looks_for_a_model_and_only_once():
    state, effects = step(FreshnessState(), SyncAsked())
    assert effects == (RunSync(asked=True), UpdateModel())
    assert step(state, SyncAsked()) == (state, ())


def test_after_a_push_the_new_standing_is_shown():
    syncing, _ = step(FreshnessState(), SyncAsked())
    state, _ = step(syncing, SyncDone(Standing(pending=0)))
    assert (state.syncing, state.sync) == (False, Standing(pending=0))


def test_a_new_model_is_read_after_an_update():
    assert step(FreshnessState(), UpdateDone("activated"))[1] == (ReadModel(),)
    assert step(FreshnessState(), ModelRead(Model()))[0].model == Model()
    waiting, _ = step(FreshnessState(), ModelRead(Model(), "0.2.0"))
    assert waiting.application == "0.2.0"


def test_a_standing_that_cannot_be_read_is_said_until_it_can():
    lost, _ = step(FreshnessState(), Failed(Refusal("store.busy")))
    assert lost.refusal == Refusal("store.busy")
    assert step(lost, SyncRead(Standing()))[0].refusal is None


@pytest.mark.parametrize(
    ("age", "old_after", "days", "tone"),
    [
        (timedelta(hours=3), 180, 0, Tone.CALM),
        (timedelta(days=180), 180, 180, Tone.CALM),
        (timedelta(days=181), 180, 181, Tone.ATTENTION),
        (timedelta(days=181), 365, 181, Tone.CALM),
        (timedelta(days=31), 30, 31, Tone.ATTENTION),
        (timedelta(days=-4), 180, 0, Tone.CALM),
    ],
)
def test_an_old_model_asks_for_attention(age, old_after, days, tone):
    model = ModelStatus(
        version="1", digest="", built_at=NOW - age, source="slot", old_after_days=old_after
    )
    told = model_age(model, NOW)
    assert (told.days, told.tone) == (days, tone)


def test_what_waits_is_pushed_when_due_without_looking_for_a_model():
    state, effects = step(FreshnessState(sync=Standing(pending=2)), SyncDue())
    assert effects == (RunSync(),)
    assert step(state, SyncDue())[1] == ()


def test_while_the_link_is_gone_what_waits_is_tried_again_soon():
    gone = FreshnessState(sync=Standing(pending=2, phase=Phase.OFFLINE))
    assert step(gone, SyncDue(again=True))[1] == (RunSync(),)
    there = FreshnessState(sync=Standing(pending=2))
    assert step(there, SyncDue(again=True))[1] == ()


@pytest.mark.parametrize(
    "sync", [None, Standing(pending=0), Standing(phase=Phase.NOT_LINKED)], ids=str
)
def test_nothing_is_pushed_when_nothing_waits_or_nobody_is_linked(sync):
    assert step(FreshnessState(sync=sync), SyncDue())[1] == ()


def test_a_download_is_shown_in_percent_until_it_ends():
    state = step(FreshnessState(), Downloading(3_000_000, 4_000_000))[0]
    assert state.percent == 75
    assert step(state, Downloading(5, 0))[0].percent == 75
    ended, effects = step(state, UpdateDone("activated", clock_behind_s=90_000))
    assert (ended.percent, ended.clock_behind_s) == (None, 90_000)
    assert effects == (ReadModel(),)


def test_a_download_that_fails_is_shown_no_more():
    state = step(FreshnessState(), Downloading(1, 2))[0]
    assert step(state, Failed(Refusal("bundle.offline")))[0].percent is None
