"""Requests and answers of /settings."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StrictBool, StrictInt, StringConstraints

from sync_service.protocol.fields import Code, Message, RecordIdText
from sync_service.protocol.versions import MAX_SEQUENCE

Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9]{0,63}$")]
Whole = Annotated[StrictInt, Field(ge=-MAX_SEQUENCE, le=MAX_SEQUENCE)]


class SettingRequest(Message):
    """A value for one device, or for every device of the organisation."""

    value: StrictBool | Whole | Code
    device_id: RecordIdText | None = None


class SettingAnswer(Message):
    """A setting in force. device_id: null for every device. by_operator: set for everybody."""

    key: str
    value: bool | int | str
    device_id: str | None
    set_at: datetime
    server_sequence: int = Field(ge=1)
    by_operator: bool


class SettingList(Message):
    """Settings in force, by key and device."""

    settings: tuple[SettingAnswer, ...]
