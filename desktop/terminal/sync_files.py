"""`vereda sync`: records on a stick, where there is no network.

    vereda sync export FILE --card CARD [--enrol CODE]
    vereda sync import ANSWER --card CARD

The card comes from `vereda-cloud --usb-card`. Records keep waiting until the answer is imported.
Exit codes: 0 done; 1 some records are set aside; 2 not set up, or something given cannot be used.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from ddx.errors import DdxError
from ddx.terminology.catalogue import Language
from desktop.commands.words import Texts, say
from desktop.settings import SettingsError, data_directory, load_settings
from desktop.terminal import sync
from sync_service.client.clinic import ClinicSide
from sync_service.client.usb import export, settle
from sync_service.protocol.sealed import CloudCard, SealedFileError, read_as

DONE, ASIDE, BAD_INPUT = 0, 1, 2

WORDS: Final[Texts] = {
    "not_allowed": (
        "Este centro no permite sacar registros en memorias (AllowUsbExport). "
        "Pídalo a quien lo administra.",
        "This clinic does not let records leave on sticks (AllowUsbExport). "
        "Ask whoever manages it.",
    ),
    "exported": (
        "{records} registros en {path}, cifrados para la nube. Siguen esperando hasta que importe "
        "la respuesta.",
        "{records} records in {path}, sealed for the cloud. They keep waiting until you import "
        "the answer.",
    ),
    "aside": (
        "{aside} registros no pueden salir y quedan apartados.",
        "{aside} records may not leave and are set aside.",
    ),
    "imported": (
        "{stored} registros llegaron; {rejected} no se aceptaron.",
        "{stored} records arrived; {rejected} were not accepted.",
    ),
    "not_an_answer": (
        "{path} no es la respuesta de esta nube a este equipo ({code}). Importe el archivo "
        "terminado en .receipt que la nube devolvió. Los registros siguen esperando.",
        "{path} is not this cloud's answer to this device ({code}). Import the file ending in "
        ".receipt that the cloud gave back. The records keep waiting.",
    ),
    "not_a_card": (
        "{path} no es la tarjeta de una nube ({code}). Pídala a quien lleva la nube "
        "(vereda-cloud --usb-card).",
        "{path} is not the card of a cloud ({code}). Ask whoever runs the cloud for it "
        "(vereda-cloud --usb-card).",
    ),
    "file": ("{path}: {reason}", "{path}: {reason}"),
    "failed": ("{why} ({code})", "{why} ({code})"),
}


def main(
    argv: Sequence[str] | None = None, *, clinic: Callable[[], ClinicSide] = sync.clinic_side
) -> int:
    """Run one command; return the exit code. clinic: opens the clinic, signed in to."""
    asked = _options(argv)
    language: Language = asked.lang
    try:
        if not load_settings(data_directory()).allow_usb_export:
            return _refuse(say("not_allowed", language, WORDS))
        card = _card(asked.card, language)
        side = clinic()
        try:
            return (
                _export(asked, side, card) if asked.what == "export" else _take(asked, side, card)
            )
        finally:
            side.close()
    except _NotThatFileError as error:
        return _refuse(str(error))
    except OSError as error:
        told = say("file", language, WORDS, path=error.filename, reason=error.strerror)
        return _refuse(told)
    except (DdxError, SettingsError) as error:
        return _refuse(say("failed", language, WORDS, why=error, code=error.code))


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--lang", type=Language, choices=tuple(Language), default=Language.ES)
    parser = argparse.ArgumentParser(prog="vereda sync", description="Records on a stick.")
    what = parser.add_subparsers(dest="what", required=True)
    out = what.add_parser("export", parents=[shared], help="write what waits to a sealed file")
    out.add_argument("file", type=Path)
    out.add_argument("--enrol", metavar="CODE", help="also introduce this device to the cloud")
    back = what.add_parser("import", parents=[shared], help="read the cloud's answer")
    back.add_argument("file", type=Path)
    for command in (out, back):
        command.add_argument("--card", type=Path, required=True, help="the cloud's card")
    return parser.parse_args(argv)


class _NotThatFileError(Exception):
    """A file is another than asked for; the message tells what to do."""


def _card(path: Path, language: Language) -> CloudCard:
    try:
        return read_as(path.read_bytes(), CloudCard)
    except SealedFileError as error:
        told = say("not_a_card", language, WORDS, path=path, code=error.code)
        raise _NotThatFileError(told) from error


def _export(asked: argparse.Namespace, side: ClinicSide, card: CloudCard) -> int:
    made = export(side.outbox, side.identity, side.software(), card, code=asked.enrol)
    _write_whole(asked.file, made.file)
    _say(say("exported", asked.lang, WORDS, records=made.records, path=asked.file))
    if made.aside:
        _say(say("aside", asked.lang, WORDS, aside=made.aside))
    return ASIDE if made.aside else DONE


def _take(asked: argparse.Namespace, side: ClinicSide, card: CloudCard) -> int:
    try:
        settled = settle(asked.file.read_bytes(), side.outbox, side.identity, card)
    except SealedFileError as error:
        told = say("not_an_answer", asked.lang, WORDS, path=asked.file, code=error.code)
        raise _NotThatFileError(told) from error
    told = say("imported", asked.lang, WORDS, stored=settled.stored, rejected=settled.rejected)
    _say(told)
    return ASIDE if settled.rejected else DONE


def _write_whole(path: Path, content: bytes) -> None:
    """Write beside and rename: a stick pulled out too soon leaves no half file of that name."""
    beside = path.with_name(f"{path.name}.part")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def _refuse(text: str) -> int:
    sys.stderr.write(text + "\n")
    return BAD_INPUT
