"""The policy of API Management says the same as the service, and touches nothing that is signed."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

from cloud_api.limits.rates import ADDRESS_PER_MINUTE, SUBJECT_PER_MINUTE
from cloud_api.settings import CloudSettings
from sync_service.protocol.versions import DEVICE_HEADER, MAX_BODY_BYTES

REPOSITORY = Path(__file__).resolve().parents[2]
POLICY = REPOSITORY / "deploy" / "apim" / "policy.xml"
PAGE = REPOSITORY / "docs" / "gateway.md"


def policy():
    return ET.fromstring(POLICY.read_text(encoding="utf-8"))


def test_people_have_the_rate_of_a_subject_and_devices_that_of_an_address():
    calls = {
        "Jwt" in limit.get("counter-key"): int(limit.get("calls"))
        for limit in policy().iter("rate-limit-by-key")
    }
    assert calls == {True: SUBJECT_PER_MINUTE, False: ADDRESS_PER_MINUTE}
    assert {limit.get("renewal-period") for limit in policy().iter("rate-limit-by-key")} == {"60"}


def test_a_body_is_refused_where_the_service_would_refuse_it():
    conditions = " ".join(when.get("condition") for when in policy().iter("when"))
    assert f"> {MAX_BODY_BYTES}" in conditions
    assert CloudSettings().body_limit_bytes == MAX_BODY_BYTES
    assert f'ContainsKey("{DEVICE_HEADER}")' in conditions


def test_nothing_a_device_signs_is_changed_and_no_answer_is_kept_without_a_record():
    inbound = policy().find("inbound")
    assert list(inbound.iter("rewrite-uri")) == []
    assert [e.tag for e in inbound if e.tag == "set-body"] == []
    assert [e.tag for e in policy().iter() if e.tag.startswith("cache-")] == []


def test_the_address_a_caller_wrote_is_not_passed_on():
    (forwarded,) = [
        h for h in policy().find("inbound").iter("set-header") if h.get("name") == "X-Forwarded-For"
    ]
    assert forwarded.get("exists-action") == "override"


def test_every_named_value_is_explained():
    used = set(re.findall(r"\{\{(vereda-[a-z-]+)\}\}", POLICY.read_text(encoding="utf-8")))
    told = (POLICY.parent / "README.md").read_text(encoding="utf-8")
    assert used
    assert all(f"`{name}`" in told for name in used)


def test_the_page_tells_the_figures_in_force():
    page = PAGE.read_text(encoding="utf-8")
    assert f"{SUBJECT_PER_MINUTE} a minute per organisation" in page
    assert f"{ADDRESS_PER_MINUTE:,} a minute" in page
    assert f"{MAX_BODY_BYTES >> 20} MiB, said or counted" in page
