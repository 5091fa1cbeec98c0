"""The MSI carried out: install, upgrade, refused and wanted downgrade, remove; by wine's msiexec.

Wine is not Windows: it quotes no service path, checks no signature and asks for no rights. What the
pipeline does on Windows (`deploy/pipelines/installers.yml`) is the proof; this is the rehearsal.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support.small_msi import EPOCH, make_small_payload

from installers.windows.msi import make_msi
from installers.windows.payload import embedded_python, our_rooms

ROOT = Path(__file__).resolve().parents[2]
UNINSTALL = r"HKLM\Software\Microsoft\Windows\CurrentVersion\Uninstall"
PROGRAMS = Path("drive_c", "Program Files", "Vereda")
REFUSED = 1603 & 0xFF  # a process of Unix returns eight bits
CLINIC = ("SYNCHOME=C:\\clinic", "SYNCPASSPHRASEFILE=C:\\secret.txt")


class Wine:
    """A Windows of its own in one folder."""

    def __init__(self, folder):
        self.folder = folder
        self.command = shutil.which("wine64") or "/usr/lib/wine/wine64"
        self.surroundings = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder.parent),
            "WINEPREFIX": str(folder),
            "WINEDEBUG": "-all",
            "LANG": "C.UTF-8",  # names outside ASCII
            "WINEDLLOVERRIDES": "mscoree,mshtml=",  # no offers to download .NET or a browser
        }

    def run(self, *arguments):
        return subprocess.run(
            [self.command, *map(str, arguments)],
            capture_output=True,
            timeout=180,
            env=self.surroundings,
            check=False,
        )

    def msiexec(self, *arguments):
        return self.run("msiexec", *arguments, "/qn").returncode

    def registry(self, key):
        """Return name -> value of one key, empty where there is none."""
        told = self.run("reg", "query", key).stdout.decode("utf-8", "replace")
        return {
            n: v for n, _, v in re.findall(r"^    (\S+) +(REG_\w+) +(.*?)\r?$", told, re.MULTILINE)
        }

    def versions(self):
        told = self.run("reg", "query", UNINSTALL, "/s")
        return re.findall(r"DisplayVersion +REG_SZ +(\S+)", told.stdout.decode("utf-8", "replace"))

    def installed(self):
        folder = self.folder / PROGRAMS
        return sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []


@pytest.fixture(scope="module")
def wine(tmp_path_factory):
    made = Wine(tmp_path_factory.mktemp("wine") / "prefix")
    if not Path(made.command).is_file():
        pytest.fail("wine64 is missing: installers/linux/system-packages.sh packaging")
    yield made
    made.run("wineboot", "--kill")


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """Two versions of one payload, as the drive Z: shows them."""
    folder = tmp_path_factory.mktemp("msi")
    payload = make_small_payload(folder / "payload")
    for version in ("0.1.0", "0.2.0"):
        make_msi(payload, version, folder / f"{version}.msi", EPOCH)
    return {v: f"Z:{str(folder / v).replace('/', chr(92))}.msi" for v in ("0.1.0", "0.2.0")}


APPLICATION = r"HKLM\Software\Vereda\Desktop"
SERVICE = r"HKLM\System\CurrentControlSet\Services\VeredaSync"


def test_1_installing_writes_files_settings_and_service(wine, packages):
    told = ("SYNCURL=https://cloud.example", "DISABLEAUTOUPDATE=1", "LANG=es", *CLINIC)
    assert wine.msiexec("/i", packages["0.1.0"], *told) == 0
    assert wine.installed() == ["lib", "python", "vereda-sync.exe", "vereda.exe", "veredaw.exe"]
    values = wine.registry(APPLICATION)
    assert values["SyncUrl"] == "https://cloud.example"
    assert values["AutoUpdateEnabled"] == "0x0"
    assert values["Language"] == "es"
    assert "SiteId" not in values  # what was not given is not written
    service = wine.registry(SERVICE)
    assert service["ObjectName"] == r"NT AUTHORITY\LocalService"
    assert service["ImagePath"].endswith("python.exe -m sync_service.client --windows-service")
    assert service["Start"] == "0x3"
    assert r"VEREDA_HOME=C:\clinic" in service["Environment"]


def test_2_an_upgrade_without_properties_keeps_what_was_told(wine, packages):
    assert wine.msiexec("/i", packages["0.2.0"]) == 0
    assert wine.versions() == ["0.2.0"]
    values = wine.registry(APPLICATION)
    assert values["SyncUrl"] == "https://cloud.example"
    assert values["AutoUpdateEnabled"] == "0x0"
    assert r"VEREDA_HOME=C:\clinic" in wine.registry(SERVICE)["Environment"]


def test_3_a_downgrade_is_refused_and_changes_nothing(wine, packages):
    assert wine.msiexec("/i", packages["0.1.0"]) == REFUSED
    assert wine.versions() == ["0.2.0"]
    assert "vereda.exe" in wine.installed()


def test_4_a_downgrade_that_was_asked_for_goes_back(wine, packages):
    assert wine.msiexec("/i", packages["0.1.0"], "ALLOWDOWNGRADE=1") == 0
    assert wine.versions() == ["0.1.0"]
    assert wine.registry(APPLICATION)["SyncUrl"] == "https://cloud.example"


def test_5_removing_leaves_the_clinics_and_nothing_of_ours(wine, packages):
    clinics = list(wine.folder.glob("drive_c/users/*/AppData/Local"))
    for folder in clinics:
        (folder / "Vereda" / "store").mkdir(parents=True)
    assert clinics
    assert wine.msiexec("/x", packages["0.1.0"]) == 0
    assert wine.installed() == []
    assert wine.registry(APPLICATION) == {}
    assert wine.registry(SERVICE) == {}
    assert wine.versions() == []
    assert all((folder / "Vereda" / "store").is_dir() for folder in clinics)


PROBE = """
from sync_service.client.windows_service import run_as_service, windows_manager

def work(stop):
    with open("C:\\\\ended.txt", "w") as file:
        file.write(f"told to stop: {stop.wait(60)}")
    return 0

run_as_service(work, windows_manager())
"""
SCRIPT = r"""
sc create Probe binPath= "{python} -m probe"
sc start Probe
sc query Probe
sc stop Probe
{python} -c "import time; time.sleep(4)"
sc query Probe
"""


def test_the_service_answers_the_service_manager(wine, tmp_path):
    """The embeddable Python with our module, under wine's own manager: start, stop, exit code."""
    embedded_python(ROOT / "build" / "windows", tmp_path / "python")
    our_rooms(ROOT, tmp_path / "lib")
    (tmp_path / "lib" / "probe.py").write_text(PROBE)
    python = "Z:" + str(tmp_path / "python" / "python.exe").replace("/", chr(92))
    script = wine.folder / "drive_c" / "service.bat"
    script.write_text(SCRIPT.format(python=python).replace("\n", "\r\n"))
    told = wine.run("cmd", "/c", r"C:\service.bat").stdout.decode("utf-8", "replace")
    states = re.findall(r"STATE +: \d +(\w+)", told)
    assert states[0] in ("RUNNING", "START_PENDING")
    assert states[-1] == "STOPPED"
    assert (wine.folder / "drive_c" / "ended.txt").read_text() == "told to stop: True"
