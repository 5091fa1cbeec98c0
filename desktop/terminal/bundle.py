"""`vereda bundle`: models carried on a USB stick, out and in.

    vereda bundle export DIR [--from REPOSITORY] [--channel NAME]
    vereda bundle import DIR [--user NAME] [--data FOLDER]

Export needs no clinic and no key: it copies what is signed and reads it back as a device would.
Without --from it carries the model that came with this application, from the repository for sticks.
Import signs in, so that the audit log tells who brought what; it verifies exactly as an update
from the server does.

Exit codes: 0 done, or nothing newer; 1 refused, nothing changed; 2 something given cannot be used.
"""

import argparse
import getpass
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddx.errors import DdxError
from ddx.terminology.catalogue import Language
from desktop.commands.words import NOTHING_CHANGED, Texts, say
from desktop.hardening import refuse_dumps
from desktop.settings import load_settings
from model_bundles import embedded, stick
from model_bundles.errors import BundleError
from model_bundles.verify import Trust

if TYPE_CHECKING:
    from desktop.services.clinic import Clinic
    from desktop.terminal.sign_in import AskPassphrase, OpenClinic

DONE, REFUSED, BAD_INPUT = 0, 1, 2

WORDS: Final[Texts] = {
    **NOTHING_CHANGED,
    "exported": (
        "Modelo {version} copiado en {path} y verificado allí.",
        "Model {version} copied to {path} and verified there.",
    ),
    "not_exported": (
        "No se ha copiado nada ({code}): {reason}",
        "Nothing was copied ({code}): {reason}",
    ),
    "none_shipped": (
        "Esta aplicación no trae repositorio para memorias USB. Diga de dónde copiar con --from.",
        "This application ships no repository for sticks. Say what to copy with --from.",
    ),
    "who": (
        "Diga quién la trae con --user. Pueden entrar: {names}",
        "Say who brings it, with --user. These may sign in: {names}",
    ),
    "activated": ("Modelo {version} instalado: ya responde.", "Model {version} installed."),
    "up_to_date": (
        "La memoria no trae nada más nuevo; sigue el modelo de ahora.",
        "The stick brings nothing newer; the present model stays.",
    ),
    "refused": (
        "Lo que trae la memoria no se puede usar ({code}). Sigue el modelo de ahora. Pida otra "
        "copia a quien se la dio.",
        "What the stick brings cannot be used ({code}). The present model stays. Ask whoever gave "
        "it to you for another copy.",
    ),
    "offline": (
        "No se pudo leer la memoria ({code}). Conéctela otra vez y repita.",
        "The stick could not be read ({code}). Plug it in again and repeat.",
    ),
}


def main(
    argv: Sequence[str] | None = None,
    *,
    ask: "AskPassphrase" = getpass.getpass,
    clinic_of: "OpenClinic | None" = None,
    trust: Callable[[], Trust] = embedded.embedded_trust,
    stick_metadata: Callable[[], Path | None] = embedded.stick_metadata,
) -> int:
    """Run the command and return its exit code.

    ask: asks for the passphrase without echo. clinic_of: opens a data directory.
    trust: what a stick must be signed by. stick_metadata: of the shipped repository for sticks.
    """
    arguments = _parser().parse_args(argv)
    language = Language(arguments.lang)
    if arguments.command == "export":
        return _export(arguments, language, trust, stick_metadata())
    return _import(arguments, language, ask, clinic_of or _open_clinic)


def _export(
    arguments: argparse.Namespace,
    language: Language,
    trust: Callable[[], Trust],
    shipped: Path | None,
) -> int:
    if arguments.repository is None and shipped is None:
        return _complain(say("none_shipped", language, WORDS), BAD_INPUT)
    try:
        bundle = stick.export(
            arguments.repository or embedded.default_repository(),
            arguments.folder,
            trust(),
            channel=arguments.channel,
            metadata=None if arguments.repository else shipped,
        )
    except BundleError as error:
        text = say("not_exported", language, WORDS, code=error.code, reason=error)
        return _complain(text, REFUSED)
    told = {"version": bundle.version, "path": arguments.folder / stick.FOLDER}
    sys.stdout.write(say("exported", language, WORDS, **told) + "\n")
    return DONE


def _import(
    arguments: argparse.Namespace,
    language: Language,
    ask: "AskPassphrase",
    clinic_of: "OpenClinic",
) -> int:
    from desktop.terminal.sign_in import NotLetInError, enter  # noqa: PLC0415 -- loads the store

    try:
        session, _ = enter(arguments, WORDS, language, ask, clinic_of)
    except NotLetInError as refused:
        return _complain(refused.text, refused.code)
    try:
        outcome = session.models.update_from(arguments.folder)
    except DdxError as error:
        return _complain(say("failed", language, WORDS, code=error.code), REFUSED)
    finally:
        session.close()
    told = say(outcome.result, language, WORDS, version=outcome.version, code=outcome.code)
    if outcome.result in {"activated", "up_to_date"}:
        sys.stdout.write(told + "\n")
        return DONE
    return _complain(told, REFUSED)


def _open_clinic(data_dir: Path) -> "Clinic":
    from desktop.services.clinic import Clinic  # noqa: PLC0415 -- loads the store
    from desktop.services.open_shelf import open_shelf  # noqa: PLC0415 -- loads onnxruntime

    refuse_dumps()  # before any key is in memory
    settings = load_settings(data_dir)
    return Clinic(data_dir, open_shelf(data_dir, settings), settings=settings)


def _complain(text: str, code: int) -> int:
    sys.stderr.write(text + "\n")
    return code


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--lang", choices=[lang.value for lang in Language], default="es")
    parser = argparse.ArgumentParser(prog="vereda bundle", description="Models on a USB stick.")
    commands = parser.add_subparsers(dest="command", required=True)
    export = commands.add_parser("export", parents=[shared], help="write a stick")
    export.add_argument("folder", type=Path, help="the stick")
    export.add_argument("--from", dest="repository", type=Path, help="what to copy")
    export.add_argument("--channel", default="stable")
    bringing = commands.add_parser("import", parents=[shared], help="install from a stick")
    bringing.add_argument("folder", type=Path, help="the stick")
    bringing.add_argument("--user", help="display name or id of the clinician")
    bringing.add_argument("--data", type=Path, help="data directory of the clinic")
    return parser


if __name__ == "__main__":
    sys.exit(main())
