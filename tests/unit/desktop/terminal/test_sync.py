"""The clinic as `vereda-sync` opens it: a real store, a real cloud, no window."""

import pytest
from support.cloud_server import cloud_in_thread
from support.tiny_engine import TinyShelf

from desktop.services.clinic import Clinic
from desktop.services.errors import SignInRefusedError
from desktop.store.keys import Argon2Cost
from desktop.store.keystore import NoKeystore
from desktop.terminal.sync import ServiceSetUpError, clinic_side
from sync_service.client import __main__ as command

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
        kinds = {row["kind"] for row in cloud.rows("SELECT kind FROM event")}
        heads = cloud.rows("SELECT 1 FROM audit_head")
    assert kinds == {"audit"}  # creation and sign-in, in one segment
    assert len(heads) == 1  # the head was shown before the push
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
