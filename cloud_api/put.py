"""`vereda-cloud --put-setting KEY=VALUE`: hand a setting down to the clinics."""

import asyncio
import json
import sys
from typing import Final

from pydantic import ValidationError

from cloud_api.app import prepare, utc_now
from cloud_api.db.engine import open_database
from cloud_api.db.settings import SqlDeviceSettings
from cloud_api.settings import CloudSettings
from sync_service.protocol.settings import SettingMessage

DONE: Final = 0
BAD_INPUT: Final = 2


def run(settings: CloudSettings, text: str, device_id: str) -> int:
    """Put one setting; return the exit code. true, false and whole numbers are read as such."""
    key, given, written = text.partition("=")
    try:
        value = json.loads(written) if written in {"true", "false"} else _number_or_text(written)
        checked = SettingMessage(server_sequence=1, key=key, value=value)
    except ValidationError:
        given = ""
    if not given:
        sys.stderr.write("vereda-cloud: write it as KEY=VALUE, such as DailyByteBudget=50000\n")
        return BAD_INPUT
    sequence = asyncio.run(_put(settings, checked.key, checked.value, device_id))
    whose = device_id or "every device"
    sys.stdout.write(f"{checked.key} is set for {whose} (number {sequence})\n")
    return DONE


def _number_or_text(written: str) -> int | str:
    return int(written) if written.isdecimal() else written


async def _put(settings: CloudSettings, key: str, value: bool | int | str, device_id: str) -> int:
    engine = open_database(settings.database_address())
    try:
        await prepare(settings, engine)
        return await SqlDeviceSettings(engine).put(key, value, now=utc_now(), device_id=device_id)
    finally:
        await engine.dispose()
