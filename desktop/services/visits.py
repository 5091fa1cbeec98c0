"""A visit: draft, differential, explanation, receipt, replay."""

import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ddx.domain.audit import AuditAction
from ddx.domain.canonical import canonical_json
from ddx.domain.case import Case
from ddx.domain.course import UNWATCHED, Course
from ddx.domain.explanation import Explanation
from ddx.domain.identifiers import DiseaseId, RecordId, new_record_id
from ddx.domain.receipt import EXPLAINED, Receipt, receipt_to_json
from ddx.domain.replay import ReplayReport, replay
from ddx.domain.roles import Permission
from ddx.domain.short_code import read_short_code
from ddx.explain.narrate import narrate
from ddx.explain.why_not import WhyNot
from ddx.inquiry.effort import FULL, RURAL_POST, WORDS_ONLY
from ddx.intake.check import CaseIssue, DraftRefusedError, admit, check
from ddx.intake.draft import AgeUnit, Draft, draft_from_json, draft_to_json
from ddx.terminology.catalogue import Language
from desktop.services.desk import Desk
from desktop.services.engines import DiagnosticEngine, is_fault_of_model
from desktop.services.errors import OtherBundleError
from desktop.services.recorded import visit_record as _record
from desktop.services.records import Account, DiagnosisRecord, DraftRecord, Guidance, Trial
from desktop.store.errors import RecordMissingError
from desktop.store.records import PatientRecord, StoredDiagnosis, StoredDraft
from desktop.store.unit_of_work import UnitOfWork
from sync_service.client.outbox import EventKind
from sync_service.client.outgoing import diagnosis_payload, model_failure_payload

if TYPE_CHECKING:
    from ddx.assessment import Assessment

MONTHS_BELOW_YEARS: Final = 2  # paediatric practice: months up to the second birthday
DAYS_BELOW_DAYS: Final = 28  # the neonatal period, WHO


PROFILES: Final = MappingProxyType({"words": WORDS_ONLY, "rural": RURAL_POST, "full": FULL})
"""What a clinic has, by the name of its profile."""

WHY_NOT_SECONDS: Final = 3.0  # a clinician waits that long for an answer that is not urgent


class VisitService:
    """Visits of this clinic, for the signed-in clinician."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def open_draft(self, patient: RecordId) -> DraftRecord:
        """Return the unfinished draft of `patient`, or a new one with age and sex filled in."""
        self._desk.require(Permission.DIAGNOSE)
        with self._desk.store.write() as unit:
            person = unit.patients.get(patient)
            stored = unit.drafts.of_patient(patient)
            if stored is None:
                stored = self._begun(person)
                unit.drafts.add(stored)
            self._desk.journal.record(
                unit, AuditAction.PATIENT_VIEWED, person.pseudonym, view="draft"
            )
        return _draft(stored)

    def save_draft(self, draft_id: RecordId, draft: Draft) -> None:
        """Keep what was typed so far, durably. Raises RecordMissingError once diagnosed."""
        self._desk.require(Permission.DIAGNOSE)
        with self._desk.store.write() as unit:
            unit.drafts.replace(draft_id, dict(draft_to_json(draft)), self._desk.now())

    def check(self, draft: Draft) -> tuple[CaseIssue, ...]:
        """Return everything wrong or doubtful about `draft`, at once."""
        self._desk.require(Permission.DIAGNOSE)
        return check(draft, self._desk.shelf.engine.catalogue)

    def guide(self, draft: Draft, equipment: str) -> Guidance | None:
        """Return how soon to attend and what to ask next; None while `draft` is no case yet.

        equipment: "words", "rural" or "full", what the clinic has. Nothing is recorded, and
        nothing of a list is told: that is what `diagnose` is for.
        """
        self._desk.require(Permission.DIAGNOSE)
        engine = self._desk.shelf.engine
        try:
            case = admit(draft, engine.catalogue)
        except DraftRefusedError:
            return None
        said = engine.assess(case, equipment=PROFILES[equipment], questions=1)
        return Guidance(triage=said.triage, inquiry=said.inquiry, alerts=said.differential.alerts)

    def preview(self, draft: Draft) -> Trial | None:
        """Return the list `draft` would get; None while it is no case.

        Nothing is recorded: the window asks only once a list of the visit is on record, and
        nothing can be decided on what this returns (docs/adr/0026-a-list-on-trial.md).
        """
        self._desk.require(Permission.DIAGNOSE)
        engine = self._desk.shelf.engine
        try:
            case = admit(draft, engine.catalogue)
        except DraftRefusedError:
            return None
        said = engine.assess(case, equipment=RURAL_POST, questions=0)  # no question is asked
        return Trial(differential=said.differential, not_excluded=said.not_excluded)

    def diagnose(self, draft_id: RecordId) -> DiagnosisRecord:
        """Return the recorded differential of a draft; the draft is gone then.

        Case, receipt, audit entry and outbox events are one transaction. The engine runs before
        it, so that nothing waits for the store meanwhile; a draft that was typed on in between is
        diagnosed again: what was typed last is what is recorded.

        Raises:
            DraftRefusedError: the draft has errors; it stays as it is.
            RecordMissingError: the draft was diagnosed before.
        """
        self._desk.require(Permission.DIAGNOSE)
        engine = self._desk.shelf.engine
        with self._desk.store.read() as unit:
            draft = unit.drafts.get(draft_id)
        while True:
            typed = draft_from_json(draft.content)
            case = admit(typed, engine.catalogue)
            said, seconds = self._assessed(engine, case)
            receipt = self._made(case, said, engine)
            stored = self._stored(receipt, draft.patient_id, typed.opinion)
            with self._desk.store.write() as unit:
                read, draft = draft, unit.drafts.get(draft_id)
                if draft.content == read.content:
                    self._keep(unit, stored, receipt, draft, seconds)
                    break
        return replace(_record(stored, ()), not_excluded=said.not_excluded)

    def _assessed(self, engine: DiagnosticEngine, case: Case) -> "tuple[Assessment, float]":
        """Return what the engine says, and the seconds it took. That it failed leaves the clinic.

        Of the case nothing does.
        """
        began = time.perf_counter()
        try:
            said = engine.assess(case, equipment=RURAL_POST, questions=0)  # no question is asked
        except Exception as error:
            if is_fault_of_model(error):
                now = self._desk.now()
                told = model_failure_payload(
                    version=engine.version, digest=engine.digest, failed_at=now
                )
                with self._desk.store.write() as unit:
                    unit.outbox.add(EventKind.MODEL_FAILURE, told, now)
            raise
        return said, time.perf_counter() - began

    def history(self, patient: RecordId, course: Course = UNWATCHED) -> tuple[DiagnosisRecord, ...]:
        """Return the diagnoses of one patient, newest first, with their decisions."""
        self._desk.require(Permission.VIEW_PATIENT)
        with self._desk.store.write(course) as unit:
            person = unit.patients.get(patient)
            stored = unit.diagnoses.of_patient(patient)
            feedback = unit.feedback.of_diagnoses(tuple(d.id for d in stored))
            self._desk.journal.record(
                unit, AuditAction.PATIENT_VIEWED, person.pseudonym, view="history"
            )
        return tuple(
            _record(d, tuple(f for f in feedback if f.diagnosis_id == d.id)) for d in stored
        )

    def explain(self, diagnosis: RecordId, disease: DiseaseId) -> Explanation:
        """Return why `disease` stands where it stands, by the bundle that made the record.

        Raises:
            OtherBundleError: that bundle is no longer on this device.
        """
        self._desk.require(Permission.EXPLAIN)
        with self._desk.store.read() as unit:
            stored = unit.diagnoses.get(diagnosis)
        engine = self._desk.shelf.engine_for(stored.differential.bundle_digest)
        explanation = engine.explain(stored.case, disease)
        with self._desk.store.write() as unit:
            self._desk.journal.record(unit, AuditAction.EXPLAINED, diagnosis, disease=disease)
        return explanation

    def account(self, diagnosis: RecordId, disease: DiseaseId) -> Account:
        """Return why `disease` stands where it stands, in sentences too, and what to do if so.

        Raises OtherBundleError as `explain` does.
        """
        explanation = self.explain(diagnosis, disease)
        case, engine = self._of_record(diagnosis)
        return Account(
            explanation=explanation,
            sentences=narrate(explanation, case, engine.catalogue),
            actions={
                language.value: engine.recommendations(disease, language.value)
                for language in Language
            },
        )

    def why_not(
        self,
        diagnosis: RecordId,
        disease: DiseaseId,
        may_go_on: Callable[[], bool] = lambda: True,
    ) -> WhyNot:
        """Return the smallest change found that would bring `disease` to the first three.

        may_go_on: asked again and again while looking; once it says no, what was found counts.

        Raises:
            OtherBundleError: the bundle that made the record is no longer on this device.
            UnknownDiseaseError: it does not know `disease`.
        """
        self._desk.require(Permission.EXPLAIN)
        case, engine = self._of_record(diagnosis)
        until = time.monotonic() + WHY_NOT_SECONDS
        told = engine.why_not(
            case, disease, may_go_on=lambda: may_go_on() and time.monotonic() < until
        )
        with self._desk.store.write() as unit:
            self._desk.journal.record(unit, AuditAction.EXPLAINED, diagnosis, disease=disease)
        return told

    def _of_record(self, diagnosis: RecordId) -> tuple[Case, DiagnosticEngine]:
        """Return what was known and the engine that answered. Raises OtherBundleError."""
        with self._desk.store.read() as unit:
            stored = unit.diagnoses.get(diagnosis)
        return stored.case, self._desk.shelf.engine_for(stored.differential.bundle_digest)

    def receipt(self, diagnosis: RecordId) -> Receipt:
        """Return what the record was made from."""
        self._desk.require(Permission.VIEW_PATIENT)
        with self._desk.store.write() as unit:
            stored = unit.diagnoses.get(diagnosis)
            self._viewed(unit, stored.patient_id, "receipt")
        return _receipt(stored)

    def find_receipt(self, code: str) -> DiagnosisRecord:
        """Return the diagnosis whose short code is printed on a referral.

        code: as typed; blanks, case and O/0, I/1 do not matter.

        Raises:
            ShortCodeError: not a code, or mistyped: the check letter does not fit.
            RecordMissingError: no diagnosis of this clinic has it.
        """
        self._desk.require(Permission.VIEW_PATIENT)
        printed = _printed(code)
        with self._desk.store.write() as unit:
            found = unit.diagnoses.by_short_code(printed)
            if not found:
                raise RecordMissingError("receipt", printed)
            self._viewed(unit, found[0].patient_id, "receipt")
            feedback = unit.feedback.of_diagnoses((found[0].id,))
        return _record(found[0], feedback)

    def export_receipt(self, diagnosis: RecordId) -> bytes:
        """Return one receipt as a file for `vereda replay`; the export is written down.

        No name is in it, but the case is: it is a clinical record all the same.
        """
        self._desk.require(Permission.VIEW_PATIENT)
        with self._desk.store.write() as unit:
            stored = unit.diagnoses.get(diagnosis)
            self._desk.journal.record(
                unit, AuditAction.EXPORTED, diagnosis, what="receipt", receipt=stored.receipt_digest
            )
        content = receipt_to_json(_receipt(stored), recorded_digest=stored.receipt_digest)
        return canonical_json(content) + b"\n"

    def replay(self, diagnosis: RecordId) -> ReplayReport:
        """Run a recorded case again and say what differs."""
        self._desk.require(Permission.DIAGNOSE)
        with self._desk.store.write() as unit:
            stored = unit.diagnoses.get(diagnosis)
            self._viewed(unit, stored.patient_id, "replay")
        try:
            engine = self._desk.shelf.engine_for(stored.differential.bundle_digest)
        except OtherBundleError:
            return replay(_receipt(stored), stored.receipt_digest, None)
        return replay(_receipt(stored), stored.receipt_digest, engine)

    def _viewed(self, unit: UnitOfWork, patient: RecordId, view: str) -> None:
        pseudonym = unit.patients.get(patient).pseudonym
        self._desk.journal.record(unit, AuditAction.PATIENT_VIEWED, pseudonym, view=view)

    def _made(self, case: Case, said: "Assessment", engine: DiagnosticEngine) -> Receipt:
        differential = said.differential
        told = [candidate.disease for candidate in differential.candidates[:EXPLAINED]]
        return Receipt(
            diagnosis_id=new_record_id(),
            made_at=self._desk.now(),
            case=case,
            feature_digest=engine.feature_digest(case),
            differential=differential,
            features=engine.features(case),
            contributions=engine.explain_several(case, told, said.reading),
        )

    def _begun(self, patient: PatientRecord) -> StoredDraft:
        age_text, age_unit = age_on(self._desk.now().astimezone().date(), patient.birth_date)
        draft = Draft(age_text=age_text, age_unit=age_unit, sex=patient.sex)
        return StoredDraft(
            id=new_record_id(),
            patient_id=patient.id,
            content=draft_to_json(draft),
            updated_at=self._desk.now(),
        )

    def _stored(self, receipt: Receipt, patient: RecordId, opinion: str) -> StoredDiagnosis:
        return StoredDiagnosis(
            id=receipt.diagnosis_id,
            patient_id=patient,
            clinician_id=self._desk.clinician.id,
            made_at=receipt.made_at,
            case=receipt.case,
            differential=receipt.differential,
            feature_digest=receipt.feature_digest,
            receipt_digest=receipt.digest,
            short_code=receipt.short_code,
            features=receipt.features,
            contributions=receipt.contributions,
            opinion=opinion,
        )

    def _keep(
        self,
        unit: UnitOfWork,
        stored: StoredDiagnosis,
        receipt: Receipt,
        draft: StoredDraft,
        engine_seconds: float,
    ) -> None:
        unit.diagnoses.add(stored)
        unit.patients.seen(draft.patient_id, receipt.made_at)
        unit.drafts.delete(draft.id)
        pseudonym = unit.patients.get(draft.patient_id).pseudonym
        self._write_down(unit, receipt, stored.opinion)
        payload = diagnosis_payload(
            receipt, patient_pseudonym=pseudonym, engine_seconds=engine_seconds
        )
        self._desk.journal.send(unit, EventKind.DIAGNOSIS, payload)

    def _write_down(self, unit: UnitOfWork, receipt: Receipt, opinion: str) -> None:
        before = {"opinion": opinion} if opinion else {}
        self._desk.journal.record(
            unit,
            AuditAction.DIAGNOSED,
            receipt.diagnosis_id,
            receipt=receipt.digest,
            bundle=receipt.differential.bundle_digest,
            **before,
        )


def age_on(today: date, born: date) -> tuple[str, AgeUnit]:
    """Return an age as a clinician writes it: days, then months, then years."""
    months = (today.year - born.year) * 12 + today.month - born.month - (today.day < born.day)
    days = (today - born).days
    if days < DAYS_BELOW_DAYS:
        return str(max(0, days)), AgeUnit.DAYS
    if months < MONTHS_BELOW_YEARS * 12:
        return str(months), AgeUnit.MONTHS
    return str(months // 12), AgeUnit.YEARS


def _draft(stored: StoredDraft) -> DraftRecord:
    return DraftRecord(
        id=stored.id,
        patient_id=stored.patient_id,
        draft=draft_from_json(stored.content),
        updated_at=stored.updated_at,
    )


def _receipt(stored: StoredDiagnosis) -> Receipt:
    return Receipt(
        diagnosis_id=stored.id,
        made_at=stored.made_at,
        case=stored.case,
        feature_digest=stored.feature_digest,
        differential=stored.differential,
        features=stored.features,
        contributions=stored.contributions,
    )


def _printed(code: str) -> str:
    """Return a short code as stored; codes of earlier versions were ten hex digits."""
    bare = "".join(code.lower().split()).replace("-", "")
    if re.fullmatch(r"[0-9a-f]{10}", bare):
        return f"{bare[:4]}-{bare[4:8]}-{bare[8:]}"
    return read_short_code(code)
