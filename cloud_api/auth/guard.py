"""Admits a request or refuses it, before anything of its content is read.

A person shows `Authorization: Bearer` with an access token, a device its signature headers. A
request that shows both is a person's: the signature is not looked at.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Protocol, cast

from fastapi import Request, Response

from cloud_api.auth.access import Access
from cloud_api.auth.oidc import Person, TokenRefusedError
from ddx.domain.roles import Role
from sync_service.gateway.devices import Authenticator, SignedRequest
from sync_service.gateway.reading import unpack
from sync_service.gateway.routes import signed_request
from sync_service.protocol.errors import AuthenticationError
from sync_service.protocol.versions import DEVICE_HEADER

MAX_BODY_BYTES: Final = 256 << 10
_SCHEME: Final = "bearer"

Shown = Mapping[int, Mapping[str, Any]]
NOTHING_SHOWN: Final[Shown] = MappingProxyType({})


class CredentialsMissingError(AuthenticationError):
    """The request shows neither a token nor, where that serves, a device signature."""

    code = "auth.missing"


class ReadsTokens(Protocol):
    """Knows people by their access tokens."""

    async def person_of(self, token: str) -> Person:
        """Return whose token it is. Raises TokenRefusedError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls. actor: `person:<id>` or `device:<id>`; role: None for a device.

    body: what was sent, as it was sent; `content` is what is inside.
    """

    tenant_id: str
    actor: str
    role: Role | None = None
    body: bytes = field(default=b"", repr=False)
    encoding: str = ""

    @property
    def content(self) -> bytes:
        """What was sent, decompressed. Raises as `unpack` does."""
        return unpack(self.body, self.encoding)


async def _admit_all(_caller: Caller) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What is needed to know a caller.

    operator: the organisation that runs the service. admitted: called with everybody who was
    admitted, before the operation; may raise (a limit per caller).
    """

    people: ReadsTokens
    devices: Authenticator
    operator: str
    admitted: Callable[[Caller], Awaitable[None]] = _admit_all

    async def caller_of(self, request: Request, access: Access) -> Caller:
        """Return who calls, if they may.

        Raises:
            AuthenticationError: nobody we know. PermissionDeniedError: known, and may not.
            MessageTooLargeError: the body is longer than MAX_BODY_BYTES.
        """
        if "authorization" in request.headers and access.people:
            caller = await self._person(request, access)
        elif DEVICE_HEADER in request.headers and access.devices:
            caller = await self._device(request)
        else:
            raise CredentialsMissingError("no token and no signature that serves here")
        await self.admitted(caller)
        return caller

    async def _person(self, request: Request, access: Access) -> Caller:
        person = await self.people.person_of(_token(request))
        access.check(person.role, of_operator=person.tenant_id == self.operator)
        sent = await signed_request(request, limit_bytes=MAX_BODY_BYTES)
        return _caller(sent, person.tenant_id, f"person:{person.subject}", person.role)

    async def _device(self, request: Request) -> Caller:
        sent = await signed_request(request, limit_bytes=MAX_BODY_BYTES)
        device = await self.devices.device_of(sent)
        return _caller(sent, device.tenant_id, f"device:{device.id}", None)


def _nothing_in_the_way() -> None:
    return None


class Admission:
    """The dependency of one operation: its declaration, and the guard that holds it.

    shown: an answer as the documentation shows it, by status. first: called before anything is
    read; may raise, to refuse whoever it is.
    """

    def __init__(
        self,
        guard: Guard,
        access: Access,
        shown: Shown = NOTHING_SHOWN,
        first: Callable[[], None] = _nothing_in_the_way,
    ) -> None:
        self.access, self.shown, self._guard, self._first = access, shown, guard, first

    async def __call__(self, request: Request, response: Response) -> None:
        """Admit, and let no proxy keep the answer. Raises as `admit` does."""
        await self.admit(request)
        response.headers["Cache-Control"] = "no-store"

    async def admit(self, request: Request) -> None:
        """Leave the caller where `caller_of` finds them.

        Raises as `first` and `Guard.caller_of` do.
        """
        self._first()
        request.state.caller = await self._guard.caller_of(request, self.access)


class Declaration:
    """The dependency of an operation that is open, or that knows its callers by itself."""

    def __init__(self, access: Access, shown: Shown = NOTHING_SHOWN) -> None:
        self.access, self.shown = access, shown

    async def __call__(self) -> None:
        """Admit: there is nothing to check here."""


def caller_of(request: Request) -> Caller:
    """Return who was admitted. Raises AttributeError where nobody had to be."""
    return cast("Caller", request.state.caller)


def _token(request: Request) -> str:
    shown = request.headers.getlist("authorization")
    scheme, _, token = shown[0].partition(" ")
    if len(shown) != 1 or scheme.lower() != _SCHEME:
        raise TokenRefusedError("the access token does not serve")
    return token


def _caller(sent: SignedRequest, tenant_id: str, actor: str, role: Role | None) -> Caller:
    encoding = sent.headers.get("content-encoding", "")
    return Caller(tenant_id=tenant_id, actor=actor, role=role, body=sent.body, encoding=encoding)
