"""Leaving without dropping anybody: not ready first, gone later.

A load balancer sends requests until it has seen that the service is not ready. Until then the
service serves on, and closes each connection after its answer so that clients open their next one
elsewhere.
"""

from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(slots=True)
class Drain:
    """Whether the service was told to stop."""

    begun: bool = False


class ClosingConnections:
    """Asks clients not to reuse a connection of a service that is leaving."""

    def __init__(self, app: ASGIApp, drain: Drain) -> None:
        self._app, self._drain = app, drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on."""
        if scope["type"] != "http" or not self._drain.begun:
            await self._app(scope, receive, send)
            return

        async def close(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            await send(message)

        await self._app(scope, receive, close)
