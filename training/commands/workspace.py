"""Where the commands of the learning loop find and keep things."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from ddx.domain.artifacts import Artifacts
from ddx.domain.identifiers import DiseaseId
from ddx.errors import UnknownDiseaseError
from ddx.once import once
from ddx.terminology.catalogue import Catalogue
from model_bundles import chain, embedded, layout
from model_bundles.authoring.keys import KeyRing
from model_bundles.authoring.repository import Repository
from model_bundles.blobs import RepositoryFiles, read_target
from model_bundles.rollout import BASIS_POINTS, ChannelOffer, read_offer
from model_bundles.verify import METADATA_FOLDER, TARGETS_FOLDER, VerifiedBundle, open_release
from training.pipelines.request import REQUEST
from training.pipelines.steps import StepError
from training.publish.ledger import Ledger

REPOSITORY: Final = Path(__file__).resolve().parents[2]
DATA: Final = Path(os.environ.get("VEREDA_DATA", REPOSITORY.parent / "shared" / "data"))
KEYS: Final = Path(os.environ.get("VEREDA_KEYS", REPOSITORY / "build" / "keys"))
ROOT: Final = Path(os.environ.get("VEREDA_LEARNING", REPOSITORY / "build" / "learning"))
FINISHED: Final = "finished.json"
JOURNAL: Final = "rollout.jsonl"
CHANNEL: Final = "stable"
DONE, REFUSED, STOPPED = 0, 2, 3
"""Exit codes: done; cannot be done, the text says why; ended by the change control plan."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Workspace:
    """One folder with the runs, the ledger, the approvers' cards and the fleet's repository."""

    root: Path

    @property
    def runs(self) -> Path:
        """Folder of the runs."""
        return self.root / "runs"

    @property
    def ledger(self) -> Ledger:
        """The promotion ledger."""
        return Ledger(self.root / "ledger.jsonl")

    @property
    def kept_rows(self) -> Path:
        """Folder with copies of the rows of registered runs."""
        return self.root / "rows"

    @property
    def approvers(self) -> Path:
        """Folder of the approvers' key cards."""
        return self.root / "approvers"

    @property
    def lake(self) -> str:
        """Folder or address of the lake: VEREDA_LAKE, else where `training.lake` makes it."""
        return os.environ.get("VEREDA_LAKE", str(REPOSITORY / "build" / "lake"))

    @property
    def tracking(self) -> str:
        """MLflow's address: MLFLOW_TRACKING_URI, else a database in this folder."""
        return os.environ.get("MLFLOW_TRACKING_URI", f"sqlite:///{self.root / 'mlflow.db'}")

    def fleet(self, keys: Path) -> Repository:
        """Return the repository the clinics read, made empty on first use."""
        repository = Repository(self.root / "repository", KeyRing.ready(keys))
        if not (repository.directory / "metadata" / "1.root.json").exists():
            repository.initialise()
        return repository

    def offer(self) -> ChannelOffer | None:
        """Return what the fleet is offered, None before the first release. Raises BundleError."""
        folder = self.root / "repository"
        if not (folder / "metadata" / "timestamp.json").exists():
            return None
        signed, stored = _signed(folder), RepositoryFiles(folder / TARGETS_FOLDER)
        target = signed.find(layout.channel_path(CHANNEL))
        return None if target is None else read_offer(read_target(stored, target), CHANNEL)

    def current(self) -> VerifiedBundle:
        """Return the production bundle: what every device may have, or the one that ships.

        During a rollout that is still the one before. Raises BundleError.
        """
        offer, folder = self.offer(), self.root / "repository"
        if offer is None:
            return embedded.open_embedded_bundle()
        release = offer.release
        if offer.rollout and offer.rollout.before and offer.rollout.basis_points < BASIS_POINTS:
            release = offer.rollout.before
        return open_release(_signed(folder), release, RepositoryFiles(folder / TARGETS_FOLDER))

    def open_run(self, name: str) -> Path:
        """Return the folder of a run by name, or of the newest for `latest`. Raises StepError."""
        folders = sorted(p for p in self.runs.glob("*") if (p / REQUEST).is_file())
        if name == "latest" and folders:
            return folders[-1]
        found = self.runs / Path(name).name
        if not (found / REQUEST).is_file():
            known = ", ".join(p.name for p in folders[-5:]) or "none yet"
            raise StepError(f"no run {name} in {self.runs}; runs: {known}")
        return found

    def highest(self, version: str) -> str:
        """Return the highest of `version` and those the ledger knows.

        One that was taken back is above the current one, and its name stays taken.
        """
        known = (entry.version for entry in self.ledger.entries())
        return max((version, *known), key=layout.version_key)

    def releases(self) -> tuple[Path, ...]:
        """Return the runs whose release began, the newest first."""
        return tuple(sorted((p.parent for p in self.runs.glob(f"*/{JOURNAL}")), reverse=True))

    def unfinished(self) -> Path | None:
        """Return the newest run that has not ended, or None."""
        folders = sorted(p for p in self.runs.glob("*") if (p / REQUEST).is_file())
        open_ones = [p for p in folders if not (p / FINISHED).exists()]
        return open_ones[-1] if open_ones else None


@dataclass(frozen=True)
class SeverityIn:
    """The severity grades of a bundle, read when first asked for."""

    artifacts: Artifacts

    def __call__(self, disease: DiseaseId) -> int | None:
        """Return 1 (most severe) to 5; None for what the bundle cannot tell.

        A label may name a disease the bundle does not know.
        """
        try:
            return self._catalogue.disease_severity(disease)
        except UnknownDiseaseError:
            return None

    @once
    def _catalogue(self) -> Catalogue:
        return Catalogue.from_artifacts(self.artifacts)


def new_run(at: datetime) -> str:
    """Return the name of a run that starts now."""
    return f"retrain-{at:%Y%m%dT%H%M%SZ}"


def _signed(folder: Path) -> chain.SignedTargets:
    metadata = folder / METADATA_FOLDER
    return chain.repository_targets(metadata, (metadata / "1.root.json").read_bytes())
