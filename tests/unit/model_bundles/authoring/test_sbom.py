"""The bill of materials says what is in a release and what the application is locked to."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.bundle_workshop import small_members

from model_bundles.authoring.sbom import LOCK_DIGEST, bill_of_materials, read_lock
from model_bundles.errors import BundleMalformedError

LOCK = Path(__file__).parents[4] / "locks" / "clinic.txt"
AT = datetime(2026, 11, 26, tzinfo=UTC)
SMALL = f"""\
# a comment
Foo.Bar==1.2 ; python_full_version < '3.12' \\
    --hash=sha256:{"b" * 64} \\
    --hash=sha256:{"a" * 64}
"""


def bill(lock=SMALL, members=None):
    given = small_members() if members is None else members
    return json.loads(bill_of_materials(lock, given, version="2026.11.9", at=AT))


def test_every_package_of_the_lock_is_listed_with_its_digests():
    text = LOCK.read_text()
    packages = read_lock(text)
    assert len(packages) == text.count("==") - text.count("== '")
    assert sum(len(p.digests) for p in packages) == text.count("--hash=sha256:")
    listed = {c["purl"] for c in bill(text)["components"] if c["type"] == "library"}
    assert listed == {package.purl for package in packages}
    assert any(purl.startswith("pkg:pypi/onnxruntime@") for purl in listed)


def test_a_package_is_named_as_purl_names_it():
    (library,) = [c for c in bill()["components"] if c["type"] == "library"]
    assert library["purl"] == library["bom-ref"] == "pkg:pypi/foo-bar@1.2"
    assert [p["value"] for p in library["properties"]] == ["a" * 64, "b" * 64]
    assert {p["name"] for p in library["properties"]} == {LOCK_DIGEST}


def test_every_member_is_listed_by_its_hash_and_models_are_models():
    members = small_members()
    listed = {c["name"]: c for c in bill(members=members)["components"] if c["type"] != "library"}
    assert {name: c["hashes"][0]["content"] for name, c in listed.items()} == {
        name: hashlib.sha256(raw).hexdigest() for name, raw in members.items()
    }
    assert listed["models/common.onnx"]["type"] == "machine-learning-model"
    assert listed["vocabulary/findings.json"]["type"] == "data"


def test_it_is_cyclonedx_and_each_reference_is_its_own():
    made = bill(LOCK.read_text())
    assert (made["bomFormat"], made["specVersion"], made["version"]) == ("CycloneDX", "1.6", 1)
    assert made["serialNumber"].startswith("urn:uuid:")
    references = [c["bom-ref"] for c in made["components"]]
    assert len(set(references)) == len(references)


def test_licences_of_installed_packages_are_told():
    licences = {
        c["name"]: c["licenses"] for c in bill(LOCK.read_text())["components"] if "licenses" in c
    }
    assert licences["cryptography"] == [{"expression": "Apache-2.0 OR BSD-3-Clause"}]
    assert len(licences) > 30


def test_the_same_release_has_the_same_bill_and_another_has_another():
    assert bill() == bill()
    other = bill(members=small_members(common=b"another"))
    assert other["serialNumber"] != bill()["serialNumber"]


@pytest.mark.parametrize("line", ["foo>=1", "foo==1.0", "foo @ https://example.org/foo.whl"])
def test_a_lock_that_does_not_pin_is_refused(line):
    with pytest.raises(BundleMalformedError, match="does not pin"):
        read_lock(line)
