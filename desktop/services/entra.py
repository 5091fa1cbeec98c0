"""Entra ID (or any OpenID Connect issuer) through msal. Imported when somebody asks for it.

The constructor of msal asks the network, so nothing here is on the way of the local unlock. The
token cache is text with secrets in it: it goes in and comes out as a string, and its keeper is
the encrypted store.
"""

import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import parse_qsl, urlsplit

import msal
import requests
import truststore
from requests.adapters import HTTPAdapter

from desktop.services.errors import CloudSignInError, CloudUnreachableError

ENTRA: Final = "https://login.microsoftonline.com/"
SCOPES: Final = ("User.Read",)
"""msal adds openid, profile and offline_access itself."""

REDIRECT_WAIT_S: Final = 300.0
LOOK_EVERY_S: Final = 0.2
_DONE: Final = b"Puede cerrar esta ventana y volver a Vereda. / You may close this window."


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudPerson:
    """Who signed in. subject: `oid` of Entra, else `sub`. id_token: for the server alone."""

    subject: str
    tenant: str
    id_token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCode:
    """What the person types on another screen, and where. flow: msal's own state."""

    user_code: str
    verification_uri: str
    expires_in_s: int
    flow: dict[str, Any] = field(repr=False)


class EntraClient:
    """One person's line to their issuer."""

    def __init__(
        self,
        *,
        tenant: str,
        client_id: str,
        cache: str = "",
        ca_bundle: Path | None = None,
        proxy: str = "",
    ) -> None:
        """Ask the issuer for its endpoints.

        tenant: an Entra tenant, or the https address of another OpenID Connect issuer.
        cache: as `cache_text` returned it.

        Raises:
            CloudUnreachableError: no issuer there.
        """
        self._cache = msal.SerializableTokenCache()
        if cache:
            self._cache.deserialize(cache)
        other = tenant.startswith("https://")
        try:
            self._app = msal.PublicClientApplication(
                client_id,
                authority=None if other else f"{ENTRA}{tenant}",
                oidc_authority=tenant if other else None,
                token_cache=self._cache,
                http_client=_http(ca_bundle, proxy),
            )
        except (requests.RequestException, ValueError) as error:
            raise CloudUnreachableError("the issuer does not answer") from error

    @property
    def cache_text(self) -> str:
        """The token cache, secrets included: for the encrypted store and nowhere else."""
        return str(self._cache.serialize())

    def device_code(self) -> DeviceCode:
        """Begin the device code flow (RFC 8628). Raises CloudSignInError, CloudUnreachableError."""
        flow = _asked(lambda: self._app.initiate_device_flow(scopes=list(SCOPES)))
        if "user_code" not in flow:
            raise CloudSignInError(str(flow.get("error", "no_device_code")))
        return DeviceCode(
            user_code=flow["user_code"],
            verification_uri=flow["verification_uri"],
            expires_in_s=int(flow.get("expires_in", 900)),
            flow=flow,
        )

    def finish_device_code(self, code: DeviceCode, stop: threading.Event) -> CloudPerson:
        """Wait until the person has typed the code, it expires, or `stop` is set."""
        waits = lambda flow: stop.is_set() or _expired(flow)  # noqa: E731 -- msal's callback
        found = _asked(
            lambda: self._app.acquire_token_by_device_flow(code.flow, exit_condition=waits)
        )
        return _person(found)

    def with_browser(
        self, open_browser: Callable[[str], object], stop: threading.Event
    ) -> CloudPerson:
        """Sign in through the system's browser: authorization code with PKCE (RFC 7636, 8252).

        Waits until the browser comes back, `REDIRECT_WAIT_S` passed, or `stop` is set.
        """
        with _Redirect() as redirect:
            flow = _asked(
                lambda: self._app.initiate_auth_code_flow(
                    scopes=list(SCOPES), redirect_uri=redirect.uri
                )
            )
            open_browser(flow["auth_uri"])
            answer = redirect.wait(REDIRECT_WAIT_S, stop)
        try:
            found = _asked(lambda: self._app.acquire_token_by_auth_code_flow(flow, answer))
        except ValueError as error:  # state does not match: not the answer to our question
            raise CloudSignInError("state_mismatch") from error
        return _person(found)

    def silently(self) -> CloudPerson | None:
        """Return the person from the cache, refreshed where due; None when they must sign in."""
        accounts = self._app.get_accounts()
        if not accounts:
            return None
        found = _asked(
            lambda: self._app.acquire_token_silent_with_error(
                list(SCOPES),
                account=accounts[0],
                force_refresh=True,  # a token from the cache comes without its identity token
            )
        )
        return None if not found or "id_token" not in found else _person(found)


def _expired(flow: Mapping[str, Any]) -> bool:
    return bool(time.time() > flow.get("expires_at", 0))


def _asked(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except requests.RequestException as error:
        raise CloudUnreachableError(type(error).__name__) from error


def _person(found: Mapping[str, Any]) -> CloudPerson:
    claims = found.get("id_token_claims") or {}
    if "error" in found or "id_token" not in found:
        raise CloudSignInError(str(found.get("error", "no_identity")))
    subject = claims.get("oid") or claims.get("sub")
    if not subject:
        raise CloudSignInError("no_subject")
    return CloudPerson(
        subject=str(subject), tenant=str(claims.get("tid", "")), id_token=found["id_token"]
    )


class _SystemTrust(HTTPAdapter):
    """Trusts what the operating system trusts, and the clinic's own authority beside it."""

    def __init__(self, ca_bundle: Path | None) -> None:
        self._context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if ca_bundle is not None:
            self._context.load_verify_locations(cafile=str(ca_bundle))
        super().__init__()

    def init_poolmanager(self, *args: Any, **named: Any) -> Any:
        return super().init_poolmanager(*args, **named, ssl_context=self._context)

    def proxy_manager_for(self, proxy: str, **named: Any) -> Any:
        return super().proxy_manager_for(proxy, **named, ssl_context=self._context)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave the authorities to the context: requests would put its own list there."""


def _http(ca_bundle: Path | None, proxy: str) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # REQUESTS_CA_BUNDLE and netrc of somebody's shell change nothing
    session.mount("https://", _SystemTrust(ca_bundle))
    session.request = _with_timeout(session.request)  # type: ignore[method-assign] # msal sets none
    if proxy:
        session.proxies = {"https": proxy}
    return session


def _with_timeout(request: Callable[..., requests.Response]) -> Callable[..., requests.Response]:
    def bounded(*args: Any, **named: Any) -> requests.Response:
        return request(*args, **({"timeout": 30} | named))

    return bounded


class _Redirect:
    """A loopback address that takes one answer from the browser (RFC 8252, section 7.3)."""

    def __init__(self) -> None:
        self._answer: dict[str, str] = {}
        self._arrived = threading.Event()
        arrived, keep = self._arrived, self._answer

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                keep.update(parse_qsl(urlsplit(self.path).query))
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; charset=utf-8")
                self.end_headers()
                self.wfile.write(_DONE)
                if "code" in keep or "error" in keep:
                    arrived.set()

            def log_message(self, *_: Any) -> None:
                """Say nothing: the address carries a code."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def uri(self) -> str:
        """Where the browser is sent back to."""
        return f"http://localhost:{self._server.server_port}"

    def wait(self, seconds: float, stop: threading.Event) -> dict[str, str]:
        """Return what the browser brought. Raises CloudSignInError when it never came."""
        until = time.monotonic() + seconds
        while not self._arrived.wait(LOOK_EVERY_S):
            if stop.is_set():
                raise CloudSignInError("stopped")
            if time.monotonic() > until:
                raise CloudSignInError("browser_timeout")
        return dict(self._answer)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
