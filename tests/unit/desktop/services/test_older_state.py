"""A device as the application before this one left it updates cleanly.

That application kept the slots' pointer and floors, the client's metadata and floors, and no
floors in the store; it knew no orders, no health, no time and no partials.
"""

import json
from shutil import copytree

import pytest
from support.bundle_workshop import SMALL_POLICY, BundleWorkshop
from support.cloud_server import cloud_in_thread
from support.tiny_engine import TinyEngine, tiny_members

from desktop.services.floors import StoreFloors
from desktop.services.shelf import DeviceShelf
from model_bundles.client import BundleClient
from model_bundles.floors import FileFloors
from model_bundles.local import LOCAL, LocalFetcher
from model_bundles.slots import Slots
from model_bundles.verify import open_verified

OLD_POLICY = {role: how for role, how in SMALL_POLICY.items() if role != "safety"}
KNOWN_BEFORE = {"bundle", "root", "targets", "models", "timestamp"}


@pytest.fixture
def workshop(tmp_path):
    """A repository of before: nobody but `models` is delegated to."""
    workshop = BundleWorkshop(tmp_path / "publisher", OLD_POLICY)
    workshop.publish("2026.11.1", tiny_members())
    return workshop


@pytest.fixture
def shelf(tmp_path, workshop):
    folder = copytree(workshop.repository, tmp_path / "shipped")
    workshop.publish("2026.11.2", tiny_members())
    slots = Slots(tmp_path / "bundles", workshop.trust)
    client = BundleClient(
        workshop.trust, tmp_path / "bundle-client", LOCAL, LocalFetcher(workshop.repository)
    )
    client.fetch(client.offered(slots), slots)
    slots.activate()
    _as_it_was(tmp_path)
    return DeviceShelf(
        tmp_path,
        TinyEngine.from_artifacts,
        trust=workshop.trust,
        open_embedded=lambda: open_verified(folder, workshop.trust),
    )


def _as_it_was(data_dir):
    for folder in ("bundles", "bundle-client"):
        path = data_dir / folder / "floors.json"
        floors = json.loads(path.read_bytes())["floors"]
        known = {n: v for n, v in floors.items() if n.partition("@")[0] in KNOWN_BEFORE}
        path.unlink()
        FileFloors(path).replace({name: tuple(version) for name, version in known.items()})
    for added in ("bundles/orders.json", "bundles/health.json"):
        (data_dir / added).unlink(missing_ok=True)
    assert {p.name for p in (data_dir / "bundles").iterdir()} == {
        "blobs",
        "floors.json",
        "pointer.json",
        "releases",
        "slots.lock",
    }


def test_a_device_of_before_serves_updates_and_remembers_more(session, shelf, workshop, tmp_path):
    assert (shelf.status.version, shelf.refused) == ("2026.11.2", ())
    kept = StoreFloors(session._desk.store)
    before = kept.read()  # at sign-in, from the files
    assert before["bundle"] == (2026, 11, 2)
    assert "time" not in before
    root = tmp_path / "root.json"
    root.write_bytes(workshop.trust.root)
    workshop.publish("2026.11.3", tiny_members())
    with cloud_in_thread(tmp_path / "cloud", repository=workshop.repository, root=root) as cloud:
        session.sync.link(cloud.url, cloud.code())
        assert session.models.update().result == "activated"
    assert shelf.status.version == "2026.11.3"
    assert kept.read()["bundle"] == (2026, 11, 3)
    assert "time" in kept.read()
    assert Slots(tmp_path / "bundles", workshop.trust).previous_release().version == "2026.11.2"
