"""The one shape of every presenter: a table from event type to a pure function.

An effect is a request to the outside ("save this draft"); its answer comes back as an event.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

State = TypeVar("State")
Event = TypeVar("Event")

Effect = object
"""A frozen dataclass of the presenter that asks for it."""

Step = tuple[State, tuple[Effect, ...]]
"""The next state and what must be done outside, in order."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What did not work: the `code` of a DdxError and its details, words come later."""

    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Reducer(Generic[State]):
    """Dispatches an event to the function registered for its type."""

    _handlers: dict[type, Callable[[State, Any], Step[State]]] = field(default_factory=dict)

    def on(
        self, event_type: type[Event]
    ) -> Callable[[Callable[[State, Event], Step[State]]], Callable[[State, Event], Step[State]]]:
        """Register the decorated function for events of exactly `event_type`."""

        def register(
            handler: Callable[[State, Event], Step[State]],
        ) -> Callable[[State, Event], Step[State]]:
            self._handlers[event_type] = handler
            return handler

        return register

    def __call__(self, state: State, event: object) -> Step[State]:
        """Return the state after `event`. Raises KeyError for an event nobody registered."""
        return self._handlers[type(event)](state, event)
