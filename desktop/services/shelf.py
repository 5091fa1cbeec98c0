"""The bundles of this device, verified: the one that serves, and older ones for old records."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from ddx.domain.artifacts import Artifacts
from ddx.domain.case import Case
from ddx.domain.course import UNWATCHED, Course
from ddx.errors import DdxError
from desktop.services.engines import (
    BundleMemory,
    DiagnosticEngine,
    KeptMemory,
    is_fault_of_model,
)
from desktop.services.errors import OtherBundleError
from desktop.services.records import ModelStatus
from desktop.settings import Settings
from model_bundles import embedded, selftest
from model_bundles.embedded import Origin, Serving
from model_bundles.errors import BundleError, BundleRevertedError
from model_bundles.floors import FileFloors, Floors, JoinedFloors
from model_bundles.slots import Slots
from model_bundles.trial import Trial
from model_bundles.verify import Trust, VerifiedBundle

if TYPE_CHECKING:
    import httpx

    from model_bundles.client import BundleClient
    from sync_service.client.budget import ByteBudget
    from sync_service.client.updates import UpdateReport

SLOTS: Final = "bundles"
CLIENT_STATE: Final = "bundle-client"
FLOORS: Final = "floors.json"

EngineFactory = Callable[[Artifacts], DiagnosticEngine]


class DeviceShelf:
    """Implements `desktop.services.engines.BundleShelf` over the slots of a data directory."""

    def __init__(
        self,
        data_dir: Path,
        engine_from: EngineFactory,
        *,
        trust: Trust | None = None,
        open_embedded: Callable[[], VerifiedBundle] = embedded.open_embedded_bundle,
        settings: Settings | None = None,
        trial: Trial | None = None,
    ) -> None:
        """Open and load the bundle that serves.

        engine_from: `ddx.engine.Engine.from_artifacts`. trial: runs the golden cases of a staged
        release in a process of its own; in this one when not given.

        Raises:
            BundleError: no bundle on this device verifies, the embedded one included.
        """
        self._data_dir, self._engine_from = data_dir, engine_from
        self._settings, self._trial = settings or Settings(), trial
        self._trust = trust or embedded.embedded_trust()
        self._slots = Slots(data_dir / SLOTS, self._trust)
        self._open_embedded = open_embedded
        self._changing = threading.RLock()
        self._older: dict[str, DiagnosticEngine] = {}
        self._reverted: tuple[BundleError, ...] = ()
        self._serve()

    @property
    def engine(self) -> DiagnosticEngine:
        """The engine in use."""
        return self._engine

    @property
    def status(self) -> ModelStatus:
        """Which bundle serves."""
        bundle = self._serving.bundle
        shipped = self._serving.origin is Origin.EMBEDDED
        return ModelStatus(
            version=bundle.version,
            digest=bundle.digest,
            built_at=bundle.created_at,
            source="default" if shipped else "slot",
            blocked=tuple(sorted(self._blocked)),
            reverted=bool(self._reverted),
        )

    @property
    def refused(self) -> tuple[str, ...]:
        """Codes of what kept a better bundle from serving."""
        return tuple(error.code for error in (*self._reverted, *self._serving.refused))

    def engine_for(self, digest: str) -> DiagnosticEngine:
        """Return the engine of the bundle with that digest. Raises OtherBundleError."""
        if digest == self._engine.digest:
            return self._engine
        with self._changing:
            if digest not in self._older:
                self._older = {digest: self._engine_from(self._held(digest))}
            return self._older[digest]

    def remember(self, kept: KeptMemory) -> None:
        """Let the files of this device and the encrypted store make good each other's floors.

        Orders the store holds come back where the file has lost or changed them, and bind.
        """
        for folder in (SLOTS, CLIENT_STATE):
            JoinedFloors(FileFloors(self._data_dir / folder / FLOORS), kept).heal()
        if self._slots_with(kept).recall_orders():
            with self._changing:
                self._serve()

    def update(
        self,
        http: "httpx.Client",
        server: str,
        memory: BundleMemory,
        course: Course = UNWATCHED,
        *,
        metered: bool = False,
        budget: "ByteBudget | None" = None,
    ) -> "UpdateReport":
        """Install what the server offers and serve it; the report says how it ended.

        metered: the link is paid by the byte: orders are read, no release is downloaded. budget:
        the day's bytes, where they are counted.
        """
        from sync_service.client.updates import bundle_client  # noqa: PLC0415 -- httpx

        settings, state, shipped = self._settings, self._data_dir / CLIENT_STATE, self._shipped()
        client = bundle_client(
            http,
            server,
            self._trust,
            state,
            settings.update_channel,
            budget=budget,
            floors=self._floors(CLIENT_STATE, memory.kept),
            built_at=None if shipped is None else shipped.created_at,
            device=memory.device,
            site=settings.site_id or None,
            may_go_on=course.may_go_on,
        )
        return self._updated(client, shipped, memory, course, metered=metered)

    def _updated(
        self,
        client: "BundleClient",
        shipped: VerifiedBundle | None,
        memory: BundleMemory,
        course: Course,
        *,
        metered: bool = False,
    ) -> "UpdateReport":
        """Install what the repository of `client` offers and serve it, or obey its orders."""
        from sync_service.client.updates import Updater  # noqa: PLC0415 -- httpx

        before = self._slots.orders_number
        report = Updater(
            client,
            self._slots_with(memory.kept),
            lambda bundle: self._self_test(bundle, course),
            serving=self._serving.bundle.release,
            shipped=shipped,
            metered=metered,
        ).run(course)
        if report.result in {"activated", "sent_back"} or self._slots.orders_number != before:
            with self._changing:
                self._reverted = ()
                self._serve()
        return report

    def update_from(
        self, folder: Path, memory: BundleMemory, course: Course = UNWATCHED
    ) -> "UpdateReport":
        """Install what a stick offers and serve it: the same checks as from the server."""
        from model_bundles import stick  # noqa: PLC0415 -- httpx
        from model_bundles.client import Device  # noqa: PLC0415
        from model_bundles.clock import TrustedClock  # noqa: PLC0415
        from sync_service.client.updates import UpdateReport, UpdateResult  # noqa: PLC0415

        settings, shipped = self._settings, self._shipped()
        floors = self._floors(CLIENT_STATE, memory.kept)
        built_at = None if shipped is None else shipped.created_at
        try:
            client = stick.client_of(
                folder,
                self._trust,
                self._data_dir / CLIENT_STATE,
                settings.update_channel,
                floors=floors,
                clock=TrustedClock(floors, built_at=built_at),
                device=Device(memory.device, settings.site_id or None),
            )
        except BundleError as error:
            return UpdateReport(result=UpdateResult.REFUSED, code=error.code)
        return self._updated(client, shipped, memory, course)

    def _floors(self, folder: str, kept: KeptMemory) -> Floors:
        return JoinedFloors(FileFloors(self._data_dir / folder / FLOORS), kept)

    def _slots_with(self, kept: KeptMemory) -> Slots:
        return Slots(self._data_dir / SLOTS, self._trust, self._floors(SLOTS, kept), kept)

    def _shipped(self) -> VerifiedBundle | None:
        try:
            return self._open_embedded()
        except BundleError:
            return None  # an incomplete installation can still be served and updated

    def _serve(self) -> None:
        """Load the best bundle here; one that fails where it stands is left for the next."""
        while True:
            serving = embedded.serving_bundle(self._slots, self._open_embedded)
            try:
                self._engine = self._loaded(serving)
            except _LoadFailedError as failure:
                if serving.origin is Origin.EMBEDDED:
                    raise failure.reason from failure
                self._leave(serving, failure.reason)
            else:
                self._serving = serving
                return

    def _loaded(self, serving: Serving) -> DiagnosticEngine:
        """Return the engine of a bundle that reproduces its golden cases here and now."""
        installed, bundle = serving.origin is not Origin.EMBEDDED, serving.bundle
        blocked = set(serving.blocked)
        if installed:
            self._begin_loading(bundle)
        try:
            engine = self._engine_from(bundle)
            try:
                selftest.run(bundle, lambda _: engine, at_most=selftest.AT_START)
            except DdxError as error:
                if installed:
                    raise
                self._reverted, blocked = (*self._reverted, _told(error)), set(embedded.MODELS)
            engine.catalogue.diseases  # noqa: B018 -- read while the bytes are at hand
        except Exception as error:  # whatever a model's library raises, another bundle serves
            raise _LoadFailedError(error) from error
        bundle.let_go()  # the engine has made its own of them
        if installed:
            self._slots.note(self._slots.health(bundle.release).loaded())
        self._blocked = frozenset(blocked)
        if blocked:
            engine = engine.without(self._blocked)
        return cast("DiagnosticEngine", WatchedEngine(engine, self._failed, self._answered))

    def _begin_loading(self, bundle: VerifiedBundle) -> None:
        health = self._slots.health(bundle.release)
        if not health.fit:
            raise _LoadFailedError(BundleRevertedError(f"{bundle.version} failed too often"))
        self._slots.note(health.loading())

    def _leave(self, serving: Serving, reason: Exception) -> None:
        self._slots.leave(serving.bundle.release)
        self._reverted = (*self._reverted, _told(reason))

    def _failed(self) -> None:
        """Count a diagnosis that failed; leave the release when it failed too often."""
        with self._changing:
            serving = self._serving
            if serving.origin is Origin.EMBEDDED:
                return
            health = self._slots.health(serving.bundle.release).failed()
            self._slots.note(health)
            if not health.fit:
                self._leave(serving, BundleRevertedError("its diagnoses failed"))
                self._serve()

    def _answered(self) -> None:
        with self._changing:
            if self._serving.origin is not Origin.EMBEDDED:
                health = self._slots.health(self._serving.bundle.release)
                if health.failures:
                    self._slots.note(health.answered())

    def _self_test(self, bundle: VerifiedBundle, course: Course) -> object:
        if self._trial is None:
            return selftest.run(bundle, self._engine_from)
        return self._trial.run(self._slots.staged_folder(), self._trust, course.may_go_on)

    def _held(self, digest: str) -> VerifiedBundle:
        for opening in (self._slots.active, self._slots.previous, self._open_embedded):
            try:
                bundle = opening()
            except BundleError:
                continue  # this one cannot be used; the other may be the one
            if bundle is not None and bundle.digest == digest:
                return bundle
        raise OtherBundleError(digest)


class WatchedEngine:
    """An engine that tells when a diagnosis fails and when one succeeds after that."""

    def __init__(
        self,
        engine: DiagnosticEngine,
        failed: Callable[[], None],
        answered: Callable[[], None],
    ) -> None:
        self._watched, self._on_failure, self._on_answer = engine, failed, answered
        self._failing = True  # until the first answer: an earlier process may have counted
        """Whether there is a count of failures to take back."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._watched, name)

    def diagnose(self, case: Case, *args: Any, **kwargs: Any) -> Any:
        """Return the differential of one case."""
        with self._watching():
            return self._watched.diagnose(case, *args, **kwargs)

    def assess(self, case: Case, **kwargs: Any) -> Any:
        """Return all there is to say of one case."""
        with self._watching():
            return self._watched.assess(case, **kwargs)

    @contextmanager
    def _watching(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if is_fault_of_model(error):
                self._fail()
            raise
        if self._failing:
            self._failing = False
            self._on_answer()

    def _fail(self) -> None:
        self._failing = True
        self._on_failure()


class _LoadFailedError(Exception):
    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason


def _told(reason: Exception) -> BundleError:
    if isinstance(reason, BundleError):
        return reason
    return BundleRevertedError(f"it cannot be loaded: {type(reason).__name__}")
