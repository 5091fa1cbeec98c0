"""A session: one signed-in clinician and the use cases open to them."""

from pathlib import Path

from ddx.domain.audit import AuditAction
from ddx.domain.roles import PERMISSIONS, Permission
from desktop.services.aggregates import AggregateService
from desktop.services.application import ApplicationService
from desktop.services.audit import AuditService
from desktop.services.decisions import DecisionService
from desktop.services.desk import Desk
from desktop.services.exports import ExportService
from desktop.services.identity import IdentityService
from desktop.services.keeping import KeepingService
from desktop.services.models import ModelService
from desktop.services.own_settings import OwnSettingsService
from desktop.services.patients import PatientService
from desktop.services.privacy import PrivacyService
from desktop.services.records import ClinicianCard
from desktop.services.referrals import ReferralService
from desktop.services.staff import StaffService
from desktop.services.sync import SyncService
from desktop.services.visits import VisitService
from desktop.settings import Settings
from desktop.store.errors import StoreClosedError
from desktop.store.ledger import ErasureLedger


class Session:
    """The use cases of one clinician, until `close`. Safe to use from several threads."""

    def __init__(
        self,
        desk: Desk,
        settings: Settings,
        staff: StaffService | None = None,
        keeping: KeepingService | None = None,
        ledger: ErasureLedger | None = None,
        *,
        installers: Path | None = None,
    ) -> None:
        """Bind the desk. staff, keeping, ledger: need the folder of the store.

        installers: folder of the application's newer versions, None in a session without one.
        """
        self._desk = desk
        self.idle_lock_minutes = settings.idle_lock_minutes
        self._staff, self._keeping = staff, keeping
        self.patients = PatientService(desk)
        self.visits = VisitService(desk)
        self.decisions = DecisionService(desk)
        self.referrals = ReferralService(desk)
        self.exports = ExportService(desk)
        self.aggregates = AggregateService(desk)
        self.preferences = OwnSettingsService(desk, settings)
        self.sync = SyncService(desk, settings)
        self.models = ModelService(desk, self.sync)
        self.application = ApplicationService(desk, self.sync, installers)
        self.audit = AuditService(desk)
        self.privacy = PrivacyService(desk, ledger)
        self.identity = IdentityService(desk, settings, self.sync)

    @property
    def manages(self) -> bool:
        """Whether the signed-in person manages clinicians, backups and keys."""
        return (
            self._staff is not None
            and Permission.MANAGE_CLINICIANS in PERMISSIONS[self.clinician.role]
        )

    @property
    def staff(self) -> StaffService:
        """Who may sign in. Raises StoreClosedError in a session without a folder."""
        if self._staff is None:
            raise StoreClosedError("this session has no folder")
        return self._staff

    @property
    def keeping(self) -> KeepingService:
        """Backups and checks. Raises StoreClosedError in a session without a folder."""
        if self._keeping is None:
            raise StoreClosedError("this session has no folder")
        return self._keeping

    @property
    def clinician(self) -> ClinicianCard:
        """Who is signed in, with the role the encrypted store gives them."""
        return self._desk.clinician

    @property
    def closed(self) -> bool:
        """Whether the store is locked: nothing more can be asked here."""
        return self._desk.store.closed

    def close(self) -> None:
        """Write the sign-out down and lock the store. Closing twice does nothing."""
        self.identity.stop()
        self.sync.close()
        try:
            with self._desk.store.write() as unit:
                self._desk.journal.record(unit, AuditAction.SIGN_OUT, self.clinician.id)
        except StoreClosedError:
            return
        finally:
            self._desk.store.close()
