"""What workers share does the same in the process and in Redis."""

import asyncio

import pytest
from limits.aio.storage import MemoryStorage

from cloud_api.auth.nonces import ProcessNonces
from cloud_api.cache.answers import AnswerCache, Question
from cloud_api.limits.errors import TooManyRequestsError
from cloud_api.limits.rates import ProcessCounts, Rate, storage_at
from cloud_api.shared.ports import SharedMemoryError
from cloud_api.shared.process import ProcessMemory
from cloud_api.shared.redis import RedisMemory, RedisNonces, open_redis
from sync_service.protocol.errors import GatewayBusyError

NOBODY = "unix:///nonexistent/r.sock"


@pytest.fixture
async def redis(redis_address):
    client = open_redis(redis_address)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture(params=["process", "redis"])
def memory(request):
    if request.param == "process":
        return ProcessMemory()
    return RedisMemory(request.getfixturevalue("redis"))


@pytest.fixture(params=["process", "redis"])
def nonces(request):
    return (
        ProcessNonces()
        if request.param == "process"
        else RedisNonces(request.getfixturevalue("redis"))
    )


@pytest.fixture(params=["process", "redis"])
def storage(request):
    if request.param == "process":
        return ProcessCounts()
    request.getfixturevalue("redis")  # emptied
    return storage_at(request.getfixturevalue("redis_address"))


class TestSharedMemory:
    async def test_a_value_comes_back_byte_for_byte_until_it_is_replaced_or_forgotten(self, memory):
        assert await memory.get("k") is None
        await memory.put("k", b"\x00\xff", keep_s=60)
        assert await memory.get("k") == b"\x00\xff"
        await memory.put("k", b"", keep_s=60)
        assert await memory.get("k") == b""
        await memory.forget("k")
        await memory.forget("k")
        assert await memory.get("k") is None

    async def test_a_value_is_gone_after_its_time(self, memory):
        await memory.put("short", b"1", keep_s=0.05)
        await memory.put("long", b"2", keep_s=60)
        await asyncio.sleep(0.08)
        assert await memory.get("short") is None
        assert await memory.get("long") == b"2"


async def test_a_full_process_forgets_what_was_not_used_for_longest():
    memory = ProcessMemory(capacity_bytes=3 * (1000 + 301))
    for name in "abc":
        await memory.put(name, bytes(1000), keep_s=60)
    await memory.get("a")
    await memory.put("d", bytes(1000), keep_s=60)
    assert [name for name in "abcd" if await memory.get(name) is not None] == ["a", "c", "d"]


async def test_a_server_that_is_away_is_said_to_be_so():
    memory = RedisMemory(open_redis(NOBODY))
    with pytest.raises(SharedMemoryError):
        await memory.get("k")
    with pytest.raises(SharedMemoryError):
        await memory.put("k", b"v", keep_s=1)


class TestNonces:
    async def test_a_nonce_is_new_once_for_each_device(self, nonces):
        seen = [
            await nonces.first_time(device, nonce, now_s=1000.0, keep_s=600)
            for device, nonce in (("d1", "aa"), ("d1", "aa"), ("d2", "aa"), ("d1", "ab"))
        ]
        assert seen == [True, False, True, True]

    async def test_of_requests_at_once_with_one_nonce_one_is_new(self, nonces):
        asked = [nonces.first_time("d", "aa", now_s=1.0, keep_s=60) for _ in range(20)]
        assert sum(await asyncio.gather(*asked)) == 1


async def test_without_redis_a_signed_request_is_not_believed():
    with pytest.raises(GatewayBusyError):
        await RedisNonces(open_redis(NOBODY)).first_time("d", "aa", now_s=1.0, keep_s=60)


class TestRates:
    async def test_a_caller_gets_what_was_agreed_and_then_hears_when_to_come_again(self, storage):
        rate = Rate(storage, name="subject", per_minute=5)
        for _ in range(5):
            await rate.spend("san-juan", "ana")
        with pytest.raises(TooManyRequestsError) as refused:
            await rate.spend("san-juan", "ana")
        assert 1 <= refused.value.retry_after_s <= 60

    async def test_callers_tenants_and_rates_are_counted_apart(self, storage):
        subject = Rate(storage, name="subject", per_minute=1)
        for caller in (("a", "bc"), ("ab", "c"), ("a", "b")):
            await subject.spend(*caller)
        await Rate(storage, name="address", per_minute=1).spend("a", "bc")
        with pytest.raises(TooManyRequestsError):
            await subject.spend("a", "bc")

    async def test_two_workers_count_together_where_they_share_and_only_there(self, storage):
        other = (
            storage
            if isinstance(storage, MemoryStorage)
            else storage_at(storage.bridge.uri.replace("redis+unix", "unix"))
        )
        first, second = (Rate(s, name="subject", per_minute=2) for s in (storage, other))
        await first.spend("t", "s")
        await second.spend("t", "s")
        with pytest.raises(TooManyRequestsError):
            await first.spend("t", "s")


async def test_many_callers_do_not_make_each_request_dearer(monkeypatch):
    """One look through all counts a second, however many requests come."""
    sweeps, clock = [], [0.0]
    counts = ProcessCounts(lambda: clock[0])
    sweep = vars(MemoryStorage)["_MemoryStorage__expire_events"]

    async def counted(storage):
        sweeps.append(len(storage.expirations))
        await sweep(storage)

    monkeypatch.setattr(MemoryStorage, "_MemoryStorage__expire_events", counted)
    rate = Rate(counts, name="address", per_minute=5)
    for caller in range(300):
        await rate.spend(str(caller))
        await asyncio.sleep(0)
    assert len(sweeps) == 1
    for key in counts.expirations:
        counts.expirations[key] = 0.0
    clock[0] = 1.0
    await rate.spend("another")
    await asyncio.sleep(0.05)
    assert len(sweeps) == 2
    assert len(counts.storage) <= 2


async def test_while_redis_is_away_each_worker_counts_for_itself():
    told = []
    rate = Rate(storage_at(NOBODY), name="s", per_minute=2, unshared=lambda: told.append(1))
    await rate.spend("t", "s")
    await rate.spend("t", "s")
    with pytest.raises(TooManyRequestsError):
        await rate.spend("t", "s")
    assert len(told) == 3


def a_question(**changes):
    asked = {"case": {"age_days": 9000, "findings": []}, "language": "es", "limit": 10}
    made = {"tenant_id": "a", "route": "/predict", "bundle_digest": "b" * 64, "asked": asked}
    return Question(**(made | changes))


class TestAnswers:
    async def test_the_same_question_is_computed_once(self, memory):
        outcomes, made = [], []
        cache = AnswerCache(memory, counted=outcomes.append)

        async def make():
            made.append(1)
            return b"answer"

        turned = dict(reversed(a_question().asked.items()))
        for question in (a_question(), a_question(), a_question(asked=turned)):
            assert await cache.answer(question, make) == b"answer"
        assert (len(made), outcomes) == (1, ["miss", "hit", "hit"])

    @pytest.mark.parametrize(
        "change",
        [
            {"tenant_id": "b"},
            {"route": "/explain"},
            {"bundle_digest": "c" * 64},
            {"asked": a_question().asked | {"language": "en"}},
            {"asked": a_question().asked | {"limit": 11}},
            {"asked": a_question().asked | {"case": {"age_days": 9001, "findings": []}}},
        ],
    )
    async def test_whatever_an_answer_depends_on_keeps_it_apart(self, memory, change):
        cache = AnswerCache(memory)

        async def make(content):
            return content

        assert await cache.answer(a_question(), lambda: make(b"1")) == b"1"
        assert await cache.answer(a_question(**change), lambda: make(b"2")) == b"2"

    async def test_a_failure_is_not_kept(self, memory):
        cache = AnswerCache(memory)

        async def fail():
            raise ZeroDivisionError

        async def make():
            return b"1"

        with pytest.raises(ZeroDivisionError):
            await cache.answer(a_question(), fail)
        assert await cache.answer(a_question(), make) == b"1"

    async def test_an_answer_is_kept_for_an_hour(self):
        clock = [0.0]
        cache = AnswerCache(ProcessMemory(monotonic_s=lambda: clock[0]))

        async def make():
            return str(clock[0]).encode()

        await cache.answer(a_question(), make)
        clock[0] = 3599.0
        assert await cache.answer(a_question(), make) == b"0.0"
        clock[0] = 3600.0
        assert await cache.answer(a_question(), make) == b"3600.0"


async def test_without_redis_answers_are_computed(caplog):
    outcomes = []
    cache = AnswerCache(RedisMemory(open_redis(NOBODY)), counted=outcomes.append)

    async def make():
        return b"1"

    assert await cache.answer(a_question(), make) == b"1"
    assert outcomes == ["unreachable"]


def test_a_key_holds_no_word_of_the_question():
    case = {"age_days": 9000, "findings": [{"id": "HP:0001945", "presence": "present"}]}
    key = a_question(tenant_id="hospital-san-juan", asked={"case": case}).key()
    assert not any(word in key for word in ("hospital", "HP", "1945", "9000"))
