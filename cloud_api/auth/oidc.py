"""Tokens of one OpenID Connect issuer: everything about them is required.

Issuer, audience and key address are pinned in the settings. Identity tokens of the clinic's
application lend roles to its devices; access tokens for this API let a person call it. Neither
serves as the other: their audiences differ, and only access tokens carry `azp` and `scp`.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from joserfc.errors import JoseError

from cloud_api.auth.compact import claims_of, key_id
from cloud_api.auth.keys import PinnedKeys
from ddx.domain.roles import Role
from sync_service.gateway.leases import CloudIdentity
from sync_service.protocol.errors import AuthenticationError, IdentityRefusedError

MAX_LIFE_S: Final = 86_400
"""Entra's identity tokens live an hour; one that claims more than a day is not believed."""

MAX_ACCESS_LIFE_S: Final = 7_200
"""Entra's access tokens live 60 to 90 minutes."""

LEEWAY_S: Final = 300
VERSION: Final = "2.0"
_SUBJECT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:|@+-]{0,127}")
_TENANT: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")

_UNREADABLE: Final = (JoseError, KeyError, TypeError, ValueError, OverflowError, RecursionError)


class TokenRefusedError(AuthenticationError):
    """An access token does not serve here; which check it failed is not said."""

    code = "auth.token_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who calls. subject: the issuer's id, never a name. tenant_id: their organisation."""

    subject: str
    role: Role
    tenant_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisations:
    """How a token says whose its person is.

    claim: the claim that names the organisation; with none, everybody belongs to `only`.
    """

    only: str
    claim: str = ""

    def of(self, claims: dict[str, Any]) -> str:
        """Return the organisation of a token's person. Raises KeyError, ValueError."""
        if not self.claim:
            return self.only
        named = claims[self.claim]
        if not isinstance(named, str) or not _TENANT.fullmatch(named):
            raise ValueError("not the name of an organisation")
        return named


class NoIdentities:
    """A server without an issuer: it lends no roles."""

    async def identify(self, id_token: str, now: datetime) -> CloudIdentity:  # noqa: ARG002
        """Raise IdentityRefusedError."""
        raise IdentityRefusedError("this server lends no roles")


class OidcIdentities:
    """Implements `sync_service.gateway.leases.Identities` for one issuer and one application."""

    def __init__(
        self, *, issuer: str, audience: str, keys: PinnedKeys, organisations: Organisations
    ) -> None:
        self._issuer, self._audience = issuer, audience
        self._keys, self._organisations = keys, organisations

    async def identify(self, id_token: str, now: datetime) -> CloudIdentity:
        """Return whose token it is. Raises IdentityRefusedError without saying which check."""
        try:
            claims = claims_of(id_token, await self._keys.find(key_id(id_token)))
            _check_time(claims, now.timestamp(), MAX_LIFE_S)
            _check_source(claims, self._issuer, self._audience)
            return CloudIdentity(
                subject=_subject(claims),
                role=_role(claims),
                tenant_id=self._organisations.of(claims),
            )
        except (*_UNREADABLE, OSError) as error:
            raise IdentityRefusedError("the identity token does not serve") from error


class People:
    """Believes access tokens for this API: of one issuer, asked for by a known application.

    clients: the applications (`azp`) people may come through. scope: what they must have been
    allowed (`scp`); a token of an application for itself carries none and does not serve.
    """

    def __init__(
        self,
        *,
        issuer: str,
        audience: str,
        clients: Collection[str],
        scope: str,
        keys: PinnedKeys,
        organisations: Organisations,
        now: Callable[[], datetime],
    ) -> None:
        self._issuer, self._audience, self._scope = issuer, audience, scope
        self._clients, self._keys = frozenset(clients), keys
        self._organisations, self._now = organisations, now

    async def person_of(self, token: str) -> Person:
        """Return whose token it is. Raises TokenRefusedError without saying which check."""
        try:
            claims = claims_of(token, await self._keys.find(key_id(token)))
            _check_time(claims, self._now().timestamp(), MAX_ACCESS_LIFE_S)
            _check_source(claims, self._issuer, self._audience)
            self._check_use(claims)
            return Person(
                subject=_subject(claims),
                role=_role(claims),
                tenant_id=self._organisations.of(claims),
            )
        except (*_UNREADABLE, OSError) as error:
            raise TokenRefusedError("the access token does not serve") from error

    def _check_use(self, claims: dict[str, Any]) -> None:
        if claims["ver"] != VERSION or claims["azp"] not in self._clients:
            raise ValueError("through another application")
        if self._scope not in _text(claims["scp"]).split(" "):
            raise ValueError("for something else")


class NoPeople:
    """A server without an issuer: no token serves."""

    async def person_of(self, token: str) -> Person:  # noqa: ARG002
        """Raise TokenRefusedError."""
        raise TokenRefusedError("this server knows no issuer")


def _check_time(claims: dict[str, Any], now_s: float, max_life_s: int) -> None:
    expires, issued = _moment(claims["exp"]), _moment(claims["iat"])
    not_before = _moment(claims.get("nbf", issued))
    if not max(issued, not_before) - LEEWAY_S <= now_s < expires + LEEWAY_S:
        raise ValueError("not its time")
    if not 0 < expires - issued <= max_life_s:
        raise ValueError("not a life we believe")


def _check_source(claims: dict[str, Any], issuer: str, audience: str) -> None:
    if claims["iss"] != issuer or claims["aud"] != audience:
        raise ValueError("for somebody else")
    if _text(claims["tid"]) not in urlsplit(issuer).path.split("/")[1:]:
        raise ValueError("another tenant")


def _role(claims: dict[str, Any]) -> Role:
    """Return the one role of ours. Raises ValueError for none, or for two."""
    if not isinstance(claims["roles"], list):
        raise ValueError("roles are a list")  # noqa: TRY004 - what was sent is of the wrong value
    (role,) = {Role(name) for name in claims["roles"] if name in set(Role)}
    return role


def _subject(claims: dict[str, Any]) -> str:
    subject = _text(claims.get("oid") or claims["sub"])
    if not _SUBJECT.fullmatch(subject):
        raise ValueError("not an id")
    return subject


def _moment(claim: object) -> float:
    if isinstance(claim, bool) or not isinstance(claim, int | float):
        raise ValueError("not a moment")  # noqa: TRY004 - what was sent is of the wrong value
    return float(claim)


def _text(claim: object) -> str:
    if not isinstance(claim, str) or not claim:
        raise ValueError("not a text")
    return claim
