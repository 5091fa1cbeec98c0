"""Patients: find one, add one."""

from datetime import date, timedelta
from itertools import islice
from typing import Final

from ddx.domain.audit import AuditAction
from ddx.domain.course import UNWATCHED, Course
from ddx.domain.identifiers import new_record_id
from ddx.domain.roles import Permission
from ddx.intake.check import CaseIssue, Level
from ddx.terminology.catalogue import Catalogue, Language
from desktop.services.desk import Desk
from desktop.services.errors import NewPatientRefusedError
from desktop.services.outgoing import patient_pseudonym
from desktop.services.recorded import patient_row
from desktop.services.records import NewPatient, PatientRow
from desktop.store.names import folded
from desktop.store.records import PatientRecord

OLDEST_YEARS: Final = 125
"""Nobody is known to have lived longer than 122 years (J. Calment); more is a typing error."""

SHORTEST_VISIT_SEARCH: Final = 3
FINDINGS_MEANT: Final = 3
DISEASES_MEANT: Final = 10
"""Names close to what was typed that a search over visits takes for meant."""


class PatientService:
    """Patients of this clinic, for the signed-in clinician."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._listed = False
        self._names: tuple[tuple[str, str], ...] = ()
        self._names_of: Catalogue | None = None

    def search(
        self, text: str = "", limit: int = 200, course: Course = UNWATCHED
    ) -> tuple[PatientRow, ...]:
        """Return patients whose name or document holds every word of `text`, newest visit first.

        When nobody is called that: patients with a visit where the finding or the disease of that
        name was recorded, or whose short code or note has words that begin so. The first list of
        a session is an entry; a list at each key press would bury the others.
        """
        self._desk.require(Permission.VIEW_PATIENT)
        self._write_down_list()
        with self._desk.store.read(course) as unit:
            named = unit.patients.search(text, limit)
        if named or len(text.strip()) < SHORTEST_VISIT_SEARCH:
            return tuple(patient_row(patient) for patient in named)
        codes = self._codes(text)
        with self._desk.store.read(course) as unit:
            seen = unit.patients.seen_with(codes, text, limit)
        return tuple(patient_row(patient) for patient, _visit in seen)

    def _write_down_list(self) -> None:
        if self._listed:
            return
        with self._desk.store.write() as unit:
            self._desk.journal.listed(unit, "patients")
        self._listed = True

    def _codes(self, text: str) -> tuple[str, ...]:
        """Return the codes of the findings and diseases that `text` names, in any language."""
        engine = self._desk.shelf.engine
        findings = (hit.id for hit in engine.search.search(text, limit=FINDINGS_MEANT))
        typed = folded(text)
        diseases = (code for name, code in self._disease_names() if typed in name)
        return (*findings, *islice(dict.fromkeys(diseases), DISEASES_MEANT))

    def _disease_names(self) -> tuple[tuple[str, str], ...]:
        """Folded name and code of every disease of the active model, in both languages."""
        catalogue = self._desk.shelf.engine.catalogue
        if self._names_of is not catalogue:
            self._names = tuple(
                (folded(catalogue.disease_label(disease, language)), disease)
                for disease in catalogue.diseases
                for language in Language
            )
            self._names_of = catalogue
        return self._names

    def create(self, new: NewPatient) -> PatientRow:
        """Add one patient. Raises NewPatientRefusedError with everything that is wrong."""
        self._desk.require(Permission.VIEW_PATIENT)
        issues = _issues(new, self._desk.now().astimezone().date())
        if issues:
            raise NewPatientRefusedError(issues)
        with self._desk.store.write() as unit:
            patient_id = new_record_id()
            patient = PatientRecord(
                id=patient_id,
                given_name=" ".join(new.given_name.split()),
                family_name=" ".join(new.family_name.split()),
                sex=new.sex,
                birth_date=new.birth_date,
                national_id=new.national_id.strip(),
                pseudonym=patient_pseudonym(unit.clinic.get().pseudonym_key, patient_id),
                created_at=self._desk.now(),
            )
            unit.patients.add(patient)
            self._desk.journal.record(unit, AuditAction.PATIENT_CREATED, patient.pseudonym)
        return patient_row(patient)


def _issues(new: NewPatient, today: date) -> tuple[CaseIssue, ...]:
    found = []
    if not new.given_name.strip():
        found.append(_error("given_name", "patient.name_missing"))
    if not new.family_name.strip():
        found.append(_error("family_name", "patient.name_missing"))
    if new.birth_date > today:
        found.append(_error("birth_date", "patient.birth_date_future"))
    if new.birth_date < today - timedelta(days=round(OLDEST_YEARS * 365.25)):
        found.append(_error("birth_date", "patient.birth_date_too_old"))
    return tuple(found)


def _error(field: str, code: str) -> CaseIssue:
    return CaseIssue(level=Level.ERROR, field=field, code=code, params={}, suggestion="")
