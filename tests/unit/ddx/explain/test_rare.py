"""Why a rare disease stands where it stands, on two diseases of a toy vocabulary."""

import pytest

from ddx.domain.case import Case, Sex
from ddx.domain.differential import World
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import FindingId
from ddx.errors import UnknownDiseaseError
from ddx.explain.rare import MAX_EXPECTED, explain_rare
from ddx.features.rare_query import read_case
from ddx.inference.rare import RareRanker
from training.fit.rare import fit_rare
from training.sources.hpo import (
    AnnotationRelease,
    AnnotationRow,
    OntologyRelease,
    Term,
    parse_frequency,
)

ROOT, HAND, THUMB, BROAD_THUMB = "HP:0000118", "HP:0000010", "HP:0000011", "HP:0000012"
MANY = [f"HP:00001{n:02d}" for n in range(12)]  # HP:0000100 … HP:0000111, siblings of the hand
FEVER = "VF:fever"
PARENTS = {
    "HP:0000001": (),
    ROOT: ("HP:0000001",),
    HAND: (ROOT,),
    THUMB: (HAND,),
    BROAD_THUMB: (THUMB,),
    **dict.fromkeys(MANY, (ROOT,)),
}
ANNOTATIONS = [
    ("OMIM:1", THUMB, "4/5"),
    ("OMIM:1", MANY[0], "HP:0040282"),
    ("OMIM:1", MANY[1], ""),
    ("OMIM:1", MANY[2], "0/9"),
    *(("OMIM:2", term, f"{n + 1}/20") for n, term in enumerate(MANY)),
]


@pytest.fixture(scope="module")
def ranker() -> RareRanker:
    terms = tuple(Term(i, i, parents=p) for i, p in PARENTS.items())
    rows = tuple(
        AnnotationRow(d, d, t, False, parse_frequency(f), None, None, ("PMID:1",), "PCS", "P")
        for d, t, f in ANNOTATIONS
    )
    return RareRanker(fit_rare(OntologyRelease("toy", terms), AnnotationRelease("toy", rows)).index)


def explain(ranker, disease, *, present=(), excluded=(), implies=None):
    findings = [Finding(id=FindingId(i), presence=Presence.PRESENT) for i in present]
    findings += [Finding(id=FindingId(i), presence=Presence.EXCLUDED) for i in excluded]
    case = Case(age_days=None, sex=Sex.UNKNOWN, findings=tuple(findings))
    return explain_rare(ranker, read_case(case, ranker.index.ontology, implies), disease)


def test_contributions_add_up_to_the_score_of_the_disease(ranker):
    present, excluded = [THUMB, *MANY[3:6]], [MANY[0], MANY[7]]
    for number, disease in enumerate(ranker.diseases):
        told = explain(ranker, disease, present=present, excluded=excluded)
        findings = [Finding(id=FindingId(i), presence=Presence.PRESENT) for i in present]
        findings += [Finding(id=FindingId(i), presence=Presence.EXCLUDED) for i in excluded]
        case = Case(age_days=None, sex=Sex.UNKNOWN, findings=tuple(findings))
        score = ranker.score_all(read_case(case, ranker.index.ontology))[number]
        assert told.base + sum(c.weight for c in told.contributions) == pytest.approx(
            score, abs=1e-9
        )
        assert told.margin == pytest.approx(score, abs=1e-9)
        assert told.world is World.RARE


def test_each_finding_carries_the_frequency_the_profile_states(ranker):
    told = explain(ranker, "OMIM:1", present=[THUMB, *MANY[:3]], excluded=[MANY[5]])
    stated = {c.subject: c.frequency for c in told.contributions}
    assert stated[THUMB] == pytest.approx(4 / 5, abs=1 / 254)
    assert stated[MANY[0]] == pytest.approx(0.545, abs=1 / 254)  # "frequent"
    assert stated[MANY[1]] is None  # annotated, no frequency stated
    assert stated[MANY[2]] == 0.0  # none of nine patients had it
    assert stated[MANY[5]] is None  # not annotated


def test_the_strongest_contribution_comes_first_and_exclusions_speak_against(ranker):
    told = explain(ranker, "OMIM:1", present=[THUMB], excluded=[MANY[1]])
    weights = [abs(c.weight) for c in told.contributions]
    assert weights == sorted(weights, reverse=True)
    (against,) = told.speaks_against
    assert (against.subject, against.presence) == (MANY[1], Presence.EXCLUDED)


def test_a_finding_of_ours_is_explained_under_its_own_name(ranker):
    told = explain(ranker, "OMIM:1", present=[FEVER], implies={FEVER: THUMB})
    assert [c.subject for c in told.contributions] == [FEVER]


def test_what_is_expected_is_most_frequent_first_and_at_most_eight(ranker):
    told = explain(ranker, "OMIM:2")
    assert told.expected == tuple(reversed(MANY))[:MAX_EXPECTED]


def test_what_was_asked_or_never_seen_is_not_expected(ranker):
    assert explain(ranker, "OMIM:1").expected == (MANY[1], THUMB, MANY[0])
    assert explain(ranker, "OMIM:1", present=[MANY[1]]).expected == (THUMB, MANY[0])
    # A more specific finding present, or a more general one excluded, also answers the question.
    assert explain(ranker, "OMIM:1", present=[BROAD_THUMB]).expected == (MANY[1], MANY[0])
    assert explain(ranker, "OMIM:1", excluded=[HAND]).expected == (MANY[1], MANY[0])


def test_a_disease_outside_the_index_cannot_be_explained(ranker):
    with pytest.raises(UnknownDiseaseError):
        explain(ranker, "OMIM:999", present=[THUMB])
