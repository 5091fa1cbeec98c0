"""Headers that keep a browser from doing with an answer what nobody meant.

Source: OWASP REST Security Cheat Sheet, "Security Headers".
"""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ALWAYS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains"),
)
_API_POLICY: Final = b"default-src 'none'; frame-ancestors 'none'"
_PAGE_POLICY: Final = (
    b"default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    b"img-src 'self' data:; frame-ancestors 'none'"
)
PAGES: Final = ("/docs",)
"""The documentation starts its own script in the page; nothing of a patient is on it."""


class SecurityHeaders:
    """Adds the headers to every answer, refusals included; what a route said itself stays."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; complete the start of the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        policy = _PAGE_POLICY if scope["path"].startswith(PAGES) else _API_POLICY
        headers = (*_ALWAYS, (b"content-security-policy", policy))

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent = list(message.get("headers", ()))
                said = {name.lower() for name, _ in sent}
                sent.extend(pair for pair in headers if pair[0] not in said)
                message["headers"] = sent
            await send(message)

        await self._app(scope, receive, complete)
