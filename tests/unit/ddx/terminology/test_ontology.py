"""The HPO graph: a toy of six terms by hand, and facts of the real release."""

import json

import pytest

from ddx.domain.identifiers import FindingId
from ddx.errors import ModelError, UnknownFindingError
from ddx.terminology.ontology import PHENOTYPIC_ABNORMALITY, Ontology
from training.fit.rare import live_graph
from training.sources.hpo import read_ontology

ALL, INHERITANCE = FindingId("HP:0000001"), FindingId("HP:0000005")
LIMB, EYE = FindingId("HP:0000010"), FindingId("HP:0000020")
THUMB, ORBIT_AND_LIMB = FindingId("HP:0000011"), FindingId("HP:0000012")
OLD_THUMB = FindingId("HP:0000099")

TERMS = [
    (THUMB, [LIMB], [OLD_THUMB]),  # children before parents: the order of a file is no promise
    (ORBIT_AND_LIMB, [LIMB, EYE], []),
    (LIMB, [PHENOTYPIC_ABNORMALITY], []),
    (EYE, [PHENOTYPIC_ABNORMALITY], []),
    (PHENOTYPIC_ABNORMALITY, [ALL], []),
    (INHERITANCE, [ALL], []),
    (ALL, [], []),
]


@pytest.fixture
def toy() -> Ontology:
    return Ontology("toy", TERMS)


@pytest.fixture(scope="module")
def hpo() -> Ontology:
    return live_graph(read_ontology())


def test_a_term_with_two_parents_inherits_from_both(toy):
    assert set(toy.ancestors(ORBIT_AND_LIMB)) == {LIMB, EYE, PHENOTYPIC_ABNORMALITY, ALL}
    assert toy.parents(ORBIT_AND_LIMB) == (LIMB, EYE)


def test_descendants_are_the_ancestors_turned_round(toy):
    for term in toy.ids:
        expected = {other for other in toy.ids if term in toy.ancestors(other)}
        assert set(toy.descendants(term)) == expected


def test_a_term_is_a_kind_of_itself_and_not_of_its_sibling(toy):
    assert toy.is_a(LIMB, LIMB)
    assert not toy.is_a(THUMB, ORBIT_AND_LIMB)
    assert not toy.is_a(LIMB, THUMB)


def test_an_alternative_id_names_the_primary_term(toy):
    assert OLD_THUMB in toy
    assert toy.resolve(OLD_THUMB) == THUMB
    assert toy.is_a(OLD_THUMB, LIMB)


def test_inheritance_is_no_phenotype(toy):
    assert toy.is_phenotype(THUMB)
    assert not toy.is_phenotype(INHERITANCE)


def test_an_unknown_id_is_named_in_the_error(toy):
    with pytest.raises(UnknownFindingError) as caught:
        toy.ancestors(FindingId("HP:7777777"))
    assert caught.value.finding_id == "HP:7777777"


def test_a_parent_outside_the_release_is_refused():
    with pytest.raises(ModelError, match="HP:0000118"):
        Ontology("toy", [(LIMB, [PHENOTYPIC_ABNORMALITY], [])])


def test_the_bundle_member_reads_back_as_the_same_graph(toy):
    terms = [
        {"id": i, "en": "", "es": "", "syn_en": [], "syn_es": [], "parents": p, "alt": a}
        for i, p, a in TERMS
    ]
    read = Ontology.from_json(json.dumps({"version": "toy", "terms": terms}).encode())
    assert read.ids == toy.ids
    assert read.ancestors(OLD_THUMB) == toy.ancestors(THUMB)


@pytest.mark.parametrize(
    "member", [b"", b"[]", b'{"version": "1"}', b'{"version":"1","terms":[{}]}']
)
def test_a_member_that_is_no_vocabulary_is_refused(member):
    with pytest.raises(ModelError):
        Ontology.from_json(member)


@pytest.mark.parametrize(
    ("term", "kind"),
    [
        ("HP:0001945", "HP:0004370"),  # fever: abnormality of temperature regulation
        ("HP:0001250", "HP:0000707"),  # seizure: abnormality of the nervous system
        ("HP:0001166", "HP:0001238"),  # arachnodactyly: slender finger
        ("HP:0001631", "HP:0001627"),  # atrial septal defect: abnormal heart morphology
        ("HP:0000624", "HP:0000286"),  # an alternative id of epicanthus
    ],
)
def test_known_relations_of_the_release_hold(hpo, term, kind):
    assert hpo.is_a(FindingId(term), FindingId(kind))
    assert not hpo.is_a(FindingId(kind), FindingId("HP:0000005"))


def test_every_live_term_of_the_release_descends_from_the_root(hpo):
    assert len(hpo) == 19_034  # live terms of 2025-01-16
    assert len(hpo.descendants(ALL)) == len(hpo) - 1
