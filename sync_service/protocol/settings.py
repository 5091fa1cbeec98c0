"""Settings on their way down: what the organisation sets for its clinics, in commit order."""

from typing import Final

from pydantic import Field

from sync_service.protocol.fields import Code, Message, Sequence63
from sync_service.protocol.versions import SCHEMA_VERSION

PAGE: Final = 100


class SettingMessage(Message):
    """One setting as it was set. A later one of the same key replaces it.

    key: a policy key (`SyncUrl`, `DailyByteBudget`, …); the device knows which it takes.
    """

    server_sequence: Sequence63
    key: Code
    value: bool | int | Code


class SettingsPage(Message):
    """Settings after the cursor the device showed, oldest first.

    cursor: what to show next time. more: there is another page.
    """

    schema_version: int = Field(default=SCHEMA_VERSION, ge=1)
    settings: tuple[SettingMessage, ...] = Field(default=(), max_length=PAGE)
    cursor: int = Field(ge=0)
    more: bool = False
