"""`vereda app-update`: newer versions of the application itself.

    vereda app-update status [--user NAME] [--data FOLDER]
    vereda app-update fetch
    vereda app-update install [--run]
    vereda app-update rollback [--run]

Fetch brings the installer that the clinic's server offers this device, verified by its signatures,
and keeps the one of the version that runs. Install and rollback print the command of the system
that puts a version in place; --run starts it where this process may: on Windows, which asks for an
administrator, and as root elsewhere. Everything but status is for who manages the clinic.

Exit codes: 0 done, or nothing newer; 1 refused, nothing changed; 2 something given cannot be used.
"""

import argparse
import getpass
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddx.domain.roles import PermissionDeniedError
from ddx.errors import DdxError
from ddx.terminology.catalogue import Language
from desktop.commands.words import NOTHING_CHANGED, Texts, say
from desktop.services.application import ApplicationService, Installation
from desktop.services.errors import NoInstallerError, NotLinkedError
from desktop.terminal.sign_in import NotLetInError, enter, open_clinic
from model_bundles.errors import (
    BundleBudgetError,
    BundleMeteredError,
    BundleOfflineError,
    BundleTamperedError,
)

if TYPE_CHECKING:
    from desktop.services.session import Session
    from desktop.terminal.sign_in import AskPassphrase, OpenClinic

DONE, REFUSED = 0, 1

WORDS: Final[Texts] = {
    **NOTHING_CHANGED,
    "who": (
        "Diga quién es con --user. Pueden entrar: {names}",
        "Say who you are, with --user. These may sign in: {names}",
    ),
    "running": ("Vereda {version}.", "Vereda {version}."),
    "ready": (
        "Vereda {version} está lista: `vereda app-update install` dice cómo instalarla.",
        "Vereda {version} lies ready: `vereda app-update install` tells how to install it.",
    ),
    "none_ready": (
        "No hay aquí ninguna versión más nueva.",
        "No newer version lies here.",
    ),
    "before": (
        "Se puede volver a Vereda {version}: `vereda app-update rollback` dice cómo.",
        "There is a way back to Vereda {version}: `vereda app-update rollback` tells how.",
    ),
    "command": (
        "El instalador de Vereda {version} está verificado. Cierre Vereda y escriba como "
        "administrador:",
        "The installer of Vereda {version} is verified. Close Vereda and type as an administrator:",
    ),
    "starting": ("Se inicia el instalador de Vereda {version}:", "Starting to install {version}:"),
    "installed": ("Vereda {version} instalada.", "Vereda {version} is installed."),
    "not_installed": (
        "El sistema no la instaló (código {code}); sigue la versión de ahora.",
        "The system did not install it (code {code}); the present version stays.",
    ),
    "needs_root": (
        "Instalar necesita los permisos de root, y esta cuenta no los tiene. Escriba la orden de "
        "arriba.",
        "Installing needs root, which this account is not. Type the command above.",
    ),
    "denied": (
        "Solo quien administra el centro cambia la versión. Nada ha cambiado.",
        "Only who manages the clinic changes the version. Nothing changed.",
    ),
    "not_linked": (
        "El centro no está unido a un servidor: instale la versión nueva desde su archivo, como "
        "dice la guía de informática.",
        "The clinic is not linked to a server: install the new version from its file, as the "
        "guide for IT says.",
    ),
    "no_installer": (
        "No hay aquí instalador de esa versión. Si alguien guardó el archivo, instálelo con él, "
        "como dice la guía de informática.",
        "No installer of that version lies here. If somebody kept the file, install with it, as "
        "the guide for IT says.",
    ),
    "offline": (
        "El servidor no responde ({code}). Sigue todo como estaba; repita más tarde.",
        "The server does not answer ({code}). All stays as it was; try again later.",
    ),
    "paid": (
        "Esta conexión se paga por datos: la versión nueva espera a otra ({code}).",
        "This link is paid by the byte: the new version waits for another one ({code}).",
    ),
    "tampered": (
        "El instalador no es el que se firmó ({code}) y no se usa. Bájelo otra vez con "
        "`vereda app-update fetch`; si se repite, avise a quien administra los equipos.",
        "The installer is not the one that was signed ({code}) and is not used. Bring it again "
        "with `vereda app-update fetch`; if it happens again, tell whoever manages the computers.",
    ),
}
_SAID: Final = (
    (PermissionDeniedError, "denied"),
    (NotLinkedError, "not_linked"),
    (NoInstallerError, "no_installer"),
    (BundleTamperedError, "tampered"),
    (BundleOfflineError, "offline"),
    (BundleMeteredError, "paid"),
    (BundleBudgetError, "paid"),
)
"""Error -> what is said of it, the most exact first; of any other its code."""

Start = Callable[[Installation], int | None]
"""Starts the system's installer; returns its exit code, None where it goes on without us."""


def main(
    argv: Sequence[str] | None = None,
    *,
    ask: "AskPassphrase" = getpass.getpass,
    clinic_of: "OpenClinic" = open_clinic,
    versions_of: "Callable[[Session], ApplicationService]" = lambda session: session.application,
    start: Start | None = None,
) -> int:
    """Run the command and return its exit code.

    ask: asks for the passphrase without echo. clinic_of: opens a data directory. versions_of,
    start: the service of a session, and what starts the system's installer.
    """
    arguments = _parser().parse_args(argv)
    language = Language(arguments.lang)
    try:
        session, _ = enter(arguments, WORDS, language, ask, clinic_of)
    except NotLetInError as refused:
        return _complain(refused.text, refused.code)
    try:
        return _run(arguments, versions_of(session), language, start or start_installer)
    except DdxError as error:
        key = next((key for kind, key in _SAID if isinstance(error, kind)), "failed")
        return _complain(say(key, language, WORDS, code=error.code), REFUSED)
    finally:
        session.close()


def _run(
    arguments: argparse.Namespace, versions: ApplicationService, language: Language, start: Start
) -> int:
    match arguments.command:
        case "status":
            return _tell(versions, language)
        case "fetch":
            versions.fetch()
            return _tell(versions, language)
        case "install":
            return _install(versions.installation(), language, start if arguments.run else None)
        case _:
            return _install(versions.way_back(), language, start if arguments.run else None)


def _tell(versions: ApplicationService, language: Language) -> int:
    now = versions.status()
    told = [say("running", language, WORDS, version=now.running)]
    told.append(say("ready" if now.ready else "none_ready", language, WORDS, version=now.ready))
    if now.before:
        told.append(say("before", language, WORDS, version=now.before))
    _print(*told)
    return DONE


def _install(how: Installation, language: Language, start: Start | None) -> int:
    runs = start is not None and how.unattended
    key = "starting" if runs else "command"
    _print(say(key, language, WORDS, version=how.version), f"    {_spelled(how.command)}")
    if start is None:
        return DONE
    if not how.unattended:
        return _complain(say("needs_root", language, WORDS), REFUSED)
    code = start(how)
    if code:
        return _complain(say("not_installed", language, WORDS, code=code), REFUSED)
    if code == 0:
        _print(say("installed", language, WORDS, version=how.version))
    return DONE


def start_installer(how: Installation) -> int | None:
    """Start the system's installer. On Windows it goes on without us: it replaces our files."""
    if sys.platform == "win32":
        subprocess.Popen(how.command)  # noqa: S603 -- ours, and a verified file
        return None
    around = surroundings(os.environ)
    return subprocess.run(how.command, env=around, check=False).returncode  # noqa: S603 -- as above


def surroundings(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a program of the system.

    The frozen application looks for libraries in its own folder first; nobody else should.
    """
    around = {k: v for k, v in environment.items() if not k.startswith("LD_LIBRARY_PATH")}
    before = environment.get("LD_LIBRARY_PATH_ORIG")
    return {**around, "DEBIAN_FRONTEND": "noninteractive"} | (
        {"LD_LIBRARY_PATH": before} if before else {}
    )


def _spelled(command: Sequence[str]) -> str:
    if command[0] == "msiexec":
        return subprocess.list2cmdline(command)
    return shlex.join(command)


def _print(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def _complain(text: str, code: int) -> int:
    sys.stderr.write(text + "\n")
    return code


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--lang", choices=[lang.value for lang in Language], default="es")
    shared.add_argument("--user", help="display name or id of the clinician")
    shared.add_argument("--data", type=Path, help="data directory of the clinic")
    parser = argparse.ArgumentParser(
        prog="vereda app-update", description="Newer versions of the application itself."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("status", parents=[shared], help="which versions lie here")
    commands.add_parser("fetch", parents=[shared], help="bring the one that is offered, verified")
    for name, does in (
        ("install", "how the newer version is installed"),
        ("rollback", "how the version before is put back"),
    ):
        command = commands.add_parser(name, parents=[shared], help=does)
        command.add_argument("--run", action="store_true", help="start it, where this may")
    return parser


if __name__ == "__main__":
    sys.exit(main())
