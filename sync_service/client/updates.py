"""A newer bundle: offer, download, verify, stage, self-test, activate. Or nothing changes.

Whatever goes wrong, the active bundle goes on serving; the outcome says what happened.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import httpx

from ddx.domain.course import UNWATCHED, Course, StoppedError
from ddx.errors import DdxError
from model_bundles.client import BundleClient, Device, Offer
from model_bundles.clock import TrustedClock
from model_bundles.errors import (
    BundleBudgetError,
    BundleBusyError,
    BundleError,
    BundleMeteredError,
    BundleOfflineError,
)
from model_bundles.floors import FileFloors, Floors
from model_bundles.local import RepositoryLocation
from model_bundles.manifest import Release
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
    POSTPONED = "postponed"
    SENT_BACK = "sent_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateReport:
    """How an update ended. version: of the bundle concerned, if known; code: why, if refused.

    orders: number of the safety role's orders in force now, 0 for none. clock_behind_s: how far
    this machine's clock is behind what it must be, 0 when it is not.
    """

    result: UpdateResult
    version: str = ""
    code: str = ""
    orders: int = 0
    clock_behind_s: int = 0


class Updater:
    """Brings the slots of one device to what its channel offers."""

    def __init__(
        self,
        client: BundleClient,
        slots: Slots,
        self_test: SelfTest,
        *,
        serving: Release | None = None,
        shipped: VerifiedBundle | None = None,
        metered: bool = False,
    ) -> None:
        """Bind the ports.

        serving: which release answers now; the active one when not given. shipped: the bundle
        that came with the application: an offer of that very one is not downloaded, nor what it
        already holds. metered: look for orders and offers, and leave the download for another
        link; where the safety role sends this device it goes all the same.
        """
        self._metered = metered
        self._client, self._slots, self._self_test = client, slots, self_test
        self._serving, self._shipped = serving, shipped
        self._sources = () if shipped is None else (shipped,)

    def run(self, course: Course = UNWATCHED) -> UpdateReport:
        """Install the offered bundle if there is one; report, never raise a DdxError.

        course: told of bytes. Stopped, the update is postponed: what came is kept, the active
        bundle serves, and the next run goes on. To put a tested bundle in place is the last step.

        Orders of the safety role come first: they are kept from the moment they are read, and a
        device that is sent back goes back before it looks for anything newer.
        """
        report = self._tried(course)
        return replace(
            report, orders=self._slots.orders_number, clock_behind_s=self._clock_behind_s()
        )

    def _tried(self, course: Course) -> UpdateReport:
        version = ""
        try:
            offer = self._client.offered(self._slots, self._sources)
            if (back := self._destination()) is not None:
                version = back.version
                self._go_back(back, course)
                return UpdateReport(result=UpdateResult.SENT_BACK, version=version)
            version = self._active_version() if offer is None else offer.version
            if offer is None or offer.release == self._serves():
                return UpdateReport(result=UpdateResult.UP_TO_DATE, version=version)
            if self._metered:
                raise BundleMeteredError("new models wait for a link that is not metered")
            self._install(offer, course)
        except (BundleBudgetError, BundleMeteredError, StoppedError) as error:
            return UpdateReport(result=UpdateResult.POSTPONED, version=version, code=error.code)
        except (BundleOfflineError, BundleBusyError) as error:
            return UpdateReport(result=UpdateResult.OFFLINE, version=version, code=error.code)
        except DdxError as error:
            log.warning("bundle %s refused: %s", version, error.code)
            return UpdateReport(result=UpdateResult.REFUSED, version=version, code=error.code)
        return UpdateReport(result=UpdateResult.ACTIVATED, version=version)

    def _install(self, offer: Offer, course: Course) -> None:
        self._client.fetch(offer, self._slots, course.at, self._sources)
        course.at()
        self._check_staged()
        course.last_step()
        self._slots.activate()

    def _serves(self) -> Release | None:
        return self._serving or self._slots.active_release()

    def _destination(self) -> Release | None:
        """Return where the safety role sends this device back to, if it is not there yet."""
        orders, serving = self._slots.orders(), self._serves()
        return None if orders is None or serving is None else orders.destination(serving)

    def _go_back(self, back: Release, course: Course) -> None:
        """Let `back` serve: at once where it is on this device already."""
        active = self._slots.active_release()
        if back == active:
            return  # the newer one that came with the application gives way to it
        if active is not None and back == self._slots.previous_release():
            self._slots.rollback()
        elif active is not None and self._shipped is not None and back == self._shipped.release:
            self._slots.leave(active)
        else:
            self._install(Offer(back.version, back.digest, 0), course)

    def _clock_behind_s(self) -> int:
        try:
            return int(self._client.clock.behind().total_seconds())
        except BundleError:
            return 0  # the memory of the time is damaged, and said above

    def _check_staged(self) -> None:
        staged = self._slots.staged()
        if staged is None:
            return  # the offer was active already: `activate` will say so
        try:
            self._self_test(staged)
        except StoppedError:
            raise  # it said nothing against the bundle
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
    floors: Floors | None = None,
    built_at: datetime | None = None,
    device: str | None = None,
    site: str | None = None,
    may_go_on: Callable[[], bool] = lambda: True,
) -> BundleClient:
    """Return the client of the bundle repository that `server` hands out.

    budget: bytes that may travel today; no limit when not given. floors: a file in `state_dir`
    when not given. built_at: of the bundle that came with the application, the earliest the time
    can be. device, site: who this is to a rollout. may_go_on: see `HttpxFetcher`.

    Raises:
        ServerAddressError: see `transport.checked_address`.
    """
    base = checked_address(server).rstrip("/")
    location = RepositoryLocation(f"{base}{BUNDLE_METADATA_PATH}", f"{base}{BUNDLE_TARGETS_PATH}")
    fetcher = HttpxFetcher(
        http, partials=Partials(state_dir / "partials"), budget=budget, may_go_on=may_go_on
    )
    floors = floors or FileFloors(state_dir / "floors.json")
    return BundleClient(
        trust,
        state_dir,
        location,
        fetcher,
        channel,
        floors=floors,
        clock=TrustedClock(floors, built_at=built_at),
        device=None if device is None else Device(device, site),
    )
