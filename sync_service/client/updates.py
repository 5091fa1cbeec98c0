"""A newer bundle: offer, download, verify, stage, self-test, activate. Or nothing changes.

Whatever goes wrong, the active bundle goes on serving; the outcome says what happened.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import httpx

from ddx.errors import DdxError
from model_bundles.client import BundleClient, OnProgress
from model_bundles.errors import BundleBusyError, BundleOfflineError
from model_bundles.local import RepositoryLocation
from model_bundles.slots import Slots
from model_bundles.verify import Trust, VerifiedBundle
from sync_service.client.budget import ByteBudget
from sync_service.client.fetcher import HttpxFetcher
from sync_service.client.partials import Partials
from sync_service.client.transport import checked_address
from sync_service.protocol.versions import BUNDLE_METADATA_PATH, BUNDLE_TARGETS_PATH

log = logging.getLogger(__name__)

SelfTest = Callable[[VerifiedBundle], object]
"""Reproduces the golden cases of a bundle; raises a DdxError when it does not."""


class UpdateResult(StrEnum):
    """How an update ended."""

    UP_TO_DATE = "up_to_date"
    ACTIVATED = "activated"
    REFUSED = "refused"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateReport:
    """How an update ended. version: of the bundle concerned, if known; code: why, if refused."""

    result: UpdateResult
    version: str = ""
    code: str = ""


class Updater:
    """Brings the slots of one device to what its channel offers."""

    def __init__(
        self, client: BundleClient, slots: Slots, self_test: SelfTest, *, serving_digest: str = ""
    ) -> None:
        """Bind the ports.

        serving_digest: of the bundle that serves from outside the slots (the one that came with
        the application): an offer of that very bundle is not downloaded again.
        """
        self._client, self._slots, self._self_test = client, slots, self_test
        self._serving_digest = serving_digest

    def run(self, on_progress: OnProgress | None = None) -> UpdateReport:
        """Install the offered bundle if there is one; report, never raise a DdxError."""
        version = ""
        try:
            offer = self._client.offered(self._slots)
            if offer is None:
                return UpdateReport(result=UpdateResult.UP_TO_DATE, version=self._active_version())
            version = offer.version
            if offer.digest == self._serving_digest:
                return UpdateReport(result=UpdateResult.UP_TO_DATE, version=version)
            self._client.fetch(offer, self._slots, on_progress)
            self._check_staged()
            active = self._slots.activate()
        except (BundleOfflineError, BundleBusyError) as error:
            return UpdateReport(result=UpdateResult.OFFLINE, version=version, code=error.code)
        except DdxError as error:
            log.warning("bundle %s refused: %s", version, error.code)
            return UpdateReport(result=UpdateResult.REFUSED, version=version, code=error.code)
        return UpdateReport(result=UpdateResult.ACTIVATED, version=active.version)

    def _check_staged(self) -> None:
        staged = self._slots.staged()
        if staged is None:
            return  # the offer was active already: `activate` will say so
        try:
            self._self_test(staged)
        except DdxError:
            self._slots.discard_staged(reject=True)
            raise

    def _active_version(self) -> str:
        active = self._slots.active()
        return "" if active is None else active.version


def bundle_client(
    http: httpx.Client,
    server: str,
    trust: Trust,
    state_dir: Path,
    channel: str = "stable",
    *,
    budget: ByteBudget | None = None,
) -> BundleClient:
    """Return the client of the bundle repository that `server` hands out.

    budget: bytes that may travel today; no limit when not given.

    Raises:
        ServerAddressError: see `transport.checked_address`.
    """
    base = checked_address(server).rstrip("/")
    location = RepositoryLocation(f"{base}{BUNDLE_METADATA_PATH}", f"{base}{BUNDLE_TARGETS_PATH}")
    fetcher = HttpxFetcher(http, partials=Partials(state_dir / "partials"), budget=budget)
    return BundleClient(trust, state_dir, location, fetcher, channel)
