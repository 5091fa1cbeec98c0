"""The repository this service hands out: opened and verified like any device would."""

from dataclasses import dataclass
from pathlib import Path

from cloud_api.errors import RepositoryMissingError
from cloud_api.settings import CloudSettings
from ddx.errors import DdxError
from model_bundles.embedded import default_repository, embedded_trust
from model_bundles.verify import Trust, VerifiedBundle, open_verified


@dataclass(frozen=True, slots=True)
class Repository:
    """A TUF repository folder, the root it must verify against, and the channel served."""

    folder: Path
    root: Path | None
    channel: str

    @classmethod
    def of(cls, settings: CloudSettings) -> "Repository":
        """Return the repository the settings name; the embedded one by default."""
        return cls(settings.repository or default_repository(), settings.root, settings.channel)

    def open(self) -> VerifiedBundle:
        """Return the bundle the channel offers now.

        Raises:
            RepositoryMissingError: the folder is not there, or does not verify.
        """
        try:
            return open_verified(self.folder, self._trust(), channel=self.channel)
        except (DdxError, OSError) as error:
            raise RepositoryMissingError(f"{self.channel}: {error}") from error

    def _trust(self) -> Trust:
        return embedded_trust() if self.root is None else Trust(self.root.read_bytes())
