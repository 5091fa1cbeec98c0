"""The clinic as `vereda-sync` works with it: store, identity, rules and what comes first."""

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from ddx.domain.metering import ByteRule
from ddx.domain.roles import Permission
from desktop.services.checkpoints import show_head
from desktop.services.desk import Desk
from desktop.services.link import HeadsOver, StoreLedger, identity_of, proxy_of
from desktop.services.organisation import take_settings_when_due
from desktop.services.sync import audit_waits, remember_server, send_audit
from desktop.settings import ProxyMode, Settings
from desktop.store.outbox import StoreOutbox
from sync_service.client.clinic import ClinicSide
from sync_service.client.runner import Versions
from sync_service.client.transport import HttpTransport


def clinic_side(
    desk: Desk, settings: Settings, server: str, rule: Callable[[], ByteRule]
) -> ClinicSide:
    """Return the open clinic for a sync service; the session that opened it stays open.

    rule: about paid bytes, as it is when asked.
    """

    def first(transport: HttpTransport) -> None:
        show_head(desk, HeadsOver(transport))
        take_settings_when_due(desk, transport)
        with desk.store.write() as unit:
            send_audit(desk, unit)

    def waits() -> int:
        with desk.store.read() as unit:
            return audit_waits(unit)

    def link(to: str, introduce: Callable[[], object]) -> None:
        desk.require(Permission.MANAGE_CLINICIANS)  # as in the window
        introduce()
        remember_server(desk, to)

    return ClinicSide(
        outbox=StoreOutbox(desk.store),
        identity=identity_of(desk.store),
        software=lambda: Versions(app=version("vereda"), bundle=desk.shelf.status.version or None),
        server=server,
        ca_bundle=Path(settings.ca_bundle_path) if settings.ca_bundle_path else None,
        proxy=proxy_of(settings) or "",
        system_proxy=settings.proxy_mode is ProxyMode.SYSTEM,
        rule=rule,
        ledger=StoreLedger(desk.store),
        before_push=first,
        audit_waits=waits,
        link=link,
    )
