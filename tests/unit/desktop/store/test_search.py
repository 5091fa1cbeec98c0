"""Full-text search: over names in parts, over visits by code, short code and note; in step."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from support.records import NOON, a_diagnosis, a_patient

from ddx.domain.feedback import Feedback, OverrideReason, Verb
from ddx.domain.identifiers import DiseaseId, new_record_id


@pytest.fixture
def seen(store, clinician):
    """Two patients, two visits of the first and one of the second."""
    people = [a_patient(given_name="José", national_id="45678912K"), a_patient(given_name="Rosa")]
    visits = [
        a_diagnosis(people[who].id, clinician.id, NOON + timedelta(hours=hour))
        for hour, who in enumerate((0, 1, 0))
    ]
    with store.write() as unit:
        for person in people:
            unit.patients.add(person)
        for visit in visits:
            unit.diagnoses.add(visit)
    return people, visits


def found(store, codes=(), words=""):
    with store.read() as unit:
        return [
            (p.given_name, visit) for p, visit in unit.patients.seen_with(codes, words, limit=10)
        ]


def decide(store, clinician, visit, note):
    with store.write() as unit:
        unit.feedback.add(
            Feedback(
                id=new_record_id(),
                diagnosis_id=visit.id,
                verb=Verb.CUSTOM,
                disease=DiseaseId("VD:dengue"),
                reason=OverrideReason.OTHER,
                outcome_at=NOON,
                note=note,
            ),
            clinician.id,
        )


def test_a_patient_is_found_by_document_and_by_a_part_of_a_name(store, seen):
    with store.read() as unit:
        for words in ("678912k", "osé", "jo", "ose 45678"):
            assert [p.given_name for p in unit.patients.search(words, 5)] == ["José"], words


def test_a_visit_is_found_by_a_finding_or_a_disease_and_each_patient_comes_once(store, seen):
    _, visits = seen
    expected = [("José", visits[2].id), ("Rosa", visits[1].id)]
    assert found(store, codes=("HP:0001945",)) == expected
    assert found(store, codes=("HP:0000001", "VD:flu")) == expected
    assert found(store, codes=("HP:0000001",)) == []


def test_a_visit_is_found_by_what_was_decided_and_noted_without_accents(store, seen, clinician):
    _, visits = seen
    decide(store, clinician, visits[1], "Viene de Puerto Maldonado, ANEMIA leve; ñandú")
    assert found(store, words="maldon anemía") == [("Rosa", visits[1].id)]
    assert found(store, words="nandu") == [("Rosa", visits[1].id)]
    assert found(store, codes=("VD:dengue",)) == [("Rosa", visits[1].id)]


@pytest.mark.parametrize("typed", ['"', "a* OR b", "NEAR(x y)", "words:", "-", "^x", "'); DROP"])
def test_nothing_typed_is_read_as_a_query_language(store, seen, typed):
    assert found(store, words=typed) == []
    with store.read() as unit:
        assert unit.patients.search(typed, 5) == ()


def test_what_is_rolled_back_or_deleted_is_not_found(store, seen, clinician):
    people, visits = seen

    def add_and_fail():
        with store.write() as unit:
            unit.patients.add(a_patient(given_name="Fantasma"))
            unit.diagnoses.add(a_diagnosis(people[1].id, clinician.id))
            unit._session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        add_and_fail()
    with store._writers.begin() as connection:
        connection.execute(text("DELETE FROM diagnosis WHERE id = :id"), {"id": visits[1].id})
        connection.execute(text("DELETE FROM patient WHERE id = :id"), {"id": people[1].id})
    with store.read() as unit:
        assert unit.patients.search("fantasma", 5) == ()
        assert unit.patients.search("rosa", 5) == ()
    assert found(store, codes=("VD:flu",)) == [("José", visits[2].id)]
    store.check()  # reads the search indexes against their tables too


def test_a_search_while_others_write_makes_no_damage_of_it(store, seen, clinician):
    """SQLite compares a search index with what the connection that searched once read of it.

    Held over the writes and given back last, that connection is the one the pool gives next.
    """
    people, _ = seen
    for _ in range(4):
        with store.read() as unit:
            assert unit.patients.seen_with(("VD:flu", "HP:0001945"), "", limit=10)
            assert unit.patients.search("José", 5)
            for _ in range(6):
                with store.write() as other:
                    other.patients.add(a_patient(given_name="Ana"))
                    other.diagnoses.add(a_diagnosis(people[0].id, clinician.id))
        store.check()
