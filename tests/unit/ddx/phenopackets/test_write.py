"""A case written as a phenopacket, and read back as the same case."""

import json
from dataclasses import replace

import pytest

from ddx.domain.case import Case, Sex
from ddx.domain.finding import Finding, Presence, Severity
from ddx.phenopackets.read import read_phenopacket
from ddx.phenopackets.write import write_phenopacket

LENS, FINGERS, AORTA = "HP:0001083", "HP:0001166", "HP:0002616"
CASE = Case(
    age_days=5114,
    sex=Sex.MALE,
    findings=(
        Finding(id=LENS, presence=Presence.PRESENT, severity=Severity.MILD, onset_days=400),
        Finding(id=AORTA, presence=Presence.EXCLUDED),
        Finding(id=FINGERS, presence=Presence.UNKNOWN),
    ),
)
MARFAN = "OMIM:154700"


def written(case, catalogue, **more):
    return write_phenopacket(
        case,
        catalogue,
        id="case-1",
        created="2026-01-01T00:00:00Z",
        created_by="tests",
        vocabulary_version="2026.1.1",
        **more,
    )


def test_a_case_reads_back_as_it_was_without_what_nobody_asked(catalogue, codes):
    packet = json.loads(json.dumps(written(CASE, catalogue, truths=[MARFAN], sources=["PMID:7"])))
    read = read_phenopacket(packet, codes)
    assert read.case == replace(CASE, findings=CASE.findings[:2])
    assert (read.truths, read.sources, read.issues) == ((MARFAN,), ("PMID:7",), ())


def test_it_states_the_release_of_hpo_and_labels_in_english(catalogue):
    packet = written(CASE, catalogue, truths=[MARFAN])
    (hp, omim) = packet["metaData"]["resources"]
    assert (hp["namespacePrefix"], hp["version"]) == ("HP", catalogue.ontology.version)
    assert omim["namespacePrefix"] == "OMIM"
    assert packet["phenotypicFeatures"][0]["type"] == {"id": LENS, "label": "Ectopia lentis"}
    assert packet["diseases"] == [{"term": {"id": MARFAN, "label": "Marfan syndrome"}}]


def test_our_own_findings_go_out_with_a_resource_that_says_whose_they_are(catalogue, codes):
    own = next(f for f in catalogue.findings if f.startswith("VF:"))
    case = replace(CASE, findings=(*CASE.findings, Finding(id=own, presence=Presence.PRESENT)))
    packet = written(case, catalogue)
    resource = next(r for r in packet["metaData"]["resources"] if r["namespacePrefix"] == "VF")
    assert resource["version"] == "2026.1.1"
    assert read_phenopacket(packet, codes).case.findings[-1].id == own


def test_an_unknown_age_and_sex_stay_unknown(catalogue, codes):
    case = Case(
        age_days=None,
        sex=Sex.UNKNOWN,
        findings=(*CASE.findings[1:2], Finding(id=LENS, presence=Presence.PRESENT)),
    )
    packet = written(case, catalogue)
    assert "timeAtLastEncounter" not in packet["subject"]
    assert read_phenopacket(packet, codes).case == case


def test_nothing_is_written_as_a_diagnosis_unless_a_clinician_concluded_it(catalogue):
    packet = written(CASE, catalogue)
    assert "diseases" not in packet
    assert "interpretations" not in packet


@pytest.mark.parametrize("severity", Severity)
def test_every_severity_reads_back(catalogue, codes, severity):
    found = Finding(id=LENS, presence=Presence.PRESENT, severity=severity)
    case = replace(CASE, findings=(found,))
    assert read_phenopacket(written(case, catalogue), codes).case == case
