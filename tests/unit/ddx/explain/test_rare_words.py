"""A rare disease explained aloud: its own frequencies, what argues against, what to look for."""

import string

import pytest

from ddx.domain.case import Case, Sex
from ddx.domain.finding import Finding, Presence
from ddx.engine import Engine
from ddx.explain.rare import (
    Described,
    RareReason,
    expected_with_frequency,
    explain_rare,
    reasons_of,
)
from ddx.explain.rare_words import (
    CLASSES,
    REASONS,
    say_briefly,
    say_expected,
    say_reason,
    say_reasons,
    share_in_words,
)
from ddx.features.rare_annotations import FREQUENCY_TERMS
from ddx.features.rare_query import read_case
from ddx.features.rare_sources import SourcedAnnotations, SourceRemoval
from ddx.inference.rare import RareRanker
from ddx.terminology.catalogue import Language
from model_bundles.embedded import open_embedded_bundle
from training.fit.rare import fit_rare
from training.sources.hpo import parse_annotations, read_ontology

FEVER, COUGH, LENS, SCOLIOSIS = "HP:0001945", "HP:0012735", "HP:0001083", "HP:0002650"
LENS_ABNORMALITY, FINGERS = "HP:0000517", "HP:0001166"
PRESENT, EXCLUDED = Presence.PRESENT, Presence.EXCLUDED
ROWS = (
    ("OMIM:154700", LENS, "PMID:1", "4/5"),
    ("OMIM:154700", FINGERS, "PMID:1", ""),
    ("OMIM:154700", COUGH, "PMID:2", "0/7"),
    ("OMIM:154700", SCOLIOSIS, "PMID:2", "6/6"),
    ("OMIM:2", LENS_ABNORMALITY, "PMID:3", "1/2"),
    ("OMIM:2", FEVER, "PMID:3", "1/300"),
    ("OMIM:3", "HP:0000708", "PMID:3", "1/2"),
)
HPOA = (
    "#version: toy\n"
    "database_id\tdisease_name\tqualifier\thpo_id\treference\tevidence\tonset\tfrequency\tsex\t"
    "modifier\taspect\tbiocuration\n"
    + "".join(f"{d}\t{d}\t\t{t}\t{ref}\tPCS\t\t{f}\t\t\tP\tx\n" for d, t, ref, f in ROWS)
)


@pytest.fixture(scope="module")
def ranker():
    return RareRanker(fit_rare(read_ontology(), parse_annotations(HPOA)).index)


def query(ranker, *, seen=(), excluded=()):
    findings = [Finding(id=f, presence=PRESENT) for f in seen]
    findings += [Finding(id=f, presence=EXCLUDED) for f in excluded]
    case = Case(age_days=None, sex=Sex.UNKNOWN, findings=tuple(findings))
    return read_case(case, ranker.index.ontology)


def described(ranker, disease, **findings):
    reasons = reasons_of(ranker, query(ranker, **findings), disease)
    return {r.subject: (r.described, r.kin, r.frequency) for r in reasons}


def test_reasons_weigh_what_the_explanation_weighs(ranker):
    asked = query(ranker, seen=[LENS, FEVER], excluded=[SCOLIOSIS, COUGH])
    reasons = reasons_of(ranker, asked, "OMIM:154700")
    told = explain_rare(ranker, asked, "OMIM:154700")
    assert [(r.subject, r.weight) for r in reasons] == [
        (c.subject, c.weight) for c in told.contributions
    ]
    assert sum(r.share for r in reasons) == pytest.approx(1.0)


def test_each_finding_says_how_the_profile_holds_it(ranker):
    seen = [LENS, FINGERS, COUGH, FEVER]
    held = described(ranker, "OMIM:154700", seen=seen, excluded=[SCOLIOSIS])
    assert held[LENS] == (Described.STATED, None, pytest.approx(0.8, abs=1 / 254))
    assert held[FINGERS] == (Described.UNSTATED, None, None)
    assert held[COUGH] == (Described.NEVER, None, 0.0)
    assert held[FEVER] == (Described.NOT, None, None)
    assert held[SCOLIOSIS] == (Described.STATED, None, 1.0)


def test_a_kin_speaks_for_a_finding_that_is_not_listed_itself(ranker):
    assert described(ranker, "OMIM:154700", seen=[LENS_ABNORMALITY])[LENS_ABNORMALITY] == (
        Described.NARROWER,
        LENS,
        pytest.approx(0.8, abs=1 / 254),
    )
    assert described(ranker, "OMIM:2", seen=[LENS])[LENS][:2] == (
        Described.BROADER,
        LENS_ABNORMALITY,
    )


def test_a_finding_that_raises_a_disease_is_never_said_to_be_foreign_to_it():
    shipped = Engine.from_artifacts(open_embedded_bundle()).rare
    raising = set()
    for finding in shipped.index.ontology.ids[100::1500]:
        asked = query(shipped, seen=[finding])
        for number in shipped.retrieve(asked, limit=1000).indices[::20].tolist():
            reasons = reasons_of(shipped, asked, shipped.diseases[number])
            raising |= {reason.described for reason in reasons if reason.weight > 0}
    assert raising >= {Described.STATED, Described.BROADER, Described.RELATED}
    assert Described.NOT not in raising


def test_it_reads_as_a_clinician_would_say_it(ranker, catalogue):
    asked = query(ranker, seen=[LENS], excluded=[SCOLIOSIS])
    reasons = reasons_of(ranker, asked, "OMIM:154700")
    lens = catalogue.label(LENS).lower()
    told = say_reasons(sorted(reasons, key=lambda r: -r.weight), catalogue)
    assert told == (
        f"Sube mucho: {lens}, presente en el 80 % de los pacientes descritos.",
        "Baja mucho: no hay escoliosis, presente en el 100 % de los pacientes descritos.",
    )
    english = say_reasons(sorted(reasons, key=lambda r: -r.weight), catalogue, Language.EN)
    assert english[0] == "Raises it a lot: ectopia lentis, present in 80 % of described patients."


def test_exclusions_the_disease_is_not_known_for_share_one_sentence(ranker, catalogue):
    asked = query(ranker, seen=[LENS], excluded=[FEVER, "HP:0000708"])
    told = say_reasons(reasons_of(ranker, asked, "OMIM:154700"), catalogue, Language.EN)
    assert len(told) == 2
    assert told[1].endswith("not listed for this disease.")
    assert " or " in told[1]


def test_what_was_not_asked_comes_with_the_share_of_patients(ranker, catalogue):
    asked = query(ranker, seen=[LENS])
    expected = expected_with_frequency(ranker, asked, "OMIM:154700")
    assert [f for f, _ in expected] == [SCOLIOSIS, FINGERS]
    said = [say_expected(f, s, catalogue, Language.EN) for f, s in expected]
    assert said == ["scoliosis (100 %)", "arachnodactyly (no frequency)"]


def test_without_the_paper_the_explanation_speaks_of_what_is_left(ranker, catalogue):
    removal = SourceRemoval(ranker.index, SourcedAnnotations.from_hpoa(HPOA.encode()))
    without = removal.without(["PMID:1"])
    asked = query(ranker, seen=[LENS])
    (reason,) = reasons_of(ranker, asked, "OMIM:154700", without)
    assert (reason.described, reason.frequency) == (Described.NOT, None)
    assert reason.weight < 0
    (contribution,) = explain_rare(ranker, asked, "OMIM:154700", without).contributions
    assert (contribution.weight, contribution.frequency) == (reason.weight, None)
    assert [f for f, _ in expected_with_frequency(ranker, asked, "OMIM:154700", without)] == [
        SCOLIOSIS
    ]
    assert reasons_of(ranker, asked, "OMIM:2", without) == reasons_of(ranker, asked, "OMIM:2")


@pytest.mark.parametrize(
    ("share", "spanish", "english"),
    [
        (1.0, "el 100 %", "100 %"),
        (0.999, "el 99 %", "99 %"),
        (0.8, "el 80 %", "80 %"),
        (0.013, "el 1 %", "1 %"),
        (0.895, "el 80-99 %", "80-99 %"),  # the middle of "very frequent"
        (round(0.545 * 254) / 254, "el 30-79 %", "30-79 %"),
        (0.004, "menos del 1 %", "less than 1 %"),
    ],
)
def test_a_share_never_rounds_to_all_or_to_none(share, spanish, english):
    assert share_in_words(share, Language.ES) == spanish
    assert share_in_words(share, Language.EN) == english


def test_the_classes_are_those_of_hpo():
    middles = {sum(map(int, span.split("-"))) / 200 for span in CLASSES.values()}
    assert set(CLASSES) == middles == set(FREQUENCY_TERMS.values()) - {0.0, 1.0}


@pytest.mark.parametrize("described", Described)
@pytest.mark.parametrize("presence", [PRESENT, EXCLUDED])
@pytest.mark.parametrize("language", Language)
def test_every_way_to_stand_in_a_profile_has_words(catalogue, described, presence, language):
    with_kin = (Described.NARROWER, Described.BROADER, Described.RELATED)
    kin = SCOLIOSIS if described in with_kin else None
    reason = RareReason(
        subject=LENS, presence=presence, weight=0.5, share=0.5, described=described, kin=kin,
        frequency=0.5,
    )  # fmt: skip
    said = say_reason(reason, catalogue, language)
    assert catalogue.label(LENS, language).lower() in said.lower()
    assert "{" not in said
    assert say_briefly(reason, catalogue, language).endswith(")")


def test_both_languages_fill_the_same_places():
    def places(text):
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    assert all(places(t[Language.ES]) == places(t[Language.EN]) for t in REASONS.values())
    assert set(REASONS) == {(p, d) for p in (PRESENT, EXCLUDED) for d in Described}
