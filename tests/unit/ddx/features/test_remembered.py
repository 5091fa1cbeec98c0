"""What a method answered is kept while its object lives, and ends with it."""

import gc
from weakref import ref

import pytest

from ddx.features.remembered import remembered


class Squares:
    def __init__(self, size=None):
        self.asked = []
        self.of = remembered(size, self._square)

    def _square(self, number):
        self.asked.append(number)
        return number * number


def test_an_answer_is_made_once():
    squares = Squares()
    assert [squares.of(3), squares.of(3), squares.of(2)] == [9, 9, 4]
    assert squares.asked == [3, 2]


def test_only_so_many_are_kept():
    squares = Squares(size=1)
    assert [squares.of(3), squares.of(2), squares.of(3)] == [9, 4, 9]
    assert squares.asked == [3, 2, 3]


@pytest.fixture
def nobody_collects():
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("nobody_collects")
def test_the_object_ends_with_its_last_holder():
    squares = Squares()
    squares.of(3)
    gone = ref(squares)
    del squares
    assert gone() is None
