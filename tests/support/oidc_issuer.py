"""An OpenID Connect issuer on loopback, over https with its own authority: device code and PKCE.

Not a model of Entra: it speaks RFC 8628, RFC 7636 and OpenID Connect Discovery as written, so
that msal on one side and the cloud's own checks on the other are what is tested.
"""

import base64
import hashlib
import json
import secrets
import ssl
import threading
import time
import urllib.request
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT = "vereda-desktop"


def certificate(
    folder: Path, addresses=("127.0.0.1",), called: str = "issuer"
) -> tuple[Path, Path]:
    """Write a self-signed certificate for `addresses` and its key; return both paths."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address(a)) for a in addresses]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert, secret = folder / f"{called}.pem", folder / f"{called}.key"
    cert.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return cert, secret


class Issuer:
    """What the issuer knows. decision: "approved", "denied" or "" while the person thinks."""

    def __init__(self, ca: Path) -> None:
        self.ca, self.url = ca, ""
        self.key = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"})
        self.subject, self.roles, self.decision = "oid-ana", ["MedicoAdmin"], "approved"
        self.claims: dict[str, object] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.verified_pkce = 0
        self.refreshed = 0

    @property
    def keys_url(self) -> str:
        return f"{self.url}/keys"

    def id_token(self, nonce=None, key=None, alg="RS256", **changes):
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": self.subject,
            "oid": self.subject,
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "roles": self.roles,
            "tid": urlsplit(self.url).path.split("/")[1],
            "preferred_username": "ana@example.org",
        }
        claims |= self.claims | changes
        if nonce:
            claims["nonce"] = nonce
        claims = {name: value for name, value in claims.items() if value is not None}
        signing = key or self.key
        return jwt.encode({"alg": alg, "kid": "k1"}, claims, signing, algorithms=[alg])

    def tokens(self, nonce=None):
        return {
            "access_token": secrets.token_hex(16),
            "refresh_token": "refresh-" + secrets.token_hex(16),
            "id_token": self.id_token(nonce),
            "token_type": "Bearer",
            "expires_in": 3600,
            "scope": "openid profile offline_access User.Read",
        }

    def browser(self, address):
        """What a browser with a signed-in person does: ask, be redirected, follow."""
        context = ssl.create_default_context(cafile=str(self.ca))
        threading.Thread(
            target=lambda: urllib.request.urlopen(address, context=context).read(), daemon=True
        ).start()

    def answer(self, path, query, form):
        """Return (status, body or redirect address)."""
        if path.endswith("/.well-known/openid-configuration"):
            return 200, {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "device_authorization_endpoint": f"{self.url}/device",
                "jwks_uri": self.keys_url,
            }
        if path.endswith("/keys"):
            return 200, {"keys": [self.key.as_dict(private=False)]}
        if path.endswith("/device"):
            return 200, {
                "device_code": secrets.token_hex(8),
                "user_code": "BCDF-GHJK",
                "verification_uri": f"{self.url}/type",
                "expires_in": 60,
                "interval": 1,
            }
        if path.endswith("/authorize"):
            return self._authorize(query)
        if path.endswith("/token"):
            return self._token(form)
        return 404, {}

    def _authorize(self, query):
        back = query["redirect_uri"]
        if self.decision == "denied":
            return 302, f"{back}?{urlencode({'error': 'access_denied', 'state': query['state']})}"
        code = secrets.token_hex(8)
        self.codes[code] = query
        return 302, f"{back}?{urlencode({'code': code, 'state': query['state']})}"

    def _token(self, form):
        if form["grant_type"] == "refresh_token":
            self.refreshed += 1
            return 200, self.tokens()
        if form["grant_type"] == "authorization_code":
            asked = self.codes.pop(form["code"])
            digest = hashlib.sha256(form["code_verifier"].encode()).digest()
            expected = base64.urlsafe_b64encode(digest).decode().rstrip("=")
            if asked["code_challenge_method"] != "S256" or asked["code_challenge"] != expected:
                return 400, {"error": "invalid_grant"}
            self.verified_pkce += 1
            return 200, self.tokens(asked.get("nonce"))
        if self.decision == "denied":
            return 400, {"error": "access_denied"}
        if self.decision != "approved":
            return 400, {"error": "authorization_pending"}
        return 200, self.tokens()


@contextmanager
def issuer_on_loopback(folder: Path):
    """Run an issuer until the block ends."""
    cert, secret = certificate(folder)
    issuer = Issuer(cert)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self._say({})

        def do_POST(self):
            length = int(self.headers.get("Content-Length", 0))
            read = parse_qs(self.rfile.read(length).decode())
            self._say({name: values[0] for name, values in read.items()})

        def _say(self, form):
            url = urlsplit(self.path)
            status, body = issuer.answer(url.path, dict(parse_qsl(url.query)), form)
            self.send_response(status)
            if status == 302:
                self.send_header("Location", body)
            content = b"" if status == 302 else json.dumps(body).encode()
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, secret)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    issuer.url = f"https://127.0.0.1:{server.server_port}/tenant"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
