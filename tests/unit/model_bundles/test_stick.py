"""A repository carried by hand."""

import os
import shutil
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.bundle_workshop import SMALL_POLICY, small_members

from model_bundles import stick
from model_bundles.authoring.ceremony import mirror
from model_bundles.authoring.keys import KeyRing, RolePolicy
from model_bundles.authoring.repository import Repository
from model_bundles.errors import (
    BundleError,
    BundleExpiredError,
    BundleMalformedError,
    BundleTamperedError,
)
from model_bundles.slots import Slots
from model_bundles.verify import Trust


@pytest.fixture
def usb(tmp_path):
    (tmp_path / "usb").mkdir()
    return tmp_path / "usb"


def bring(folder, slots, trust, state):
    client = stick.client_of(folder, trust, state)
    offer = client.offered(slots)
    if offer is None:
        return None
    client.fetch(offer, slots)
    return slots.activate()


@pytest.fixture
def carried(workshop, usb):
    """A stick with 2026.11.1."""
    workshop.publish("2026.11.1")
    stick.export(workshop.repository, usb, workshop.trust)
    return usb


def test_what_is_carried_is_what_the_channel_offers_and_no_more(workshop, usb, slots, tmp_path):
    workshop.publish("2026.11.1")
    newer = workshop.publish("2026.11.2", small_members(common=b"newer"))
    bundle = stick.export(workshop.repository, usb, workshop.trust)
    assert bundle.digest == newer.digest
    assert not list(usb.glob("**/2026.11.1/**/*"))
    assert [path.name for path in usb.iterdir()] == ["vereda-bundles"]
    assert bring(usb, slots, workshop.trust, tmp_path / "device").digest == newer.digest
    assert bring(usb, slots, workshop.trust, tmp_path / "device") is None


def test_every_account_may_read_a_stick(carried):
    modes = {stat.S_IMODE(path.stat().st_mode) for path in carried.rglob("*")}
    assert modes == {0o755, 0o644}


def test_a_second_export_replaces_the_first(workshop, carried):
    workshop.publish("2026.11.2")
    assert stick.export(workshop.repository, carried, workshop.trust).version == "2026.11.2"
    assert [path.name for path in carried.iterdir()] == ["vereda-bundles"]


def test_what_would_be_refused_at_the_clinic_is_not_carried_there(workshop, usb):
    workshop.publish("2026.11.1")
    workshop.expire()
    with pytest.raises(BundleExpiredError):
        stick.export(workshop.repository, usb, workshop.trust)
    assert list(usb.iterdir()) == []


def test_a_stick_from_a_stranger_is_refused_and_the_active_bundle_serves(
    workshop, slots, carried, tmp_path
):
    from support.bundle_workshop import BundleWorkshop

    bring(carried, slots, workshop.trust, tmp_path / "device")
    stranger = BundleWorkshop(tmp_path / "stranger")
    stranger.publish("2099.1.1")
    (tmp_path / "other").mkdir()
    stick.export(stranger.repository, tmp_path / "other", stranger.trust)
    with pytest.raises(BundleTamperedError):
        bring(tmp_path / "other", slots, workshop.trust, tmp_path / "device")
    assert slots.active().version == "2026.11.1"


def test_an_older_stick_is_refused(workshop, slots, carried, tmp_path):
    workshop.publish("2026.11.2")
    workshop.install(slots, tmp_path / "device")
    with pytest.raises(BundleError):
        bring(carried, slots, workshop.trust, tmp_path / "device")
    assert slots.active().version == "2026.11.2"


def swapped(repository: Path, outside: Path) -> Path:
    """Return one target of the stick, its bytes moved `outside`."""
    target = next((repository / "targets").glob("*/models/*.common.onnx.zst"))
    shutil.move(target, outside)
    return target


@pytest.mark.parametrize("link", ["symlink", "hard link", "symlinked folder", "fifo"])
def test_a_stick_with_anything_but_plain_files_is_refused_before_it_is_read(
    workshop, slots, carried, tmp_path, link
):
    """Even where what the link leads to has the right bytes."""
    repository = carried / stick.FOLDER
    target = swapped(repository, tmp_path / "outside")
    match link:
        case "symlink":
            target.symlink_to(tmp_path / "outside")
        case "hard link":
            target.hardlink_to(tmp_path / "outside")
        case "fifo":
            os.mkfifo(target)
        case _:
            shutil.copy(tmp_path / "outside", target)
            shutil.move(target.parent, tmp_path / "folder")
            target.parent.symlink_to(tmp_path / "folder")
    with pytest.raises(BundleTamperedError, match="link"):
        bring(carried, slots, workshop.trust, tmp_path / "device")
    assert slots.active() is None


def test_a_target_swapped_for_another_is_refused(workshop, slots, carried, tmp_path):
    target = swapped(carried / stick.FOLDER, tmp_path / "outside")
    target.write_bytes(bytes((tmp_path / "outside").stat().st_size))
    with pytest.raises(BundleTamperedError):
        bring(carried, slots, workshop.trust, tmp_path / "device")
    assert slots.active() is None


def test_a_folder_without_bundles_says_what_to_look_for(workshop, tmp_path):
    with pytest.raises(BundleMalformedError, match="vereda-bundles"):
        stick.client_of(tmp_path, workshop.trust, tmp_path / "device")


def test_a_stick_with_endless_files_is_not_walked_for_ever(carried, monkeypatch):
    monkeypatch.setattr(stick, "MAX_ENTRIES", 10)
    with pytest.raises(BundleTamperedError, match="more than 10"):
        stick.repository_on(carried)


class Offline:
    """A repository for sticks: its own targets, snapshot, timestamp; the same models keys."""

    def __init__(self, workshop, folder: Path) -> None:
        fresh = KeyRing.generate(
            folder / "keys",
            {role: SMALL_POLICY[role] for role in ("targets", "snapshot", "timestamp")},
        )
        own = {role: fresh.signers(role) for role in ("targets", "snapshot", "timestamp")}
        same = {role: workshop.keys.signers(role) for role in ("root", "models", "safety")}
        days = {role: RolePolicy(h.keys, h.threshold, 180) for role, h in SMALL_POLICY.items()}
        self.writer = Repository(folder / "repository", KeyRing(own | same), days)
        self.first = self.writer.initialise
        self.trust = Trust(workshop.trust.root, self.first().root)

    def take(self, workshop, at=None) -> None:
        mirror(workshop.writer, self.writer, at)


@pytest.fixture
def offline(workshop, tmp_path):
    return Offline(workshop, tmp_path / "offline")


def test_the_repository_for_sticks_installs_beside_the_usual_one(workshop, offline, usb, tmp_path):
    """Expired online, fresh on the stick; then online again; each serves by its own signatures."""
    slots = Slots(tmp_path / "both", offline.trust)
    workshop.publish("2026.11.1")
    workshop.install(slots, tmp_path / "device")
    workshop.publish("2026.11.2")
    offline.take(workshop)
    workshop.expire()
    stick.export(offline.writer.directory, usb, offline.trust)
    assert bring(usb, slots, offline.trust, tmp_path / "device").version == "2026.11.2"
    again = Slots(tmp_path / "both", offline.trust)
    again.active().check_every_member()
    assert again.previous().version == "2026.11.1"
    workshop.publish("2026.11.3")
    assert workshop.install(again, tmp_path / "device").version == "2026.11.3"


def test_a_device_without_the_root_for_sticks_refuses_them(workshop, offline, usb, tmp_path):
    workshop.publish("2026.11.1")
    offline.take(workshop)
    stick.export(offline.writer.directory, usb, offline.trust)
    with pytest.raises(BundleTamperedError):
        bring(usb, workshop.slots(tmp_path / "s"), workshop.trust, tmp_path / "device")


def test_a_stick_is_out_of_date_after_its_180_days(workshop, offline, usb, tmp_path):
    workshop.publish("2026.11.1")
    offline.take(workshop, datetime.now(UTC) - timedelta(days=181))
    with pytest.raises(BundleExpiredError):
        stick.export(offline.writer.directory, usb, offline.trust)
