"""The frozen application does what the source does: one visit, its explanation, its way out."""

import base64
import json
import re
from dataclasses import asdict
from pathlib import Path

import pytest
from support.cloud_server import cloud_in_thread

from desktop.services.demo import PASSPHRASE
from model_bundles.embedded import embedded_trust
from model_bundles.trial import Limits

MIB = 1 << 20
UNPACKED_LIMIT = 280 * 1_000_000
"""The bar of the installers, in bytes; megabytes of a million as download pages show them."""

CASE = {
    "age_years": 34,
    "sex": "female",
    "findings": [{"id": "HP:0001945", "presence": "present"}],
    "vitals": {"temperature_c": 38.5},
}


@pytest.fixture(scope="module")
def visited(frozen):
    """The screens and the text of one visit through the frozen window."""
    run = frozen.run("--data", frozen.home / "clinic", "--offscreen", frozen.home / "screens")
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.fixture
def as_service(frozen, tmp_path):
    """Run `vereda-sync` for the visited clinic."""
    secret = tmp_path / "passphrase"
    secret.write_text(PASSPHRASE)

    def run(*arguments):
        return frozen.run(*arguments, program="vereda-sync", VEREDA_PASSPHRASE_FILE=str(secret))

    return run


def test_a_visit_through_the_frozen_window_ends_with_reasons(frozen, visited):
    assert re.search(r"^1 +Marfan syndrome", visited, re.MULTILINE)
    assert re.search(r"^  \+ ", visited, re.MULTILINE)  # a reason for the first of the list
    assert (frozen.home / "screens" / "visit.png").stat().st_size > 20_000


def test_what_the_visit_saved_reaches_a_cloud_on_loopback(visited, as_service, tmp_path):
    with cloud_in_thread(tmp_path / "cloud") as cloud:
        sent = as_service("--once", "--server", cloud.url, "--enrol", cloud.code())
        assert sent.returncode == 0, sent.stdout + sent.stderr
        arrived = {row["kind"] for row in cloud.rows("SELECT DISTINCT kind FROM event")}
    assert "diagnosis" in arrived
    assert "0 waiting, 0 refused" in sent.stdout


def test_a_second_name_is_the_sync_service(as_service, visited):
    assert "records would leave" in as_service("--dry-run").stdout


def test_a_case_file_is_ranked_in_the_terminal(frozen, tmp_path):
    case = tmp_path / "case.json"
    case.write_text(json.dumps(CASE))
    run = frozen.run("diagnose", case, "--lang", "en")
    assert run.returncode == 0, run.stderr
    assert re.search(r"^ *1 ", run.stdout, re.MULTILINE)


def test_the_golden_cases_of_the_shipped_bundle_hold_in_the_frozen_application(frozen):
    folder = frozen.folder / "_internal" / "model_bundles" / "default" / "repository"
    request = {
        "folder": str(folder),
        "roots": [base64.b64encode(embedded_trust().root).decode()],
        "limits": asdict(Limits()),
    }
    run = frozen.run("self-test", stdin=json.dumps(request))
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["report"]["cases"] > 0


def test_the_folder_is_not_larger_than_the_bar(application):
    size = sum(p.lstat().st_size for p in application.rglob("*") if p.is_file())
    assert size <= UNPACKED_LIMIT, f"{size / MIB:.0f} MiB"


def test_nothing_of_training_cloud_or_authoring_is_inside(application):
    modules = Path(application, "vereda").read_bytes()
    assert b"desktop.services.clinic" in modules  # so that an absence below means something
    for name in (b"model_bundles.authoring", b"cloud_api.app", b"training.fit", b"pandas.core"):
        assert name not in modules
    inside = {p.name.split("-")[0] for p in (application / "_internal").iterdir()}
    assert not inside & {"pandas", "scipy", "xgboost", "cloud_api", "training"}


def test_the_bill_of_materials_names_what_is_inside(application):
    bill = json.loads((application / "sbom.cdx.json").read_text())
    names = {component["name"] for component in bill["components"]}
    assert {"numpy", "onnxruntime", "sqlcipher3", "pyside6_essentials", "python", "tuf"} <= names
    assert not names & {"pandas", "mlflow", "fastapi", "pytest"}


def test_the_bill_of_materials_is_valid_cyclonedx(application):
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    text = (application / "sbom.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_the_notices_carry_the_licences_of_everything_inside(application):
    bill = json.loads((application / "sbom.cdx.json").read_text())
    text = (application / "THIRD-PARTY-NOTICES.txt").read_text()
    missing = [c["name"] for c in bill["components"] if f"{c['name']} {c['version']}" not in text]
    assert missing == []
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in text
    assert "You may replace" in text


def test_no_path_of_the_building_machine_is_inside(application):
    from installers.frozen.__main__ import ROOT

    told = [
        p.relative_to(application)
        for p in application.rglob("*")
        if p.is_file() and not p.is_symlink() and str(ROOT).encode() in p.read_bytes()
    ]
    assert told == []


def test_no_library_looks_for_another_outside_the_application(application):
    from installers.frozen.strip import is_elf, search_path

    outside = {
        str(path.relative_to(application)): search_path(path)
        for path in application.rglob("*")
        if is_elf(path) and any(not place.startswith("$ORIGIN") for place in search_path(path))
    }
    assert outside == {}
