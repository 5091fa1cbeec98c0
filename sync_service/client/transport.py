"""HTTP to the server: signed, compressed, bounded in time and size. Decides nothing.

Every way a request can fail becomes one of the errors of `sync_service.client.errors`.
"""

import base64
import ipaddress
import json
import secrets
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import httpx
import truststore
from pydantic import ValidationError

from sync_service.client.errors import (
    CaBundleError,
    ProxyAddressError,
    ServerAddressError,
    ServerBusyError,
    ServerClockError,
    ServerRefusedError,
    ServerUnreachableError,
)
from sync_service.client.identity import DeviceIdentity
from sync_service.client.waiting import waited
from sync_service.protocol import versions
from sync_service.protocol.compression import ZSTD, compress, decompress
from sync_service.protocol.errors import ClockSkewError, ProtocolError
from sync_service.protocol.fields import Message
from sync_service.protocol.messages import BatchReceipt, DeviceStatus, SyncBatch
from sync_service.protocol.receipts import unfolded
from sync_service.protocol.signing import signing_input

TIMEOUT: Final = httpx.Timeout(connect=15.0, read=60.0, write=60.0, pool=5.0)
"""Each silence, not the whole: a satellite link answers after seconds, a dead one never."""

DEADLINE_S: Final = 300.0
"""The whole answer; a server that drips one byte a minute does not hold a device for ever."""

_MAX_ANSWER_BYTES: Final = 1 << 20

_HEADER_BYTES: Final = 600
"""An estimate: headers of one message, and what TLS and TCP add to it."""

M = TypeVar("M", bound=Message)


def make_client(
    server: str,
    *,
    ca_bundle: Path | None = None,
    proxy: str | None = None,
    system_proxy: bool = True,
) -> httpx.Client:
    """Return an HTTP client for one server, trusting what the operating system trusts.

    ca_bundle: PEM file of a private authority, trusted in addition. proxy: address to go
    through; system_proxy: whether HTTPS_PROXY and its like count when none is given.

    Raises:
        ServerAddressError: not https (plain http is allowed on loopback only).
        CaBundleError: the file of the private authority cannot be used.
        ProxyAddressError: no http or https proxy, or not an address at all.
    """
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca_bundle is not None:
        try:
            context.load_verify_locations(cafile=str(ca_bundle))
        except (OSError, ssl.SSLError) as error:
            raise CaBundleError(f"{ca_bundle} is not a readable PEM file") from error
    address = checked_address(server)
    try:
        return httpx.Client(
            base_url=address,
            verify=context,
            proxy=proxy,
            trust_env=system_proxy,
            timeout=TIMEOUT,
            follow_redirects=False,
            headers={"Accept-Encoding": ZSTD, "Accept": "application/json"},
        )
    except (ValueError, ImportError, httpx.InvalidURL) as error:  # ImportError: socks://
        which = "the proxy given" if proxy else "the system's proxy (HTTPS_PROXY and its like)"
        raise ProxyAddressError(f"{which} is no http://HOST:PORT we can use") from error


def checked_address(server: str) -> str:
    """Return `server` when records may be sent there. Raises ServerAddressError otherwise."""
    try:
        url = httpx.URL(server)
    except httpx.InvalidURL as error:
        raise ServerAddressError(f"not an address: {server!r}") from error
    if url.scheme == "https" and url.host:
        return server
    if url.scheme == "http" and _is_loopback(url.host):
        return server
    raise ServerAddressError(f"{server!r} must start with https:// (http only on this machine)")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: httpx.Headers
    body: bytes


class HttpTransport:
    """Signed calls to one server for one device. One thread at a time."""

    def __init__(
        self,
        client: httpx.Client,
        identity: DeviceIdentity,
        *,
        now_s: Callable[[], float] = time.time,
        counted: Callable[[int], None] = lambda _size_bytes: None,
    ) -> None:
        """Bind client and identity. counted: told the HTTP bytes of each exchange, both ways.

        A request that found nobody to take it is not counted: none of its bytes left.
        """
        self._client, self.identity, self._now_s = client, identity, now_s
        self._counted = counted
        self.on_answer: Callable[[], None] = lambda: None
        """Told of each answer of our server: the link is there."""
        self.may_go_on: Callable[[], bool] | None = None
        """Asked while an answer is awaited; once it says no, StoppedError. The request may have
        arrived: every message of ours may be sent twice."""
        self.clock_offset_s = 0.0
        """Added to our clock when signing; learned from the server, see `ServerClockError`."""

    def push(self, batch: SyncBatch) -> BatchReceipt:
        """Send one batch; return its receipt, one result per record.

        Raises the errors of this module's docstring.
        """
        body = compress(batch.wire_bytes())
        headers = {"Content-Encoding": ZSTD, "Content-Type": "application/json"}
        receipt = self._call("POST", versions.BATCHES_PATH, body, headers, BatchReceipt)
        return unfolded(receipt, batch)

    def status(self) -> DeviceStatus:
        """Return what the server holds of this device."""
        return self._call("GET", versions.STATUS_PATH, b"", {}, DeviceStatus)

    def get(self, target: str, answer: type[M]) -> M:
        """Ask for `target` (path and query) and read the answer as `answer`."""
        return self._call("GET", target, b"", {}, answer)

    def post(self, path: str, message: Message, answer: type[M]) -> M:
        """Send one small message uncompressed and read the answer as `answer`."""
        headers = {"Content-Type": "application/json"}
        return self._call("POST", path, message.wire_bytes(), headers, answer)

    def _call(
        self, method: str, path: str, body: bytes, headers: dict[str, str], answer: type[M]
    ) -> M:
        signed = headers | self._signature(method, path, body)
        received = self._awaited(lambda: self._send(method, path, body, signed))
        if received.status != 200:
            raise self._refusal(received)
        try:
            read = answer.model_validate_json(received.body)
        except ValidationError as error:  # a captive portal answers 200 to everything
            message = "the answer is not from a Vereda server"
            raise ServerUnreachableError(message, spoke=True) from error
        self.on_answer()
        return read

    def _awaited(self, ask: Callable[[], _Answer]) -> _Answer:
        return ask() if self.may_go_on is None else waited(ask, may_go_on=self.may_go_on)

    def _signature(self, method: str, path: str, body: bytes) -> dict[str, str]:
        request = self._client.build_request(method, path)
        timestamp_s, nonce = int(self._now_s() + self.clock_offset_s), secrets.token_hex(12)
        signature = self.identity.sign(
            signing_input(
                method=method,
                target=request.url.raw_path.decode(),
                body=body,
                device_id=self.identity.device_id,
                timestamp_s=timestamp_s,
                nonce=nonce,
            )
        )
        return {
            versions.DEVICE_HEADER: self.identity.device_id,
            versions.TIMESTAMP_HEADER: str(timestamp_s),
            versions.NONCE_HEADER: nonce,
            versions.SIGNATURE_HEADER: base64.b64encode(signature).decode(),
        }

    def _send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> _Answer:
        try:
            with self._client.stream(method, path, content=body, headers=headers) as response:
                raw = _read_bounded(response)
                self._counted(len(raw) + _HEADER_BYTES)
                if response.headers.get("Content-Encoding") == ZSTD:
                    raw = decompress(raw, limit_bytes=_MAX_ANSWER_BYTES)
                answer = _Answer(response.status_code, response.headers, raw)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            spoke = _met_a_stranger(error)
            if spoke:
                self._counted(_HEADER_BYTES)
            raise ServerUnreachableError(type(error).__name__, spoke=spoke) from error
        except (httpx.HTTPError, httpx.StreamError, ProtocolError) as error:
            self._counted(len(body) + _HEADER_BYTES)
            raise ServerUnreachableError(type(error).__name__, spoke=True) from error
        except ServerUnreachableError:
            self._counted(len(body) + _HEADER_BYTES)
            raise
        self._counted(len(body) + _HEADER_BYTES)
        return answer

    def _refusal(self, answer: _Answer) -> Exception:
        problem = _problem(answer)
        if answer.status in {429, 503}:
            return ServerBusyError(_retry_after_s(answer.headers))
        code, server_time = problem.get("code"), problem.get("server_time_s")
        if code == ClockSkewError.code and isinstance(server_time, int | float):
            return ServerClockError(float(server_time) - self._now_s())
        if isinstance(code, str) and answer.status < 500:
            return ServerRefusedError(code, answer.status)
        return ServerUnreachableError(f"status {answer.status}", spoke=True)


def _met_a_stranger(error: BaseException | None) -> bool:
    """Whether a connection failed in its TLS part: somebody was there, and not our server."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _read_bounded(response: httpx.Response) -> bytes:
    """Return the raw body, giving up on too many bytes or too many minutes."""
    until, body = time.monotonic() + DEADLINE_S, bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > _MAX_ANSWER_BYTES or time.monotonic() > until:
            raise ServerUnreachableError("the answer does not end", spoke=True)
    return bytes(body)


def _problem(answer: _Answer) -> dict[str, object]:
    """Return the RFC 9457 members, or nothing when the answer is not problem details."""
    if not answer.headers.get("Content-Type", "").startswith("application/problem+json"):
        return {}
    try:
        members = json.loads(answer.body)
    except ValueError:
        return {}
    return members if isinstance(members, dict) else {}


def _retry_after_s(headers: httpx.Headers) -> float | None:
    """Return Retry-After in seconds (RFC 9110, 10.2.3); the date form is left to back-off."""
    text = headers.get("Retry-After", "")
    return float(text) if text.isdecimal() and len(text) < 9 else None
