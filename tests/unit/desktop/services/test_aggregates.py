"""Counts for who is responsible: right, without patients, without small cells."""

import pytest

from ddx.domain.feedback import OverrideReason, Verb
from ddx.domain.identifiers import DiseaseId
from desktop.services.aggregates import SMALLEST_CELL, suppressed
from desktop.services.records import Count

FLU = DiseaseId("VD:influenza")


@pytest.fixture
def visits(session, patient, flu):
    def make(count):
        made = []
        for _ in range(count):
            draft = session.visits.open_draft(patient.id)
            session.visits.save_draft(draft.id, flu)
            made.append(session.visits.diagnose(draft.id).id)
        return made

    return make


def test_visits_and_decisions_are_counted_by_week_verb_reason_and_disease(session, visits):
    ids = visits(7)
    for diagnosis in ids[:6]:
        session.decisions.record(diagnosis, Verb.AGREE, FLU)
    session.decisions.record(ids[6], Verb.REFUSE, None, OverrideReason.OTHER)
    counts = session.aggregates.read()
    assert counts.weeks == (Count("2026-11-23", 7),)  # a Monday
    assert counts.diseases == (Count(FLU, 6),)
    assert counts.reasons == (Count("other", None),)


def test_what_is_older_than_the_days_asked_for_does_not_count(session, visits, clock):
    visits(6)
    clock.advance(days=91)
    assert session.aggregates.read().weeks == ()


def test_a_count_below_five_is_not_told(session, visits):
    visits(SMALLEST_CELL - 1)
    assert session.aggregates.read().weeks == (Count("2026-11-23", None),)


def test_a_single_small_count_takes_the_next_larger_one_with_it():
    assert suppressed({"agree": 40, "add": 9, "refuse": 2}) == (
        Count("agree", 40),
        Count("add", None),
        Count("refuse", None),
    )
    assert suppressed({"agree": 40, "add": 3, "refuse": 2}) == (
        Count("agree", 40),
        Count("add", None),
        Count("refuse", None),
    )
    assert suppressed({"agree": 40, "add": 9}) == (Count("agree", 40), Count("add", 9))
    assert suppressed({}) == ()
