"""What the clinician decided about a recorded differential."""

from ddx.domain.audit import AuditAction
from ddx.domain.feedback import Feedback, OverrideReason, Verb
from ddx.domain.identifiers import DiseaseId, RecordId, new_record_id
from ddx.domain.roles import Permission
from desktop.services.desk import Desk
from sync_service.client.outbox import EventKind
from sync_service.protocol.decisions import feedback_payload


class DecisionService:
    """Decisions of the signed-in clinician."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def record(
        self,
        diagnosis: RecordId,
        verb: Verb,
        disease: DiseaseId | None,
        reason: OverrideReason | None = None,
        note: str = "",
        *,
        plan: str = "",
    ) -> Feedback:
        """Return the decision as recorded: with its audit entry and outbox events, or not at all.

        note, plan: free text, stay in the store.

        Raises:
            RecordMissingError: no such diagnosis.
            CaseError: a reason or a disease is due (see `ddx.domain.feedback.Feedback`).
        """
        self._desk.require(Permission.GIVE_FEEDBACK)
        feedback = Feedback(
            id=new_record_id(),
            diagnosis_id=diagnosis,
            verb=verb,
            disease=disease,
            reason=reason,
            outcome_at=self._desk.now(),
            note=note.strip(),
            plan=plan.strip(),
        )
        with self._desk.store.write() as unit:
            unit.diagnoses.get(diagnosis)
            unit.feedback.add(feedback, self._desk.clinician.id)
            self._desk.journal.record(unit, AuditAction.DECIDED, diagnosis, verb=verb.value)
            self._desk.journal.send(unit, EventKind.FEEDBACK, feedback_payload(feedback))
        return feedback
