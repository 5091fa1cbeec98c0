"""What Intune, winget and group policy get agrees with the MSI it is for."""

import hashlib

import pytest
import yaml
from support.small_msi import rows_of

from installers.windows.rollout_files import PACKAGE, write_rollout_files


@pytest.fixture(scope="module")
def written(small_msi, tmp_path_factory):
    folder = tmp_path_factory.mktemp("rollout")
    write_rollout_files(folder, small_msi, "0.1.0")
    return folder


@pytest.fixture(scope="module")
def properties(small_msi):
    return {row["Property"]: row["Value"] for row in rows_of(small_msi, "Property")}


def test_intune_looks_for_the_product_the_msi_installs(written, properties):
    script = (written / "intune" / "Detect-Vereda.ps1").read_bytes().decode()
    assert f"'{properties['UpgradeCode']}'" in script
    assert f"[version]'{properties['ProductVersion']}'" in script
    assert "\r\n" in script


def test_winget_names_this_very_file(written, small_msi, properties):
    manifest = yaml.safe_load((written / "winget" / f"{PACKAGE}.installer.yaml").read_text())
    (installer,) = manifest["Installers"]
    digest = hashlib.sha256(small_msi.read_bytes()).hexdigest()
    assert installer["InstallerSha256"] == digest.upper()
    assert installer["ProductCode"] == properties["ProductCode"]
    assert manifest["Scope"] == "machine"


def test_the_three_manifests_speak_of_one_version(written):
    manifests = [yaml.safe_load(p.read_text()) for p in sorted((written / "winget").iterdir())]
    assert {m["ManifestType"] for m in manifests} == {"version", "installer", "defaultLocale"}
    assert {(m["PackageIdentifier"], m["PackageVersion"]) for m in manifests} == {
        (PACKAGE, "0.1.0")
    }


def test_policy_templates_lie_as_the_central_store_wants_them(written):
    inside = {p.relative_to(written / "policies").as_posix() for p in written.rglob("*.adm*")}
    assert inside == {"Vereda.admx", "es-ES/Vereda.adml", "en-US/Vereda.adml"}
