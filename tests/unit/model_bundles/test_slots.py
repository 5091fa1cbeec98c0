import json

import pytest
from support.bundle_workshop import BundleWorkshop, small_members

from ddx.domain import artifacts
from ddx.domain.canonical import canonical_json
from model_bundles.errors import (
    BundleRejectedError,
    BundleRollbackError,
    BundleStateError,
    BundleTamperedError,
    NoSuchReleaseError,
)
from model_bundles.slots import Slots
from model_bundles.verify import open_verified


@pytest.fixture
def client(workshop, tmp_path):
    return workshop.client(tmp_path / "device")


def test_a_new_device_has_no_active_bundle(slots):
    assert (slots.active(), slots.previous(), slots.staged()) == (None, None, None)
    with pytest.raises(NoSuchReleaseError):
        slots.activate()
    with pytest.raises(NoSuchReleaseError):
        slots.rollback()


def test_a_staged_release_does_not_serve_before_it_is_activated(workshop, slots, client):
    workshop.publish("2026.11.1")
    workshop.install(slots)
    workshop.publish("2026.11.2")
    staged = client.fetch(client.offered(), slots)
    assert (staged.version, slots.active().version) == ("2026.11.2", "2026.11.1")
    assert slots.activate().version == "2026.11.2"
    assert slots.active().version == "2026.11.2"
    assert slots.previous().version == "2026.11.1"
    assert slots.staged() is None


def test_the_active_release_survives_a_restart(workshop, slots, tmp_path):
    workshop.publish("2026.11.1")
    workshop.install(slots)
    again = Slots(tmp_path / "slots", workshop.trust)
    assert {n: again.active().read(n) for n in again.active().members} == small_members()


def test_an_installed_release_opens_by_its_folder_too(workshop, slots, tmp_path):
    workshop.publish("2026.11.1")
    workshop.install(slots)
    (folder,) = (tmp_path / "slots" / "releases").iterdir()
    assert open_verified(folder, workshop.trust).digest == slots.active().digest


def test_older_bundle_is_refused_and_the_active_one_keeps_serving(workshop, slots, client):
    workshop.publish("2026.11.6")
    workshop.publish("2026.11.7")
    workshop.install(slots)
    workshop.offer_older("2026.11.6")
    offer = client.offered()
    with pytest.raises(BundleRollbackError) as refusal:
        client.fetch(offer, slots)
    assert (refusal.value.offered, refusal.value.active) == ("2026.11.6", "2026.11.7")
    assert slots.active().version == "2026.11.7"


def test_rollback_serves_the_previous_release_and_keeps_the_floor(workshop, slots, client):
    workshop.publish("2026.11.5")
    workshop.publish("2026.11.6")
    workshop.install(slots)
    workshop.publish("2026.11.7")
    workshop.install(slots)
    assert slots.rollback().version == "2026.11.6"
    assert slots.active().version == "2026.11.6"
    with pytest.raises(NoSuchReleaseError):
        slots.rollback()
    workshop.offer_older("2026.11.5")
    with pytest.raises(BundleRollbackError) as refusal:
        client.fetch(client.offered(), slots)
    assert refusal.value.active == "2026.11.7"


def test_a_release_taken_back_is_not_installed_again_but_the_next_one_is(workshop, slots, client):
    workshop.publish("2026.11.6")
    workshop.install(slots)
    workshop.publish("2026.11.7")
    workshop.install(slots)
    slots.rollback()
    assert client.offered(slots) is None
    with pytest.raises(BundleRejectedError):
        client.fetch(client.offered(), slots)
    workshop.publish("2026.11.8")
    assert client.offered(slots).version == "2026.11.8"
    workshop.install(slots)
    assert slots.active().version == "2026.11.8"


def test_a_staged_release_that_fails_its_self_test_can_be_discarded(workshop, slots, client):
    workshop.publish("2026.11.1")
    client.fetch(client.offered(), slots)
    slots.discard_staged(reject=False)
    assert slots.staged() is None
    client.fetch(client.offered(), slots)
    slots.discard_staged(reject=True)
    slots.discard_staged(reject=True)
    with pytest.raises(BundleRejectedError):
        client.fetch(client.offered(), slots)


def test_the_same_version_with_another_content_is_refused(tmp_path):
    ours = BundleWorkshop(tmp_path / "ours")
    before = ours.keep()
    ours.publish("2026.11.1")
    slots = ours.slots(tmp_path / "slots")
    ours.install(slots)
    ours.replay(before)
    ours.publish("2026.11.1", small_members(common=b"another"))
    fresh_client = ours.client(tmp_path / "other-state")
    with pytest.raises(BundleRollbackError):
        fresh_client.fetch(fresh_client.offered(), slots)


def test_staging_what_is_active_changes_nothing(workshop, slots, client):
    workshop.publish("2026.11.1")
    workshop.install(slots)
    assert client.fetch(client.offered(), slots).version == "2026.11.1"
    assert slots.staged() is None


def test_blobs_no_release_needs_are_swept(workshop, slots, client, tmp_path):
    for number in range(1, 5):
        workshop.publish(f"2026.11.{number}", small_members(common=b"%d" % number))
        workshop.install(slots)
    workshop.publish("2026.11.5")
    client.fetch(client.offered(), slots)
    releases = (slots.active(), slots.previous(), slots.staged())
    kept = frozenset().union(*(release.stored_names for release in releases))
    whole = {name for name in kept if not name.endswith(".raw")}
    assert {p.name for p in (tmp_path / "slots" / "blobs").iterdir()} == whole
    assert len(list((tmp_path / "slots" / "releases").iterdir())) == 3


def test_a_damaged_pointer_is_named_as_such(workshop, slots, tmp_path):
    workshop.publish("2026.11.1")
    workshop.install(slots)
    (tmp_path / "slots" / "pointer.json").write_bytes(b'{"active":')
    with pytest.raises(BundleStateError):
        slots.active()


def test_a_pointer_cannot_lead_out_of_the_slots(workshop, slots, tmp_path):
    workshop.publish("2026.11.1")
    workshop.install(slots)
    pointer = tmp_path / "slots" / "pointer.json"
    raw = json.loads(pointer.read_bytes())
    raw["active"]["version"] = "../../publisher/repository"
    pointer.write_bytes(canonical_json(raw))
    with pytest.raises(BundleStateError):
        slots.active()


def test_a_release_folder_that_holds_another_release_does_not_serve(workshop, slots, tmp_path):
    workshop.publish("2026.11.1")
    workshop.install(slots)
    workshop.publish("2026.11.2")
    workshop.install(slots)
    older, newer = sorted((tmp_path / "slots" / "releases").iterdir())
    (newer / "release.json").write_bytes((older / "release.json").read_bytes())
    with pytest.raises(BundleStateError):
        slots.active()


def test_a_damaged_floor_stops_installing_but_not_serving(workshop, slots, client, tmp_path):
    workshop.publish("2026.11.1")
    workshop.install(slots)
    (tmp_path / "slots" / "floors.json").write_bytes(b"")
    workshop.publish("2026.11.2")
    with pytest.raises(BundleStateError):
        client.fetch(client.offered(), slots)
    assert slots.active().version == "2026.11.1"


def test_a_damaged_blob_is_refused_when_read_and_mended_by_the_next_fetch(
    workshop, slots, client, tmp_path
):
    workshop.publish("2026.11.1")
    workshop.install(slots)
    blobs = tmp_path / "slots" / "blobs"
    for blob in blobs.iterdir():
        if blob.name != slots.active_release().digest:
            blob.write_bytes(bytes(blob.stat().st_size))
    with pytest.raises(BundleTamperedError):
        slots.active().read(artifacts.COMMON_MODEL)
    workshop.publish("2026.11.2")
    workshop.install(slots)
    assert slots.active().read(artifacts.COMMON_MODEL) == small_members()[artifacts.COMMON_MODEL]


def test_nothing_below_what_the_application_ships_is_staged(workshop, slots, client):
    workshop.publish("2026.11.1")
    slots.never_below("2026.12.0")
    slots.never_below("2026.11.5")
    with pytest.raises(BundleRollbackError):
        client.fetch(client.offered(), slots)
