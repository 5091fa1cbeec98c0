"""The clinic itself and the people who sign in."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ddx.domain.identifiers import RecordId
from ddx.domain.roles import Role
from desktop.store.errors import RecordMissingError
from desktop.store.records import ClinicianRecord, ClinicRecord
from desktop.store.tables import ClinicianTable, ClinicTable


class ClinicRepository:
    """The one clinic of this store and its clinicians."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def found(self, clinic: ClinicRecord) -> None:
        """Add the clinic of a new store."""
        self._session.add(
            ClinicTable(
                id=clinic.id,
                name=clinic.name,
                pseudonym_key=clinic.pseudonym_key,
                created_at=clinic.created_at,
            )
        )

    def get(self) -> ClinicRecord:
        """Return the clinic. Raises RecordMissingError when the store has none."""
        row = self._session.scalars(select(ClinicTable)).first()
        if row is None:
            raise RecordMissingError("clinic", "in this store")
        return ClinicRecord(
            id=RecordId(row.id),
            name=row.name,
            pseudonym_key=row.pseudonym_key,
            created_at=row.created_at,
        )

    def add_clinician(self, clinician: ClinicianRecord, at: datetime) -> None:
        """Add one person who may sign in."""
        self._session.add(
            ClinicianTable(
                id=clinician.id,
                display_name=clinician.display_name,
                role=clinician.role.value,
                active=True,
                created_at=at,
            )
        )

    def clinician(self, id: RecordId) -> ClinicianRecord:
        """Return one active clinician. Raises RecordMissingError."""
        row = self._session.get(ClinicianTable, id)
        if row is None or not row.active:
            raise RecordMissingError("clinician", id)
        return ClinicianRecord(
            id=RecordId(row.id), display_name=row.display_name, role=Role(row.role)
        )

    def remember(self, id: RecordId, at: datetime) -> None:
        """Keep the id of somebody who came after a backup was made: no name, no access."""
        if self._session.get(ClinicianTable, id) is None:
            self._session.add(
                ClinicianTable(
                    id=id,
                    display_name="",
                    role=Role.MEDICO_GENERAL.value,
                    active=False,
                    created_at=at,
                )
            )

    def name_of(self, id: RecordId) -> str:
        """Return what somebody who works or worked here is called; empty for a stranger."""
        row = self._session.get(ClinicianTable, id)
        return "" if row is None else row.display_name

    def clinicians(self) -> tuple[ClinicianRecord, ...]:
        """Return who may sign in, in the order they were added."""
        query = (
            select(ClinicianTable)
            .filter_by(active=True)
            .order_by(ClinicianTable.created_at, ClinicianTable.id)
        )
        return tuple(
            ClinicianRecord(id=RecordId(row.id), display_name=row.display_name, role=Role(row.role))
            for row in self._session.scalars(query)
        )

    def remove_clinician(self, id: RecordId) -> None:
        """End the access of one clinician; what they recorded stays. Raises RecordMissingError."""
        row = self._session.get(ClinicianTable, id)
        if row is None or not row.active:
            raise RecordMissingError("clinician", id)
        row.active = False
