"""Sync and updates from the clinic's side, against a real cloud on loopback."""

import json
import socket
import threading
from random import Random
from shutil import copytree

import pytest
from support.bundle_workshop import BundleWorkshop
from support.cloud_server import cloud_in_thread
from support.courses import ended_at_call, ended_once
from support.sync_records import a_refusal
from support.tiny_engine import TinyEngine, tiny_members

from ddx.domain.audit import AuditAction
from ddx.domain.course import Course, StoppedError
from ddx.domain.feedback import Verb
from ddx.domain.identifiers import DiseaseId
from desktop.services import link
from desktop.services.clinic import Clinic
from desktop.services.link import StoreLedger
from desktop.services.organisation import KEPT
from desktop.services.records import SyncPhase
from desktop.services.shelf import DeviceShelf
from model_bundles.verify import open_verified
from sync_service.client.errors import (
    EnrolmentCodeError,
    ServerAddressError,
    ServerRefusedError,
    ServerUnreachableError,
)
from sync_service.client.meter import LinkCost
from sync_service.client.outbox import EventKind

FLU = DiseaseId("VD:influenza")


@pytest.fixture
def workshop(tmp_path):
    workshop = BundleWorkshop(tmp_path / "publisher")
    workshop.publish("2026.11.1", tiny_members())
    return workshop


@pytest.fixture
def embedded(workshop, tmp_path):
    """What shipped with the application: the repository as it was when the test began."""
    folder = copytree(workshop.repository, tmp_path / "embedded")
    return lambda: open_verified(folder, workshop.trust)


@pytest.fixture
def shelf(tmp_path, workshop, embedded):
    return DeviceShelf(
        tmp_path, TinyEngine.from_artifacts, trust=workshop.trust, open_embedded=embedded
    )


@pytest.fixture
def cloud(tmp_path, workshop):
    root = tmp_path / "root.json"
    root.write_bytes(workshop.trust.root)
    with cloud_in_thread(tmp_path / "cloud", repository=workshop.repository, root=root) as cloud:
        yield cloud


@pytest.fixture
def linked(session, cloud):
    session.sync.link(cloud.url, cloud.code())
    return session


def test_a_clinic_without_a_server_says_so_and_works_on(session, diagnosed):
    assert session.sync.run_once().phase is SyncPhase.NOT_LINKED
    assert session.sync.status().pending == 2
    assert session.models.update().result == "not_linked"


def test_a_visit_goes_up_once_and_is_acknowledged_by_the_server(linked, cloud, diagnosed):
    linked.decisions.record(diagnosed.id, Verb.AGREE, FLU)
    before = linked.sync.status()
    assert (before.phase, before.pending) == (SyncPhase.IDLE, 4)
    after = linked.sync.run_once()
    assert (after.phase, after.pending, after.quarantined) == (SyncPhase.IDLE, 0, 0)
    assert after.acknowledged == 4
    assert after.last_contact_at is not None
    assert linked.sync.run_once().acknowledged == 4


def test_a_sync_is_audited_and_causes_no_further_sync(linked, diagnosed, entries):
    linked.sync.run_once()
    last = entries(linked)[-1]
    assert (last.action, last.detail["refused"]) == (AuditAction.SYNCED, 0)
    settled = linked.sync.run_once()
    assert settled.pending == 0
    assert entries(linked)[-1] == last


def test_the_link_and_the_last_contact_survive_a_new_session(clinic, linked, cloud, diagnosed):
    linked.sync.run_once()
    contact = linked.sync.status().last_contact_at
    linked.close()
    again = clinic.sign_in(clinic.clinicians()[0].id, "llama del altiplano")
    status = again.sync.status()
    assert (status.server, status.last_contact_at) == (cloud.url, contact)
    assert again.sync.run_once().phase is SyncPhase.IDLE
    again.close()


def test_a_server_that_is_gone_is_a_phase_and_nothing_is_lost(tmp_path, session, diagnosed, clock):
    with cloud_in_thread(tmp_path / "cloud") as cloud:
        session.sync.link(cloud.url, cloud.code())
    gone = session.sync.run_once()
    assert gone.phase is SyncPhase.OFFLINE
    assert gone.pending >= 2
    assert gone.acknowledged == 0
    outcome = session.models.update()
    assert (outcome.result, outcome.code) == ("offline", "bundle.offline")


@pytest.mark.parametrize(
    ("address", "code", "error"),
    [
        ("http://nube.example", "AAAA-AAAA-AAAA-AAAA", ServerAddressError),
        ("http://127.0.0.1:9", "AAAA-AAAA-AAAA-AAAA", ServerUnreachableError),
        ("http://127.0.0.1:9", "nope", EnrolmentCodeError),
    ],
)
def test_a_link_that_fails_changes_nothing(session, entries, address, code, error):
    before = entries(session)
    with pytest.raises(error):
        session.sync.link(address, code)
    assert session.sync.status().phase is SyncPhase.NOT_LINKED
    assert entries(session) == before


def test_a_used_code_leaves_the_old_link_standing(linked, cloud, tmp_path, diagnosed):
    with pytest.raises(ServerRefusedError):
        linked.sync.link(cloud.url, "AAAA-AAAA-AAAA-AAAA")
    assert linked.sync.run_once().phase is SyncPhase.IDLE
    assert linked.sync.status().pending == 0


def test_a_newer_bundle_is_installed_served_and_audited(linked, workshop, diagnosed, entries):
    assert linked.models.status().source == "default"
    assert linked.models.update().result == "up_to_date"
    workshop.publish("2026.12.1", tiny_members())
    outcome = linked.models.update()
    assert (outcome.result, outcome.version, outcome.code) == ("activated", "2026.12.1", None)
    status = linked.models.status()
    assert (status.version, status.source) == ("2026.12.1", "slot")
    last = entries(linked)[-1]
    assert (last.action, last.subject) == (AuditAction.BUNDLE_ACTIVATED, status.digest)
    # the visit of the old bundle is still explained and replayed by the old bundle
    assert linked.visits.explain(diagnosed.id, FLU).speaks_for
    assert linked.visits.replay(diagnosed.id).identical


def test_a_bundle_that_fails_its_self_test_is_refused_and_the_active_one_serves(
    linked, workshop, shelf, entries
):
    before = shelf.status
    case = {"age_days": 1, "sex": "male", "findings": []}
    golden = json.dumps([{"case": case, "differential": {"top": [["VD:influenza", 0.99]]}}])
    workshop.publish("2027.1.1", tiny_members() | {"golden/cases.json": golden.encode()})
    outcome = linked.models.update()
    assert (outcome.result, outcome.code) == ("refused", "bundle.self_test_failed")
    assert linked.models.status() == before
    assert entries(linked)[-1].action is AuditAction.BUNDLE_REFUSED


@pytest.fixture
def on_a_paid_link(session, cloud, monkeypatch):
    """A clinic that lets everything pass and has 400 KB a day, over a link paid by the byte."""
    monkeypatch.setattr(link, "link_cost", lambda _who: lambda: LinkCost.PAID)
    with session.sync._desk.store.write() as unit:
        unit.settings.put(KEPT, {"MeteredPolicy": "allow", "DailyByteBudget": 400_000})
    session.sync.link(cloud.url, cloud.code())
    return session


def test_records_and_bundles_of_a_day_spend_one_ledger(on_a_paid_link, workshop, diagnosed):
    ledger = StoreLedger(on_a_paid_link.sync._desk.store)
    day = on_a_paid_link.sync._desk.now().date().isoformat()
    introduced = ledger.spent(day)
    on_a_paid_link.sync.run_once()
    pushed = ledger.spent(day)
    assert pushed > introduced > 0
    workshop.publish("2027.3.1", tiny_members())
    assert on_a_paid_link.models.update().result == "activated"
    brought = ledger.spent(day)
    assert brought > pushed
    ledger.add(day, 300_000 - brought)  # a quarter of the day is for records
    workshop.publish("2027.4.1", tiny_members())
    outcome = on_a_paid_link.models.update()
    assert (outcome.result, outcome.code) == ("postponed", "bundle.budget")
    assert on_a_paid_link.sync.run_once().phase is SyncPhase.IDLE
    ledger.add(day, 100_000)
    desk = on_a_paid_link.sync._desk
    with desk.store.write() as unit:
        unit.outbox.add(EventKind.FEEDBACK, a_refusal(), desk.now())
    held = on_a_paid_link.sync.run_once()
    assert (held.phase, held.code) == (SyncPhase.HELD, "sync.budget")


def test_the_installed_bundle_serves_again_after_a_restart(
    linked, workshop, embedded, clinic, tmp_path
):
    workshop.publish("2027.2.1", tiny_members())
    linked.models.update()
    again = DeviceShelf(
        tmp_path, TinyEngine.from_artifacts, trust=workshop.trust, open_embedded=embedded
    )
    assert Clinic(tmp_path, again).catalogue.label("HP:0001945")
    assert (again.status.version, again.status.source) == ("2027.2.1", "slot")


def refuse_often(session, count):
    desk = session.sync._desk
    with desk.store.write() as unit:
        for _ in range(count):
            unit.outbox.add(EventKind.FEEDBACK, a_refusal(), desk.now())


def test_a_sync_ended_between_two_batches_keeps_its_receipts_and_goes_on(linked, entries):
    refuse_often(linked, 130)
    waiting = linked.sync.status().pending
    with pytest.raises(StoppedError):
        linked.sync.run_once(ended_once(lambda _settled, waits: waits > 0))
    stopped = linked.sync.status()
    assert (stopped.phase, stopped.quarantined) == (SyncPhase.IDLE, 0)
    assert 0 < stopped.acknowledged < waiting
    told = entries(linked)[-1]
    assert (told.action, told.detail["stored"]) == (AuditAction.SYNCED, stopped.acknowledged)
    after = linked.sync.run_once()
    assert (after.phase, after.pending, after.quarantined) == (SyncPhase.IDLE, 0, 0)


@pytest.fixture
def mute():
    """The address of somebody who takes every connection and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_a_server_that_is_silent_does_not_keep_who_wants_to_end(session, mute, diagnosed):
    with session.sync._desk.store.write() as unit:
        unit.settings.put("sync.server", mute)
    waiting = session.sync.status().pending
    for work in (session.sync.run_once, session.models.update):
        course = Course()
        timer = threading.Timer(0.2, course.stop)
        timer.start()
        if work == session.sync.run_once:
            with pytest.raises(StoppedError):
                work(course)
        else:
            outcome = work(course)
            assert (outcome.result, outcome.code) == ("postponed", StoppedError.code)
        timer.join()
    assert session.sync.status().pending >= waiting


def test_an_update_ended_in_the_middle_keeps_what_came_and_goes_on(linked, workshop, tmp_path):
    heavy = {"models/atlas.onnx": Random(7).randbytes(3_000_000)}
    workshop.publish("2026.12.1", tiny_members() | heavy)
    before = linked.models.status()
    outcome = linked.models.update(ended_once(lambda done, _all: done > 1_000_000))
    assert (outcome.result, outcome.code) == ("postponed", StoppedError.code)
    assert linked.models.status() == before
    (part,) = (tmp_path / "bundle-client" / "partials").glob("*.part")
    kept = part.stat().st_size
    assert 500_000 < kept < 3_000_000
    again = linked.models.update()
    assert (again.result, again.version) == ("activated", "2026.12.1")
    assert linked.models.status().version == "2026.12.1"


def test_an_update_ended_before_its_self_test_serves_after_the_next_run(linked, workshop):
    workshop.publish("2026.12.1", tiny_members())
    outcome = linked.models.update(ended_once(lambda done, total: 0 < done == total))
    assert (outcome.result, outcome.code) == ("postponed", StoppedError.code)
    assert linked.models.status().source == "default"
    course = Course()
    assert linked.models.update(course).result == "activated"
    assert course.in_last_step


def test_a_stick_ended_in_the_middle_is_read_again(linked, workshop, tmp_path):
    workshop.publish("2026.12.1", tiny_members())
    stick = tmp_path / "stick"
    copytree(workshop.repository, stick / "vereda-bundles")
    ended = linked.models.update_from(stick, ended_at_call(2))
    assert (ended.result, ended.code) == ("postponed", StoppedError.code)
    assert linked.models.update_from(stick).result == "activated"
