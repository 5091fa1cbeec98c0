"""What the organisation sets for its clinics: taken down with each sync, weaker than this machine.

The cloud may set how the clinic syncs and updates, nothing of who may enter or where data goes. A
value this machine's own file sets stays; a key or value this version does not know is kept and
waits for one that does.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from ddx.domain.audit import AuditAction
from desktop.services.desk import Desk
from desktop.services.journal import within
from desktop.settings import Origin, Settings, SettingsError, declared, overlaid
from desktop.store.store import ClinicStore

if TYPE_CHECKING:  # httpx and pydantic load with the first sync
    from sync_service.client.transport import HttpTransport
    from sync_service.protocol.settings import SettingMessage

CURSOR: Final = "organisation.cursor"
KEPT: Final = "organisation.settings"
TAKEN: Final = frozenset(
    {
        "AutoUpdateEnabled",
        "UpdateChannel",
        "MaxModelAgeDays",
        "MeteredPolicy",
        "DailyByteBudget",
        "LogLevel",
        "CommitFirstMode",
    }
)
"""Keys the cloud may set. Addresses, keys of sign-in, locks and exports are not among them."""


LOOK_EVERY: Final = timedelta(hours=6)
"""A look without news costs a connection, about 5 KB: four a day fit an idle day of 50 KB."""

LOOKED: Final = "organisation.looked_at"


def take_settings_when_due(desk: Desk, transport: "HttpTransport") -> None:
    """Take the settings if the last look was six hours ago or longer."""
    with desk.store.read() as unit:
        looked = unit.settings.get(LOOKED)
    now = desk.now()
    if looked is not None and within(LOOK_EVERY, datetime.fromisoformat(looked), now):
        return
    take_settings(desk, transport)


def take_settings(desk: Desk, transport: "HttpTransport") -> None:
    """Take the settings after the cursor kept here; what was taken is in the audit.

    An absent, busy, refusing or older server changes nothing: the push that follows reports it.
    """
    from sync_service.client.errors import SyncClientError  # noqa: PLC0415 -- pydantic
    from sync_service.client.pull import pull_settings  # noqa: PLC0415

    with desk.store.read() as unit:
        cursor = int(unit.settings.get(CURSOR) or 0)

    def keep(page: "tuple[SettingMessage, ...]", at: int) -> None:
        with desk.store.write() as unit:
            kept: dict[str, Any] = dict(unit.settings.get(KEPT) or {})
            for setting in page:
                if kept.get(setting.key) != setting.value:
                    kept[setting.key] = setting.value
                    desk.journal.record(unit, AuditAction.SETTING_CHANGED, setting.key)
            unit.settings.put(KEPT, kept)
            unit.settings.put(CURSOR, at)

    try:
        pull_settings(transport, cursor, keep)
    except SyncClientError:
        return
    with desk.store.write() as unit:
        unit.settings.put(LOOKED, desk.now().isoformat())


def in_force(store: ClinicStore, own: Settings) -> Settings:
    """Return `own` with what the organisation set, wherever this machine says nothing itself."""
    with store.read() as unit:
        kept: dict[str, Any] = dict(unit.settings.get(KEPT) or {})
    known, plain = declared(), Settings()
    for key in sorted(TAKEN & kept.keys() & known.keys()):
        name = known[key][0]
        said_here = own.origin_of(key) is not Origin.DEFAULT
        if said_here or getattr(own, name) != getattr(plain, name):
            continue
        try:
            own = overlaid(own, {key: kept[key]}, Origin.CLOUD)
        except SettingsError:
            continue  # a value of a later version
    return own
