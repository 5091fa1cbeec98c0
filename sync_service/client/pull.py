"""What comes down beside bundles: settings of the organisation, page after page."""

from collections.abc import Callable
from typing import Final

from sync_service.client.errors import ServerRefusedError
from sync_service.client.transport import HttpTransport
from sync_service.protocol.settings import SettingMessage, SettingsPage
from sync_service.protocol.versions import SETTINGS_PATH

_OLDER_SERVER: Final = frozenset({"http.404", "http.405"})
_PAGES: Final = 20
"""At most so many pages at once; the cursor goes on from there next time."""


def pull_settings(
    transport: HttpTransport,
    cursor: int,
    keep: Callable[[tuple[SettingMessage, ...], int], None],
) -> int:
    """Take the settings after `cursor` and return the new cursor.

    keep: writes a page and its cursor in one transaction, before the next page is asked for.
    A server that never moves the cursor on ends the pull.

    Raises:
        ServerRefusedError, ServerUnreachableError, ServerBusyError, ServerClockError.
    """
    for _ in range(_PAGES):
        try:
            page = transport.get(f"{SETTINGS_PATH}?after={cursor}", SettingsPage)
        except ServerRefusedError as error:
            if error.problem in _OLDER_SERVER:
                return cursor
            raise
        if page.cursor <= cursor:
            return cursor
        keep(page.settings, page.cursor)
        cursor = page.cursor
        if not page.more:
            break
    return cursor
