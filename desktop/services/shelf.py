"""The bundles of this device, verified: the one that serves, and older ones for old records."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddx.domain.artifacts import Artifacts
from desktop.services.engines import DiagnosticEngine
from desktop.services.errors import OtherBundleError
from desktop.services.records import ModelStatus
from model_bundles import embedded, selftest
from model_bundles.errors import BundleError
from model_bundles.slots import Slots
from model_bundles.verify import Trust, VerifiedBundle

if TYPE_CHECKING:
    import httpx

    from sync_service.client.updates import UpdateReport

SLOTS: Final = "bundles"
CLIENT_STATE: Final = "bundle-client"

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
        channel: str = "stable",
    ) -> None:
        """Open and load the bundle that serves.

        engine_from: `ddx.engine.Engine.from_artifacts`.

        Raises:
            BundleError: no bundle on this device verifies, the embedded one included.
        """
        self._data_dir, self._engine_from, self._channel = data_dir, engine_from, channel
        self._trust = trust or embedded.embedded_trust()
        self._slots = Slots(data_dir / SLOTS, self._trust)
        self._open_embedded = open_embedded
        self._changing = threading.Lock()
        self._older: dict[str, DiagnosticEngine] = {}
        self._serve()

    @property
    def engine(self) -> DiagnosticEngine:
        """The engine in use."""
        return self._engine

    @property
    def status(self) -> ModelStatus:
        """Which bundle serves."""
        bundle = self._serving.bundle
        shipped = self._serving.origin is embedded.Origin.EMBEDDED
        return ModelStatus(
            version=bundle.version,
            digest=bundle.digest,
            built_at=bundle.created_at,
            source="default" if shipped else "slot",
        )

    @property
    def refused(self) -> tuple[str, ...]:
        """Codes of what kept a better bundle from serving."""
        return tuple(error.code for error in self._serving.refused)

    def engine_for(self, digest: str) -> DiagnosticEngine:
        """Return the engine of the bundle with that digest. Raises OtherBundleError."""
        if digest == self._engine.digest:
            return self._engine
        with self._changing:
            if digest not in self._older:
                self._older = {digest: self._engine_from(self._held(digest))}
            return self._older[digest]

    def update(self, http: "httpx.Client", server: str) -> "UpdateReport":
        """Install what the server offers and serve it; the report says how it ended."""
        from sync_service.client.updates import Updater, bundle_client  # noqa: PLC0415 -- httpx

        client = bundle_client(
            http, server, self._trust, self._data_dir / CLIENT_STATE, self._channel
        )
        updater = Updater(client, self._slots, self._self_test, serving_digest=self._engine.digest)
        report = updater.run()
        if report.result == "activated":
            self._serve()
        return report

    def update_from(self, folder: Path) -> "UpdateReport":
        """Install what a stick offers and serve it: the same checks as from the server."""
        from model_bundles import stick  # noqa: PLC0415 -- httpx
        from sync_service.client.updates import Updater, UpdateReport, UpdateResult  # noqa: PLC0415

        try:
            client = stick.client_of(
                folder, self._trust, self._data_dir / CLIENT_STATE, self._channel
            )
        except BundleError as error:
            return UpdateReport(result=UpdateResult.REFUSED, code=error.code)
        updater = Updater(client, self._slots, self._self_test, serving_digest=self._engine.digest)
        report = updater.run()
        if report.result == "activated":
            self._serve()
        return report

    def _serve(self) -> None:
        serving = embedded.serving_bundle(self._slots, self._open_embedded)
        self._engine, self._serving = self._engine_from(serving.bundle), serving

    def _self_test(self, bundle: VerifiedBundle) -> object:
        return selftest.run(bundle, self._engine_from)

    def _held(self, digest: str) -> VerifiedBundle:
        for opening in (self._slots.previous, self._open_embedded):
            try:
                bundle = opening()
            except BundleError:
                continue  # this one cannot be used; the other may be the one
            if bundle is not None and bundle.digest == digest:
                return bundle
        raise OtherBundleError(digest)
