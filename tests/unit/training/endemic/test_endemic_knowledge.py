"""The endemic knowledge base: complete, honest about its figures, and refused when it is not."""

import re
import shutil
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from training.knowledge import findings as common_findings
from training.sources.endemic import (
    EndemicKnowledge,
    EndemicKnowledgeError,
    Grade,
    endemic_knowledge,
    probabilities,
    read_knowledge,
)
from training.sources.endemic.report import summary_table
from training.sources.hpo import OntologyRelease, read_ontology
from training.vocabulary import phenotypes

DOCUMENT = Path(__file__).resolve().parents[4] / "docs" / "endemic.md"

# The list of the specification, step 2.
ASKED_FOR = {
    "dengue-without-warning-signs",
    "dengue-with-warning-signs",
    "severe-dengue",
    "chikungunya",
    "zika",
    "malaria-vivax",
    "malaria-falciparum",
    "leptospirosis",
    "typhoid-fever",
    "gastroenteritis-no-dehydration",
    "gastroenteritis-some-dehydration",
    "gastroenteritis-severe-dehydration",
    "cystitis",
    "pyelonephritis",
    "appendicitis",
    "pre-eclampsia",
    "sepsis",
    "bacterial-meningitis",
    "diabetic-ketoacidosis",
    "bothropic-snakebite",
    "visceral-leishmaniasis",
    "cutaneous-leishmaniasis",
    "covid-19",
}
# Line lists kept as tests: their articles must not be a source of any figure.
HELD_OUT_SOURCES = {"sinan-foz-2023", "tuan-2015", "gasem-2020"}


@pytest.fixture(scope="module")
def knowledge() -> EndemicKnowledge:
    return endemic_knowledge()


@pytest.fixture(scope="module")
def hpo() -> OntologyRelease:
    return read_ontology()


def test_every_disease_asked_for_is_described(knowledge):
    assert {d.id.removeprefix("VD:") for d in knowledge.diseases} == ASKED_FOR


def test_the_common_set_is_about_sixty_findings_or_more_and_every_disease_answers_it(knowledge):
    assert len(knowledge.common) >= 60
    for disease in knowledge.diseases:
        stated = {f.finding for f in disease.findings} | disease.background
        assert stated >= set(knowledge.common)


def test_findings_of_our_own_do_not_repeat_those_of_the_common_model(knowledge):
    ours = {row.id for row in knowledge.own_findings}
    assert ours.isdisjoint(row.id for row in common_findings())
    assert ours <= set(knowledge.findings)


def test_every_hpo_term_named_or_implied_is_a_live_phenotype(knowledge, hpo):
    live = {term.id for term in phenotypes(hpo) if not term.obsolete}
    named = {row.id for row in knowledge.own_findings if row.id.startswith("HP:")}
    implied = {row.implies for row in knowledge.own_findings if row.implies}
    assert named | implied <= live


def test_no_finding_is_a_kind_of_another(knowledge, hpo):
    parents = {term.id: term.parents for term in hpo.terms}

    def ancestors(term: str) -> set[str]:
        above = set(parents.get(term, ()))
        return above.union(*(ancestors(parent) for parent in above))

    asked = {row.id for row in common_findings()} | set(knowledge.findings)
    narrower = {i: ancestors(i) & asked for i in knowledge.findings if i.startswith("HP:")}
    assert {i: above for i, above in narrower.items() if above} == {}


def test_no_figure_comes_from_a_line_list_kept_for_tests(knowledge):
    assert HELD_OUT_SOURCES.isdisjoint(knowledge.sources)


def test_estimates_say_their_reason_and_published_figures_their_source(knowledge):
    for disease in knowledge.diseases:
        for figure in disease.findings:
            if figure.basis.grade is Grade.ESTIMATE:
                assert figure.basis.note, (disease.id, figure.finding)
            else:
                assert knowledge.sources[figure.basis.source]


# Figures as their articles give them.
@pytest.mark.parametrize(
    ("disease", "finding", "p"),
    [
        ("VD:bacterial-meningitis", "HP:0031179", 0.83),  # van de Beek 2004: neck stiffness
        ("VD:zika", "HP:0000988", 0.97),  # Brasil 2016: rash
        ("VD:zika", "HP:0001945", 0.36),  # Brasil 2016: fever
        ("VD:chikungunya", "HP:0002829", 151 / 157),  # Borgherini 2007: polyarthralgia
        ("VD:malaria-vivax", "HP:0000952", 0.15),  # Echeverri 2003: jaundice
        ("VD:visceral-leishmaniasis", "HP:0001744", 0.989),  # Góes 2013: splenomegaly
    ],
)
def test_published_figures_are_as_published(knowledge, disease, finding, p):
    assert probabilities(knowledge.disease(disease), knowledge)[finding] == pytest.approx(
        p, abs=0.001
    )


@pytest.mark.parametrize(
    ("finding", "likelier", "than"),
    [
        ("HP:0002829", "VD:chikungunya", "VD:malaria-vivax"),
        ("HP:0000989", "VD:zika", "VD:dengue-without-warning-signs"),
        ("HP:0001873", "VD:dengue-with-warning-signs", "VD:chikungunya"),
        ("HP:0012735", "VD:covid-19", "VD:dengue-without-warning-signs"),
        ("VF:calf-tenderness", "VD:leptospirosis", "VD:dengue-with-warning-signs"),
        ("HP:0001744", "VD:visceral-leishmaniasis", "VD:typhoid-fever"),
        ("VF:cva-tenderness", "VD:pyelonephritis", "VD:cystitis"),
        ("VF:skin-pinch-slow", "VD:gastroenteritis-severe-dehydration", "VD:sepsis"),
        ("VF:test.malaria-falciparum", "VD:malaria-falciparum", "VD:malaria-vivax"),
    ],
)
def test_findings_that_tell_diseases_apart_point_the_right_way(knowledge, finding, likelier, than):
    first = probabilities(knowledge.disease(likelier), knowledge)
    second = probabilities(knowledge.disease(than), knowledge)
    assert first[finding] > second[finding]


def test_the_document_shows_the_table_of_what_ships(knowledge):
    assert summary_table(knowledge) in DOCUMENT.read_text(encoding="utf-8")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    with as_file(files("training.knowledge").joinpath("endemic")) as shipped:
        return Path(shutil.copytree(shipped, tmp_path / "endemic"))


@pytest.mark.parametrize(
    ("file", "was", "becomes", "complaint"),
    [
        ("zika.toml", "p = 0.97, grade", "p = 1.97, grade", "1.97 is not a probability"),
        ("zika.toml", '"brasil-2016"', '"brasil-2061"', "unknown source 'brasil-2061'"),
        ("zika.toml", 'grade = "E"', 'grade = "D"', "no grade 'D'"),
        ("zika.toml", "severity = 4", "severity = 6", "severity is not 1 to 5"),
        ("zika.toml", 'id = "VD:zika"', 'id = "VD:zikka"', "does not match the file name"),
        ("zika.toml", '"HP:0000988"', '"HP:9999999"', "unknown findings"),
        ("zika.toml", '"HP:0000988"', '"HP:0001945"', "a finding is given twice"),
        ("zika.toml", "15-29 = 0.3,", "15-29 = 0.6,", "age bands or their sum"),
        ("zika.toml", 'grade = "E", note', 'grade = "C", note', "unknown source ''"),
        ("zika.toml", "background = [\n", "background = [ ]\nrest = [\n", "not even background"),
        ("relations.tsv", "HP:0001945", "HP:0009999", "unknown finding"),
        ("relations.tsv", "\tentails\t", "\timplies\t", "implies"),
        ("findings.tsv", "\tHeadache\t", "\t", "wrong number of cells"),
        ("background.toml", "p = 0.12", "p = 12", "12 is not a probability"),
        ("sources.toml", "[ngim-2021]", "[ngim 2021]", "cannot be read"),
    ],
)
def test_a_broken_file_is_refused_with_what_is_wrong(copy, file, was, becomes, complaint):
    text = (copy / file).read_text(encoding="utf-8")
    assert was in text
    (copy / file).write_text(text.replace(was, becomes, 1), encoding="utf-8")
    with pytest.raises(EndemicKnowledgeError, match=re.escape(complaint)):
        read_knowledge(copy)


def test_a_narrower_finding_likelier_than_the_wider_one_is_refused(copy):
    path = copy / "cystitis.toml"
    text = path.read_text(encoding="utf-8").replace(
        '{ id = "HP:0002027", p = 0.48', '{ id = "HP:0002027", p = 0.01'
    )
    path.write_text(text, encoding="utf-8")
    with pytest.raises(EndemicKnowledgeError, match="which it entails"):
        read_knowledge(copy)
