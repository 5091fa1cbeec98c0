"""Who would wait too long is refused at once; everybody else is served, and so is the rest."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from support.cloud_server import Clinic, SmallEngine, cloud_in_thread, wait_until
from support.sync_records import a_known_case, a_visit

from cloud_api.diagnose.room import (
    FEWEST_IN_HAND,
    LONGEST_WAIT_S,
    MOST_IN_HAND,
    WaitingRoom,
)
from cloud_api.errors import EngineBusyError
from ddx.domain.wire import case_to_json

CASE = case_to_json(a_known_case())


class Clock:
    now_s = 100.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


def filled(room):
    """Let in as many as the room takes; return how many, and their turns."""
    turns = []
    while True:
        turn = room.turn()
        try:
            turn.__enter__()
        except EngineBusyError:
            return turns
        turns.append(turn)


def served(room, clock, took_s, times=40):
    """Answer one request after the other, each `took_s` long."""
    for _ in range(times):
        with room.turn():
            clock.now_s += took_s


def leave(turns, clock, pace_s):
    """End turns one after the other, one every `pace_s`."""
    for turn in turns:
        clock.now_s += pace_s
        turn.__exit__(None, None, None)


@pytest.mark.parametrize("took_s", [0.01, 0.025, 0.05])
def test_as_many_are_let_in_as_can_be_answered_in_time(clock, took_s):
    room = WaitingRoom(monotonic_s=clock)
    served(room, clock, took_s)
    places = len(filled(room))
    assert places in {int(LONGEST_WAIT_S / took_s), int(LONGEST_WAIT_S / took_s) - 1}


def test_the_pace_is_that_of_a_line_not_the_time_spent_in_it(clock):
    room = WaitingRoom(monotonic_s=clock)
    served(room, clock, 0.02)
    waiting = filled(room)
    leave(waiting, clock, pace_s=0.02)  # the last one waited for all before it
    assert abs(len(filled(room)) - len(waiting)) <= 1


def test_fast_answers_do_not_open_the_door_to_any_number(clock):
    room = WaitingRoom(monotonic_s=clock)
    served(room, clock, 0.0001)
    assert len(filled(room)) == MOST_IN_HAND


def test_some_are_always_let_in_and_a_stall_is_forgotten(clock):
    room = WaitingRoom(monotonic_s=clock)
    served(room, clock, 30.0, times=50)
    assert len(filled(room)) == FEWEST_IN_HAND
    again = WaitingRoom(monotonic_s=clock)
    served(again, clock, 0.01)
    served(again, clock, 600.0, times=1)
    served(again, clock, 0.01, times=10)
    assert len(filled(again)) > 10


def test_refusals_are_counted_and_a_failed_turn_gives_its_place_back(clock):
    refusals = []
    room = WaitingRoom(refused=lambda: refusals.append(1), monotonic_s=clock)
    with pytest.raises(ValueError, match="broken"), room.turn():
        raise ValueError("broken")
    assert room.in_hand == 0
    room.check()
    turns = filled(room)
    with pytest.raises(EngineBusyError):
        room.check()
    assert len(refusals) == 2
    leave(turns, clock, pace_s=0.001)
    assert room.in_hand == 0


class Held(SmallEngine):
    """An engine that answers when it is let."""

    let = threading.Event()

    def assess(self, case, **asked):
        assert self.let.wait(60)
        return super().assess(case, **asked)


def test_a_full_service_refuses_in_the_callers_words_and_starves_nobody_else(settings):
    Held.let.clear()
    chosen = settings.model_dump(exclude={"data"})
    with cloud_in_thread(settings.data, open_engine=lambda _: Held(), **chosen) as cloud:
        wait_until(lambda: cloud.app.state.diagnosis.state == "ready")
        clinic = Clinic(cloud.url).enrol(cloud.code())
        refused = lambda: cloud.metric("vereda_engine_refused_total")  # noqa: E731
        held = lambda: cloud.metric("vereda_http_requests_in_progress") - 1  # noqa: E731

        def ask(number, language="es"):
            body = json.dumps({"case": CASE | {"age_days": 7000 + number}}).encode()
            headers = clinic.transport._signature("POST", "/predict", body)
            headers |= {"accept-language": language}
            return web.post("/predict", content=body, headers=headers)

        many = MOST_IN_HAND * 2
        unbounded = httpx.Limits(max_connections=None)
        with (
            httpx.Client(base_url=cloud.url, timeout=60, limits=unbounded) as web,
            ThreadPoolExecutor(many) as clients,
        ):
            asked = [clients.submit(ask, number) for number in range(many)]
            wait_until(lambda: refused() + held() == many, seconds=60)
            for language, words in (("es", "demasiadas"), ("en", "Too many")):
                told = ask(0, language)
                assert (told.status_code, told.json()["code"]) == (503, "engine.busy")
                assert words in told.json()["title"]
                assert int(told.headers["Retry-After"]) >= 1
            assert clinic.ask("/explain", {"case": CASE, "disease": "VD:dengue"}).status_code == 503
            for kind, payload in a_visit()[0]:
                clinic.outbox.add(payload, kind)
            clinic.push()
            assert not clinic.outbox.pending(500)
            for path in ("/health", "/ready", "/metrics"):
                assert httpx.get(cloud.url + path).status_code == 200
            Held.let.set()
            statuses = [one.result().status_code for one in asked]
            assert set(statuses) == {200, 503}
            assert statuses.count(200) <= MOST_IN_HAND
            assert refused() == statuses.count(503) + 3
            assert ask(1).status_code == 200
