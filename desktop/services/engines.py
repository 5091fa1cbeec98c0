"""The engine port, and the shelf its bundle stands on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ddx.domain.case import Case
from ddx.domain.course import UNWATCHED, Course
from ddx.domain.differential import Differential
from ddx.domain.explanation import Explanation
from ddx.domain.identifiers import DiseaseId
from ddx.errors import DdxError, ModelError
from ddx.terminology.catalogue import Catalogue
from ddx.terminology.search import FindingSearch
from desktop.services.records import ModelStatus
from model_bundles.floors import Floors
from model_bundles.orders import OrdersMemory

if TYPE_CHECKING:  # httpx is imported when the first update is asked for, not at start-up
    import httpx

    from ddx.assessment import Assessment
    from ddx.explain.why_not import WhyNot
    from ddx.inquiry.effort import Equipment
    from ddx.reading import Reading
    from ddx.safety.recommend import Recommendation
    from sync_service.client.budget import ByteBudget
    from sync_service.client.updates import UpdateReport


def is_fault_of_model(error: Exception) -> bool:
    """Return whether an engine failed because of its model, not of what it was asked."""
    return isinstance(error, ModelError) or not isinstance(error, DdxError)


class DiagnosticEngine(Protocol):
    """The part of `ddx.engine.Engine` the use cases need."""

    @property
    def catalogue(self) -> Catalogue:
        """Findings and diseases of the bundle."""

    @property
    def search(self) -> FindingSearch:
        """Search over the catalogue."""

    @property
    def version(self) -> str:
        """Version of the bundle."""

    @property
    def digest(self) -> str:
        """Digest of the bundle's manifest."""

    def warm(self, pause: Callable[[], object]) -> None:
        """Make what the first case and the first search would wait for."""

    def diagnose(self, case: Case) -> Differential:
        """Return the differential of one case."""

    def explain(self, case: Case, disease: DiseaseId) -> Explanation:
        """Return why `disease` stands where it stands."""

    def assess(self, case: Case, *, equipment: "Equipment", questions: int) -> "Assessment":
        """Return how soon to attend, what stays open and what to ask next."""

    def explain_several(
        self, case: Case, diseases: Sequence[DiseaseId], reading: "Reading | None"
    ) -> tuple[Explanation, ...]:
        """Return why each disease stands where it stands. reading: `Assessment.reading`."""

    def why_not(self, case: Case, disease: DiseaseId, *, may_go_on: Callable[[], bool]) -> "WhyNot":
        """Return what would bring `disease` among the first three."""

    def recommendations(self, disease: DiseaseId, language: str) -> "tuple[Recommendation, ...]":
        """Return what to do first when `disease` is suspected."""

    def features(self, case: Case) -> str:
        """Return what the models read of the case, as bytes in hex."""

    def without(self, models: frozenset[str]) -> "DiagnosticEngine":
        """Return this engine without the models of those worlds (`common`, `rare`)."""

    def feature_digest(self, case: Case) -> str:
        """Return the SHA-256 of the case's feature row."""


class KeptMemory(Floors, OrdersMemory, Protocol):
    """What the encrypted store remembers of bundles."""


@dataclass(frozen=True, slots=True)
class BundleMemory:
    """Who this device is to a rollout, and what the encrypted store remembers against rollback."""

    device: str
    kept: KeptMemory


class BundleShelf(Protocol):
    """The bundles of this device and the engine that serves (`desktop.services.shelf`)."""

    @property
    def engine(self) -> DiagnosticEngine:
        """The engine in use; another one after an update."""

    @property
    def status(self) -> ModelStatus:
        """Which bundle serves."""

    @property
    def refused(self) -> tuple[str, ...]:
        """Codes of what kept a better bundle from serving at start."""

    def engine_for(self, digest: str) -> DiagnosticEngine:
        """Return the engine of the bundle with that digest. Raises OtherBundleError."""

    def remember(self, kept: KeptMemory) -> None:
        """Let the files of this device and the encrypted store make good each other's floors.

        Orders the store holds come back where the file has lost or changed them, and bind.
        """

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

        course: told of bytes; stopped, the update is postponed.
        """

    def update_from(
        self, folder: Path, memory: BundleMemory, course: Course = UNWATCHED
    ) -> "UpdateReport":
        """Install what a USB stick offers and serve it; the report says how it ended."""
