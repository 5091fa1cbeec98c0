"""A phenopacket read: what is used, and everything that is wrong with it, at once."""

import re
from pathlib import Path

import pytest

from ddx.domain.case import Sex
from ddx.domain.finding import Finding, Presence, Severity
from ddx.intake.issues import Level
from ddx.phenopackets import issues as issues_module
from ddx.phenopackets.issues import PhenopacketError
from ddx.phenopackets.read import is_phenopacket, read_phenopacket
from training.sources.hpo import read_ontology

LENS, FINGERS, AORTA = "HP:0001083", "HP:0001166", "HP:0002616"
PRESENT, EXCLUDED = Presence.PRESENT, Presence.EXCLUDED


def told(read):
    return [(i.level.value, i.place, i.code, i.suggestion) for i in read.issues]


def feature(id, **more):
    return {"type": {"id": id}, **more}


def test_a_sound_packet_becomes_a_case_without_a_word(packet, codes):
    read = read_phenopacket(packet, codes)
    assert read.issues == ()
    assert read.id == "PMID_11111111_A"
    assert (read.case.age_days, read.case.sex) == (5114, Sex.MALE)  # 14 x 365.25 = 5113.5
    assert read.case.findings == (
        Finding(id=LENS, presence=PRESENT),
        Finding(id=AORTA, presence=EXCLUDED),
    )


def test_snake_case_is_read_like_camel_case(packet, codes):
    def snake(value):
        if isinstance(value, dict):
            return {re.sub("([A-Z])", r"_\1", k).lower(): snake(v) for k, v in value.items()}
        return [snake(v) for v in value] if isinstance(value, list) else value

    assert "phenotypic_features" in snake(packet)
    assert read_phenopacket(snake(packet), codes) == read_phenopacket(packet, codes)


def test_fields_nobody_knows_and_nulls_change_nothing(packet, codes):
    known = read_phenopacket(packet, codes)
    packet["biosamples"], packet["future"] = None, {"a": [1, {"b": None}]}
    packet["phenotypicFeatures"][0] |= {"excluded": None, "evidence": [7], "novel": "x"}
    assert read_phenopacket(packet, codes) == known


def test_severity_and_onset_are_kept_where_we_have_a_place(packet, codes):
    packet["phenotypicFeatures"] = [
        feature(LENS, severity={"id": "HP:0012828"}, onset={"age": {"iso8601duration": "P13Y"}}),
        feature(FINGERS, onset={"ontologyClass": {"id": "HP:0003577"}}),
        feature("HP:0002650", onset={"ontologyClass": {"id": "HP:0003621"}}),
    ]
    read = read_phenopacket(packet, codes)
    lens, fingers, spine = read.case.findings
    assert (lens.severity, lens.onset_days) == (Severity.SEVERE, 365)  # 5113.5 - 4748.25, each up
    assert fingers.onset_days == read.case.age_days  # congenital: since birth
    assert spine.onset_days is None  # juvenile is a span of years
    assert read.issues == ()


def test_every_problem_is_told_at_once_with_its_place(packet, codes):
    packet["subject"] = {"sex": "F", "timeAtLastEncounter": {"age": {"iso8601duration": "3 years"}}}
    packet["phenotypicFeatures"] = [
        feature(LENS),
        feature("hp:1166"),
        feature("HP:9999999"),
        {"type": {"id": "SNOMED:74969002", "label": "Ectopia lentis"}},
        {"type": {"label": "Arachnodactyly"}},
        "scoliosis",
        feature("HP:0000006"),
        feature(AORTA, excluded="yes"),
        feature(LENS),
    ]
    packet["metaData"]["resources"] = []
    read = read_phenopacket(packet, codes)
    at = "phenotypicFeatures[{}].type.id".format
    assert told(read) == [
        ("error", "subject.sex", "sex.unreadable", "FEMALE"),
        ("error", "subject.timeAtLastEncounter.age.iso8601duration", "age.unreadable", "P3Y"),
        ("error", at(1), "feature.malformed_id", FINGERS),
        ("error", at(2), "feature.unknown_id", ""),
        ("error", at(3), "feature.other_vocabulary", LENS),
        ("error", at(4), "feature.no_type", FINGERS),
        ("error", "phenotypicFeatures[5]", "feature.not_an_object", ""),
        ("error", at(6), "feature.not_a_phenotype", ""),
        ("error", "phenotypicFeatures[7].excluded", "feature.excluded_unreadable", "true"),
        ("error", at(8), "feature.repeated", ""),
        ("warning", "metaData.resources", "hpo.not_stated", ""),
    ]
    assert [f.id for f in read.case.findings] == [LENS]
    assert read.case.age_days is None


def test_an_alternative_and_an_obsolete_id_are_read_as_what_replaced_them(packet, codes):
    packet["phenotypicFeatures"] = [feature("HP:0004715"), feature("HP:0000057")]
    read = read_phenopacket(packet, codes)
    assert [f.id for f in read.case.findings] == ["HP:0000003", "HP:0008665"]
    assert [(i.level, i.code, i.suggestion) for i in read.issues] == [
        (Level.WARNING, "feature.replaced", "HP:0000003"),
        (Level.WARNING, "feature.replaced", "HP:0008665"),
    ]


def test_a_feature_both_observed_and_excluded_counts_as_observed(packet, codes):
    packet["phenotypicFeatures"] = [feature(LENS, excluded=True), feature(LENS), feature(FINGERS)]
    read = read_phenopacket(packet, codes)
    assert [(f.id, f.presence) for f in read.case.findings] == [(LENS, PRESENT), (FINGERS, PRESENT)]
    assert [i.code for i in read.issues] == ["feature.contradiction"]


def test_excluding_what_an_observed_feature_is_a_kind_of_is_told(packet, codes):
    lens_abnormality = "HP:0000517"
    packet["phenotypicFeatures"] = [feature(LENS), feature(lens_abnormality, excluded=True)]
    (issue,) = read_phenopacket(packet, codes).issues
    assert (issue.level, issue.code) == (Level.WARNING, "feature.excluded_kind")
    assert issue.params == {"present": LENS, "excluded": lens_abnormality}


def test_our_own_context_findings_are_read(packet, codes, catalogue):
    own = next(f for f in catalogue.findings if f.startswith("VF:"))
    packet["phenotypicFeatures"].append(feature(own))
    read = read_phenopacket(packet, codes)
    assert read.case.findings[-1].id == own
    assert read.issues == ()


@pytest.mark.parametrize("features", [[], None, [feature(LENS, excluded=True)], [feature("X")]])
def test_a_packet_without_an_observed_feature_makes_no_case(packet, codes, features):
    packet["phenotypicFeatures"] = features
    read = read_phenopacket(packet, codes)
    assert read.case is None
    assert "packet.nothing_usable" in [i.code for i in read.issues]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ({}, "not_a_phenopacket"),
        ({"id": "x", "name": "a recipe"}, "not_a_phenopacket"),
        ({"id": "f", "proband": {"id": "p"}, "metaData": {}}, "family"),
        ({"id": "c", "members": [], "metaData": {}}, "cohort"),
    ],
)
def test_what_is_no_phenopacket_is_refused_as_a_whole(raw, reason, codes):
    with pytest.raises(PhenopacketError) as refused:
        read_phenopacket(raw, codes)
    assert refused.value.reason == reason


def test_our_own_case_files_do_not_look_like_packets(packet):
    assert is_phenopacket(packet)
    assert not is_phenopacket({"age_years": 3, "sex": "female", "findings": []})


def test_a_negation_of_version_1_is_never_taken_for_an_observation(packet, codes):
    packet["phenotypicFeatures"][1] = feature(AORTA, negated=True)
    read = read_phenopacket(packet, codes)
    assert read.case.presence_of(AORTA) is EXCLUDED
    assert [i.code for i in read.issues] == ["packet.version_1"]


@pytest.mark.parametrize(
    ("encounter", "days", "code"),
    [
        ({"gestationalAge": {"weeks": 35}}, None, "age.before_birth"),
        ({"ontologyClass": {"id": "HP:0003621"}}, None, "age.no_number"),
        ({"ageRange": {"start": {"iso8601duration": "P1Y"}}}, None, "age.no_number"),
        ({"age": {"iso8601duration": "P200Y"}}, None, "age.too_high"),
        ({}, None, "age.missing"),
        (None, None, "age.missing"),
    ],
)
def test_an_age_that_is_no_number_of_days_is_left_unknown_and_told(
    packet, codes, encounter, days, code
):
    packet["subject"]["timeAtLastEncounter"] = encounter
    read = read_phenopacket(packet, codes)
    assert read.case.age_days == days
    assert [i.code for i in read.issues] == [code]


def test_the_age_follows_from_birth_and_encounter(packet, codes):
    packet["subject"] |= {
        "dateOfBirth": "2020-01-01T00:00:00Z",
        "timeAtLastEncounter": {"timestamp": "2020-01-31T09:30:00Z"},
    }
    assert read_phenopacket(packet, codes).case.age_days == 30
    packet["subject"]["dateOfBirth"] = "2021-01-01T00:00:00Z"
    (issue,) = read_phenopacket(packet, codes).issues
    assert issue.code == "age.unreadable"


def test_an_onset_after_the_visit_is_not_used(packet, codes):
    packet["phenotypicFeatures"][0]["onset"] = {"age": {"iso8601duration": "P15Y"}}
    read = read_phenopacket(packet, codes)
    assert read.case.findings[0].onset_days is None
    (issue,) = read.issues
    assert issue.place == "phenotypicFeatures[0].onset.age.iso8601duration"
    assert (issue.code, issue.params) == ("onset.after_encounter", {"days": "365"})


def test_the_diagnosis_comes_from_the_solved_interpretation_before_the_list(packet, codes):
    packet["diseases"] = [
        {"term": {"id": "OMIM:100100"}},
        {"term": {"id": "Orphanet:558"}},
        {"term": {"id": "OMIM:1"}, "excluded": True},
    ]
    assert read_phenopacket(packet, codes).truths == ("OMIM:100100", "ORPHA:558")
    packet["interpretations"] = [
        {"progressStatus": "UNSOLVED", "diagnosis": {"disease": {"id": "OMIM:2"}}},
        {"progressStatus": "SOLVED", "diagnosis": {"disease": {"id": "OMIM:154700"}}},
    ]
    assert read_phenopacket(packet, codes).truths == ("OMIM:154700",)


def test_a_diagnosis_in_another_code_is_told(packet, codes):
    packet["diseases"] = [{"term": {"id": "MONDO:0007947"}}]
    read = read_phenopacket(packet, codes)
    assert read.truths == ()
    assert told(read) == [("warning", "diseases[0].term.id", "disease.unreadable", "")]


def test_the_papers_are_those_of_the_references_and_of_the_id(packet, codes):
    packet["metaData"]["externalReferences"] = [
        {"id": "PMID:22222222"},
        {"id": "x", "reference": "https://pubmed.ncbi.nlm.nih.gov/33333333"},
    ]
    assert read_phenopacket(packet, codes).sources == (
        "PMID:22222222",
        "PMID:33333333",
        "PMID:11111111",
    )


def test_another_release_of_hpo_is_told(packet, codes):
    packet["metaData"]["resources"][0]["version"] = "2019-01-01"
    (issue,) = read_phenopacket(packet, codes).issues
    assert (issue.code, issue.params["theirs"]) == ("hpo.other_version", "2019-01-01")


@pytest.mark.parametrize("other", ["OTHER_SEX", 3])
def test_another_sex_is_read_as_unknown_and_told(packet, codes, other):
    packet["subject"]["sex"] = other
    read = read_phenopacket(packet, codes)
    assert read.case.sex is Sex.UNKNOWN
    assert [i.code for i in read.issues] == ["sex.other"]


def test_enum_numbers_are_read_as_their_names(packet, codes):
    packet["subject"]["sex"] = 1
    assert read_phenopacket(packet, codes).case.sex is Sex.FEMALE


def test_a_severity_beyond_our_three_is_told(packet, codes):
    packet["phenotypicFeatures"][0]["severity"] = {"id": "HP:0012829"}
    read = read_phenopacket(packet, codes)
    assert read.case.findings[0].severity is None
    assert [i.code for i in read.issues] == ["severity.not_kept"]


def test_an_obsolete_id_without_one_successor_is_not_guessed(packet, codes, catalogue):
    gone = next(
        term.id
        for term in read_ontology().terms
        if term.obsolete and not term.replaced_by and term.id not in catalogue
    )
    packet["phenotypicFeatures"].append(feature(gone))
    read = read_phenopacket(packet, codes)
    assert [i.code for i in read.issues] == ["feature.obsolete"]
    assert gone not in [f.id for f in read.case.findings]


def test_an_unreadable_onset_costs_the_onset_not_the_feature(packet, codes):
    packet["phenotypicFeatures"][0]["onset"] = {"age": {"iso8601duration": "2 months"}}
    read = read_phenopacket(packet, codes)
    assert read.case.findings[0] == Finding(id=LENS, presence=PRESENT)
    assert [(i.code, i.suggestion) for i in read.issues] == [("onset.unreadable", "P2M")]


@pytest.mark.parametrize(
    "raw",
    [
        {"phenotypicFeatures": 7, "subject": [], "metaData": "x"},
        {"phenotypicFeatures": [[], None, {"type": []}], "subject": {"sex": {}}, "diseases": {}},
        {"metaData": {"resources": [None, 3]}, "interpretations": [{"diagnosis": 1}]},
    ],
)
def test_shapes_no_packet_has_never_break_the_reading(raw, codes):
    read = read_phenopacket(raw, codes)
    assert read.case is None
    assert read.issues


def test_every_code_raised_is_documented():
    kinds = "packet|feature|severity|onset|age|sex|hpo|disease"
    folder = Path(issues_module.__file__).parent
    texts = (f.read_text(encoding="utf-8") for f in folder.glob("*.py") if f.name != "issues.py")
    raised = {c for text in texts for c in re.findall(rf'"((?:{kinds})\.[a-z_0-9]+)"', text)}
    documented = set(re.findall(rf"\b(?:{kinds})\.[a-z_0-9]+", issues_module.__doc__))
    assert raised - documented == {"age.iso8601duration", "severity.id"}  # paths, no codes
    assert documented - raised == set()
