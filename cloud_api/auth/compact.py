"""The outside of a signed token, judged before any key is looked for.

A header may carry four names and no other, so that nothing in a token can say where its key is
(`jku`, `x5u`, `jwk`, `x5c`), that we must understand more (`crit`), or that something else is
inside (`cty`, `zip`). Two members of one name are refused: readers disagree about which counts.
Source: RFC 8725 (JSON Web Token Best Current Practices), RFC 7515 section 4.
"""

import base64
import json
import re
from typing import Any, Final

from joserfc import jws
from joserfc.jwk import RSAKey

MAX_TOKEN_CHARS: Final = 16 << 10
"""Entra's tokens are 1 to 3 KB; those of people in hundreds of groups stay below this."""

ALGORITHM: Final = "RS256"
_NAMES: Final = frozenset({"alg", "typ", "kid", "x5t"})
_TYPES: Final = frozenset({"jwt", "at+jwt"})  # RFC 9068 writes the second; names of media types
_COMPACT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


def key_id(token: str) -> str:
    """Return which key a token says it is signed with. Raises ValueError for any odd header."""
    if len(token) > MAX_TOKEN_CHARS or not _COMPACT.fullmatch(token):
        raise ValueError("not a compact token")
    head = token.split(".", 1)[0]
    header = strict_object(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    if header.keys() - _NAMES or header.get("alg") != ALGORITHM:
        raise ValueError("a header we do not accept")
    if str(header.get("typ", "jwt")).lower() not in _TYPES:
        raise ValueError("another kind of token")
    kid = header["kid"]
    if not isinstance(kid, str) or not kid:
        raise ValueError("no key id")
    return kid


def claims_of(token: str, key: RSAKey) -> dict[str, Any]:
    """Return what a token says, its signature verified. Raises JoseError, ValueError."""
    signed = jws.deserialize_compact(token, key, algorithms=[ALGORITHM])
    return strict_object(signed.payload)


def strict_object(text: bytes) -> dict[str, Any]:
    """Return a JSON object whose names are all different. Raises ValueError."""
    read = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    if not isinstance(read, dict):
        raise ValueError("not an object")  # noqa: TRY004 - what was sent is of the wrong value
    return read


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError("one name twice")
    return read


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")
