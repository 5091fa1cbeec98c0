"""`vereda audit`: verify an exported log anywhere, or export one after signing in.

    vereda audit verify LOG
    vereda audit export --out FILE [--fhir] [--user NAME] [--data FOLDER]

Exit codes: 0 done; 1 the log does not hold, or the person may not; 2 something given cannot be
used.
"""

import argparse
import getpass
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddx.domain.roles import PermissionDeniedError
from ddx.terminology.catalogue import Language
from desktop.commands import audit as verifying
from desktop.commands.words import Texts, say
from desktop.signatures import fingerprint

if TYPE_CHECKING:  # verifying needs no clinic, and loads none
    from desktop.terminal.sign_in import AskPassphrase, OpenClinic

DONE, REFUSED, BAD_INPUT = 0, 1, 2

WORDS: Final[Texts] = {
    "who": (
        "Diga quién exporta con --user. Pueden entrar: {names}",
        "Say who exports, with --user. These may sign in: {names}",
    ),
    "passphrase": ("Frase de paso de {name}: ", "Passphrase of {name}: "),
    "sign_in_refused": (
        "La frase de paso no es correcta, o hay que esperar {wait} s. No se ha exportado nada.",
        "The passphrase is not right, or {wait} s must pass. Nothing was exported.",
    ),
    "denied": (
        "La función de {name} no permite leer la auditoría. Pídalo a quien audita.",
        "The role of {name} may not read the audit log. Ask the auditor.",
    ),
    "failed": ("No se ha exportado nada ({code}).", "Nothing was exported ({code})."),
    "cannot_write": (
        "No se puede escribir {path} ({reason}). Elija otra ruta con --out.",
        "Cannot write {path} ({reason}). Choose another path with --out.",
    ),
    "exported": ("Exportado en {path}", "Exported to {path}"),
    "device": ("Clave del equipo    {key}", "Device's key   {key}"),
    "server": ("Clave del servidor  {key}", "Server's key   {key}"),
    "keep": (
        "Anote las claves fuera de este equipo: con ellas se comprueba cualquier exportación.",
        "Write the keys down away from this device: any export is verified with them.",
    ),
}


def main(
    argv: Sequence[str] | None = None,
    *,
    ask: "AskPassphrase" = getpass.getpass,
    clinic_of: "OpenClinic | None" = None,
) -> int:
    """Run the command and return its exit code.

    ask: asks for the passphrase without echo. clinic_of: opens a data directory.
    """
    arguments = _parser().parse_args(argv)
    language = Language(arguments.lang)
    if arguments.command == "verify":
        return verifying.run(arguments, language)
    return _export(arguments, language, ask, clinic_of)


def _export(
    arguments: argparse.Namespace,
    language: Language,
    ask: "AskPassphrase",
    clinic_of: "OpenClinic | None",
) -> int:
    from desktop.terminal.sign_in import NotLetInError, enter, open_clinic  # noqa: PLC0415 -- loads the store

    try:
        session, name = enter(arguments, WORDS, language, ask, clinic_of or open_clinic)
    except NotLetInError as refused:
        return _complain(refused.text, refused.code)
    try:
        keys = session.audit.keys()
        content = session.audit.export_fhir() if arguments.fhir else session.audit.export()
    except PermissionDeniedError:
        return _complain(say("denied", language, WORDS, name=name), REFUSED)
    finally:
        session.close()
    try:
        arguments.out.write_bytes(content)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        params = {"path": arguments.out, "reason": reason}
        return _complain(say("cannot_write", language, WORDS, **params), BAD_INPUT)
    lines = [
        say("exported", language, WORDS, path=arguments.out),
        say("device", language, WORDS, key=fingerprint(keys.device_key)),
    ]
    if keys.server_key:
        lines.append(say("server", language, WORDS, key=fingerprint(keys.server_key)))
    sys.stdout.write("\n".join([*lines, say("keep", language, WORDS)]) + "\n")
    return DONE


def _complain(text: str, code: int) -> int:
    sys.stderr.write(text + "\n")
    return code


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--lang", choices=[lang.value for lang in Language], default="es")
    parser = argparse.ArgumentParser(prog="vereda audit", description="The audit log.")
    commands = parser.add_subparsers(dest="command", required=True)
    verify = commands.add_parser("verify", parents=[shared], help="judge an exported log, offline")
    verifying.add_arguments(verify)
    export = commands.add_parser("export", parents=[shared], help="export the log, signed in")
    export.add_argument("--out", type=Path, required=True, help="file to write")
    export.add_argument("--fhir", action="store_true", help="as FHIR R4 AuditEvents instead")
    export.add_argument("--user", help="display name or id of the clinician")
    export.add_argument("--data", type=Path, help="data directory of the clinic")
    return parser


if __name__ == "__main__":
    sys.exit(main())
