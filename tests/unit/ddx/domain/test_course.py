"""The course of a long piece of work: told how far it is, ended where that is safe."""

import pytest

from ddx.domain.course import Course, StoppedError


def test_who_asked_is_told_how_far_the_work_is():
    told = []
    Course(lambda done, total: told.append((done, total))).at(3, 10)
    assert told == [(3, 10)]


def test_asked_to_end_it_ends_at_the_next_safe_place():
    course = Course()
    course.at(1, 2)
    course.stop()
    assert (course.may_stop, course.may_go_on()) == (False, False)
    with pytest.raises(StoppedError):
        course.at(2, 2)


def test_the_last_step_is_not_begun_once_the_end_was_asked_for():
    course = Course()
    course.stop()
    with pytest.raises(StoppedError):
        course.last_step()


def test_the_last_step_is_finished_whatever_is_asked_then():
    course = Course()
    course.last_step()
    course.stop()
    course.at(1, 1)
    assert (course.in_last_step, course.may_stop, course.may_go_on()) == (True, False, True)
