"""Made-up requests for every operation of a running cloud, from its own OpenAPI document.

Schemathesis makes the requests (half fit the document, half break it somewhere) and judges the
answers. Each operation is called as the caller it admits: a person with a role that may, or an
enrolled device that signs what was made up, so that the request reaches what lies behind the
guard.
"""

import base64
import secrets
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import requests
import schemathesis
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from requests.auth import AuthBase
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from cloud_api.auth.dev_issuer import DevIssuer
from cloud_api.auth.door import Operation
from ddx.domain.identifiers import new_record_id
from ddx.domain.roles import Role
from sync_service.client.enrol import enrol
from sync_service.client.identity import DeviceIdentity
from sync_service.client.transport import HttpTransport, make_client
from sync_service.protocol import versions
from sync_service.protocol.signing import signing_input

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
MODES: Final = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
PEOPLE: Final = 40
"""Of each role, in turn: each has a rate of their own."""

TIMEOUT_S: Final = 30.0
_RENEW_EVERY_S: Final = 1_800.0


@dataclass
class Tally:
    """What came back. statuses: how often; failures: by check and operation, with one request."""

    cases: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)
    failed: Counter[str] = field(default_factory=Counter)

    def to_json(self) -> dict[str, Any]:
        """Return it for a file."""
        return {
            "cases": self.cases,
            "statuses": {str(status): n for status, n in sorted(self.statuses.items())},
            "failures": self.failures,
            "failed": dict(self.failed),
        }

    def add(self, other: "Tally") -> None:
        """Count another run in."""
        self.cases += other.cases
        self.statuses.update(other.statuses)
        self.failed.update(other.failed)
        self.failures = {**other.failures, **self.failures}

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> "Tally":
        """Return what `to_json` gave."""
        return cls(
            cases=raw["cases"],
            statuses=Counter({int(status): n for status, n in raw["statuses"].items()}),
            failures=raw["failures"],
            failed=Counter(raw["failed"]),
        )


class SignsAs(AuthBase):
    """Signs a request as one of several enrolled devices, in turn: each has a rate of its own."""

    def __init__(self, devices: Sequence[DeviceIdentity]) -> None:
        self._turns = _in_turn(devices)

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the four headers of the signature."""
        device, nonce, now_s = next(self._turns), secrets.token_hex(12), int(time.time())
        body = r.body.encode() if isinstance(r.body, str) else (r.body or b"")
        covered = signing_input(
            method=str(r.method),
            target=r.path_url,
            body=body,
            device_id=device.device_id,
            timestamp_s=now_s,
            nonce=nonce,
        )
        r.headers[versions.DEVICE_HEADER] = device.device_id
        r.headers[versions.TIMESTAMP_HEADER] = str(now_s)
        r.headers[versions.NONCE_HEADER] = nonce
        r.headers[versions.SIGNATURE_HEADER] = base64.b64encode(device.sign(covered)).decode()
        return r


class BearsToken(AuthBase):
    """Shows the token of a role, made anew before it grows old."""

    def __init__(self, token: Callable[[], str]) -> None:
        self._token, self._made_s, self._shown = token, 0.0, ""

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header."""
        if time.monotonic() - self._made_s > _RENEW_EVERY_S or not self._shown:
            self._shown, self._made_s = self._token(), time.monotonic()
        r.headers["Authorization"] = f"Bearer {self._shown}"
        return r


@dataclass
class Callers:
    """Somebody for every operation."""

    issuer: DevIssuer
    organisation: str
    devices: Sequence[DeviceIdentity]
    now: Callable[[], Any]

    def __post_init__(self) -> None:
        self._signing = SignsAs(self.devices)
        self._bearing = {
            role: [BearsToken(partial(self._token, role, f"{role}-{n}")) for n in range(PEOPLE)]
            for role in Role
        }

    def for_(self, operation: Operation, turn: int) -> AuthBase | None:
        """Return who calls; where people and devices may, they take turns."""
        access = operation.access
        roles = [role for role in Role if access.admits(role)]
        if access.devices and (not roles or turn % 2):
            return self._signing
        if not roles:
            return None
        people = self._bearing[roles[turn % len(roles)]]
        return people[turn // len(roles) % PEOPLE]

    def _token(self, role: Role, subject: str) -> str:
        now, organisation = self.now(), self.organisation
        return self.issuer.token(role, organisation=organisation, now=now, subject=subject)


def enrolled(url: str, codes: Sequence[str]) -> list[DeviceIdentity]:
    """Return one new device per code."""
    devices = []
    with make_client(url) as client:
        for code in codes:
            key = Ed25519PrivateKey.generate()
            device = DeviceIdentity.from_private_key(new_record_id(), 1, key)
            enrol(HttpTransport(client, device), code=code, app_version="0.1.0")
            devices.append(device)
    return devices


class Campaign:
    """Calls a running cloud, operation by operation, and counts what comes back."""

    def __init__(
        self,
        url: str,
        operations: Sequence[Operation],
        callers: Callers,
        timeout_s: float = TIMEOUT_S,
        findings: Sequence[str] = (),
    ) -> None:
        """findings: codes of the served bundle; each second case is of these, not of any."""
        self._url, self._callers, self.tally = url, callers, Tally()
        self._findings = findings
        self._timeout_s = timeout_s
        self._session = requests.Session()
        self._session.trust_env = False
        schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
        self._known = {(o.method, o.path): o for o in operations}
        self._operations = []
        for found in schema.get_all_operations():
            assert isinstance(found, Ok)
            self._operations.append(found.ok())

    @property
    def steps(self) -> int:
        """Steps after which every operation had its turn, both ways."""
        return len(self._operations) * len(MODES)

    def step(self, number: int, *, cases: int, seed_of: int) -> None:
        """Send `cases` requests to one operation: step by step the next one, both ways each."""
        made = self._operations[number // len(MODES) % len(self._operations)]
        self._some(made, MODES[number % len(MODES)], cases, seed_of * 1_000_000 + number)

    def _some(self, made: Any, mode: GenerationMode, examples: int, seed_of: int) -> None:
        known = self._known[made.method.upper(), made.path]

        @seed(seed_of)
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=made.as_strategy(generation_mode=mode))
        def send(case: schemathesis.Case) -> None:
            if self._findings and self.tally.cases % 2:
                _name_known(case.body, self._findings)
            self._send(case, self._callers.for_(known, self.tally.cases), known)

        try:
            send()
        except Unsatisfiable:
            return  # an operation that takes nothing cannot be asked wrongly

    def _send(self, case: schemathesis.Case, caller: AuthBase | None, known: Operation) -> None:
        self.tally.cases += 1
        try:
            answer = self._answer(case, caller)
        except requests.RequestException as error:
            self._found(f"NoAnswer {known.method} {known.path}", case, error)
            return
        self.tally.statuses[answer.status_code] += 1
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as group:
            for failure in group.exceptions:
                status = answer.status_code
                what = f"{type(failure).__name__} {status} {known.method} {known.path}"
                self._found(what, case, failure)

    def _answer(self, case: schemathesis.Case, caller: AuthBase | None) -> Any:
        """Return the answer, asked for twice where a pause of this process used the time up."""

        def ask() -> Any:
            return case.call(
                base_url=self._url, session=self._session, auth=caller, timeout=self._timeout_s
            )

        try:
            return ask()
        except requests.Timeout:
            return ask()

    def _found(self, what: str, case: schemathesis.Case, failure: Exception) -> None:
        self.tally.failed[what] += 1
        self.tally.failures.setdefault(what, _told(case, failure))


def _told(case: schemathesis.Case, failure: Exception) -> str:
    return f"{str(failure)[:600]}\n{case.as_curl_command()[:1_500]}"


def _in_turn(devices: Sequence[DeviceIdentity]) -> Iterator[DeviceIdentity]:
    while True:
        yield from devices


def _name_known(body: Any, known: Sequence[str]) -> None:
    """Replace made-up findings of a case by known ones, the same by the same."""
    case = body.get("case") if isinstance(body, dict) else None
    findings = case.get("findings") if isinstance(case, dict) else None
    for finding in findings if isinstance(findings, list) else ():
        if isinstance(finding, dict) and isinstance(finding.get("id"), str):
            finding["id"] = known[zlib.crc32(finding["id"].encode()) % len(known)]
