"""The deb in a clean Debian without network: install, visit, upgrade, policies, remove, purge.

The steps are one story and run in the order of the file, each on what the one before left.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support.clean_root import ACCOUNT, may_change_root, root_with

from desktop.services.application import Machine
from installers.clock import build_clock
from installers.linux.deb import CONFIGURATION, DEPENDS, lay_out, pack
from installers.version import version

ROOT = Path(__file__).resolve().parents[2]
OLD, NEW = "0.0.9", version(ROOT)
CLINIC = f"/home/{ACCOUNT}/.local/share/Vereda"
"""Where a clinic lives when nobody chose: the package must know it to erase it on request."""
CASE = (
    '{"age_years": 34, "sex": "female", "findings": [{"id": "HP:0001945", "presence": "present"}]}'
)


@pytest.fixture(scope="module")
def trees(application, tmp_path_factory):
    """A package of the previous build and one of this build, packed quickly."""
    folder = tmp_path_factory.mktemp("debs")
    made = {}
    for number in (OLD, NEW):
        lay_out(application, ROOT, folder / "tree", number)
        made[number] = folder / f"vereda_{number}_amd64.deb"
        pack(folder / "tree", made[number], build_clock(ROOT), level=None)
        shutil.rmtree(folder / "tree")
    return made


@pytest.fixture(scope="module")
def debian(tmp_path_factory):
    """A clean root that holds the declared dependencies."""
    if not may_change_root():
        pytest.fail("making a clean root needs root")
    folder = tmp_path_factory.mktemp("root") / "debian"
    return root_with(folder, [d.split()[0] for d in DEPENDS], ROOT / "build" / "roots")


def ok(run):
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def visit(debian):
    return ok(
        debian.run(
            "vereda", "--data", CLINIC, "--offscreen", f"/home/{ACCOUNT}/screens", account=ACCOUNT
        )
    )


def installed(debian):
    shown = debian.run("dpkg-query", "-W", "-f=${Version} ${Status}", "vereda")
    return shown.stdout


def test_1_the_previous_build_installs_with_what_it_declares(debian, trees):
    ok(debian.run("dpkg", "--install", debian.put(trees[OLD])))
    assert installed(debian) == f"{OLD} install ok installed"


def test_2_the_first_run_makes_a_clinic_and_one_visit(debian):
    assert re.search(r"^1 +Marfan syndrome", visit(debian), re.MULTILINE)
    assert debian.at(f"{CLINIC}/store/clinic.db").is_file()


def test_3_a_case_file_is_ranked(debian):
    debian.at("/tmp/case.json").write_text(CASE)
    said = ok(debian.run("vereda", "diagnose", "/tmp/case.json", account=ACCOUNT))
    assert re.search(r"^ *1 ", said, re.MULTILINE)


def test_4_an_upgrade_keeps_clinic_and_policy(debian, trees):
    policy = debian.at(f"/{CONFIGURATION}")
    policy.write_text('SiteId = "centro-7"\nAllowUsbExport = false\n')
    before = debian.at(f"{CLINIC}/store/clinic.db").read_bytes()
    ok(debian.run("dpkg", "--install", "--force-confold", debian.put(trees[NEW])))
    assert installed(debian) == f"{NEW} install ok installed"
    assert policy.read_text().startswith('SiteId = "centro-7"')
    assert debian.at(f"{CLINIC}/store/clinic.db").read_bytes() == before
    assert "Demonstration clinic created" not in visit(debian)  # it was there


def test_5_the_policy_of_the_machine_beats_the_clinics_file(debian):
    file = debian.at(f"{CLINIC}/vereda.toml")
    file.write_text("AllowUsbExport = true\n")
    refused = debian.run("vereda", "sync", "export", "/tmp/x", account=ACCOUNT, VEREDA_HOME=CLINIC)
    assert refused.returncode != 0
    debian.at(f"/{CONFIGURATION}").write_text("AllowUsbExport = 3\n")
    broken = debian.run("vereda", "--data", CLINIC, "--offscreen", "/tmp/s", account=ACCOUNT)
    assert broken.returncode == 2
    assert f"/{CONFIGURATION}: AllowUsbExport" in broken.stderr
    debian.at(f"/{CONFIGURATION}").write_text('SiteId = "centro-7"\n')
    file.unlink()


def test_6_the_service_of_the_user_starts_what_is_installed(debian):
    unit = debian.at("/usr/lib/systemd/user/vereda-sync.service").read_text()
    program = re.search(r"^ExecStart=(\S+)", unit, re.MULTILINE).group(1)
    refused = debian.run(program, "--once", account=ACCOUNT, VEREDA_HOME="/nowhere")
    assert refused.returncode == 2
    assert "there is no clinic" in refused.stderr
    forbidden = re.search(r"^RestartPreventExitStatus=(.*)", unit, re.MULTILINE).group(1)
    assert "2" in forbidden.split()


def test_7_the_command_of_an_app_update_goes_back_and_forward_and_keeps_clinic_and_policy(
    debian, trees
):
    machine = Machine("linux-amd64", root=True)
    clinic, policy = debian.at(f"{CLINIC}/store/clinic.db"), debian.at(f"/{CONFIGURATION}")
    before = clinic.read_bytes(), policy.read_bytes()
    for number, back in ((OLD, True), (NEW, False)):
        file = Path(debian.put(trees[number]))
        ok(debian.run(*machine.installation(number, file, back=back).command))
        assert installed(debian) == f"{number} install ok installed"
    assert (clinic.read_bytes(), policy.read_bytes()) == before
    assert "Demonstration clinic created" not in visit(debian)


def test_8_removing_keeps_clinic_and_policy(debian):
    ok(debian.run("dpkg", "--remove", "vereda"))
    assert not debian.at("/usr/lib/vereda").exists()
    assert not debian.at("/usr/bin/vereda").is_symlink()
    assert debian.at(f"{CLINIC}/store/clinic.db").is_file()
    assert debian.at(f"/{CONFIGURATION}").is_file()


def test_9_a_purge_takes_the_policy_and_leaves_the_clinic(debian):
    ok(debian.run("dpkg", "--purge", "vereda"))
    assert not debian.at("/etc/vereda").exists()
    assert debian.at(f"{CLINIC}/store/clinic.db").is_file()


def test_10_a_purge_erases_clinics_when_asked_and_nothing_beside_them(debian, trees):
    ok(debian.run("dpkg", "--install", debian.put(trees[NEW])))
    neighbour = debian.at(f"/home/{ACCOUNT}/.local/share/Other")
    neighbour.mkdir()
    outside = debian.at("/root/.local/share/Vereda")
    outside.parent.mkdir(parents=True)
    outside.symlink_to("/etc")  # a link must not lead the purge elsewhere
    ok(debian.run("dpkg", "--purge", "vereda", VEREDA_REMOVE_DATA="1"))
    assert not debian.at(CLINIC).exists()
    assert neighbour.is_dir()
    assert debian.at("/etc/passwd").is_file()


def test_two_packages_of_one_tree_are_the_same_bytes(trees, application, tmp_path):
    lay_out(application, ROOT, tmp_path / "tree", NEW)
    pack(tmp_path / "tree", tmp_path / "again.deb", build_clock(ROOT), level=None)
    assert (tmp_path / "again.deb").read_bytes() == trees[NEW].read_bytes()


def test_the_package_owns_nothing_outside_its_places(trees):
    listed = subprocess.run(
        ["dpkg-deb", "--contents", trees[NEW]], capture_output=True, text=True, check=True
    )
    paths = [line.split()[5] for line in listed.stdout.splitlines() if not line.startswith("d")]
    places = ("./usr/lib/vereda/", "./usr/bin/vereda", "./usr/share/doc/vereda/", "./etc/vereda/")
    places += ("./usr/share/applications/vereda.desktop", "./usr/share/icons/hicolor/")
    places += ("./usr/lib/systemd/user/vereda-sync.service",)
    assert [p for p in paths if not p.startswith(places)] == []
    assert all(line.split()[1] == "root/root" for line in listed.stdout.splitlines())
    modes = {line.split()[0][-2] for line in listed.stdout.splitlines() if line[0] != "l"}
    assert modes == {"-"}  # nobody else may write
