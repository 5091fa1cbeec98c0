"""`vereda app-update` against a signed repository that a real cloud on loopback hands out."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from support.bundle_workshop import SMALL_POLICY, BundleWorkshop, flip
from support.cloud_server import cloud_in_thread
from support.courses import ended_in_the_middle
from support.tiny_engine import TinyShelf

from ddx.domain.audit import AuditAction
from ddx.domain.course import StoppedError
from ddx.domain.roles import Role
from desktop.services.application import Machine
from desktop.services.clinic import Clinic
from desktop.settings import Settings
from desktop.store.keys import Argon2Cost
from desktop.terminal.app_update import main, surroundings
from model_bundles.authoring.keys import RolePolicy
from model_bundles.rollout import Rollout

PASSPHRASE, OTHER = "llama del altiplano", "otra frase de paso"
CHEAP = Argon2Cost(iterations=1, lanes=1, memory_kib=8)
POLICY = {**SMALL_POLICY, "app": RolePolicy(keys=2, threshold=2, lifetime_days=400)}
SITE = "posta-1"
LINUX = Machine("linux-amd64", root=True)


@dataclass
class Device:
    """A computer of the clinic: which version runs, and what its system's installer was given."""

    clinic: Clinic
    workshop: BundleWorkshop
    machine: Machine = LINUX
    running: str = "0.1.0"
    installed: bytes = b""
    exit_code: int = 0

    def run(self, *arguments, user="Ana Ruiz", passphrase=PASSPHRASE):
        return main(
            [*arguments, "--lang", "en", "--user", user],
            ask=lambda prompt: passphrase,
            clinic_of=lambda _: self.clinic,
            versions_of=lambda session: session.application.standing_on(
                lambda: self.workshop.trust, self.machine, self.running
            ),
            start=self._start,
        )

    def _start(self, how):
        """Do what the system does: read the file; after that its version runs."""
        if self.exit_code == 0:
            self.installed, self.running = how.file.read_bytes(), how.version
        return self.exit_code

    def update(self):
        assert self.run("fetch") == 0
        assert self.run("install", "--run") == 0

    def entries(self):
        session = self.clinic.sign_in(self.clinic.clinicians()[0].id, PASSPHRASE)
        try:
            with session._desk.store.read() as unit:
                found = [
                    e for e in unit.audit.after(0) if e.action is AuditAction.APPLICATION_UPDATE
                ]
        finally:
            session.close()
        return [(e.detail["step"], e.detail["version"]) for e in found]


def content(version):
    return f"installer of {version}\n".encode() * 4000


def publish(workshop, version, **how):
    name = f"vereda_{version}_amd64.deb"
    workshop.writer.publish_app(version, {name: content(version)}, **how)


@pytest.fixture
def workshop(tmp_path):
    return BundleWorkshop(tmp_path / "publisher", POLICY)


@pytest.fixture
def clinic(tmp_path):
    settings = Settings(site_id=SITE)
    clinic = Clinic(tmp_path, TinyShelf(), settings=settings, sleep=lambda _: None, cost=CHEAP)
    clinic.create(clinic_name="Posta", display_name="Ana Ruiz", passphrase=PASSPHRASE)
    return clinic


@pytest.fixture
def lonely(clinic, workshop):
    return Device(clinic, workshop)


@pytest.fixture
def device(lonely, workshop, tmp_path):
    root = tmp_path / "root.json"
    root.write_bytes(workshop.trust.root)
    with cloud_in_thread(tmp_path / "cloud", repository=workshop.repository, root=root) as cloud:
        session = lonely.clinic.sign_in(lonely.clinic.clinicians()[0].id, PASSPHRASE)
        session.sync.link(cloud.url, cloud.code())
        session.close()
        yield lonely


def test_a_newer_version_is_fetched_installed_and_written_down(device, workshop, capsys):
    publish(workshop, "0.2.0")
    assert device.run("fetch") == 0
    assert "Vereda 0.2.0 lies ready" in capsys.readouterr().out
    assert device.run("install", "--run") == 0
    assert "0.2.0 is installed" in capsys.readouterr().out
    assert (device.running, device.installed) == ("0.2.0", content("0.2.0"))
    assert device.entries() == [("fetched", "0.2.0"), ("install", "0.2.0")]


def test_rollback_puts_back_the_version_before(device, workshop, capsys):
    for version in ("0.2.0", "0.3.0"):
        publish(workshop, version)
        device.update()
    assert device.run("status") == 0
    assert "way back to Vereda 0.2.0" in capsys.readouterr().out
    assert device.run("rollback") == 0
    assert " --allow-downgrades /" in capsys.readouterr().out
    assert device.run("rollback", "--run") == 0
    assert (device.running, device.installed) == ("0.2.0", content("0.2.0"))
    assert device.entries()[-1] == ("rollback", "0.2.0")
    assert device.run("install", "--run") == 0  # and forward again, without a network
    assert device.running == "0.3.0"


def test_an_older_version_than_runs_is_not_taken_though_it_is_signed(device, workshop, capsys):
    publish(workshop, "0.2.0")
    device.running = "0.3.0"
    assert device.run("fetch") == 0
    assert "No newer version lies here" in capsys.readouterr().out
    assert device.run("install", "--run") == 1
    assert device.installed == b""


def test_a_channel_that_goes_back_behind_what_was_seen_is_refused(device, workshop, capsys):
    publish(workshop, "0.2.0")
    timestamp = workshop.repository / "metadata" / "timestamp.json"
    before = timestamp.read_bytes()
    publish(workshop, "0.3.0")
    device.update()
    timestamp.write_bytes(before)  # an old state of the repository, signed as it is
    device.running = "0.1.0"
    assert device.run("fetch") == 1
    assert "bundle.rollback" in capsys.readouterr().err


def test_a_changed_installer_is_refused_on_the_server_and_on_the_disk(
    device, workshop, capsys, tmp_path
):
    publish(workshop, "0.2.0")
    stored = workshop.find("targets/app/0.2.0/*")
    flip(stored, offset=100)
    assert device.run("fetch") == 1
    assert "not the one that was signed" in capsys.readouterr().err
    assert device.run("install", "--run") == 1
    flip(stored, offset=100)
    assert device.run("fetch") == 0
    flip(next(tmp_path.rglob("installers/0.2.0/*.deb")), offset=7)
    capsys.readouterr()
    assert device.run("install", "--run") == 1
    assert "bundle.tampered" in capsys.readouterr().err
    assert device.installed == b""


def test_a_device_outside_the_cohort_is_offered_nothing_until_its_turn(device, workshop):
    publish(
        workshop, "0.2.0", rollout=Rollout(basis_points=10_000, salt="0.2.0", sites={"posta-9"})
    )
    assert device.run("fetch") == 0
    assert device.run("install") == 1
    publish(workshop, "0.3.0", rollout=Rollout(basis_points=10_000, salt="0.3.0", sites={SITE}))
    device.update()
    assert device.running == "0.3.0"


def test_without_root_the_exact_command_is_printed_and_nothing_starts(device, workshop, capsys):
    publish(workshop, "0.2.0")
    device.run("fetch")
    device.machine = replace(device.machine, root=False)
    capsys.readouterr()
    assert device.run("install") == 0
    command = capsys.readouterr().out.splitlines()[-1].strip()
    assert command.startswith("sudo apt-get install --yes ")
    assert Path(command.split()[-1]).read_bytes() == content("0.2.0")
    assert device.run("install", "--run") == 1
    assert "needs root" in capsys.readouterr().err
    assert device.installed == b""


def test_windows_is_given_msiexec_and_the_leave_to_go_back():
    machine = Machine("windows-x64", root=False)
    forward = machine.installation("0.2.0", Path("Vereda-0.2.0-x64.msi"), back=False)
    back = machine.installation("0.1.0", Path("Vereda-0.1.0-x64.msi"), back=True)
    assert forward.command == (
        "msiexec", "/i", "Vereda-0.2.0-x64.msi", "/passive", "/norestart"
    )  # fmt: skip
    assert back.command[-1] == "ALLOWDOWNGRADE=1"
    assert forward.unattended


def test_a_system_that_does_not_install_leaves_the_version_and_says_so(device, workshop, capsys):
    publish(workshop, "0.2.0")
    device.run("fetch")
    device.exit_code = 100
    assert device.run("install", "--run") == 1
    assert "code 100" in capsys.readouterr().err
    assert device.running == "0.1.0"


def test_who_does_not_manage_the_clinic_may_look_and_change_nothing(device, workshop, capsys):
    session = device.clinic.sign_in(device.clinic.clinicians()[0].id, PASSPHRASE)
    session.staff.add(PASSPHRASE, "Luz", Role.MEDICO_GENERAL, OTHER)
    session.close()
    publish(workshop, "0.2.0")
    for command in ("fetch", "install", "rollback"):
        assert device.run(command, user="Luz", passphrase=OTHER) == 1
        assert "Only who manages" in capsys.readouterr().err
    assert device.run("status", user="Luz", passphrase=OTHER) == 0
    assert device.entries() == []


def test_a_clinic_without_a_server_a_file_or_the_passphrase_is_told_what_to_do(lonely, capsys):
    assert lonely.run("fetch") == 1
    assert "not linked to a server" in capsys.readouterr().err
    for command in ("install", "rollback"):
        assert lonely.run(command) == 1
        assert "No installer of that version" in capsys.readouterr().err
    assert lonely.run("status", passphrase="wrong") == 1


def test_a_program_of_the_system_does_not_look_for_libraries_in_our_folder():
    frozen = {"PATH": os.defpath, "LD_LIBRARY_PATH": "/usr/lib/vereda/_internal"}
    assert "LD_LIBRARY_PATH" not in surroundings(frozen)
    kept = surroundings(frozen | {"LD_LIBRARY_PATH_ORIG": "/opt/lib"})
    assert kept["LD_LIBRARY_PATH"] == "/opt/lib"


def test_an_installer_ended_in_the_middle_goes_on_from_what_came(device, workshop, tmp_path):
    publish(workshop, "0.2.0")
    session = device.clinic.sign_in(device.clinic.clinicians()[0].id, PASSPHRASE)
    versions = session.application.standing_on(
        lambda: workshop.trust, device.machine, device.running
    )
    with pytest.raises(StoppedError):
        versions.fetch(ended_in_the_middle())
    assert versions.status().ready == ""
    (part,) = (tmp_path / "app-update" / "client" / "partials").glob("*.part")
    assert 0 < part.stat().st_size < len(content("0.2.0"))
    assert versions.fetch().ready == "0.2.0"
    assert versions.installation().file.read_bytes() == content("0.2.0")
    session.close()
