from dataclasses import dataclass
from datetime import UTC, datetime

from ddx.domain.case import Case, Sex, VitalSigns
from ddx.domain.differential import Band, Candidate, Differential, World
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import DiseaseId, FindingId, RecordId
from desktop.presenters.history import (
    BesideMarked,
    Entered,
    ExportAsked,
    Exported,
    HistoryRead,
    HistoryState,
    ReadHistory,
    VisitChosen,
    WriteExport,
    compare,
    step,
)
from desktop.presenters.moves import Move

FEVER, COUGH, RASH, PAIN = map(FindingId, ("HP:0001945", "HP:0012735", "HP:0000988", "HP:0012531"))
PATIENT = RecordId("patient-1")
FLU, DENGUE = DiseaseId("VD:influenza"), DiseaseId("VD:dengue")


@dataclass(frozen=True)
class Visit:
    id: RecordId
    made_at: datetime
    case: Case
    differential: Differential
    short_code: str = "3fa9-12bc-77"
    feedback: tuple = ()
    not_excluded: None = None
    opinion: str = ""


@dataclass(frozen=True)
class Row:
    id: RecordId = PATIENT


def told(finding, presence):
    return Finding(id=finding, presence=presence)


def visit(name, day, findings, vitals, *diseases):
    return Visit(
        id=RecordId(name),
        made_at=datetime(2026, 11, day, tzinfo=UTC),
        case=Case(age_days=9000, sex=Sex.FEMALE, findings=findings, vitals=vitals),
        differential=Differential(
            candidates=tuple(
                Candidate(rank=r, disease=d, probability=0.3, band=Band.LIKELY, world=World.COMMON)
                for r, d in enumerate(diseases, start=1)
            ),
            outside_probability=0.1,
            unused=(),
            alerts=(),
            bundle_version="2026.11.1",
            bundle_digest="00",
        ),
    )


MONDAY = visit(
    "monday",
    2,
    (
        told(FEVER, Presence.PRESENT),
        told(COUGH, Presence.PRESENT),
        told(PAIN, Presence.UNKNOWN),
    ),
    VitalSigns(temperature_c=39.1, heart_rate_bpm=104),
    FLU,
    DENGUE,
)
FRIDAY = visit(
    "friday",
    6,
    (
        told(FEVER, Presence.EXCLUDED),
        told(COUGH, Presence.PRESENT),
        told(RASH, Presence.PRESENT),
    ),
    VitalSigns(temperature_c=36.8, heart_rate_bpm=104),
    DENGUE,
    FLU,
)


def test_two_visits_show_what_changed_whichever_is_chosen_first():
    found = compare(FRIDAY, MONDAY)
    assert (found.earlier, found.later) == (MONDAY, FRIDAY)
    assert [
        (a.finding, a.before and a.before.presence, a.after and a.after.presence)
        for a in found.answers
    ] == [
        (FEVER, Presence.PRESENT, Presence.EXCLUDED),
        (RASH, None, Presence.PRESENT),
    ]  # the cough did not change, and a pain nobody could tell is silence on both days
    assert [(m.vital, m.before, m.after) for m in found.measurements] == [
        ("temperature_c", 39.1, 36.8)
    ]
    assert found.moved == {DENGUE: Move(1), FLU: Move(-1)}


def test_the_newest_visit_is_shown_first_and_c_keeps_one_to_compare_with():
    state, effects = step(HistoryState(patient=Row()), Entered())
    assert effects == (ReadHistory(RecordId("patient-1")),)
    state, _ = step(state, HistoryRead([FRIDAY, MONDAY]))
    assert state.chosen == FRIDAY.id
    assert state.comparison is None
    for event in (BesideMarked(), VisitChosen(MONDAY.id)):
        state, _ = step(state, event)
    assert (state.comparison.earlier, state.comparison.later) == (MONDAY, FRIDAY)


def test_an_export_leaves_once_at_a_time_and_only_to_a_file():
    state, _ = step(HistoryState(patient=Row()), HistoryRead([FRIDAY]))
    assert step(state, ExportAsked("fhir", "")) == (state, ())
    leaving, effects = step(state, ExportAsked("fhir", "a.json"))
    assert effects == (WriteExport("fhir", "a.json", FRIDAY.id),)
    assert step(leaving, ExportAsked("fhir", "b.json"))[1] == ()
    assert step(leaving, Exported("a.json"))[0].saved == "a.json"
