"""`vereda-cloud --usb-card`, `--usb-in`: records that travel on a stick.

The card holds the public keys a clinic needs; it is handed over once. A file taken in twice is
answered the same way twice: records are known by their names, whichever way they came.
"""

import asyncio
import sys
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from cloud_api.app import prepare, utc_now
from cloud_api.auth.directory import SqlDirectory
from cloud_api.auth.statement_key import FileStatementKey, secret_of
from cloud_api.db.engine import open_database
from cloud_api.db.sink import SqlSink
from cloud_api.settings import CloudSettings
from ddx.errors import DdxError
from sync_service.gateway.usb import Taken, take_in
from sync_service.protocol.sealed import CloudCard

DONE: Final = 0
REFUSED: Final = 1
BAD_INPUT: Final = 2


def run(
    settings: CloudSettings, *, card: Path | None, parcel: Path | None, out: Path | None
) -> int:
    """Write the card, or take in a file and write its answer; return the exit code."""
    try:
        if card is not None:
            card.write_bytes(card_of(settings).wire_bytes())
            _say(f"Card written to {card}: hand it to the clinic")
        if parcel is not None:
            answer = out or parcel.with_name(f"{parcel.name}.receipt")
            taken = asyncio.run(take(settings, parcel.read_bytes()))
            answer.write_bytes(taken.file)
            counted = ", ".join(f"{n} {result}" for result, n in sorted(taken.results.items()))
            _say(f"Device {taken.device_id}: {counted or 'no records'}")
            _say(f"Answer written to {answer}: carry it back")
    except OSError as error:
        return _refuse(f"{error.filename}: {error.strerror}", BAD_INPUT)
    except DdxError as error:
        return _refuse(f"{error} [{error.code}]", REFUSED)
    return DONE


def card_of(settings: CloudSettings) -> CloudCard:
    """Return the public keys of this cloud, made when there are none yet."""
    seal = X25519PrivateKey.from_private_bytes(secret_of(settings.seal_key_file()))
    return CloudCard(
        seal_key=seal.public_key().public_bytes_raw().hex(),
        statement_key=FileStatementKey(settings.statement_key_file()).public_key,
    )


async def take(settings: CloudSettings, file: bytes) -> Taken:
    """Take in one file. Raises as `sync_service.gateway.usb.take_in` does."""
    engine = open_database(settings.database_address())
    try:
        await prepare(settings, engine)
        directory = SqlDirectory(engine)
        return await take_in(
            file,
            private_key=secret_of(settings.seal_key_file()),
            key=FileStatementKey(settings.statement_key_file()),
            directory=directory,
            find=directory.find,
            sink=SqlSink(engine, now=utc_now),
            now=utc_now(),
        )
    finally:
        await engine.dispose()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def _refuse(why: str, code: int) -> int:
    sys.stderr.write(f"vereda-cloud: {why}\n")
    return code
