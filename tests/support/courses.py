"""Courses that somebody ends in the middle, without a clock."""

from ddx.domain.course import Course


def ended_once(reached) -> Course:
    """Return a course that is asked to end the first time `reached(done, total)` holds."""

    def told(done, total):
        if reached(done, total):
            course.stop()

    course = Course(told)
    return course


def ended_in_the_middle() -> Course:
    """Return a course that is asked to end once something is done and something is left."""
    return ended_once(lambda done, total: 0 < done < total)


def ended_at_call(number) -> Course:
    """Return a course that is asked to end the `number`th time it is told anything."""
    calls = 0

    def reached(_done, _total):
        nonlocal calls
        calls += 1
        return calls == number

    return ended_once(reached)
