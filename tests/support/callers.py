"""People who call the cloud: an issuer in memory whose tokens can be spoiled one way at a time."""

import base64
import json

from joserfc import jwt
from joserfc.jwk import RSAKey

TENANT = "11111111-2222-4333-8444-555555555555"
ISSUER = f"https://issuer.example/{TENANT}/v2.0"
API, CLIENT, SCOPE = "api://vereda", "web-client", "access"
ORGANISATION = "vereda_organisation"


def b64(value):
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


class TokenForge:
    """Signs access tokens; every part of them may be changed, left out or forged."""

    def __init__(self, now_s):
        self.now_s = now_s
        self.keys = [RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"})]
        self.published = list(self.keys)
        self.asked = 0

    @property
    def key(self):
        return self.keys[-1]

    def key_set(self):
        self.asked += 1
        return {"keys": [key.as_dict(private=False) for key in self.published]}

    def rotate(self, kid="k2"):
        """Publish a new key in place of the old."""
        self.keys.append(RSAKey.generate_key(2048, {"kid": kid, "use": "sig"}))
        self.published = [self.key]

    def claims(self, **changes):
        now = self.now_s
        claims = {
            "iss": ISSUER,
            "aud": API,
            "azp": CLIENT,
            "ver": "2.0",
            "tid": TENANT,
            "scp": f"openid {SCOPE}",
            "roles": ["MedicoGeneral"],
            "oid": "oid-ana",
            "sub": "pairwise-ana",
            ORGANISATION: "san-juan",
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
        } | changes
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, *, header=None, key=None, **changes):
        """Return a token; `header` adds to its header, other names change its claims."""
        signing = key or self.key
        head = {"alg": "RS256", "typ": "JWT", "kid": signing.kid} | (header or {})
        head = {name: value for name, value in head.items() if value is not None}
        return self.signed(head, json.dumps(self.claims(**changes)).encode(), signing)

    def signed(self, header, payload: bytes, key):
        """Return any header and payload under a real RS256 signature of `key`."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        raw = header if isinstance(header, bytes) else json.dumps(header).encode()
        covered = f"{b64(raw)}.{b64(payload)}"
        private = key.private_key
        signature = private.sign(covered.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{covered}.{b64(signature)}"


def signed_by_library(key, alg, claims, header=None):
    """Return what joserfc itself signs with another algorithm."""
    head = {"alg": alg, "kid": "k1"} | (header or {})
    return jwt.encode(head, claims, key, algorithms=[alg])
