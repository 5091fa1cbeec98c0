"""The clinic as `vereda-sync` opens it: a real store, a real cloud, no window."""

from shutil import copytree

import pytest
from support.bundle_workshop import BundleWorkshop
from support.cloud_server import cloud_in_thread
from support.tiny_engine import TinyEngine, TinyShelf, tiny_members

from ddx.domain.audit import AuditAction
from ddx.domain.metering import ByteRule
from ddx.domain.roles import Role
from desktop.services.clinic import Clinic
from desktop.services.errors import SignInRefusedError
from desktop.services.shelf import DeviceShelf
from desktop.settings import load_settings
from desktop.store.keys import Argon2Cost
from desktop.store.keystore import NoKeystore
from desktop.terminal.sync import ServiceSetUpError, clinic_side
from model_bundles.errors import BundleError
from model_bundles.verify import open_verified
from sync_service.client import __main__ as command
from sync_service.client.meter import LinkCost, MemoryLedger, Meter
from sync_service.client.transport import make_client

PASSPHRASE = "una frase larga para probar"
CHEAP = Argon2Cost(iterations=1, lanes=1, memory_kib=8)


@pytest.fixture
def home(tmp_path):
    clinic = Clinic(tmp_path / "clinic", TinyShelf(), cost=CHEAP, keystore=NoKeystore())
    clinic.create(clinic_name="Centro", display_name="Ana Ruiz", passphrase=PASSPHRASE)
    return tmp_path / "clinic"


@pytest.fixture
def around(home, tmp_path):
    (tmp_path / "passphrase").write_text(PASSPHRASE + "\n")
    return {
        "VEREDA_HOME": str(home),
        "VEREDA_PASSPHRASE_FILE": str(tmp_path / "passphrase"),
    }


def test_the_service_enrols_pushes_and_leaves_by_itself(around, tmp_path, capsys):
    with cloud_in_thread(tmp_path / "cloud") as cloud:
        asked = ["--once", "--server", cloud.url, "--enrol", cloud.code()]
        assert command.main(asked, clinic=lambda: clinic_side(around)) == 0
        assert command.main(["--once"], clinic=lambda: clinic_side(around)) == 0  # remembers where
        kinds = {row["kind"] for row in cloud.rows("SELECT kind FROM event")}
        heads = cloud.rows("SELECT 1 FROM audit_head")
    assert kinds == {"audit"}  # creation and sign-in, in one segment
    assert len(heads) == 2  # the head was shown before each push
    assert "0 waiting" in capsys.readouterr().out


def test_without_a_clinic_it_says_where_it_looked(tmp_path):
    with pytest.raises(ServiceSetUpError, match="no clinic in"):
        clinic_side({"VEREDA_HOME": str(tmp_path / "nothing")})


def test_a_wrong_passphrase_opens_nothing(around, home):
    asked = []

    def ask(prompt):
        asked.append(prompt)
        return "otra frase que no es"

    with pytest.raises(SignInRefusedError):
        clinic_side({"VEREDA_HOME": str(home)}, ask)
    assert asked == ["Ana Ruiz: "]


def test_a_file_that_cannot_be_read_is_named(around, tmp_path):
    missing = around | {"VEREDA_PASSPHRASE_FILE": str(tmp_path / "gone")}
    with pytest.raises(ServiceSetUpError, match="VEREDA_PASSPHRASE_FILE"):
        clinic_side(missing)


@pytest.fixture
def workshop(tmp_path):
    workshop = BundleWorkshop(tmp_path / "publisher")
    workshop.publish("2026.11.1", tiny_members())
    return workshop


@pytest.fixture
def open_shelf(workshop, tmp_path):
    """Opens the shelf of a device that came with the first bundle."""
    shipped = copytree(workshop.repository, tmp_path / "shipped")

    def opened(folder, settings):
        return DeviceShelf(
            folder,
            TinyEngine.from_artifacts,
            trust=workshop.trust,
            open_embedded=lambda: open_verified(shipped, workshop.trust),
            settings=settings,
        )

    return opened


@pytest.fixture
def cloud(tmp_path, workshop):
    root = tmp_path / "root.json"
    root.write_bytes(workshop.trust.root)
    workshop.publish("2026.12.1", tiny_members())
    with cloud_in_thread(tmp_path / "cloud", repository=workshop.repository, root=root) as cloud:
        yield cloud


def looked(around, open_shelf, cloud, *, paid, home):
    """Let the service look once; return which bundle serves afterwards."""
    meter = Meter(
        MemoryLedger(),
        rule=ByteRule,
        cost=lambda: LinkCost.PAID if paid else LinkCost.FREE,
    )
    side = clinic_side(around, open_shelf=open_shelf)
    with make_client(cloud.url) as http:
        command.look_for_bundle(side, http, cloud.url, meter)
    side.close()
    return open_shelf(home, load_settings(home)).status.version


def actions(home):
    """Return what the audit chain of the clinic tells of."""
    clinic = Clinic(home, TinyShelf(), cost=CHEAP, keystore=NoKeystore())
    session = clinic.sign_in(clinic.clinicians()[0].id, PASSPHRASE)
    try:
        with session.models._desk.store.read() as unit:
            return {entry.action for entry in unit.audit.after(0)}
    finally:
        session.close()


def test_an_unattended_clinic_brings_and_activates_a_newer_bundle(around, open_shelf, cloud, home):
    version = looked(around, open_shelf, cloud, paid=False, home=home)
    assert version == "2026.12.1"
    assert AuditAction.BUNDLE_ACTIVATED in actions(home)


def test_on_a_paid_link_no_release_is_downloaded(around, open_shelf, cloud, home):
    version = looked(around, open_shelf, cloud, paid=True, home=home)
    assert version == "2026.11.1"
    assert AuditAction.BUNDLE_ACTIVATED not in actions(home)


def test_a_clinic_that_updates_by_hand_is_left_alone(around, open_shelf, cloud, home):
    (home / "vereda.toml").write_text("AutoUpdateEnabled = false\n")
    version = looked(around, open_shelf, cloud, paid=False, home=home)
    assert version == "2026.11.1"


def test_bundles_that_cannot_be_used_do_not_stop_the_service(around, tmp_path, caplog):
    def unusable(folder, settings):
        raise BundleError("damaged")

    side = clinic_side(around, open_shelf=unusable)
    meter = Meter(MemoryLedger(), rule=ByteRule, cost=lambda: LinkCost.FREE)
    with make_client("http://127.0.0.1:9") as http:
        command.look_for_bundle(side, http, "http://127.0.0.1:9", meter)
    side.close()
    assert BundleError.code in caplog.text


def test_who_may_not_link_the_clinic_enrols_nothing(around, home, tmp_path, capsys):
    clinic = Clinic(home, TinyShelf(), cost=CHEAP, keystore=NoKeystore())
    session = clinic.sign_in(clinic.clinicians()[0].id, PASSPHRASE)
    session.staff.add(PASSPHRASE, "Luz Paz", Role.MEDICO_GENERAL, PASSPHRASE)
    session.close()
    with cloud_in_thread(tmp_path / "cloud") as cloud:
        asked = ["--once", "--server", cloud.url, "--enrol", cloud.code()]
        theirs = around | {"VEREDA_CLINICIAN": "Luz Paz"}
        assert command.main(asked, clinic=lambda: clinic_side(theirs)) == 2
        assert cloud.rows("SELECT 1 FROM device") == []
    assert "role.denied" in capsys.readouterr().err
