"""Records on a stick: sealed to the cloud, signed by the device, answered by a file."""

import asyncio
import json

import pytest
from support.memory_outbox import MemoryOutbox
from support.sync_records import SOFTWARE, a_diagnosis, a_visit, an_identity

from cloud_api import __main__ as cloud_command
from cloud_api import usb as cloud_usb
from cloud_api.app import prepare, utc_now
from cloud_api.auth.directory import SqlDirectory
from cloud_api.db.engine import open_database
from cloud_api.settings import CloudSettings
from cloud_api.stream.log import EmbeddedLog
from sync_service.client.clinic import ClinicSide
from sync_service.client.outbox import EventKind, OutboxCounts
from sync_service.client.usb import export, settle
from sync_service.protocol.errors import EnrolmentRefusedError, UnknownDeviceError
from sync_service.protocol.sealed import SealedFileError, SealedSignatureError


@pytest.fixture
def cloud(tmp_path):
    return CloudSettings(data=tmp_path / "cloud")


@pytest.fixture
def card(cloud):
    return cloud_usb.card_of(cloud)


@pytest.fixture
def outbox():
    made = MemoryOutbox()
    for kind, payload in a_visit()[0]:
        made.add(payload, kind)
    return made


@pytest.fixture
def device():
    return an_identity()


def a_code(cloud):
    return asyncio.run(_with(cloud, _issue))


async def _issue(engine):
    from datetime import timedelta

    return await SqlDirectory(engine).issue_code(now=utc_now(), lifetime=timedelta(hours=1))


async def _with(cloud, work):
    engine = open_database(cloud.database_address())
    try:
        await prepare(cloud, engine)
        return await work(engine)
    finally:
        await engine.dispose()


def held(cloud):
    return asyncio.run(_with(cloud, lambda engine: EmbeddedLog(engine).read(after=0, limit=1000)))


def take(cloud, file):
    return asyncio.run(cloud_usb.take(cloud, file))


def test_a_stick_there_and_back_settles_every_record(cloud, card, outbox, device):
    made = export(outbox, device, SOFTWARE, card, code=a_code(cloud))
    assert outbox.counts().pending == 3  # they wait until the answer is here
    taken = take(cloud, made.file)
    assert taken.results == {"stored": 3}
    settled = settle(taken.file, outbox, device, card)
    assert (settled.stored, settled.rejected) == (3, 0)
    assert outbox.counts() == OutboxCounts(pending=0, quarantined=0, acknowledged=3)
    assert [event.id for event in held(cloud)] == [event.id for event in outbox.events]
    assert list(outbox.receipts.values()) == [event.server_sequence for event in held(cloud)]


def test_the_same_stick_twice_and_a_lost_answer_store_nothing_twice(cloud, card, outbox, device):
    first = export(outbox, device, SOFTWARE, card, code=a_code(cloud))
    take(cloud, first.file)  # the answer is lost
    outbox.add(a_diagnosis())
    second = export(outbox, device, SOFTWARE, card)
    taken = take(cloud, second.file)
    assert taken.results == {"duplicate": 3, "stored": 1}
    settle(taken.file, outbox, device, card)
    settle(taken.file, outbox, device, card)
    assert outbox.counts() == OutboxCounts(pending=0, quarantined=0, acknowledged=4)
    assert take(cloud, first.file).results == {"duplicate": 3}
    assert len(held(cloud)) == 4


def test_an_answer_to_an_older_file_leaves_newer_records_waiting(cloud, card, outbox, device):
    made = export(outbox, device, SOFTWARE, card, code=a_code(cloud))
    late = outbox.add(a_diagnosis())
    settle(take(cloud, made.file).file, outbox, device, card)
    assert [event.id for event in outbox.pending(10)] == [late]


def test_what_may_not_leave_is_set_aside_and_not_in_the_file(cloud, card, outbox, device):
    bad = outbox.add(a_diagnosis() | {"name": "Zenobia Quispe"})
    made = export(outbox, device, SOFTWARE, card, code=a_code(cloud))
    assert (made.records, made.aside) == (3, 1)
    assert outbox.quarantined == {bad: "payload.not_allowed_out"}
    assert take(cloud, made.file).results == {"stored": 3}


def test_a_conflict_on_a_stick_is_refused_and_told_as_over_the_network(cloud, card, device):
    once = MemoryOutbox()
    once.add(a_diagnosis())
    take(cloud, export(once, device, SOFTWARE, card, code=a_code(cloud)).file)
    restored = MemoryOutbox()
    restored.add(a_diagnosis())
    taken = take(cloud, export(restored, device, SOFTWARE, card).file)
    assert settle(taken.file, restored, device, card).rejected == 1
    assert set(restored.quarantined.values()) == {"record.conflict"}


def test_nobody_reads_a_found_stick(card, outbox, device):
    file = export(outbox, device, SOFTWARE, card).file
    head = json.loads(file.partition(b"\n")[0])
    assert head["device_id"] == device.device_id
    text = file.decode("latin-1")
    for event in outbox.events:
        assert event.id not in text
        for word in ("diagnosis", "OMIM", "HP:"):
            assert word not in text


def test_another_cloud_cannot_open_it(card, outbox, device, tmp_path):
    file = export(outbox, device, SOFTWARE, card).file
    with pytest.raises(SealedFileError, match="another cloud"):
        take(CloudSettings(data=tmp_path / "other"), file)


@pytest.mark.parametrize("where", ["head", "sealed", "cut", "empty", "text"])
def test_a_changed_file_is_refused_whole(cloud, card, outbox, device, where):
    file = bytearray(export(outbox, device, SOFTWARE, card, code=a_code(cloud)).file)
    line = file.index(b"\n")
    changed = {
        "head": lambda: file.__setitem__(line // 2, file[line // 2] ^ 1),
        "sealed": lambda: file.__setitem__(line + 40, file[line + 40] ^ 1),
        "cut": lambda: file.__delitem__(slice(-9, None)),
        "empty": file.clear,
        "text": lambda: file.__setitem__(slice(None), b"not ours\nat all"),
    }
    changed[where]()
    with pytest.raises(SealedFileError):
        take(cloud, bytes(file))
    assert held(cloud) == []


def test_a_device_nobody_enrolled_is_refused(cloud, card, outbox, device):
    with pytest.raises(UnknownDeviceError):
        take(cloud, export(outbox, device, SOFTWARE, card).file)
    with pytest.raises(EnrolmentRefusedError):
        take(cloud, export(outbox, device, SOFTWARE, card, code="AAAA-BBBB-CCCC-DDDD").file)
    assert held(cloud) == []


def test_somebody_else_with_the_devices_name_is_refused(cloud, card, outbox, device):
    take(cloud, export(outbox, device, SOFTWARE, card, code=a_code(cloud)).file)
    from dataclasses import replace

    stranger = replace(an_identity(), device_id=device.device_id)
    with pytest.raises(SealedSignatureError):
        take(cloud, export(outbox, stranger, SOFTWARE, card).file)


def test_only_this_clouds_answer_to_this_device_is_believed(cloud, card, outbox, device, tmp_path):
    taken = take(cloud, export(outbox, device, SOFTWARE, card, code=a_code(cloud)).file)
    other_card = cloud_usb.card_of(CloudSettings(data=tmp_path / "other"))
    with pytest.raises(SealedSignatureError):
        settle(taken.file, outbox, device, other_card)
    with pytest.raises(SealedFileError, match="another device"):
        settle(taken.file, outbox, an_identity(), card)
    forged = taken.file.replace(b'"stored"', b'"rejected"', 1)
    with pytest.raises(SealedSignatureError):
        settle(forged, outbox, device, card)
    assert outbox.counts().pending == 3


@pytest.fixture
def sticks(tmp_path, monkeypatch, outbox, device):
    """Run `vereda sync` on a clinic in memory; the clinic lets records leave on sticks."""
    from desktop.terminal import sync_files

    home = tmp_path / "home"
    home.mkdir()
    (home / "vereda.toml").write_text("AllowUsbExport = true\n")
    monkeypatch.setenv("VEREDA_HOME", str(home))
    side = ClinicSide(outbox=outbox, identity=device, software=lambda: SOFTWARE)
    return lambda *asked: sync_files.main([str(a) for a in asked], clinic=lambda: side)


def test_both_commands_carry_a_stick_there_and_back(sticks, cloud, tmp_path, outbox, capsys):
    there = ["--data", str(cloud.data)]
    stick, card = tmp_path / "stick", tmp_path / "card.json"
    assert cloud_command.main([*there, "--usb-card", str(card)]) == 0
    assert sticks("export", stick, "--card", card, "--enrol", a_code(cloud)) == 0
    assert cloud_command.main([*there, "--usb-in", str(stick)]) == 0
    assert sticks("import", f"{stick}.receipt", "--card", card) == 0
    assert outbox.counts() == OutboxCounts(pending=0, quarantined=0, acknowledged=3)
    assert "3 stored" in capsys.readouterr().out


def test_a_clinic_that_forbids_sticks_writes_none(sticks, tmp_path, monkeypatch, cloud, capsys):
    (tmp_path / "home" / "vereda.toml").write_text("")
    card = tmp_path / "card.json"
    card.write_bytes(cloud_usb.card_of(cloud).wire_bytes())
    assert sticks("export", tmp_path / "stick", "--card", card) == 2
    assert "AllowUsbExport" in capsys.readouterr().err
    assert not (tmp_path / "stick").exists()


def test_a_file_that_is_no_answer_is_told_and_changes_nothing(sticks, tmp_path, cloud, outbox):
    card = tmp_path / "card.json"
    card.write_bytes(cloud_usb.card_of(cloud).wire_bytes())
    (tmp_path / "answer").write_text("hello")
    assert sticks("import", tmp_path / "answer", "--card", card) == 2
    assert sticks("import", tmp_path / "nowhere", "--card", card) == 2
    assert outbox.counts().pending == 3


def test_epochs_stay_apart_in_a_file(cloud, card, outbox, device):
    outbox.epoch = 2
    outbox.add(a_diagnosis(), EventKind.DIAGNOSIS)
    take(cloud, export(outbox, device, SOFTWARE, card, code=a_code(cloud)).file)
    assert [(e.epoch, e.sequence) for e in held(cloud)] == [(1, 1), (1, 2), (1, 3), (2, 1)]
