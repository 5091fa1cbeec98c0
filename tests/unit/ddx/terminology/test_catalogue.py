"""Names of findings and diseases, as a bundle carries them."""

import json

import pytest

from ddx.domain.artifacts import DISEASES, FINDINGS, HPO_TERMS, RARE_DISEASES
from ddx.errors import ModelError, UnknownDiseaseError, UnknownFindingError
from ddx.terminology import catalogue as reading
from ddx.terminology.catalogue import Catalogue, FindingKind, Language


def test_a_finding_of_the_common_model_is_named_and_asked_in_both_languages(catalogue):
    assert catalogue.label("HP:0001945", Language.ES) == "Fiebre"
    assert catalogue.label("HP:0001945", Language.EN) == "Fever"
    assert catalogue.question("HP:0001945", "es").startswith("¿")
    assert catalogue.question("HP:0001945", "en").endswith("?")


def test_a_common_finding_that_is_an_hpo_term_has_our_lay_words_and_hpo_s_synonyms(catalogue):
    term = catalogue.term("HP:0001945")
    assert "calentura" in term.synonyms[Language.ES]
    assert "Pyrexia" in term.synonyms[Language.EN]
    assert term.common


def test_an_hpo_term_without_our_spanish_is_shown_in_english(vocabulary, bundle_of):
    member = json.loads(vocabulary[HPO_TERMS])
    for row in member["terms"]:
        row["es"] = ""
    catalogue = Catalogue.from_artifacts(
        bundle_of(vocabulary | {HPO_TERMS: json.dumps(member).encode()})
    )
    assert catalogue.label("HP:0001166", Language.ES) == "Arachnodactyly"
    assert catalogue.question("HP:0001166", Language.ES) == "Arachnodactyly"


def test_one_value_of_a_choice_knows_its_group_and_what_it_implies(catalogue):
    term = catalogue.term("VF:pain-site.belly")
    assert (term.kind, term.group) == (FindingKind.CHOICE, "pain.site")
    assert term.implies == "HP:0002027"
    assert catalogue.implied["VF:pain-site.belly"] == "HP:0002027"
    assert "HP:0001945" not in catalogue.implied


def test_a_graded_finding_says_so(catalogue):
    assert catalogue.term("VF:pain.intensity").kind is FindingKind.GRADED


def test_an_alternative_id_answers_for_the_term_that_replaced_it(catalogue, vocabulary):
    merged = next(t for t in json.loads(vocabulary[HPO_TERMS])["terms"] if t["alt"])
    alternative = merged["alt"][0]
    assert alternative in catalogue
    assert catalogue.resolve(alternative) == merged["id"]
    assert catalogue.term(alternative) == catalogue.term(merged["id"])


@pytest.mark.parametrize("code", ["HP:9999999", "VF:no-such-finding", "fever"])
def test_an_unknown_code_is_refused_by_name(catalogue, code):
    assert code not in catalogue
    with pytest.raises(UnknownFindingError) as refused:
        catalogue.term(code)
    assert refused.value.finding_id == code


def test_our_own_diseases_have_spanish_names_and_severity(catalogue):
    assert catalogue.disease_label("VD:pertussis", Language.ES) == "Tos ferina"
    assert catalogue.disease_severity("VD:myocardial-infarction") == 1


def test_a_rare_disease_is_named_in_english_and_graded_by_nobody(catalogue):
    assert catalogue.disease_label("OMIM:154700", Language.ES) == "Marfan syndrome"
    assert catalogue.disease_severity("OMIM:154700") is None


def test_an_unknown_disease_is_refused(catalogue):
    with pytest.raises(UnknownDiseaseError):
        catalogue.disease_label("VD:spleen-of-gold")


@pytest.mark.parametrize("member", [FINDINGS, DISEASES, HPO_TERMS])
@pytest.mark.parametrize("content", [b"{", b"[]", b'{"version": "1"}'])
def test_a_malformed_member_is_named_in_the_error(vocabulary, bundle_of, member, content):
    with pytest.raises(ModelError, match=member.rpartition("/")[2].removesuffix(".json")):
        Catalogue.from_artifacts(bundle_of(vocabulary | {member: content}))


def test_a_malformed_list_of_rare_diseases_is_a_model_error(vocabulary, bundle_of):
    broken = Catalogue.from_artifacts(bundle_of(vocabulary | {RARE_DISEASES: b'{"id": 3}'}))
    with pytest.raises(ModelError):
        broken.disease_label("OMIM:154700")


def test_every_name_belongs_to_a_known_term_and_terms_keep_together(catalogue):
    names = list(catalogue.names())
    order = [name.id for i, name in enumerate(names) if i == 0 or names[i - 1].id != name.id]
    assert len(order) == len(set(order)) == len(catalogue)
    assert all(term in catalogue for term in order)


def test_the_names_of_a_term_are_those_it_has_among_all(catalogue):
    names = [name for name in catalogue.names() if name.id == "HP:0001945"]
    assert catalogue.names_of("HP:0001945") == names
    assert {name.language for name in names if name.preferred} == {Language.ES, Language.EN}


def test_a_long_member_is_read_row_by_row(vocabulary, bundle_of, monkeypatch):
    """The parser comes back to Python after each row, where another thread gets its turn."""
    rows, row_of = [], reading._hpo_row
    monkeypatch.setattr(reading, "_hpo_row", lambda row: rows.append(row["id"]) or row_of(row))
    Catalogue.from_artifacts(bundle_of(vocabulary))
    assert rows == [term["id"] for term in json.loads(vocabulary[HPO_TERMS])["terms"]]


def test_a_rare_disease_of_several_codes_goes_by_each_of_its_names(vocabulary, bundle_of):
    listed = {
        "id": "OMIM:154700",
        "en": "Marfan syndrome",
        "annotations": 58,
        "also": [{"id": "ORPHA:558", "en": "Marfan disease", "es": "Enfermedad de Marfan"}],
    }
    member = json.dumps({"version": "1", "diseases": [listed]}).encode()
    catalogue = Catalogue.from_artifacts(bundle_of(vocabulary | {RARE_DISEASES: member}))
    assert catalogue.disease_codes("ORPHA:558") == ("OMIM:154700", "ORPHA:558")
    assert catalogue.disease_names("ORPHA:558") == ("Marfan syndrome", "Enfermedad de Marfan")
    assert catalogue.disease_label("ORPHA:558", Language.EN) == "Marfan disease"
    assert catalogue.diseases[-1] == "OMIM:154700"
