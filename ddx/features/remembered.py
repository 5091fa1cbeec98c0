"""Answers of a method, kept as long as its object lives and no longer."""

from collections.abc import Callable
from functools import lru_cache
from typing import ParamSpec, TypeVar
from weakref import WeakMethod

P = ParamSpec("P")
V = TypeVar("V")


def remembered(size: int | None, method: Callable[P, V]) -> Callable[P, V]:
    """Return `method` with its last `size` answers kept, or all of them for None.

    `lru_cache` over a bound method holds the object that holds it: only the garbage collector
    would end the two, and it does not look at what was frozen (`gc.freeze`), so that the tables
    of a bundle would outlive it. This one does not hold the object; the object calls it.
    """
    weak = WeakMethod(method)

    def ask(*of: P.args, **named: P.kwargs) -> V:
        alive = weak()
        if alive is None:
            raise ReferenceError("asked by an object that is gone")
        return alive(*of, **named)

    kept: Callable[P, V] = lru_cache(size)(ask)  # type: ignore[assignment] # takes what `ask` does
    return kept
