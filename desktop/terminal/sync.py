"""The clinic for `vereda-sync`: opened with a passphrase, from a file or asked for.

`VEREDA_HOME` names the data directory, `VEREDA_CLINICIAN` who signs in (not needed where there is
one), `VEREDA_PASSPHRASE_FILE` a file only the service may read; without it the terminal is asked.
"""

import getpass
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import httpx

from ddx.errors import DdxError
from desktop.hardening import refuse_dumps
from desktop.logs import keep_log
from desktop.services.clinic import Clinic
from desktop.services.engines import BundleShelf
from desktop.services.records import UpdateOutcome
from desktop.services.session import Session
from desktop.settings import Settings, data_directory, load_settings
from desktop.terminal.sign_in import AskPassphrase, NoShelf, named, sign_in
from sync_service.client.budget import ByteBudget
from sync_service.client.clinic import ClinicSide, UpdateBundles

OpenShelf = Callable[[Path, Settings], BundleShelf]
CLINICIAN: Final = "VEREDA_CLINICIAN"
PASSPHRASE_FILE: Final = "VEREDA_PASSPHRASE_FILE"  # noqa: S105 - the name of a variable


class ServiceSetUpError(DdxError):
    """The sync service cannot open the clinic as it is set up."""

    code = "sync.service_setup"


def clinic_side(
    environment: Mapping[str, str] | None = None,
    ask: AskPassphrase = getpass.getpass,
    open_shelf: OpenShelf | None = None,
) -> ClinicSide:
    """Return the clinic of this machine, signed in to; the entry point of `vereda.sync`.

    open_shelf: opens the bundles of the data directory, each time one is looked for. A device
    whose bundles cannot be used goes on sending its records.

    Raises:
        ServiceSetUpError: there is no clinic, nobody was named, or the file cannot be read.
        SettingsError, SignInRefusedError, StoreCorruptError: as the window says them.
    """
    open_shelf = open_shelf or _real_shelf
    refuse_dumps()  # before any key is in memory
    around = os.environ if environment is None else environment
    data_dir = data_directory(around)
    settings = load_settings(data_dir)
    clinic = Clinic(data_dir, NoShelf(), settings=settings)
    if not clinic.is_set_up():
        raise ServiceSetUpError(f"there is no clinic in {data_dir}; open Vereda and create one")
    who = named(clinic, around.get(CLINICIAN) or None)
    if who is None:
        raise ServiceSetUpError(f"say who signs in, by name, in {CLINICIAN}")
    session = sign_in(clinic, who[0], f"{who[1]}: ", _asker(around, ask))
    end_log = keep_log(data_dir, settings.log_level)

    def close() -> None:
        session.close()
        end_log()

    return replace(
        session.sync.side(),
        folder=data_dir,
        close=close,
        update=_updater(session, lambda: open_shelf(data_dir, session.sync.settings())),
    )


def _updater(session: Session, shelf: Callable[[], BundleShelf]) -> UpdateBundles:
    """Return what looks for a bundle; the engine is in memory only while it does."""

    def update(http: httpx.Client, server: str, metered: bool, budget: ByteBudget) -> UpdateOutcome:
        wanted = session.sync.settings().auto_update_enabled
        models = session.models.standing_on(shelf())
        return models.update_over(http, server, metered=metered or not wanted, budget=budget)

    return update


def _real_shelf(data_dir: Path, settings: Settings) -> BundleShelf:
    from desktop.services.open_shelf import open_shelf  # noqa: PLC0415 -- loads onnxruntime

    return open_shelf(data_dir, settings)


def _asker(around: Mapping[str, str], ask: AskPassphrase) -> AskPassphrase:
    path = around.get(PASSPHRASE_FILE)
    if not path:
        return ask
    try:
        passphrase = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ServiceSetUpError(f"{PASSPHRASE_FILE}: {path} cannot be read") from error
    return lambda _prompt: passphrase
