"""The only way an operation gets into the service: with a declaration of who may call it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.staticfiles import StaticFiles

from cloud_api.auth.access import Access
from cloud_api.auth.guard import Admission, Declaration, Shown

DOCUMENTATION: Final = frozenset({"/openapi.json", "/docs", "/docs/oauth2-redirect", "/redoc"})
"""What FastAPI itself adds: the interface is public, what lies behind it is not."""


class UndeclaredAccessError(RuntimeError):
    """An operation does not say who may call it: a fault of the program, found at its start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation, who may call it, and answers to show, by status."""

    method: str
    path: str
    access: Access
    shown: Shown = field(default_factory=dict, compare=False, repr=False)


@dataclass(slots=True)
class Door:
    """Puts routes into `app`. operations: everything that was let in, in order."""

    app: FastAPI
    operations: list[Operation] = field(default_factory=list)
    _known: list[BaseRoute] = field(default_factory=list)
    _routers: list[APIRouter] = field(default_factory=list)

    def let_in(self, routes: APIRouter) -> None:
        """Add routes. Raises UndeclaredAccessError before any of them is added."""
        self.operations.extend(_operations_of(routes))
        self._routers.append(routes)
        self._add(lambda: self.app.include_router(routes))

    def let_in_files(self, path: str, files: StaticFiles, name: str, access: Access) -> None:
        """Add a folder of files."""
        self.operations.append(Operation(method="GET", path=path + "/{file}", access=access))
        self._add(lambda: self.app.mount(path, files, name=name))

    def close(self) -> None:
        """Return if nothing came in another way. Raises UndeclaredAccessError."""
        for routes in self._routers:  # which still could be added to
            if any(found not in self.operations for found in _operations_of(routes)):
                raise UndeclaredAccessError("an operation was added to a room after it was let in")
        for route in self.app.routes:
            documented = getattr(route, "path", "") in DOCUMENTATION
            if not documented and not any(route is known for known in self._known):
                raise UndeclaredAccessError(f"{getattr(route, 'path', route)} came in another way")

    def _add(self, add: Callable[[], object]) -> None:
        before = list(self.app.routes)
        add()
        self._known.extend(r for r in self.app.routes if not any(r is b for b in before))


def _operations_of(routes: APIRouter) -> list[Operation]:
    return [found for route in routes.routes for found in _operations(route)]


def _operations(route: BaseRoute) -> Iterator[Operation]:
    if not isinstance(route, APIRoute):
        raise UndeclaredAccessError(f"{route} is no operation")
    declared = [
        dependency.call
        for dependency in route.dependant.dependencies
        if isinstance(dependency.call, Admission | Declaration)
    ]
    if len(declared) != 1:
        raise UndeclaredAccessError(f"{route.path} declares {len(declared)} times who may call it")
    for method in sorted(route.methods or ()):
        yield Operation(
            method=method,
            path=route.path,
            access=declared[0].access,
            shown=declared[0].shown,
        )
