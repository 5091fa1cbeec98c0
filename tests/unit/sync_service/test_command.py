"""`vereda-sync` from the command line: what it says and how it exits."""

from dataclasses import replace

import pytest
from support.cloud_server import cloud_in_thread
from support.memory_outbox import MemoryOutbox
from support.sync_records import SOFTWARE, a_diagnosis, an_identity

from ddx.domain.metering import ByteRule, MeteredPolicy
from sync_service.client import __main__ as command
from sync_service.client.alone import alone
from sync_service.client.clinic import ClinicSide
from sync_service.client.runner import Phase, SyncReport
from sync_service.client.telling import told

NOWHERE = ["--once", "--server", "http://127.0.0.1:9"]


@pytest.fixture
def clinic():
    outbox = MemoryOutbox()
    outbox.add(a_diagnosis())
    return ClinicSide(outbox=outbox, identity=an_identity(), software=lambda: SOFTWARE)


@pytest.fixture
def cloud_url(tmp_path):
    with cloud_in_thread(tmp_path / "cloud") as cloud:
        yield cloud.url


def test_without_a_clinic_it_says_what_is_missing(capsys, monkeypatch):
    monkeypatch.setattr(command, "installed_factory", lambda: None)
    assert command.main(NOWHERE) == 2
    assert "vereda.sync" in capsys.readouterr().err


def test_without_a_server_address_it_asks_for_one(capsys, clinic, monkeypatch):
    monkeypatch.delenv("VEREDA_SYNC_URL", raising=False)
    assert command.main(["--once"], clinic=lambda: clinic) == 2
    assert "--server" in capsys.readouterr().err


def test_an_address_without_encryption_is_refused(capsys, clinic):
    assert command.main(["--once", "--server", "http://cloud.example"], clinic=lambda: clinic) == 2
    assert "sync.server_address" in capsys.readouterr().err


def test_without_a_link_it_exits_3_and_keeps_the_records(capsys, clinic):
    assert command.main(NOWHERE, clinic=lambda: clinic) == 3
    assert "1 waiting" in capsys.readouterr().out


def test_with_nothing_to_push_it_exits_0(clinic):
    clinic.outbox.events.clear()
    assert command.main(NOWHERE, clinic=lambda: clinic) == 0


def test_with_something_in_quarantine_it_exits_1(clinic):
    clinic.outbox.quarantine(clinic.outbox.events[0].id, "record.conflict")
    assert command.main(NOWHERE, clinic=lambda: clinic) == 1


def test_a_dry_run_says_what_would_leave_and_touches_neither_network_nor_outbox(capsys, clinic):
    clinic.outbox.add(a_diagnosis() | {"name": "Zenobia Quispe"})
    before = clinic.outbox.counts()
    assert command.main(["--dry-run"], clinic=lambda: clinic) == 0
    said = capsys.readouterr().out
    assert "1 diagnosis" in said
    assert "1 would be set aside: payload.not_allowed_out" in said
    assert "Zenobia" not in said
    assert clinic.outbox.counts() == before


def test_enrolling_where_nobody_answers_exits_3_and_a_wrong_code_4(capsys, clinic, cloud_url):
    code = ["--enrol", "AAAA-BBBB-CCCC-DDDD"]
    assert command.main([*NOWHERE, *code], clinic=lambda: clinic) == 3
    assert command.main(["--once", "--server", cloud_url, *code], clinic=lambda: clinic) == 4
    assert "enrolment.refused" in capsys.readouterr().err


def test_a_second_service_for_the_same_clinic_exits_5(capsys, clinic, tmp_path):
    beside = replace(clinic, folder=tmp_path)
    with alone(tmp_path):
        assert command.main(NOWHERE, clinic=lambda: beside) == 5
    assert "sync.already_running" in capsys.readouterr().err
    assert command.main(NOWHERE, clinic=lambda: beside) == 3


def test_a_paid_link_where_nothing_may_travel_holds_the_records(capsys, clinic):
    careful = replace(clinic, rule=lambda: ByteRule(policy=MeteredPolicy.NOTHING))
    assert command.main([*NOWHERE, "--paid-link", "yes"], clinic=lambda: careful) == 3
    assert "held: sync.metered" in capsys.readouterr().out


def test_the_servers_address_may_come_from_the_clinic(capsys, clinic, monkeypatch):
    monkeypatch.delenv("VEREDA_SYNC_URL", raising=False)
    linked = replace(clinic, server="http://127.0.0.1:9")
    assert command.main(["--once"], clinic=lambda: linked) == 3


def test_a_file_that_is_no_certificate_is_named(capsys, clinic, tmp_path):
    (tmp_path / "ca.pem").write_text("not a certificate")
    asked = [*NOWHERE, "--ca-bundle", str(tmp_path / "ca.pem")]
    assert command.main(asked, clinic=lambda: clinic) == 2
    assert "sync.ca_bundle" in capsys.readouterr().err


@pytest.mark.parametrize("proxy", ["nonsense", "socks5://127.0.0.1:9", "http://[::1"])
def test_what_is_no_proxy_is_refused_and_its_password_not_shown(capsys, clinic, proxy):
    assert command.main([*NOWHERE, "--proxy", proxy], clinic=lambda: clinic) == 2
    said = capsys.readouterr().err
    assert "sync.proxy_address" in said
    assert proxy not in said


def test_a_bad_proxy_of_the_system_is_named(capsys, clinic, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "ftp://user:secret@proxy")
    assert command.main(NOWHERE, clinic=lambda: clinic) == 2
    said = capsys.readouterr().err
    assert "HTTPS_PROXY" in said
    assert "secret" not in said


@pytest.mark.parametrize("every", ["0", "-3", "soon"])
def test_an_interval_that_is_none_is_refused_at_once(capsys, clinic, every):
    with pytest.raises(SystemExit) as left:
        command.main(["--every", every], clinic=lambda: clinic)
    assert left.value.code == 2
    assert "10 or more" in capsys.readouterr().err


def test_what_is_set_aside_is_told_with_its_reason(capsys, clinic):
    clinic.outbox.quarantine(clinic.outbox.events[0].id, "record.conflict")
    command.main(NOWHERE, clinic=lambda: clinic)
    assert "1 set aside: record.conflict" in capsys.readouterr().out


def test_every_way_to_wait_says_what_to_do(clinic):
    for phase in (Phase.OFFLINE, Phase.WAITING, Phase.REFUSED):
        assert len(told(SyncReport(phase=phase), clinic.outbox).splitlines()) == 2
    for code in ("sync.metered", "sync.budget"):
        assert len(told(SyncReport(phase=Phase.HELD, code=code), clinic.outbox).splitlines()) == 2
    unknown = told(SyncReport(phase=Phase.REFUSED, code="auth.unknown_device"), clinic.outbox)
    assert "--enrol CODE" in unknown


def test_a_dry_run_tells_of_the_audit_entries_that_will_join(capsys, clinic):
    audited = replace(clinic, audit_waits=lambda: 3)
    assert command.main(["--dry-run"], clinic=lambda: audited) == 0
    assert "3 audit entries more" in capsys.readouterr().out


def test_help_tells_the_exit_codes(capsys):
    with pytest.raises(SystemExit):
        command.main(["--help"])
    assert "5 another" in " ".join(capsys.readouterr().out.split())


def test_the_clinic_is_closed_and_told_before_each_push(clinic):
    said = []
    watched = replace(
        clinic, before_push=lambda _: said.append("before"), close=lambda: said.append("closed")
    )
    command.main(NOWHERE, clinic=lambda: watched)
    assert said == ["before", "closed"]
