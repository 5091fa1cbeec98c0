"""A session: one signed-in clinician and the use cases open to them."""

from ddx.domain.audit import AuditAction
from desktop.services.audit import AuditService
from desktop.services.decisions import DecisionService
from desktop.services.desk import Desk
from desktop.services.identity import IdentityService
from desktop.services.models import ModelService
from desktop.services.patients import PatientService
from desktop.services.privacy import PrivacyService
from desktop.services.records import ClinicianCard
from desktop.services.sync import SyncService
from desktop.services.visits import VisitService
from desktop.settings import Settings
from desktop.store.errors import StoreClosedError


class Session:
    """The use cases of one clinician, until `close`. Safe to use from several threads."""

    def __init__(self, desk: Desk, settings: Settings) -> None:
        self._desk = desk
        self.patients = PatientService(desk)
        self.visits = VisitService(desk)
        self.decisions = DecisionService(desk)
        self.sync = SyncService(desk, settings)
        self.models = ModelService(desk, self.sync)
        self.audit = AuditService(desk)
        self.privacy = PrivacyService(desk)
        self.identity = IdentityService(desk, settings, self.sync)

    @property
    def clinician(self) -> ClinicianCard:
        """Who is signed in, with the role the encrypted store gives them."""
        return self._desk.clinician

    def close(self) -> None:
        """Write the sign-out down and lock the store. Closing twice does nothing."""
        self.sync.close()
        try:
            with self._desk.store.write() as unit:
                self._desk.journal.record(unit, AuditAction.SIGN_OUT, self.clinician.id)
        except StoreClosedError:
            return
        finally:
            self._desk.store.close()
