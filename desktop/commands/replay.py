"""`vereda replay`: run a receipt again and say whether it comes out the same, bit for bit.

    vereda replay RECEIPT [--bundle FOLDER]... [--data FOLDER]

Exit codes: 0 identical; 1 something differs, and it is said what; 2 something given cannot be
used; 3 the bundle that answered is not here, and it is said which.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from ddx.domain.artifacts import Artifacts
from ddx.domain.receipt import Receipt, receipt_from_json
from ddx.domain.replay import ReplayReport, replay
from ddx.engine import Engine
from ddx.errors import CaseError, ModelError
from ddx.terminology.catalogue import Language
from desktop.commands.words import Texts, say
from desktop.settings import data_directory
from model_bundles.embedded import embedded_trust, open_embedded_bundle
from model_bundles.errors import BundleError
from model_bundles.slots import Slots
from model_bundles.verify import open_verified

IDENTICAL, DIFFERS, BAD_INPUT, NO_BUNDLE = 0, 1, 2, 3
SLOTS: Final = "bundles"  # as in desktop.services.shelf, which a command may not import

WORDS: Final[Texts] = {
    "identical": (
        "Idéntico bit a bit: comprobante {code}, paquete {version}.",
        "Identical bit for bit: receipt {code}, bundle {version}.",
    ),
    "differs": ("DIFIERE: comprobante {code}.", "DIFFERS: receipt {code}."),
    "missing": (
        "Falta el paquete {version}, resumen {digest}. Consígalo de quien publica los modelos y "
        "dé su carpeta con --bundle; sin él no se puede repetir.",
        "The bundle {version} with digest {digest} is not here. Ask whoever publishes the models "
        "for it and give its folder with --bundle; nothing can be repeated without it.",
    ),
    "other": ("  aquí está {version} {digest}", "  here is {version} {digest}"),
    "bundle_refused": (
        "El paquete de {path} no se puede usar ({code}).",
        "The bundle in {path} cannot be used ({code}).",
    ),
    "cannot_read": (
        "No se puede leer {path}: no es un comprobante exportado por Vereda.",
        "Cannot read {path}: not a receipt exported by Vereda.",
    ),
    "no_model": (
        "El paquete no se puede cargar ({code}). Reinstale Vereda.",
        "The bundle cannot be loaded ({code}). Reinstall Vereda.",
    ),
}


def main(
    argv: Sequence[str] | None = None,
    open_bundle: Callable[[], Artifacts] = open_embedded_bundle,
    engine_from: Callable[[Artifacts], Engine] = Engine.from_artifacts,
) -> int:
    """Replay what the arguments name; return the exit code.

    open_bundle, engine_from: the embedded bundle and the clinical engine, unless a test brings
    its own.
    """
    arguments = _parser().parse_args(argv)
    language = Language(arguments.lang)
    try:
        receipt, recorded = receipt_from_json(json.loads(arguments.receipt.read_bytes()))
    except (OSError, ValueError, TypeError, CaseError):
        return _complain(say("cannot_read", language, WORDS, path=arguments.receipt))
    seen: list[Artifacts] = []
    try:
        bundle = _needed(receipt, arguments, language, open_bundle, seen)
        report = replay(receipt, recorded, None if bundle is None else engine_from(bundle))
    except (BundleError, ModelError) as error:
        return _complain(say("no_model", language, WORDS, code=error.code))
    return _told(receipt, report, seen, language)


def _told(
    receipt: Receipt, report: ReplayReport, seen: Sequence[Artifacts], language: Language
) -> int:
    version = receipt.differential.bundle_version
    code = receipt.short_code
    if report.identical:
        sys.stdout.write(say("identical", language, WORDS, code=code, version=version) + "\n")
        return IDENTICAL
    lines = [say("differs", language, WORDS, code=code), *(f"  {d}" for d in report.details)]
    if report.missing_bundle:
        digest = report.missing_bundle
        lines.append(say("missing", language, WORDS, version=version, digest=digest))
        lines += [say("other", language, WORDS, version=b.version, digest=b.digest) for b in seen]
    sys.stdout.write("\n".join(lines) + "\n")
    return NO_BUNDLE if report.missing_bundle else DIFFERS


def _needed(
    receipt: Receipt,
    arguments: argparse.Namespace,
    language: Language,
    open_bundle: Callable[[], Artifacts],
    seen: list[Artifacts],
) -> Artifacts | None:
    """Return the bundle the receipt names, among those given, shipped and installed."""
    trust = embedded_trust()
    slots = Slots((arguments.data or data_directory()) / SLOTS, trust)
    openings: list[tuple[str, Callable[[], Artifacts | None]]] = [
        (str(path), partial(open_verified, path, trust)) for path in arguments.bundle
    ]
    openings += [("", open_bundle), ("", slots.active), ("", slots.previous)]
    for path, opening in openings:
        try:
            bundle = opening()
        except BundleError as error:
            if path:
                _complain(say("bundle_refused", language, WORDS, path=path, code=error.code))
            continue  # another one may be the one
        if bundle is not None:
            seen.append(bundle)
            if bundle.digest == receipt.differential.bundle_digest:
                return bundle
    return None


def _complain(text: str) -> int:
    sys.stderr.write(text + "\n")
    return BAD_INPUT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vereda replay", description="Run a receipt again, without window or network."
    )
    parser.add_argument("receipt", type=Path, help="a receipt exported from a visit")
    parser.add_argument(
        "--bundle", type=Path, action="append", default=[], help="folder of a signed bundle"
    )
    parser.add_argument("--data", type=Path, help="data directory whose installed bundles to try")
    parser.add_argument("--lang", choices=[lang.value for lang in Language], default="es")
    return parser


if __name__ == "__main__":
    sys.exit(main())
