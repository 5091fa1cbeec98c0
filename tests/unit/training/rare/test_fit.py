"""The rare index: pooling by hand, propagation by hand, and what quantisation costs."""

import io
import json

import numpy as np
import pytest

from ddx.domain.artifacts import RARE_DISEASES, RARE_INDEX
from training.fit.rare import (
    DEFAULT_SETTINGS,
    FitSettings,
    fit_rare,
    live_graph,
    pool,
    propagate,
)
from training.sources.hpo import (
    AnnotationRelease,
    AnnotationRow,
    OntologyRelease,
    Term,
    parse_frequency,
    read_annotations,
    read_ontology,
)

ROOT, LIMB, THUMB, TOE, INHERITED = (
    "HP:0000118",
    "HP:0000010",
    "HP:0000011",
    "HP:0000012",
    "HP:0000005",
)
TOY = OntologyRelease(
    "toy",
    (
        Term("HP:0000001", "All"),
        Term(ROOT, "Phenotypic abnormality", parents=("HP:0000001",)),
        Term(INHERITED, "Mode of inheritance", parents=("HP:0000001",)),
        Term(LIMB, "Limb", parents=(ROOT,)),
        Term(THUMB, "Thumb", parents=(LIMB,)),
        Term(TOE, "Toe", parents=(LIMB,)),
        Term("HP:0000098", "gone", obsolete=True),
    ),
)
SETTINGS = FitSettings(
    prior_patients=2.0,
    prior_frequency=0.5,
    class_patients=10.0,
    unstated_frequency=0.6,
    background_diseases=0.0,
    parameters=DEFAULT_SETTINGS.parameters,
)


def row(term, frequency="", disease="OMIM:1", refs=("PMID:1",), *, excluded=False, aspect="P"):
    shown = parse_frequency(frequency)
    return AnnotationRow(
        disease, f"D {disease}", term, excluded, shown, None, None, refs, "PCS", aspect
    )


def fit(*rows, **options):
    return fit_rare(TOY, AnnotationRelease("toy", tuple(rows)), settings=SETTINGS, **options)


@pytest.fixture(scope="module")
def graph():
    return live_graph(TOY)


@pytest.mark.parametrize(
    ("frequencies", "assumed", "stated"),
    [
        (["1/1"], (1 + 1) / 3, 1.0),  # two pseudo-patients, one of them affected
        (["2/3", "5/10"], (7 + 1) / 15, 7 / 13),  # two papers add up
        (["HP:0040281"], (8.95 + 1) / 12, 0.895),  # a class stands for ten patients
        (["HP:0040281", "0/5"], (8.95 + 1) / 17, 8.95 / 15),
        (["1/1", ""], (1 + 1) / 3, 1.0),  # silence adds nothing
        ([""], 0.6, None),
        (["0/5"], 0.0, 0.0),  # examined in five, seen in none
    ],
)
def test_what_several_papers_say_of_one_finding_is_pooled(graph, frequencies, assumed, stated):
    pooled = pool([row(THUMB, f) for f in frequencies], graph, SETTINGS)
    (frequency,) = pooled.values()
    assert frequency.assumed == pytest.approx(assumed)
    assert frequency.stated == (None if stated is None else pytest.approx(stated))


def test_a_negated_annotation_is_no_annotation(graph):
    assert pool([row(THUMB, excluded=True)], graph, SETTINGS) == {}


def test_an_ancestor_is_missing_only_when_everything_below_it_is(graph):
    pooled = pool([row(THUMB, "2/8"), row(TOE, "5/6"), row(LIMB, "0/3")], graph, SETTINGS)
    by_id = {graph.ids[i]: share for i, share in propagate(pooled, graph).items()}
    thumb, toe = (2 + 1) / 10, (5 + 1) / 8
    either = 1 - (1 - thumb) * (1 - toe)
    assert by_id == pytest.approx({THUMB: thumb, TOE: toe, LIMB: either, ROOT: either})


def test_a_disease_with_no_phenotype_left_is_not_indexed():
    fitted = fit(
        row(THUMB, disease="OMIM:1"),
        row(THUMB, disease="OMIM:2", excluded=True),
        row(INHERITED, disease="OMIM:3", aspect="I"),
        row(INHERITED, disease="OMIM:4"),
    )
    assert fitted.index.diseases == ("OMIM:1",)


def test_an_excluded_source_leaves_no_trace():
    kept = row(TOE, "1/4", refs=("PMID:2",))
    with_it = fit(row(THUMB, "3/4", refs=("PMID:1", "PMID:2")), kept, exclude_sources={"PMID:1"})
    assert with_it.members() == fit(kept).members()


def test_a_paper_is_taken_out_of_one_disease_alone_or_wherever_it_is_named(graph):
    fitted = fit(
        row(THUMB, "3/4", refs=("PMID:1",)),
        row(TOE, "1/4", refs=("PMID:1", "PMID:2")),
        row(THUMB, "1/4", disease="OMIM:2"),
    )
    sole = fitted.without_paper("OMIM:1", "PMID:1", sole_source=True)
    named = fitted.without_paper("OMIM:1", "PMID:1", sole_source=False)
    assert {graph.ids[t] for t in sole} == {TOE, LIMB, ROOT}
    assert named == {}
    whole = fitted.without_paper("OMIM:1", "PMID:9", sole_source=False)
    assert whole == {t: fitted.index.frequency(0, t) for t in whole}
    assert len(whole) == 4


def test_members_hold_no_pickle_and_name_every_disease():
    members = fit(row(THUMB, "1/2"), row(TOE, disease="ORPHA:7")).members()
    with np.load(io.BytesIO(members[RARE_INDEX]), allow_pickle=False) as stored:
        assert all(stored[name].dtype.kind in "uif" for name in stored.files)
    listed = json.loads(members[RARE_DISEASES])
    assert listed["version"] == "toy"
    assert listed["diseases"] == [
        {"id": "OMIM:1", "en": "D OMIM:1", "annotations": 1},
        {"id": "ORPHA:7", "en": "D ORPHA:7", "annotations": 1},
    ]


def test_quantisation_moves_no_frequency_of_the_real_annotations_by_more_than_half_a_step():
    release, chosen = read_annotations(), set()
    for r in release.rows:
        if int(r.disease_id.split(":")[1]) % 40 == 0:
            chosen.add(r.disease_id)
    rows = tuple(r for r in release.rows if r.disease_id in chosen)
    fitted = fit_rare(read_ontology(), AnnotationRelease(release.version, rows))
    index = fitted.index
    assert len(index.diseases) > 250
    for number, disease in enumerate(index.diseases):
        pooled = pool(fitted.rows[disease], index.ontology, fitted.settings)
        for term, share in propagate(pooled, index.ontology).items():
            code = index.frequency(number, term) * 255
            assert code == pytest.approx(max(1.0, share * 255), abs=0.5 + 1e-9)
        for term, stated in index.profile(number):
            exact = pooled[term].stated
            assert stated == (None if exact is None else pytest.approx(exact, abs=0.5 / 254 + 1e-9))
