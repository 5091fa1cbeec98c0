"""A property that is computed at its first use and kept with its instance."""

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")


class once(Generic[T]):  # noqa: N801 -- reads as a decorator
    """As `functools.cached_property`, which before Python 3.12 locks out every other thread.

    It holds one lock for all instances of a class while one of them computes. What computes by
    way of the store may wait for another thread's transaction, whose next step may be the same
    property of its own instance: neither would ever go on. Here nothing is locked: two threads
    that come to one instance at a time may both compute, and both get the value kept first.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        """Take what computes the value of an instance; its docstring becomes the property's."""
        self._compute = compute
        self._name = ""
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type | None = None) -> T: ...
    def __get__(self, instance: object, owner: type | None = None) -> Self | T:
        """Return the value, computed now: once it is kept, Python finds it before it asks here."""
        if instance is None:
            return self
        computed = self._compute(instance)
        kept: T = instance.__dict__.setdefault(self._name, computed)
        return kept
