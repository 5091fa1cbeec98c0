"""An issuer for one's own machine: `vereda-cloud --dev-issuer`, `--dev-token ROLE`.

It signs with a key beside the embedded database and is known to this service only; its tokens
pass the same checks as Entra's. The command refuses it where other machines can listen.
"""

import os
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from joserfc import jwt
from joserfc.jwk import RSAKey

from cloud_api.auth.compact import ALGORITHM
from cloud_api.auth.oidc import VERSION
from ddx.domain.roles import Role
from ddx.once import once

TENANT: Final = "00000000-0000-4000-8000-000000000001"
ISSUER: Final = f"https://localhost/{TENANT}/v2.0"
"""A name, not an address: nothing is fetched from it."""

API: Final = "vereda-api"
CLIENT: Final = "vereda-dev"
SCOPE: Final = "access"
ORGANISATION: Final = "vereda_organisation"
"""The claim with the organisation of the person."""

LIFE_S: Final = 3_600
_BITS: Final = 2048


class DevIssuer:
    """The issuer whose key lies in `folder`, made on first use and readable by its owner only."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "dev-issuer.pem"

    def key_set(self) -> dict[str, Any]:
        """Return the public keys, as an issuer publishes them."""
        return {"keys": [self._key.as_dict(private=False)]}

    def token(self, role: Role, *, organisation: str, now: datetime, subject: str = "") -> str:
        """Return an access token for this API that serves for an hour."""
        issued_s = int(now.timestamp())
        claims = {
            "iss": ISSUER,
            "aud": API,
            "azp": CLIENT,
            "ver": VERSION,
            "tid": TENANT,
            "scp": SCOPE,
            "roles": [role.value],
            "oid": subject or f"dev-{role.value.lower()}",
            ORGANISATION: organisation,
            "iat": issued_s,
            "nbf": issued_s,
            "exp": issued_s + LIFE_S,
        }
        header = {"alg": ALGORITHM, "typ": "JWT", "kid": self._key.kid}
        return jwt.encode(header, claims, self._key, algorithms=[ALGORITHM])

    @once
    def _key(self) -> RSAKey:
        if not self._file.exists():
            self._make()
        raw = RSAKey.import_key(self._file.read_bytes())
        return RSAKey.import_key(
            raw.as_dict(private=True) | {"kid": raw.thumbprint(), "use": "sig"}
        )

    def _make(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = RSAKey.generate_key(_BITS).as_pem(private=True)
        descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(made)
