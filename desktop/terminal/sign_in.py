"""Signing in from a terminal: who, and a passphrase that is neither echoed nor an argument."""

import getpass
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddx.domain.identifiers import RecordId
from desktop.hardening import refuse_dumps
from desktop.services.clinic import Clinic
from desktop.services.engines import BundleMemory, KeptMemory, OnProgress
from desktop.services.errors import OtherBundleError
from desktop.services.records import ModelStatus
from desktop.services.session import Session
from desktop.settings import load_settings

if TYPE_CHECKING:
    import httpx

    from desktop.services.engines import DiagnosticEngine
    from sync_service.client.updates import UpdateReport

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
        on_progress: OnProgress | None = None,  # noqa: ARG002
        *,
        metered: bool = False,  # noqa: ARG002
    ) -> "UpdateReport":
        """Raise: there is nowhere to put one."""
        raise OtherBundleError(_NO_BUNDLE)

    def update_from(
        self,
        folder: Path,  # noqa: ARG002
        memory: BundleMemory,  # noqa: ARG002
        on_progress: OnProgress | None = None,  # noqa: ARG002
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
