"""One transaction, seen as the repositories that share it."""

from sqlalchemy.orm import Session

from ddx.once import once
from desktop.store.repositories.aggregates import AggregateRepository
from desktop.store.repositories.audit import AuditRepository
from desktop.store.repositories.clinic import ClinicRepository
from desktop.store.repositories.device import DeviceRepository, SettingRepository
from desktop.store.repositories.diagnoses import DiagnosisRepository, FeedbackRepository
from desktop.store.repositories.drafts import DraftRepository
from desktop.store.repositories.erasures import ErasureRepository
from desktop.store.repositories.outbox import OutboxRepository
from desktop.store.repositories.patients import PatientRepository


class UnitOfWork:
    """The repositories of one transaction; `ClinicStore.write` commits it once, whole.

    A domain row, its audit entry and its outbox events go through the same unit, so a crash
    leaves all of them or none.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @once
    def clinic(self) -> ClinicRepository:
        """The clinic and its clinicians."""
        return ClinicRepository(self._session)

    @once
    def patients(self) -> PatientRepository:
        """Patients."""
        return PatientRepository(self._session)

    @once
    def drafts(self) -> DraftRepository:
        """Unfinished visits."""
        return DraftRepository(self._session)

    @once
    def diagnoses(self) -> DiagnosisRepository:
        """Recorded differentials."""
        return DiagnosisRepository(self._session)

    @once
    def feedback(self) -> FeedbackRepository:
        """Decisions."""
        return FeedbackRepository(self._session)

    @once
    def audit(self) -> AuditRepository:
        """The audit chain of the current device epoch."""
        return AuditRepository(self._session, self.device)

    def audit_of_new_epoch(self) -> AuditRepository:
        """Begin another device epoch and return its empty audit chain, in use from now on."""
        self.device.next_epoch()
        self.__dict__.pop("audit", None)
        return self.audit

    @once
    def outbox(self) -> OutboxRepository:
        """Outgoing events."""
        return OutboxRepository(self._session, self.device)

    @once
    def device(self) -> DeviceRepository:
        """This device."""
        return DeviceRepository(self._session)

    @once
    def erasures(self) -> ErasureRepository:
        """Patients who were erased, and the erasing."""
        return ErasureRepository(self._session)

    @once
    def aggregates(self) -> AggregateRepository:
        """Counts over everything."""
        return AggregateRepository(self._session)

    @once
    def settings(self) -> SettingRepository:
        """Facts kept encrypted."""
        return SettingRepository(self._session)
