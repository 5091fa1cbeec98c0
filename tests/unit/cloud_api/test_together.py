"""Records that come while others are being written share the next commit."""

import asyncio

from cloud_api.records.together import MOST_TOGETHER, Together


class TakenError(Exception):
    """What a store says of a record it already has."""


class Disk:
    """A store whose writes end when a test lets them; `taken` is refused."""

    def __init__(self):
        self.writes, self.open = [], asyncio.Event()
        self.together = Together(self.write, spoilt_by=TakenError)

    async def write(self, items):
        self.writes.append(list(items))
        await self.open.wait()
        if "taken" in items:
            raise TakenError
        if "lost" in items:
            raise OSError

    async def adding(self, *items):
        """Add in order; return the waiting tasks once each has been queued."""
        tasks = [asyncio.create_task(self.together.add(item)) for item in items]
        for _ in range(3):
            await asyncio.sleep(0)
        return tasks


async def ends(tasks):
    return [type(end) for end in await asyncio.gather(*tasks, return_exceptions=True)]


KEPT = type(None)


async def test_alone_it_is_written_at_once_and_what_comes_meanwhile_goes_together():
    disk = Disk()
    first = await disk.adding("a")
    assert disk.writes == [["a"]]
    others = await disk.adding("b", "c", "d")
    assert disk.writes == [["a"]]
    disk.open.set()
    assert await ends([*first, *others]) == [KEPT] * 4
    assert disk.writes == [["a"], ["b", "c", "d"]]


async def test_nobody_is_told_before_the_write_is_over():
    disk = Disk()
    tasks = await disk.adding("a", "b")
    assert not any(task.done() for task in tasks)
    disk.open.set()
    await asyncio.gather(*tasks)


async def test_a_bad_record_is_refused_alone():
    disk = Disk()
    tasks = await disk.adding("a", "b", "taken", "c")
    disk.open.set()
    assert await ends(tasks) == [KEPT, KEPT, TakenError, KEPT]
    assert disk.writes[-3:] == [["b"], ["taken"], ["c"]]


async def test_a_store_that_is_away_is_asked_once_for_all_of_them():
    disk = Disk()
    tasks = await disk.adding("a")
    tasks += await disk.adding("b", "lost", "c")
    disk.open.set()
    assert await ends(tasks) == [KEPT, OSError, OSError, OSError]
    assert disk.writes == [["a"], ["b", "lost", "c"]]
    assert await ends(await disk.adding("d")) == [KEPT]


async def test_a_caller_who_left_stops_nobody_else():
    disk = Disk()
    first, second, third = await disk.adding("a", "b", "c")
    second.cancel()
    disk.open.set()
    assert await ends([first, second, third]) == [KEPT, asyncio.CancelledError, KEPT]
    assert disk.writes == [["a", "b", "c"]]


async def test_one_transaction_stays_short():
    disk = Disk()
    tasks = await disk.adding(*range(MOST_TOGETHER + 2))
    disk.open.set()
    await asyncio.gather(*tasks)
    assert [len(write) for write in disk.writes] == [MOST_TOGETHER, 2]


async def test_order_is_kept():
    disk = Disk()
    disk.open.set()
    tasks = [asyncio.create_task(disk.together.add(number)) for number in range(50)]
    await asyncio.gather(*tasks)
    assert [item for write in disk.writes for item in write] == list(range(50))
