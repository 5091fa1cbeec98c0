"""The signed-in clinician's cloud identity and the role it lends them.

Local unlock needs nothing of this: a passphrase opens the store. The cloud identity is linked
once, by device code or browser; from then on the server lends the role for 120 days at a time.
"""

import threading
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddx.domain.audit import AuditAction
from ddx.domain.identifiers import RecordId
from ddx.domain.lease import Grant, RoleLease, granted
from ddx.domain.roles import Role
from desktop.services.audit import SERVER_KEY
from desktop.services.desk import Desk
from desktop.services.errors import CloudNotSetUpError, CloudSignInError, OtherIdentityError
from desktop.settings import Settings
from desktop.signatures import ed25519_check
from desktop.store.unit_of_work import UnitOfWork

if TYPE_CHECKING:  # msal and requests load when a cloud sign-in is asked for
    from desktop.services.entra import CloudPerson, DeviceCode, EntraClient
    from desktop.services.sync import SyncService

_SUBJECT: Final = "cloud.subject."
_CACHE: Final = "cloud.cache."
_LEASE: Final = "cloud.lease."
_SINCE: Final = "cloud.lease_since."


class IdentityService:
    """The cloud side of who is signed in. Every method concerns that person alone."""

    def __init__(self, desk: Desk, settings: Settings, sync: "SyncService") -> None:
        self._desk, self._settings, self._sync = desk, settings, sync
        self._stop = threading.Event()
        self._begun: tuple[EntraClient, threading.Event] | None = None

    def standing(self) -> Grant:
        """Return the role that counts and where its lease stands; anybody may ask of themselves."""
        with self._desk.store.read() as unit:
            local = unit.clinic.clinician(self._me).role
            return standing_of(unit, self._me, local, self._desk.now())

    def linked(self) -> bool:
        """Whether this clinician has a cloud identity."""
        with self._desk.store.read() as unit:
            return unit.settings.get(_SUBJECT + self._me) is not None

    def missing_settings(self) -> tuple[str, ...]:
        """Return the policy keys a cloud sign-in needs and the settings leave empty."""
        needed = {"TenantId": self._settings.tenant_id, "ClientId": self._settings.client_id}
        return tuple(key for key, value in needed.items() if not value)

    def begin_device_code(self) -> "DeviceCode":
        """Return the code to type on another screen.

        Raises:
            CloudNotSetUpError, CloudUnreachableError, CloudSignInError.
        """
        self._begun = client, _ = self._opened(), self._stop
        return client.device_code()

    def finish_device_code(self, code: "DeviceCode") -> Grant:
        """Wait for the person, link them, and take a lease where a server is linked.

        Raises:
            CloudSignInError: refused, expired or stopped; written down.
            OtherIdentityError: this clinician is linked to somebody else.
        """
        if self._begun is None:
            raise CloudSignInError("not_begun")
        client, stop = self._begun
        return self._signed_in(client, lambda: client.finish_device_code(code, stop))

    def ready(self) -> None:
        """Let the next sign-in wait, whatever was stopped before it.

        Called by who asks, before the waiting is handed to another thread: a `stop` after this
        counts even when that thread has not begun.
        """
        self._stop = threading.Event()

    def stop(self) -> None:
        """Give up waiting for the person, until `ready`."""
        self._stop.set()

    def sign_in_with_browser(self, open_browser: Callable[[str], object]) -> Grant:
        """Sign in through the system's browser with PKCE; raises as `finish_device_code` does."""
        client, stop = self._opened(), self._stop
        return self._signed_in(client, lambda: client.with_browser(open_browser, stop))

    def renew(self) -> Grant:
        """Take a fresh lease with the cached sign-in, where there is one; no screen is needed.

        Raises:
            CloudNotSetUpError, CloudUnreachableError, CloudSignInError: the old lease stands.
        """
        client = self._opened()
        person = client.silently()
        if person is None:
            raise CloudSignInError("sign_in_needed")
        return self._link(client, person)

    @property
    def _me(self) -> RecordId:
        return self._desk.clinician.id

    def _opened(self) -> "EntraClient":
        from desktop.services.entra import EntraClient  # noqa: PLC0415 -- msal, see that module

        settings = self._settings
        if missing := self.missing_settings():
            raise CloudNotSetUpError(f"not set: {', '.join(missing)}")
        with self._desk.store.read() as unit:
            cache = unit.settings.get(_CACHE + self._me) or ""
        return EntraClient(
            tenant=settings.tenant_id,
            client_id=settings.client_id,
            cache=cache,
            ca_bundle=Path(settings.ca_bundle_path) if settings.ca_bundle_path else None,
            proxy=settings.proxy_url,
        )

    def _signed_in(self, client: "EntraClient", ask: "Callable[[], CloudPerson]") -> Grant:
        try:
            person = ask()
        except CloudSignInError as error:
            self._write_down(AuditAction.CLOUD_SIGN_IN_REFUSED, reason=error.reason)
            raise
        return self._link(client, person)

    def _link(self, client: "EntraClient", person: "CloudPerson") -> Grant:
        with self._desk.store.write() as unit:
            known = unit.settings.get(_SUBJECT + self._me)
            if known not in {None, person.subject}:
                refused = True
            else:
                refused = False
                unit.settings.put(_SUBJECT + self._me, person.subject)
                unit.settings.put(_CACHE + self._me, client.cache_text)
                self._desk.journal.record(unit, AuditAction.CLOUD_SIGN_IN, self._me)
        if refused:
            self._write_down(AuditAction.CLOUD_SIGN_IN_REFUSED, reason="other_identity")
            raise OtherIdentityError("this clinician is linked to another cloud identity")
        self._take_lease(person)
        return self.standing()

    def _take_lease(self, person: "CloudPerson") -> None:
        lease = self._sync.lease(self._me, person.id_token)
        if lease is None:
            return
        with self._desk.store.write() as unit:
            key = unit.settings.get(SERVER_KEY)
            device = unit.device.get().id
            if key is None:
                key = lease.server_key
                unit.settings.put(SERVER_KEY, key)
            if lease.subject != person.subject or not lease.is_genuine(
                ed25519_check, server_key=key, device_id=device, clinician_id=self._me
            ):
                raise CloudSignInError("lease_not_genuine")
            self._desk.journal.record(
                unit, AuditAction.ROLE_LEASED, self._me, role=lease.role.value
            )
            unit.settings.put(_LEASE + self._me, _lease_to_json(lease))
            unit.settings.put(_SINCE + self._me, _place(unit))

    def _write_down(self, action: AuditAction, **detail: object) -> None:
        with self._desk.store.write() as unit:
            self._desk.journal.record(unit, action, self._me, **detail)


def standing_of(unit: UnitOfWork, clinician: RecordId, local: Role, now: datetime) -> Grant:
    """Return the role that counts for `clinician`; a lease that is not genuine lends nothing.

    Since a lease was taken time never runs backwards: the latest entry written after it is a
    floor under the clock. A fresh lease begins a fresh floor, so a clock that once ran ahead does
    no lasting harm.
    """
    raw, key = unit.settings.get(_LEASE + clinician), unit.settings.get(SERVER_KEY)
    lease = None if raw is None or key is None else _lease_from_json(raw)
    if lease is not None and not lease.is_genuine(
        ed25519_check, server_key=key, device_id=unit.device.get().id, clinician_id=clinician
    ):
        lease = None
    if lease is None:  # nothing runs out, and nobody waits for the whole chain to be read
        return granted(local, None, now)
    epoch, sequence = unit.settings.get(_SINCE + clinician) or (0, 0)
    latest = unit.audit.latest_moment(epoch, sequence)
    return granted(local, lease, now if latest is None else max(now, latest))


def _place(unit: UnitOfWork) -> list[int]:
    head = unit.audit.head()
    return [unit.audit.epoch, 0 if head is None else head.sequence]


def _lease_to_json(lease: RoleLease) -> dict[str, str]:
    return {name: str(value) for name, value in asdict(lease).items()}


def _lease_from_json(raw: dict[str, str]) -> RoleLease:
    return RoleLease(**(raw | {"role": Role(raw["role"])}))  # type: ignore[arg-type] # by name
