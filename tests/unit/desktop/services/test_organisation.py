"""What the organisation sets: weaker than this machine, only what the cloud may set."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from support.records import NOON

from ddx.domain.identifiers import new_record_id
from ddx.domain.metering import MeteredPolicy
from desktop.services.organisation import CURSOR, KEPT, in_force
from desktop.settings import Origin, Settings, overlaid
from desktop.store.keys import new_data_key
from desktop.store.store import ClinicStore


@pytest.fixture
def store(tmp_path):
    made = ClinicStore.create(tmp_path / "clinic.db", new_data_key())
    with made.write() as unit:
        unit.device.enrol(new_record_id(), Ed25519PrivateKey.generate(), NOON)
    yield made
    made.close()


def kept(store, **settings):
    with store.write() as unit:
        unit.settings.put(KEPT, settings)


def test_what_the_organisation_set_counts_where_the_machine_says_nothing(store):
    kept(store, DailyByteBudget=50_000, MeteredPolicy="nothing")
    now = in_force(store, Settings())
    assert (now.daily_byte_budget, now.metered_policy) == (50_000, MeteredPolicy.NOTHING)


def test_the_machines_own_file_is_stronger(store):
    kept(store, DailyByteBudget=50_000)
    assert in_force(store, Settings(daily_byte_budget=9)).daily_byte_budget == 9


@pytest.mark.parametrize("origin", [Origin.INSTALLER, Origin.FILE, Origin.MACHINE_POLICY])
def test_a_machine_that_says_the_default_itself_keeps_it(store, origin):
    kept(store, DailyByteBudget=50_000)
    own = overlaid(Settings(), {"DailyByteBudget": 0}, origin)
    assert in_force(store, own).daily_byte_budget == 0


def test_what_the_cloud_set_says_so(store):
    kept(store, DailyByteBudget=50_000)
    now = in_force(store, Settings())
    assert now.origin_of("DailyByteBudget") is Origin.CLOUD
    assert not now.is_locked("DailyByteBudget")


def test_the_cloud_cannot_send_records_elsewhere_or_open_the_clinic(store):
    kept(store, SyncUrl="https://elsewhere.example", AllowUsbExport=True, IdleLockMinutes=240)
    assert in_force(store, Settings()) == Settings()


def test_what_a_later_version_means_is_kept_and_not_applied(store):
    kept(store, MeteredPolicy="sometimes", SomethingNew=3, MaxModelAgeDays=90)
    assert in_force(store, Settings()) == Settings(max_model_age_days=90)


def test_a_sync_takes_settings_down_once_and_writes_them_in_the_audit(tmp_path):
    from support.cloud_server import cloud_in_thread
    from support.tiny_engine import TinyShelf

    from cloud_api.__main__ import main as cloud_main
    from desktop.services.clinic import Clinic
    from desktop.store.keys import Argon2Cost
    from desktop.store.keystore import NoKeystore

    cheap = Argon2Cost(iterations=1, lanes=1, memory_kib=8)
    clinic = Clinic(tmp_path / "clinic", TinyShelf(), cost=cheap, keystore=NoKeystore())
    passphrase = "una frase larga para probar"
    clinic.create(clinic_name="Centro", display_name="Ana", passphrase=passphrase)
    session = clinic.sign_in(clinic.clinicians()[0].id, passphrase)
    with cloud_in_thread(tmp_path / "cloud") as cloud:
        session.sync.link(cloud.url, cloud.code())
        there = ["--data", str(cloud.settings.data)]
        assert cloud_main([*there, "--put-setting", "DailyByteBudget=70000"]) == 0
        session.sync.run_once()
        session.sync.run_once()
    store = session._desk.store
    with store.read() as unit:
        assert unit.settings.get(CURSOR) == 1
        changed = [e for e in unit.audit.after(0) if e.subject == "DailyByteBudget"]
    assert len(changed) == 1
    assert in_force(store, Settings()).daily_byte_budget == 70_000
    session.close()


def test_a_setting_written_wrongly_is_told(tmp_path, capsys):
    from cloud_api.__main__ import main as cloud_main

    assert cloud_main(["--data", str(tmp_path), "--put-setting", "DailyByteBudget"]) == 2
    assert "KEY=VALUE" in capsys.readouterr().err
