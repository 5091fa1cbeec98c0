"""The default bundle is published twice over the same files: for the network and for sticks."""

import os
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from support.tiny_engine import TinyEngine, tiny_members
from tuf.api.metadata import Metadata, Targets

from desktop.services.engines import BundleMemory
from desktop.services.shelf import DeviceShelf
from desktop.terminal import bundle as command
from model_bundles import embedded, stick
from model_bundles.authoring.build import build_bundle
from model_bundles.authoring.keys import KeyRing
from model_bundles.authoring.repository import Repository
from model_bundles.errors import BundleError, BundleExpiredError
from model_bundles.floors import FileFloors
from model_bundles.verify import Trust, open_verified
from training.pipelines.release import publish_default, republish

SHIPPED, CARRIED = "2026.10.1", "2026.11.1"


class Kept(FileFloors):
    """A device's memory that has never heard of any orders."""

    def orders(self):
        return None

    def keep_orders(self, content):
        raise AssertionError("nobody gave orders here")


@pytest.fixture(autouse=True)
def _no_waiting_for_the_platter(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture
def published(tmp_path):
    """Publish CARRIED as the default bundle, so many days ago; return its folder."""

    def publish(days_ago):
        at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=days_ago)
        default = tmp_path / f"default-{days_ago}"
        publish_default(build_bundle(tiny_members(), CARRIED, at), tmp_path / "keys", at, default)
        return default

    return publish


@pytest.fixture
def update(tmp_path):
    """Update a device that trusts `default`'s roots from a folder with a stick's repository."""

    def update(default, folder):
        built = datetime.now(UTC) - timedelta(days=300)
        older = Repository(tmp_path / "older", KeyRing.ready(tmp_path / "older-keys"))
        root = older.initialise(built)
        older.publish(build_bundle(tiny_members(), SHIPPED, built), at=built)
        shelf = DeviceShelf(
            tmp_path / "device",
            TinyEngine.from_artifacts,
            trust=embedded.embedded_trust(default),
            open_embedded=lambda: open_verified(tmp_path / "older", root),
        )
        memory = BundleMemory("a" * 32, Kept(tmp_path / "kept.json"))
        return shelf.update_from(folder, memory), shelf.status.version

    return update


def whole(default, folder):
    """Put the repository for sticks on a stick as it is, unchecked: as found in a drawer."""
    shutil.copytree(default / "sticks", folder / stick.FOLDER)
    shutil.copytree(default / "repository" / "targets", folder / stick.FOLDER / "targets")
    return folder


def usual(default, folder):
    """Put the usual repository on a stick, unchecked."""
    shutil.copytree(default / "repository", folder / stick.FOLDER)
    return folder


def test_a_stick_of_100_days_installs(published, update, tmp_path):
    default, usb = published(100), tmp_path / "usb"
    usb.mkdir()
    stick.export(
        default / "repository",
        usb,
        embedded.embedded_trust(default),
        metadata=embedded.stick_metadata(default),
    )
    report, serving = update(default, usb)
    assert (report.result, report.version, serving) == ("activated", CARRIED, CARRIED)


def test_a_stick_of_200_days_is_refused_and_not_even_written(published, update, tmp_path):
    default, usb = published(200), tmp_path / "usb"
    usb.mkdir()
    with pytest.raises(BundleExpiredError):
        stick.export(
            default / "repository",
            usb,
            embedded.embedded_trust(default),
            metadata=embedded.stick_metadata(default),
        )
    report, serving = update(default, whole(default, usb))
    assert (report.result, report.code, serving) == ("refused", "bundle.expired", SHIPPED)


def test_the_usual_repository_on_a_stick_is_fresh_for_three_days_only(published, update, tmp_path):
    default = published(100)
    report, serving = update(default, usual(default, tmp_path / "usb"))
    assert (report.result, report.code, serving) == ("refused", "bundle.expired", SHIPPED)


def test_a_stick_means_nothing_to_an_application_without_its_root(published, tmp_path):
    default = published(1)
    folder = whole(default, tmp_path / "usb")
    with pytest.raises(BundleError):
        open_verified(folder / stick.FOLDER, Trust(embedded.embedded_trust(default).root))


def test_root_models_and_safety_are_the_same_people_and_the_rest_are_not(published):
    default = published(0)
    trust = embedded.embedded_trust(default)
    usual, offline = (Metadata.from_bytes(root).signed for root in (trust.root, trust.offline))

    def keys(root, role):
        return set(root.roles[role].keyids)

    assert keys(usual, "root") == keys(offline, "root")
    for role in ("targets", "snapshot", "timestamp"):
        assert not keys(usual, role) & keys(offline, role)
    folders = (default / "repository" / "metadata", default / "sticks" / "metadata")
    delegated = [
        Metadata[Targets].from_file(str(folder / "1.targets.json")).signed.delegations.roles
        for folder in folders
    ]
    for role in ("models", "safety"):
        assert delegated[0][role].keyids == delegated[1][role].keyids
    assert (folders[0] / "2.models.json").read_bytes() == (
        folders[1] / "2.models.json"
    ).read_bytes()
    assert [p.name for p in (default / "sticks").iterdir()] == ["metadata"]


def test_signing_anew_keeps_the_release_and_makes_both_repositories_fresh(published, tmp_path):
    default = published(200)
    before = open_verified(default / "repository", embedded.embedded_trust(default))
    roots = embedded.embedded_trust(default)
    keys = sorted((tmp_path / "keys").rglob("*.pem"))
    after = republish(tmp_path / "keys", default=default)
    assert after.release == before.release
    assert sorted((tmp_path / "keys").rglob("*.pem")) == keys
    trust = embedded.embedded_trust(default)
    assert trust.root != roots.root
    assert trust.offline != roots.offline
    for folder in (default / "repository", default / "sticks"):
        head = Metadata.from_file(str(folder / "metadata" / "timestamp.json")).signed
        assert head.expires > datetime.now(UTC)
    usb = tmp_path / "usb"
    usb.mkdir()
    carried = stick.export(
        default / "repository", usb, trust, metadata=embedded.stick_metadata(default)
    )
    assert carried.release == before.release


def test_a_default_bundle_from_before_sticks_is_signed_anew_with_one(published, tmp_path):
    default = published(1)
    shutil.rmtree(default / "sticks")
    (default / "trust" / "offline_root.json").unlink()
    republish(tmp_path / "keys", default=default)
    assert embedded.stick_metadata(default) is not None
    assert embedded.embedded_trust(default).offline is not None


def test_a_damaged_default_bundle_is_not_signed_anew(published, tmp_path):
    default = published(1)
    member = next((default / "repository" / "targets").rglob("*.common.onnx.zst"))
    member.write_bytes(member.read_bytes()[:-1] + b"\0")
    before = sorted((p, p.stat().st_mtime_ns) for p in default.rglob("*"))
    with pytest.raises(BundleError):
        republish(tmp_path / "keys", default=default)
    assert sorted((p, p.stat().st_mtime_ns) for p in default.rglob("*")) == before


def test_export_without_from_carries_what_ships(published, tmp_path, monkeypatch, capsys):
    default, usb = published(1), tmp_path / "usb"
    usb.mkdir()
    monkeypatch.setattr(embedded, "default_repository", lambda: default / "repository")
    more = {
        "trust": lambda: embedded.embedded_trust(default),
        "stick_metadata": lambda: embedded.stick_metadata(default),
    }
    assert command.main(["export", str(usb), "--lang", "en"], **more) == 0
    head = Metadata.from_file(str(usb / stick.FOLDER / "metadata" / "timestamp.json")).signed
    assert head.expires > datetime.now(UTC) + timedelta(days=178)
    shutil.rmtree(default / "sticks")
    assert command.main(["export", str(usb), "--lang", "en"], **more) == 2
    assert "--from" in capsys.readouterr().err
