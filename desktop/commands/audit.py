"""`vereda audit verify`: judge an exported audit log; no clinic, no key, no network.

    vereda audit verify LOG [--device-key HEX] [--server-key HEX] [--witness LATER_LOG]

Exit codes: 0 the log holds; 1 it does not, and the first bad entry is named; 2 something given
cannot be used.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ddx.domain.audit_log import row_of
from ddx.domain.audit_verdict import AuditLogReport, AuditVerdict, verify_log
from ddx.domain.statements import Checkpoint
from ddx.terminology.catalogue import Language
from desktop.commands.words import Texts, say
from desktop.signatures import ed25519_check, fingerprint

HOLDS, BROKEN, BAD_INPUT = 0, 1, 2

WORDS: Final[Texts] = {
    "holds": (
        "El registro encaja: {entries} entradas en {epochs} época(s), {checkpoints} cabezas "
        "refrendadas.",
        "The log holds: {entries} entries in {epochs} epoch(s), {checkpoints} countersigned heads.",
    ),
    "unsigned": (
        "{unsigned} entradas son anteriores a la firma y solo las cubre la cadena.",
        "{unsigned} entries are older than signatures: only the chain covers them.",
    ),
    "begins": (
        "Empieza en la entrada {sequence} de la época {epoch}: las anteriores llegaron al "
        "servidor, que refrendó esa, y se retiraron por antiguas.",
        "It begins at entry {sequence} of epoch {epoch}: the earlier ones reached the server, "
        "which countersigned that one, and were let go of for their age.",
    ),
    "device": ("Clave del equipo    {key}", "Device's key   {key}"),
    "server": ("Clave del servidor  {key}", "Server's key   {key}"),
    "compare": (
        "Nadie ha dicho cuál es la clave del equipo: compare la de arriba con la que el centro o "
        "el servidor tienen anotada, o désela a esta orden con --device-key.",
        "Nobody said which key the device has: compare the one above with what the clinic or the "
        "server wrote down, or give it with --device-key.",
    ),
    "broken": (
        "NO ENCAJA. {verdict}. Época {epoch}, entrada {sequence}: {reason}",
        "DOES NOT HOLD. {verdict}. Epoch {epoch}, entry {sequence}: {reason}",
    ),
    "broken_file": ("NO ENCAJA. {verdict}: {reason}", "DOES NOT HOLD. {verdict}: {reason}"),
    "next": (
        "No borre nada: guarde este archivo y el almacén, y avise a quien audita.",
        "Delete nothing: keep this file and the store, and tell the auditor.",
    ),
    "cannot_read": (
        "No se puede leer {path} ({reason}). Dé la ruta de un registro exportado.",
        "Cannot read {path} ({reason}). Give the path of an exported log.",
    ),
    "bad_key": (
        "{key} no es una clave pública: 64 cifras hexadecimales.",
        "{key} is not a public key: 64 hexadecimal digits.",
    ),
}
VERDICTS: Final[Texts] = {
    AuditVerdict.EDIT: ("EDICIÓN (edit)", "EDIT"),
    AuditVerdict.GAP: ("HUECO (gap)", "GAP"),
    AuditVerdict.REORDER: ("DESORDEN (reorder)", "REORDER"),
    AuditVerdict.FORK: ("BIFURCACIÓN (fork)", "FORK"),
    AuditVerdict.TRUNCATION: ("FALTA EL FINAL (truncation)", "TRUNCATION"),
    AuditVerdict.FOREIGN_KEY: ("CLAVE AJENA (foreign key)", "FOREIGN KEY"),
    AuditVerdict.RESTORED_BACKUP: ("COPIA RESTAURADA (restored backup)", "RESTORED BACKUP"),
}


class KeyTextError(ValueError):
    """A key on the command line is not one."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `verify` takes."""
    parser.add_argument("log", type=Path, help="an exported audit log")
    parser.add_argument("--device-key", help="public key the device is known by, hex")
    parser.add_argument("--server-key", help="public key the server is known by, hex")
    parser.add_argument(
        "--witness", type=Path, help="another export whose countersigned heads must agree"
    )


def run(arguments: argparse.Namespace, language: Language) -> int:
    """Verify one log, say what was found, return the exit code."""
    try:
        lines = _lines(arguments.log)
        witness = () if arguments.witness is None else heads_of(_lines(arguments.witness))
        device, server = _key(arguments.device_key), _key(arguments.server_key)
    except OSError as error:
        why = error.strerror or type(error).__name__
        return _complain(say("cannot_read", language, WORDS, path=error.filename, reason=why))
    except KeyTextError as error:
        return _complain(say("bad_key", language, WORDS, key=str(error)))
    report = verify_log(
        lines, check=ed25519_check, device_key=device, server_key=server, witness=witness
    )
    sys.stdout.write("\n".join(told(report, language, pinned=device is not None)) + "\n")
    return HOLDS if report.holds else BROKEN


def told(report: AuditLogReport, language: Language, *, pinned: bool) -> list[str]:
    """Return what there is to say of a report."""
    found = report.finding
    if found is not None:
        verdict = say(found.verdict, language, VERDICTS)
        key = "broken" if found.sequence else "broken_file"
        params = {"epoch": found.epoch, "sequence": found.sequence, "reason": found.reason}
        return [
            say(key, language, WORDS, verdict=verdict, **params),
            say("next", language, WORDS),
        ]
    counts = {"entries": report.entries, "epochs": report.epochs}
    lines = [say("holds", language, WORDS, checkpoints=report.checkpoints, **counts)]
    if report.unsigned:
        lines.append(say("unsigned", language, WORDS, unsigned=report.unsigned))
    if report.begins is not None:
        epoch, sequence = report.begins
        lines.append(say("begins", language, WORDS, epoch=epoch, sequence=sequence))
    lines.append(say("device", language, WORDS, key=fingerprint(report.device_key)))
    lines += [say("server", language, WORDS, key=fingerprint(key)) for key in report.server_keys]
    return lines if pinned else [*lines, say("compare", language, WORDS)]


def heads_of(lines: Sequence[bytes]) -> tuple[Checkpoint, ...]:
    """Return the countersigned heads in the lines of a log; lines that are none are passed over."""
    rows = [row_of(line) for line in lines]
    names = set(Checkpoint.__dataclass_fields__)
    return tuple(
        Checkpoint(**{name: row[name] for name in names})
        for row in rows
        if row is not None and row.get("kind") == "checkpoint" and names <= row.keys()
    )


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def _key(text: str | None) -> str | None:
    if text is None:
        return None
    bare = "".join(text.split()).lower()
    if not re.fullmatch(r"[0-9a-f]{64}", bare):
        raise KeyTextError(text)
    return bare


def _complain(text: str) -> int:
    sys.stderr.write(text + "\n")
    return BAD_INPUT
