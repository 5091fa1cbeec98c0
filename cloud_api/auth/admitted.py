"""The shortest way from a request to an operation that reads it by itself.

FastAPI solves dependencies, parses a body and validates an answer; such an operation has one
dependency (its declaration), reads the bytes that were signed, and answers bytes it made itself.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from cloud_api.auth.guard import Admission


class UnguardedRouteError(RuntimeError):
    """A route has more to it than its admission: a fault of the program, found at its start."""


class AdmittedRoute(APIRoute):
    """Route of an operation `(request) -> Response` behind one `Admission`.

    What a router adds when it includes another (`dependencies=`) is not looked at.

    Raises:
        UnguardedRouteError: the operation takes or depends on anything else.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return: admit, then the operation. Raises as the two do."""
        needs = self.dependant
        declared = [dependency.call for dependency in needs.dependencies]
        plain = needs.request_param_name == "request" and not (
            needs.path_params
            or needs.query_params
            or needs.header_params
            or needs.cookie_params
            or needs.body_params
        )
        if len(declared) != 1 or not isinstance(declared[0], Admission) or not plain:
            raise UnguardedRouteError(f"{self.path} is more than one admission and one request")
        admission, operation = declared[0], self.endpoint

        async def answer(request: Request) -> Response:
            await admission.admit(request)
            answered: Response = await operation(request)
            return answered

        return answer
