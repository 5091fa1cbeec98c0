"""Settings for devices: the port behind the pull."""

from collections.abc import Sequence
from typing import Protocol

from sync_service.protocol.settings import PAGE, SettingMessage, SettingsPage


class DeviceSettings(Protocol):
    """Settings by server sequence, given in commit order."""

    async def after(self, device_id: str, cursor: int, limit: int) -> Sequence[SettingMessage]:
        """Return up to `limit` settings for every device or this one, after `cursor`, in order."""


async def page_after(settings: DeviceSettings, device_id: str, cursor: int) -> SettingsPage:
    """Return the next page for one device; the cursor is the last sequence on it."""
    found = await settings.after(device_id, cursor, PAGE + 1)
    page = tuple(found[:PAGE])
    return SettingsPage(
        settings=page,
        cursor=page[-1].server_sequence if page else cursor,
        more=len(found) > PAGE,
    )
