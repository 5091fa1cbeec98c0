"""A property computed once, without keeping other threads from theirs."""

from threading import Event, Thread

from ddx.once import once


class Record:
    def __init__(self, compute):
        self.compute = compute

    @once
    def value(self):
        """What was computed."""
        return self.compute()


def test_it_is_computed_at_first_use_and_kept():
    answers = iter((1, 2))
    record = Record(lambda: next(answers))
    assert (record.value, record.value) == (1, 1)


def test_forgotten_it_is_computed_anew():
    answers = iter((1, 2))
    record = Record(lambda: next(answers))
    assert record.value == 1
    del record.__dict__["value"]
    assert record.value == 2


def test_the_class_shows_the_property_and_its_words():
    assert Record.value.__doc__ == "What was computed."


def test_one_instance_never_waits_for_another_one():
    begun, go_on = Event(), Event()
    slow = Record(lambda: begun.set() or go_on.wait(60))
    computing = Thread(target=lambda: slow.value)
    computing.start()
    assert begun.wait(60)
    assert Record(lambda: "at once").value == "at once"  # with a lock this never returns
    go_on.set()
    computing.join()
    assert slow.value


def test_two_threads_that_meet_in_one_instance_get_the_same():
    first_in, second_done = Event(), Event()
    made = []

    def compute():
        made.append(object())
        if len(made) == 1:
            first_in.set()
            second_done.wait(60)
        return made[-1] if len(made) == 2 else made[0]

    record = Record(compute)
    seen = []
    thread = Thread(target=lambda: seen.append(record.value))
    thread.start()
    assert first_in.wait(60)
    seen.append(record.value)
    second_done.set()
    thread.join()
    assert len(made) == 2
    assert seen[0] is seen[1]
