"""The tables of the MSI: what Windows will do, read back with msiinfo from a finished package."""

import re
import subprocess
from datetime import datetime

import pytest
from support.small_msi import EPOCH, rows_of

from desktop.policies import INSTALLER_KEY
from desktop.settings import declared
from installers.windows import identity
from installers.windows.msi import PayloadError, make_msi
from installers.windows.properties import SERVICE_SECRET, SYNC, TOLD
from installers.windows.summary import dated

COMMAND_LINE = {  # what conventions promise IT
    *("SYNCURL", "TENANTID", "CLIENTID", "SITEID", "CHANNEL", "DISABLEAUTOUPDATE"),
    *("PROXY", "CABUNDLE", "LANG", "REMOVEDATA"),
}
SIXTY_FOUR_BIT = 256  # msidbComponentAttributes64bit
LOCAL_MACHINE = 2


@pytest.fixture(scope="module")
def properties(table):
    return {row["Property"]: row["Value"] for row in table("Property")}


@pytest.fixture(scope="module")
def order(table):
    return {r["Action"]: int(r["Sequence"]) for r in table("InstallExecuteSequence")}


def summary(package):
    shown = subprocess.run(
        ["msiinfo", "suminfo", package], capture_output=True, text=True, check=True
    )
    return dict(re.findall(r"^([\w ()]+): (.*)$", shown.stdout, re.MULTILINE))


def test_platform_and_language_are_stated(small_msi):
    about = summary(small_msi)
    assert about["Template"] == f"x64;{identity.LANGUAGE}"
    assert about["Title"] == "Installation Database"
    assert about["Subject"] == "Vereda 0.1.0"


def test_it_is_for_the_machine(properties):
    assert properties["ALLUSERS"] == "1"


def test_every_property_of_the_command_line_reaches_the_part_that_runs_as_system(properties):
    secure = set(properties["SecureCustomProperties"].split(";"))
    assert COMMAND_LINE | {"SYNCHOME", "SYNCPASSPHRASEFILE", "SYNCACCOUNT", "INSTALLDIR"} <= secure
    assert {"NEWERFOUND", "OLDERFOUND"} <= secure
    assert all(name == name.upper() for name in secure)  # only such are public


def test_a_password_stays_out_of_the_log(properties):
    assert properties["MsiHiddenProperties"] == SERVICE_SECRET


def test_what_windows_lists_about_the_program_is_there(properties):
    for name in ("ARPHELPLINK", "ARPURLINFOABOUT", "ARPCONTACT", "Manufacturer", "ProductName"):
        assert properties[name]
    assert properties["ARPPRODUCTICON"] == "vereda.ico"


def test_any_other_version_is_found_and_removed_inside_the_transaction(table, order):
    rows = {row["ActionProperty"]: row for row in table("Upgrade")}
    older, newer = rows["OLDERFOUND"], rows["NEWERFOUND"]
    assert {r["UpgradeCode"] for r in rows.values()} == {
        f"{{{str(identity.UPGRADE_CODE).upper()}}}"
    }
    assert (older["VersionMin"], older["VersionMax"]) == ("", "0.1.0")
    assert (newer["VersionMin"], newer["VersionMax"]) == ("0.1.0", "")
    assert order["FindRelatedProducts"] < order["LaunchConditions"]
    assert order["InstallInitialize"] < order["RemoveExistingProducts"] < order["InstallFiles"]


def test_an_older_version_is_refused_unless_asked_for(table):
    (condition,) = [r["Condition"] for r in table("LaunchCondition") if "NEWER" in r["Condition"]]
    assert condition == 'Installed OR NOT NEWERFOUND OR ALLOWDOWNGRADE="1"'


def test_the_next_version_upgrades_and_keeps_the_numbers_of_unchanged_parts(
    small_payload, small_msi, tmp_path
):
    make_msi(small_payload, "0.2.0", tmp_path / "next.msi", EPOCH)
    now, then = (
        {r["Property"]: r["Value"] for r in rows_of(p, "Property")}
        for p in (small_msi, tmp_path / "next.msi")
    )
    assert now["UpgradeCode"] == then["UpgradeCode"]
    assert now["ProductCode"] != then["ProductCode"]
    assert rows_of(small_msi, "Component") == rows_of(tmp_path / "next.msi", "Component")
    assert (
        summary(small_msi)["Revision number (UUID)"]
        != (summary(tmp_path / "next.msi")["Revision number (UUID)"])
    )


@pytest.mark.parametrize("told", TOLD, ids=lambda t: t.value_name)
def test_a_property_becomes_a_value_only_when_it_was_given(told, table):
    (value,) = [r for r in table("Registry") if r["Component_"] == told.id]
    (component,) = [r for r in table("Component") if r["Component"] == told.id]
    assert (int(value["Root"]), value["Key"]) == (LOCAL_MACHINE, told.key)
    assert (value["Name"], value["Value"]) == (told.value_name, told.value)
    assert component["Condition"] == told.condition
    assert int(component["Attributes"]) & SIXTY_FOUR_BIT


def test_what_is_written_is_what_the_application_reads():
    assert {told.key for told in TOLD} == {INSTALLER_KEY, SYNC}
    read = {told.value_name for told in TOLD if told.key == INSTALLER_KEY}
    assert read <= set(declared())


def test_an_upgrade_remembers_what_the_first_installation_was_told(table, order):
    searched = {r["Signature_"]: (r["Key"], r["Name"], r["Type"]) for r in table("RegLocator")}
    actions = {r["Action"]: r for r in table("CustomAction")}
    steps = {r["Action"]: r["Condition"] for r in table("InstallExecuteSequence")}
    for told in TOLD:
        if told.was == "never":  # follows another
            continue
        old = f"OLD{told.value_name.upper()}"
        assert searched[old] == (told.key, told.value_name, "18")
        keep = actions[f"Keep{told.value_name}"]
        assert (keep["Type"], keep["Source"]) == ("51", told.name)
        assert steps[keep["Action"]].startswith(f"NOT {told.name} AND {old}")
        assert order["AppSearch"] < order[keep["Action"]] < order["CostInitialize"]


def test_the_service_starts_by_hand_under_an_account_without_rights(table, properties):
    (service,) = table("ServiceInstall")
    assert (service["Name"], service["StartType"], service["ServiceType"]) == (
        "VeredaSync",
        "3",
        "16",
    )
    assert service["StartName"] == "[SYNCACCOUNT]"
    assert properties["SYNCACCOUNT"] == r"NT AUTHORITY\LocalService"
    (control,) = table("ServiceControl")
    assert (
        int(control["Event"]) & (2 | 32) == 2 | 32
    )  # stopped before files are replaced or removed
    assert int(control["Event"]) & 128  # deleted when the program is removed


def test_the_service_is_the_very_process_windows_starts(table):
    """A launcher that starts Python as its child could not answer the service manager."""
    (service,) = table("ServiceInstall")
    (file,) = [r for r in table("File") if r["Component_"] == service["Component_"]]
    assert file["FileName"].rpartition("|")[2] == "python.exe"
    assert service["Arguments"] == "-m sync_service.client --windows-service"


def test_the_service_is_told_its_clinic_as_a_list(table):
    (value,) = [r for r in table("Registry") if r["Name"] == "Environment"]
    assert value["Key"] == r"SYSTEM\CurrentControlSet\Services\VeredaSync"
    entries = value["Value"].split("[~]")
    assert entries[0] == entries[-1] == ""
    assert [e.partition("=")[0] for e in entries[1:-1]] == [
        "VEREDA_HOME",
        "VEREDA_CLINICIAN",
        "VEREDA_PASSPHRASE_FILE",
    ]


def test_the_start_menu_starts_the_window_without_a_console(table):
    (shortcut,) = table("Shortcut")
    assert shortcut["Target"] == "[INSTALLDIR]veredaw.exe"
    assert shortcut["Directory_"] == "ProgramMenuFolder"


def test_data_is_erased_only_on_request_and_never_by_an_upgrade(table, order):
    (row,) = [r for r in table("InstallExecuteSequence") if r["Action"] == "RemoveData"]
    assert row["Condition"] == 'REMOVE="ALL" AND REMOVEDATA="1" AND NOT UPGRADINGPRODUCTCODE'
    assert order["InstallInitialize"] < order["RemoveData"] < order["RemoveFiles"]
    (action,) = [r for r in table("CustomAction") if r["Action"] == "RemoveData"]
    program = {r["File"]: r["FileName"].rpartition("|")[2] for r in table("File")}
    assert program[action["Source"]] == "vereda.exe"
    assert action["Target"] == "leave --every-account --yes"
    assert table("RemoveFile") == []  # nothing is removed but what was installed


def test_no_file_lies_outside_the_target(table, small_payload):
    parent = {r["Directory"]: r["Directory_Parent"] for r in table("Directory")}
    place = {r["Component"]: r["Directory_"] for r in table("Component")}

    def above(directory):
        while directory not in ("INSTALLDIR", "TARGETDIR"):
            directory = parent[directory]
        return directory

    assert {above(place[r["Component_"]]) for r in table("File")} == {"INSTALLDIR"}
    assert parent["INSTALLDIR"] == "ProgramFiles64Folder"
    count = sum(path.is_file() for path in small_payload.rglob("*"))
    assert len(table("File")) == count


def test_every_component_is_in_the_feature_and_has_a_number_of_its_own(table):
    components = table("Component")
    inside = {r["Component_"] for r in table("FeatureComponents")}
    assert {r["Component"] for r in components} == inside
    assert len({r["ComponentId"] for r in components}) == len(components)


def test_two_packages_of_one_payload_are_the_same_bytes(small_payload, small_msi, tmp_path):
    make_msi(small_payload, "0.1.0", tmp_path / "again.msi", EPOCH)
    assert (tmp_path / "again.msi").read_bytes() == small_msi.read_bytes()


def test_the_summary_is_dated_by_the_clock_of_the_build(small_msi):
    moment = datetime.fromtimestamp(EPOCH).ctime()  # noqa: DTZ006 -- msiinfo speaks local time
    told = summary(small_msi)
    assert (told["Created"], told["Last saved"]) == (moment, moment)


def test_a_file_without_a_summary_is_not_dated():
    with pytest.raises(ValueError, match="not found"):
        dated(b"MZ no package", EPOCH)


def test_a_payload_without_its_programs_is_refused(tmp_path):
    (tmp_path / "payload").mkdir()
    with pytest.raises(PayloadError, match=r"vereda\.exe"):
        make_msi(tmp_path / "payload", "0.1.0", tmp_path / "x.msi", EPOCH)
    assert not (tmp_path / "x.msi").exists()
