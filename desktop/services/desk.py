"""What every use case of a session shares: the open store, the engine, who is signed in."""

from dataclasses import dataclass

from ddx.domain.roles import Permission, require
from desktop.services.engines import BundleShelf
from desktop.services.journal import Clock, Journal
from desktop.services.records import ClinicianCard
from desktop.store.store import ClinicStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One signed-in clinician in front of one open store."""

    clinician: ClinicianCard
    store: ClinicStore
    shelf: BundleShelf
    journal: Journal
    now: Clock

    def require(self, permission: Permission) -> None:
        """Return if the clinician may; raise PermissionDeniedError before anything is read."""
        require(self.clinician.role, permission)
