"""One patient's record in the formats other systems read; each export is written down first."""

import json

from ddx.domain.audit import AuditAction
from ddx.domain.course import UNWATCHED, Course
from ddx.domain.identifiers import RecordId
from ddx.domain.roles import Permission
from ddx.phenopackets.write import write_phenopacket
from desktop.services.desk import Desk
from desktop.services.fhir_patient import Visit, patient_bundle


class ExportService:
    """Exports of this clinic, for the signed-in clinician."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def phenopacket(self, diagnosis: RecordId, course: Course = UNWATCHED) -> bytes:
        """Return one visit as a phenopacket v2, JSON: findings and what the clinician concluded.

        No name is in it; the packet is known by the receipt's short code.

        Raises:
            RecordMissingError, StoreFullError: nothing was written down; it must not leave.
        """
        self._desk.require(Permission.VIEW_PATIENT)
        with self._desk.store.write(course) as unit:
            stored = unit.diagnoses.get(diagnosis)
            decisions = unit.feedback.of_diagnoses((diagnosis,))
            self._desk.journal.record(
                unit,
                AuditAction.EXPORTED,
                diagnosis,
                what="phenopacket",
                receipt=stored.receipt_digest,
            )
        packet = write_phenopacket(
            stored.case,
            self._desk.shelf.engine.catalogue,
            id=stored.short_code,
            created=stored.made_at.isoformat().replace("+00:00", "Z"),
            created_by="Vereda",
            vocabulary_version=stored.differential.bundle_version,
            truths=tuple(dict.fromkeys(d.disease for d in decisions if d.disease is not None)),
        )
        return json.dumps(packet, ensure_ascii=False, indent=1).encode()

    def fhir(self, patient: RecordId, course: Course = UNWATCHED) -> bytes:
        """Return everything recorded of one patient as a FHIR R4 Bundle, JSON; names are in it.

        Raises as `phenopacket` does.
        """
        self._desk.require(Permission.VIEW_PATIENT)
        with self._desk.store.write(course) as unit:
            person = unit.patients.get(patient)
            stored = unit.diagnoses.of_patient(patient)
            decisions = unit.feedback.of_diagnoses(tuple(d.id for d in stored))
            visits = tuple(
                Visit(
                    stored=diagnosis,
                    attended_by=unit.clinic.name_of(diagnosis.clinician_id),
                    decisions=tuple(d for d in decisions if d.diagnosis_id == diagnosis.id),
                )
                for diagnosis in stored
            )
            clinic = unit.clinic.get().name
            self._desk.journal.record(
                unit, AuditAction.EXPORTED, person.pseudonym, what="fhir", visits=len(visits)
            )
        bundle = patient_bundle(
            person,
            visits,
            self._desk.shelf.engine.catalogue,
            clinic=clinic,
            written_at=self._desk.now(),
        )
        return json.dumps(bundle, ensure_ascii=False, indent=1).encode()
