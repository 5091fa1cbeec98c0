"""What a release tells about itself."""

import json
from datetime import UTC, datetime

import pytest
from support.bundle_workshop import small_members
from support.tiny_engine import TinyEngine

from ddx.domain.case import Case, Sex
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import FindingId
from ddx.safety.rules import RULES
from model_bundles import layout
from training.pipelines.provenance import drift_reference, provenance_members, rules_inventory

FEVER, COUGH = FindingId("HP:0001945"), FindingId("HP:0012735")
AT = datetime(2026, 11, 26, tzinfo=UTC)


def case(age_days, sex=Sex.FEMALE, **presence):
    findings = [(FEVER, presence.get("fever")), (COUGH, presence.get("cough"))]
    return Case(
        age_days=age_days,
        sex=sex,
        findings=tuple(Finding(id=f, presence=p) for f, p in findings if p is not None),
    )


CASES = (
    case(100, fever=Presence.PRESENT, cough=Presence.EXCLUDED),
    case(366, fever=Presence.PRESENT, cough=Presence.PRESENT),
    case(40 * 366, Sex.MALE, fever=Presence.UNKNOWN),
    case(None, Sex.MALE),
)


def test_the_reference_counts_what_was_found_and_what_was_set_aside():
    counted = json.loads(drift_reference(TinyEngine(), CASES))
    assert counted["cases"] == 4
    assert counted["findings"] == {"HP:0001945": [2, 0], "HP:0012735": [1, 1]}
    assert counted["sex"] == {"female": 2, "male": 2}
    ages = dict(zip(counted["age_years"]["edges"], counted["age_years"]["counts"], strict=False))
    assert ages == {0: 1, 1: 1, 5: 0, 15: 0, 30: 1, 45: 0, 60: 0, 75: 0}
    assert sum(counted["top_disease"].values()) == 4
    assert sum(counted["top_probability"]["counts"]) == 4


def test_the_inventory_names_every_red_flag_with_its_source():
    rules = json.loads(rules_inventory())["rules"]
    assert [r["code"] for r in rules] == [r.code for r in RULES]
    assert all(r["source"] for r in rules)


def test_a_bundle_may_hold_them_and_lists_all_but_itself():
    members = small_members()
    told = provenance_members(members, TinyEngine(), CASES, version="2026.11.9", at=AT)
    layout.check_names({**members, **told})
    bill = json.loads(told["notices/sbom.json"])
    listed = {c["name"] for c in bill["components"] if c["type"] != "library"}
    assert listed == set({**members, **told}) - {"notices/sbom.json"}


@pytest.mark.parametrize("word", ["age_days", "vitals", "onset"])
def test_no_case_is_in_the_reference(word):
    assert word not in drift_reference(TinyEngine(), CASES).decode()
