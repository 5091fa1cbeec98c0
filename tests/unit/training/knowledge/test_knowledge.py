"""Our tables of findings and diseases against HPO and against the data set they map."""

import json
import re
from collections import Counter

import pytest

from ddx.domain.artifacts import DISEASES, FINDINGS, HPO_TERMS
from training import knowledge
from training.knowledge import KnowledgeError, diseases, findings
from training.sources.ddxplus import Vocabulary
from training.sources.endemic import endemic_knowledge
from training.sources.hpo import OntologyRelease, Term, read_ontology
from training.vocabulary import phenotypes, vocabulary_members


@pytest.fixture(scope="module")
def hpo():
    return {term.id: term for term in read_ontology().terms}


@pytest.fixture(scope="module")
def evidences(clinical_data):
    return json.loads((clinical_data / "ddxplus" / "release_evidences.json").read_text())


@pytest.fixture(scope="module")
def members():
    return vocabulary_members(read_ontology())


def answers(evidences):
    """Codes a patient can carry: the question, or question and value where the value counts."""
    for code, question in evidences.items():
        values = question["possible-values"]
        if not values or isinstance(question["default_value"], int):
            yield code
        else:
            yield from (f"{code}@{v}" for v in values if v != question["default_value"])


def stems(text):
    return {word[:4] for word in re.findall(r"[a-z]{3,}", text.lower())}


@pytest.mark.data
def test_every_answer_of_the_data_set_is_one_finding(evidences):
    assert {row.ddxplus for row in findings()} == set(answers(evidences))


@pytest.mark.data
def test_all_223_questions_with_all_their_values_are_asked_in_both_languages(evidences):
    """A published question is one question of ours, in each language, with its source."""
    rows_of = {
        code: [row for row in findings() if row.ddxplus.partition("@")[0] == code]
        for code in evidences
    }
    assert len(rows_of) == 223
    assert len(findings()) == 903
    for code, rows in rows_of.items():
        assert len({(row.question_en, row.question_es) for row in rows}) == 1, code
        assert all(row.source.endswith(f", {code}") for row in rows), code


@pytest.mark.data
def test_a_graded_finding_says_its_scale_and_only_a_graded_one_is_a_number(evidences):
    scales = {
        code: (question["possible-values"][0], question["possible-values"][-1])
        for code, question in evidences.items()
        if question["possible-values"] and isinstance(question["default_value"], int)
    }
    graded = {row.ddxplus: row for row in findings() if row.kind == "graded"}
    assert graded.keys() == scales.keys()
    for code, (least, most) in scales.items():
        for label in (graded[code].en, graded[code].es):
            assert label.endswith(f"({least}-{most})"), code
        for question in (graded[code].question_en, graded[code].question_es):
            assert {str(least), str(most)} <= set(re.findall(r"[0-9]+", question)), code


def test_no_to_a_yes_or_no_question_is_not_read_as_yes():
    vocabulary = Vocabulary.of(findings(), diseases())
    for code in ("E_131", "E_135"):  # peels off; larger than 1 cm: V_10 is no, V_12 is yes
        assert vocabulary.read(f"{code}_@_V_10") is None
        assert vocabulary.read(f"{code}_@_V_12") is not None


@pytest.mark.data
def test_antecedents_are_those_of_the_data_set(evidences):
    for row in findings():
        assert row.antecedent == evidences[row.ddxplus.partition("@")[0]]["is_antecedent"], row.id


@pytest.mark.data
def test_no_text_of_the_data_set_is_copied(evidences):
    published = {question["question_en"].strip().lower() for question in evidences.values()}
    assert [row.id for row in findings() if row.question_en.strip().lower() in published] == []


@pytest.mark.data
def test_every_condition_of_the_data_set_is_one_disease_with_its_severity(clinical_data):
    path = clinical_data / "ddxplus" / "release_conditions.json"
    published = {name: row["severity"] for name, row in json.loads(path.read_text()).items()}
    assert {row.ddxplus: row.severity for row in diseases()} == published
    assert len(diseases()) == 49


def test_every_hpo_id_is_a_live_term_and_none_is_implied_by_itself(hpo):
    for row in findings():
        named = {row.id, row.implies} & hpo.keys()
        assert not any(hpo[term].obsolete for term in named), row.id
        assert row.id.startswith("VF:") or row.id in hpo
        assert row.implies is None or row.implies in hpo
        assert row.id != row.implies


def test_an_hpo_finding_is_named_like_its_term(hpo):
    """At least one word of our label is in the term's label or synonyms, by its first letters."""
    strangers = [
        (row.id, row.en, hpo[row.id].label)
        for row in findings()
        if row.id in hpo
        and not stems(row.en) & stems(" ".join((hpo[row.id].label, *hpo[row.id].synonyms)))
    ]
    assert strangers == []


def test_no_finding_is_a_special_case_of_another(hpo):
    """Else an honest pair of answers of the data set would count as a contradiction."""
    ids = {row.id for row in findings()} & hpo.keys()
    for id_ in ids:
        above, waiting = set(), [id_]
        while waiting:
            parents = set(hpo[waiting.pop()].parents) - above
            above |= parents
            waiting.extend(parents)
        assert not above & ids, id_


def test_every_finding_is_named_and_asked_in_both_languages():
    for row in findings():
        assert all((row.en, row.es, row.source)), row.id
        assert row.question_es.rstrip().endswith("?"), row.id
        assert "¿" in row.question_es, row.id
        assert row.question_en.rstrip().endswith("?"), row.id


def test_no_two_findings_share_a_label():
    for labels in ([row.es for row in findings()], [row.en for row in findings()]):
        assert [label for label, times in Counter(labels).items() if times > 1] == []


def test_choices_have_a_group_and_others_none():
    assert all((row.kind == "choice") is bool(row.group) for row in findings())
    groups = Counter(row.group for row in findings() if row.group)
    assert groups["pain.site"] == groups["swelling.site"] == 164
    assert groups["travel"] == 11


def test_sides_agree_in_both_languages():
    for row in findings():
        if row.id.endswith("-right"):
            assert ("right" in row.en, bool(re.search(r"derech[oa]s?\b", row.es))) == (True, True)
        if row.id.endswith("-left"):
            assert ("left" in row.en, bool(re.search(r"izquierd[oa]s?\b", row.es))) == (True, True)


def test_disease_codes_are_well_formed():
    for row in diseases():
        assert re.fullmatch(r"[A-Z]\d\d(\.\d)?", row.icd10), row.id
        assert row.severity in range(1, 6)
        assert row.es
        assert row.en


def test_a_row_with_a_missing_cell_is_refused_with_its_line(tmp_path):
    table = tmp_path / "findings.tsv"
    table.write_text("id\tkind\nVF:x\tbinary\nVF:y\n")
    with pytest.raises(KnowledgeError, match="line 3"):
        list(knowledge._read(table))


def test_members_hold_all_findings_diseases_and_phenotypes(members):
    assert len(json.loads(members[FINDINGS])["findings"]) == len(findings()) + len(
        endemic_knowledge().own_findings
    )
    named = [row["id"] for row in json.loads(members[DISEASES])["diseases"]]
    assert len(named) == len(set(named)) == len(diseases()) + len(endemic_knowledge().diseases)
    terms = json.loads(members[HPO_TERMS])
    assert terms["version"] == read_ontology().version
    assert len(terms["terms"]) > 18_000
    known = {row["id"] for row in terms["terms"]}
    assert all(parent in known for row in terms["terms"] for parent in row["parents"])


def test_members_carry_no_code_of_the_data_set(members):
    assert re.search(rb'"[EV]_\d+', members[FINDINGS]) is None
    assert b"ddxplus" not in members[FINDINGS] + members[DISEASES]


def test_equal_input_gives_equal_bytes(members):
    assert vocabulary_members(read_ontology()) == members


def test_obsolete_terms_and_other_branches_stay_out():
    release = OntologyRelease(
        version="2026-01-01",
        terms=(
            Term("HP:0000001", "All"),
            Term("HP:0000118", "Phenotypic abnormality", parents=("HP:0000001",)),
            Term("HP:0000005", "Mode of inheritance", parents=("HP:0000001",)),
            Term("HP:0001945", "Fever", parents=("HP:0000118",)),
            Term("HP:0009999", "obsolete Thing", parents=("HP:0000118",), obsolete=True),
        ),
    )
    assert [term.id for term in phenotypes(release)] == ["HP:0000001", "HP:0000118", "HP:0001945"]


def test_a_release_without_a_term_we_use_is_refused():
    release = read_ontology()
    without = OntologyRelease(
        version=release.version,
        terms=tuple(term for term in release.terms if term.id != "HP:0025143"),
    )
    with pytest.raises(KnowledgeError, match="HP:0025143"):
        vocabulary_members(without)
