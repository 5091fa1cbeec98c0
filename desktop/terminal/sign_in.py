"""Signing in from a terminal: who, and a passphrase that is neither echoed nor an argument."""

import argparse
import getpass
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddx.domain.course import UNWATCHED, Course
from ddx.domain.identifiers import RecordId
from ddx.errors import DdxError
from ddx.terminology.catalogue import Language
from desktop.commands.words import Texts, say
from desktop.hardening import refuse_dumps
from desktop.services.clinic import Clinic
from desktop.services.engines import BundleMemory, KeptMemory
from desktop.services.errors import OtherBundleError, SignInRefusedError
from desktop.services.records import ModelStatus
from desktop.services.session import Session
from desktop.settings import data_directory, load_settings

if TYPE_CHECKING:
    import httpx

    from desktop.services.engines import DiagnosticEngine
    from sync_service.client.budget import ByteBudget
    from sync_service.client.updates import UpdateReport

BAD_INPUT: Final = 2
REFUSED: Final = 1
"""Exit codes of a command that was not let in: it is not clear who asks; the clinic said no."""

AskPassphrase = Callable[[str], str]
OpenClinic = Callable[[Path], Clinic]
_NO_BUNDLE: Final = "none"


class NoShelf:
    """A `BundleShelf` without bundles: nothing asked from here needs a model."""

    refused: tuple[str, ...] = ()

    @property
    def engine(self) -> "DiagnosticEngine":
        """Raise: there is none."""
        raise OtherBundleError(_NO_BUNDLE)

    @property
    def status(self) -> ModelStatus:
        """Say that nothing serves."""
        epoch = datetime.fromtimestamp(0, UTC)
        return ModelStatus(version="", digest="", built_at=epoch, source="")

    def engine_for(self, digest: str) -> "DiagnosticEngine":
        """Raise: there is none."""
        raise OtherBundleError(digest)

    def remember(self, kept: KeptMemory) -> None:
        """Do nothing: the floors are of a shelf with bundles."""

    def update(
        self,
        http: "httpx.Client",  # noqa: ARG002
        server: str,  # noqa: ARG002
        memory: BundleMemory,  # noqa: ARG002
        course: Course = UNWATCHED,  # noqa: ARG002
        *,
        metered: bool = False,  # noqa: ARG002
        budget: "ByteBudget | None" = None,  # noqa: ARG002
    ) -> "UpdateReport":
        """Raise: there is nowhere to put one."""
        raise OtherBundleError(_NO_BUNDLE)

    def update_from(
        self,
        folder: Path,  # noqa: ARG002
        memory: BundleMemory,  # noqa: ARG002
        course: Course = UNWATCHED,  # noqa: ARG002
    ) -> "UpdateReport":
        """Raise: there is nowhere to put one."""
        raise OtherBundleError(_NO_BUNDLE)


def open_clinic(data_dir: Path) -> Clinic:
    """Return the clinic of `data_dir`, without a model. Raises SettingsError."""
    refuse_dumps()  # before any key is in memory
    return Clinic(data_dir, NoShelf(), settings=load_settings(data_dir))


def named(clinic: Clinic, name: str | None) -> tuple[RecordId, str] | None:
    """Return the clinician called `name` (the only one when None), or None when it is not clear."""
    cards = clinic.clinicians()
    if name is not None:
        folded = name.casefold().strip()
        cards = tuple(
            c for c in cards if c.display_name.casefold() == folded or c.id == name.strip()
        )
    return (cards[0].id, cards[0].display_name) if len(cards) == 1 else None


def sign_in(
    clinic: Clinic, clinician: RecordId, prompt: str, ask: AskPassphrase = getpass.getpass
) -> Session:
    """Return the session of `clinician`; the passphrase is asked for without echo.

    Raises as `desktop.services.clinic.Clinic.sign_in` does.
    """
    return clinic.sign_in(clinician, ask(prompt))


class NotLetInError(Exception):
    """A command that needs a session got none. text: what to do next. code: the exit code."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.text, self.code = text, code


def enter(
    arguments: argparse.Namespace,
    texts: Texts,
    language: Language,
    ask: AskPassphrase,
    clinic_of: OpenClinic,
) -> tuple[Session, str]:
    """Return a session and the name of whose it is.

    arguments: `data`, the folder or None, and `user`, the name or None. texts: of the command:
    "who" (names), "passphrase" (name), "sign_in_refused" (wait), "failed" (code).

    Raises:
        NotLetInError: it is not clear who asks, the clinic refused, or it cannot be opened.
    """
    try:
        clinic = clinic_of(arguments.data or data_directory())
        person = named(clinic, arguments.user)
        if person is None:
            names = ", ".join(card.display_name for card in clinic.clinicians())
            raise NotLetInError(say("who", language, texts, names=names or "-"), BAD_INPUT)
        prompt = say("passphrase", language, texts, name=person[1])
        return sign_in(clinic, person[0], prompt, ask), person[1]
    except SignInRefusedError as error:
        wait = round(error.retry_after_s)
        raise NotLetInError(say("sign_in_refused", language, texts, wait=wait), REFUSED) from error
    except DdxError as error:
        raise NotLetInError(say("failed", language, texts, code=error.code), BAD_INPUT) from error
