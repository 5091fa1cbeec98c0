"""What of a case reaches the rare ranker."""

import pytest

from ddx.domain.case import Case, Sex
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import FindingId
from ddx.features.rare_query import read_case
from ddx.terminology.ontology import Ontology

ROOT, LIMB, THUMB = FindingId("HP:0000118"), FindingId("HP:0000010"), FindingId("HP:0000011")
BROAD_THUMB, EYE = FindingId("HP:0000013"), FindingId("HP:0000020")
INHERITED, OLD_THUMB = FindingId("HP:0000005"), FindingId("HP:0000099")
SORE_THUMB = FindingId("VF:sore-thumb")


@pytest.fixture
def ontology() -> Ontology:
    terms = [
        ("HP:0000001", [], []),
        (INHERITED, ["HP:0000001"], []),
        (ROOT, ["HP:0000001"], []),
        (LIMB, [ROOT], []),
        (THUMB, [LIMB], [OLD_THUMB]),
        (BROAD_THUMB, [THUMB], []),
        (EYE, [ROOT], []),
    ]
    return Ontology("toy", terms)


def read(ontology, present=(), excluded=(), implies=None):
    findings = [Finding(id=i, presence=Presence.PRESENT) for i in present]
    findings += [Finding(id=i, presence=Presence.EXCLUDED) for i in excluded]
    case = Case(age_days=None, sex=Sex.UNKNOWN, findings=tuple(findings))
    return read_case(case, ontology, implies)


def subjects(terms):
    return [term.subject for term in terms]


def test_a_general_finding_is_redundant_beside_a_specific_one(ontology):
    query = read(ontology, present=[LIMB, BROAD_THUMB, EYE])
    assert subjects(query.present) == [BROAD_THUMB, EYE]
    assert query.redundant == (LIMB,)
    assert query.dropped == ()


def test_ruling_out_a_specific_finding_is_redundant_beside_a_general_one(ontology):
    query = read(ontology, excluded=[BROAD_THUMB, THUMB, EYE])
    assert subjects(query.excluded) == [THUMB, EYE]
    assert query.redundant == (BROAD_THUMB,)


def test_our_own_finding_speaks_through_the_term_it_implies(ontology):
    query = read(ontology, present=[SORE_THUMB], implies={SORE_THUMB: THUMB})
    (term,) = query.present
    assert (term.index, term.subject) == (ontology.index_of(THUMB), SORE_THUMB)


def test_the_absence_of_our_own_finding_rules_no_term_out(ontology):
    query = read(ontology, excluded=[SORE_THUMB], implies={SORE_THUMB: THUMB})
    assert query.excluded == ()
    assert query.dropped == (SORE_THUMB,)


def test_an_alternative_id_is_read_as_its_term_and_said_once(ontology):
    query = read(ontology, present=[THUMB, OLD_THUMB])
    assert subjects(query.present) == [THUMB]
    assert query.redundant == (OLD_THUMB,)


@pytest.mark.parametrize("foreign", ["HP:7777777", INHERITED, ROOT, SORE_THUMB])
def test_what_is_no_phenotype_of_the_release_is_dropped_and_named(ontology, foreign):
    query = read(ontology, present=[foreign], excluded=[EYE])
    assert query.present == ()
    assert query.dropped == (foreign,)


def test_an_exclusion_that_the_findings_contradict_is_dropped(ontology):
    query = read(ontology, present=[BROAD_THUMB], excluded=[THUMB])
    assert subjects(query.present) == [BROAD_THUMB]
    assert query.excluded == ()
    assert query.dropped == (THUMB,)


def test_ruling_out_a_kind_of_a_finding_seen_is_no_contradiction(ontology):
    query = read(ontology, present=[THUMB], excluded=[BROAD_THUMB])
    assert subjects(query.excluded) == [BROAD_THUMB]
