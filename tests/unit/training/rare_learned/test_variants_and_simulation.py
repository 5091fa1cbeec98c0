"""Changed cases and simulated patients: what is kept, what is changed, who may be a source."""

import numpy as np
import pytest

from ddx.domain.case import Case, Sex
from ddx.domain.finding import Finding, Presence
from ddx.features.rare_facts import FACTS, RareFacts
from training.fit.rare import fit_rare, live_graph
from training.fit.rare_facts import family_name
from training.fit.rare_simulate import SimulationSettings, simulate
from training.fit.rare_variants import Variant, draw_noisy_variant, vary
from training.sources.hpo import (
    AnnotationRelease,
    AnnotationRow,
    OntologyRelease,
    Term,
    parse_frequency,
)

ANY, LIMB, THUMB, TOE, EYE = (
    "HP:0000118",
    "HP:0000010",
    "HP:0000011",
    "HP:0000012",
    "HP:0000020",
)
RELEASE = OntologyRelease(
    "toy",
    (
        Term("HP:0000001", "All"),
        Term(ANY, "any", parents=("HP:0000001",)),
        Term(LIMB, "limb", parents=(ANY,)),
        Term(THUMB, "thumb", parents=(LIMB,)),
        Term(TOE, "toe", parents=(LIMB,)),
        Term(EYE, "eye", parents=(ANY,)),
    ),
)
EXACT = SimulationSettings(own_profile=0.0, vague=0.0, unrelated=0.0, unstated=1.0, asked=1.0)


def case(*seen, excluded=()):
    findings = (
        *(Finding(id=t, presence=Presence.PRESENT) for t in seen),
        *(Finding(id=t, presence=Presence.EXCLUDED) for t in excluded),
    )
    return Case(age_days=None, sex=Sex.UNKNOWN, findings=findings)


def changed(variant, *seen, excluded=(), pool=(EYE,)):
    rng = np.random.default_rng(0)
    after = vary(case(*seen, excluded=excluded), variant, live_graph(RELEASE), pool, rng)
    return {f.id for f in after.present}, {f.id for f in after.excluded}


def row(term, frequency, source, disease="OMIM:1"):
    shown = parse_frequency(frequency)
    return AnnotationRow(disease, disease, term, False, shown, None, None, (source,), "PCS", "P")


def patients(rows, count=20, settings=EXACT, forbidden=frozenset()):
    fit = fit_rare(RELEASE, AnnotationRelease("toy", tuple(rows)))
    n, columns = len(fit.index.diseases), len(fit.arrays["terms"])
    facts = RareFacts(
        {
            "facts": np.full((n, len(FACTS)), np.nan, dtype=np.float32),
            "family": np.zeros(n, dtype=np.int32),
            "term_vectors": np.zeros((columns, 1), dtype=np.float16),
            "disease_vectors": np.zeros((n, 1), dtype=np.float16),
        }
    )
    return list(
        simulate(fit, facts, count=count, sizes=[5], forbidden=forbidden, settings=settings)
    )


TWO_SOURCES = [
    row(THUMB, "5/5", "PMID:1"),
    row(TOE, "0/5", "PMID:1"),
    row(LIMB, "5/5", "PMID:1"),
    row(EYE, "5/5", "PMID:2"),
    row(TOE, "2/2", "PMID:2"),
]


def test_an_unchanged_case_stays_as_it_is():
    assert changed(Variant(), THUMB, EYE, excluded=(TOE,)) == ({THUMB, EYE}, {TOE})


def test_a_limit_keeps_that_many_findings_seen_and_all_ruled_out():
    seen, excluded = changed(Variant(limit=1), THUMB, EYE, excluded=(TOE,))
    assert len(seen) == 1
    assert excluded == {TOE}


def test_vague_findings_become_their_parents_but_never_the_root():
    seen, _ = changed(Variant(vague=1.0), THUMB, EYE)
    assert seen == {LIMB, EYE}


def test_unrelated_findings_come_from_the_pool():
    seen, _ = changed(Variant(unrelated=2), THUMB, pool=(EYE,))
    assert seen == {THUMB, EYE}


def test_exclusions_can_be_left_out():
    assert changed(Variant(exclusions=False), THUMB, excluded=(TOE,)) == ({THUMB}, set())


def test_a_patient_shows_what_the_source_says_and_is_scored_by_the_others():
    from_first = [p for p in patients(TWO_SOURCES) if p.source == "PMID:1"]
    assert from_first
    for patient in from_first:
        assert {f.id for f in patient.case.present} == {THUMB, LIMB}
        assert {f.id for f in patient.case.excluded} == {TOE}
        assert {r.references for r in patient.kept} == {("PMID:2",)}


def test_a_forbidden_paper_is_nobodys_source():
    sources = {p.source for p in patients(TWO_SOURCES, forbidden=frozenset({"PMID:1"}))}
    assert sources == {"PMID:2"}


def test_the_own_profile_is_kept_when_the_settings_say_so():
    always = SimulationSettings(own_profile=1.0, vague=0, unrelated=0, unstated=1, asked=0)
    assert all(p.kept is None for p in patients(TWO_SOURCES, settings=always))


def test_a_disease_of_one_source_makes_no_patient():
    with pytest.raises(ValueError, match="two sources"):
        patients([row(THUMB, "5/5", "PMID:1"), row(EYE, "5/5", "PMID:1")])


def test_the_same_seed_gives_the_same_patients():
    assert patients(TWO_SOURCES) == patients(TWO_SOURCES)


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("Deafness, autosomal recessive 12", "deafness, autosomal recessive"),
        ("Charcot-Marie-Tooth disease, type 2A1", "charcot-marie-tooth disease"),
        ("Glycogen storage disease IXa; GSD9A", "glycogen storage disease"),
        ("Marfan syndrome", "marfan syndrome"),
    ],
)
def test_serial_numbers_do_not_make_a_family(name, family):
    assert family_name(name) == family


def test_every_noisy_variant_holds_noise_around_the_strength_that_is_measured():
    rng = np.random.default_rng(0)
    drawn = [draw_noisy_variant(rng) for _ in range(200)]
    assert all(v.vague >= 0.1 and v.unrelated >= 1 for v in drawn)
    assert min(v.vague for v in drawn) < 0.3 < max(v.vague for v in drawn)
    assert {v.unrelated for v in drawn} == {1, 2, 3}
    assert {v.exclusions for v in drawn} == {True, False}
