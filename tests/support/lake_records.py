"""Records on their way into a lake, as a clinic or a hospital would send them."""

from datetime import UTC, datetime, timedelta

from support.sync_records import a_case

from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import new_record_id
from sync_service.protocol.ages import coarse_age_days
from training.lake.alarms import Alarm
from training.lake.door import Arrival
from training.lake.stream import case_id_of
from training.lake.tables import Kind
from training.sources.pseudonyms import Pseudonyms
from training.sources.visits import recorded_case

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
KEYED = Pseudonyms(b"k" * 32)
PATIENT = "3f" * 32
CLINIC = KEYED.clinic("019c0f5e-0000-7000-8000-00000000a11c")


def findings(**states):
    """Findings by number: findings(p1="present", p2="excluded")."""
    return tuple(
        Finding(id=f"HP:{int(name[1:]):07d}", presence=Presence(state))
        for name, state in states.items()
    )


def diagnosis(
    *, patient=PATIENT, clinic=CLINIC, at=NOON, stated=None, predicted="VD:influenza", **vitals
):
    """One diagnosis of the stream; its case id comes with it."""
    name = new_record_id()
    case = recorded_case(a_case(age_days=coarse_age_days(12_345)))
    if stated is not None:
        case["findings"] = [{"id": f.id, "presence": f.presence.value} for f in stated]
    if vitals:
        case["vitals"] = vitals
    payload = {
        "diagnosis_id": name,
        "patient_pseudonym": patient,
        "case": case,
        "differential": {
            "candidates": [
                {
                    "rank": rank,
                    "disease": disease,
                    "probability": probability,
                    "band": "likely",
                    "world": "common",
                }
                for rank, disease, probability in ((2, "VD:bronchitis", 0.2), (1, predicted, 0.6))
            ],
            "outside_probability": 0.2,
            "bundle_version": "2026.11.6",
        },
        "receipt_digest": "a" * 64,
        "bundle_digest": "b" * 64,
        "made_at": at.isoformat(),
    }
    return _arrival(Kind.DIAGNOSIS, name, clinic, at, payload)


def feedback(to, *, disease, verb="custom", at=None):
    """What the clinician decided on a diagnosis made by `diagnosis`."""
    at = at or to.event_time + DAY
    payload = {
        "feedback_id": new_record_id(),
        "diagnosis_id": to.payload["diagnosis_id"],
        "outcome": "accepted" if verb == "agree" else "overridden",
        "outcomeTimestamp": at.isoformat(),
        "verb": verb,
    }
    if disease:
        payload["disease"] = disease
    return _arrival(Kind.FEEDBACK, payload["diagnosis_id"], to.clinic, at, payload)


def visit(
    name, *, at=NOON, observations=(), conditions=(), labels=(), stated=(), patient=PATIENT, part=""
):
    """A visit of a hospital. Parts of one visit share `name`."""
    visit_id = KEYED.record("fhir.test", name)
    payload = {
        "visit_id": visit_id,
        "patient_pseudonym": patient,
        "case": {
            "age_days": coarse_age_days(12_345),
            "sex": "female",
            "findings": [{"id": f.id, "presence": f.presence.value} for f in stated],
            "vitals": {},
        },
        "observations": [
            {"code": code, "unit": unit, "value": float(value)}
            for code, unit, value in observations
        ],
        "conditions": [
            {"system": "icd10", "code": code, "status": status} for code, status in conditions
        ],
        "labels": [
            {"disease": disease, "label_source": source, "confirmed": sure}
            for disease, source, sure in labels
        ],
    }
    return Arrival(
        event_id=KEYED.record("fhir.test", name, part),
        case_id=visit_id,
        kind=Kind.VISIT,
        source="fhir.test",
        clinic=CLINIC,
        event_time=at,
        offset=None,
        schema_version=1,
        payload=payload,
    )


def _arrival(kind, diagnosis_id, clinic, at, payload):
    return Arrival(
        event_id=new_record_id(),
        case_id=case_id_of(clinic, diagnosis_id),
        kind=kind,
        source="stream",
        clinic=clinic,
        event_time=at,
        offset=None,
        schema_version=1,
        payload=payload,
    )


class Ears:
    """Hears every alarm."""

    def __init__(self):
        self.heard: list[Alarm] = []

    def notify(self, alarm):
        self.heard.append(alarm)
