"""Whatever happens to the bytes: refused with a BundleError, or exactly what was signed."""

import itertools
import json
import random
import shutil
from datetime import UTC, datetime

import pytest
from support.bundle_workshop import CREATED_AT, BundleWorkshop, flip, small_members
from tuf.api.metadata import Metadata, TargetFile

from model_bundles import chain
from model_bundles.compression import pack
from model_bundles.errors import BundleError, BundleRollbackError, BundleTamperedError
from model_bundles.manifest import Release, write_channel, write_manifest
from model_bundles.slots import Slots
from model_bundles.verify import open_verified


def contents(bundle):
    return {name: bundle.read(name) for name in bundle.members}


def test_one_byte_changed_in_any_file_of_the_repository_is_never_installed_as_something_else(
    workshop, slots, tmp_path
):
    """Every file once: refused and the active bundle serves, or the bytes are the signed ones."""
    workshop.publish("2026.11.1")
    workshop.install(slots, tmp_path / "device")
    newer = small_members(common=b"newer", meta=b"newer too")
    workshop.publish("2026.11.2", newer)
    refused = set()
    for number, path in enumerate(workshop.files()):
        original = path.read_bytes()
        flip(path, offset=len(original) // 2)
        device, copy = tmp_path / f"device-{number}", tmp_path / f"slots-{number}"
        shutil.copytree(tmp_path / "device", device, symlinks=True)
        shutil.copytree(tmp_path / "slots", copy)
        theirs = Slots(copy, workshop.trust)
        try:
            workshop.install(theirs, device)
        except BundleError:
            refused.add(path.name)
            assert contents(theirs.active()) == small_members()
        else:
            assert contents(theirs.active()) == newer
        path.write_bytes(original)
    assert {"timestamp.json", "3.snapshot.json", "3.models.json"} <= refused
    assert {n.split(".", 1)[1] for n in refused} >= {
        "common.onnx.zst",
        "meta.json.zst",
        "stable.json",
    }


def test_200_random_byte_flips_never_give_bytes_nobody_signed(workshop, slots, tmp_path):
    workshop.publish("2026.11.1")
    workshop.install(slots)
    places = [workshop.repository, tmp_path / "slots"]
    files = [
        p for place in places for p in sorted(place.rglob("*")) if p.is_file() and p.stat().st_size
    ]
    chance = random.Random(20261101)
    refused = 0
    for _ in range(200):
        path = chance.choice(files)
        original = path.read_bytes()
        flip(path, offset=chance.randrange(len(original)), mask=1 << chance.randrange(8))
        try:
            if path.is_relative_to(workshop.repository):
                assert contents(workshop.opened()) == small_members()
            else:
                assert contents(slots.active()) == small_members()
        except BundleError:
            refused += 1
        path.write_bytes(original)
    assert refused > 100
    assert contents(slots.active()) == small_members()


def test_a_truncated_file_of_the_active_release_is_refused_wherever_it_is_cut(
    workshop, slots, tmp_path
):
    workshop.publish("2026.11.1")
    workshop.install(slots)
    for path in sorted((tmp_path / "slots").rglob("*")):
        if not path.is_file() or path.name in {"slots.lock", "floors.json", "1.root.json"}:
            continue
        original = path.read_bytes()
        for length in (0, len(original) // 2, len(original) - 1):
            path.write_bytes(original[:length])
            with pytest.raises(BundleError):
                contents(slots.active())
        path.write_bytes(original)


def test_truncated_local_metadata_does_not_make_an_old_repository_acceptable(workshop, tmp_path):
    """python-tuf alone forgets here: its rollback memory is in the files that were cut."""
    workshop.publish("2026.11.1")
    kept = workshop.keep()
    workshop.publish("2026.11.2")
    device = tmp_path / "device"
    assert workshop.client(device).offered().version == "2026.11.2"
    for path in (device / "metadata").rglob("*.json"):
        if not path.is_symlink():
            path.write_bytes(b"")
    workshop.replay(kept)
    with pytest.raises(BundleRollbackError, match="accepted"):
        workshop.client(device).offered()


def test_truncated_local_metadata_heals_with_the_true_repository(workshop, tmp_path):
    workshop.publish("2026.11.1")
    device = tmp_path / "device"
    workshop.client(device).offered()
    for path in (device / "metadata").rglob("*.json"):
        if not path.is_symlink():
            path.write_bytes(path.read_bytes()[:50])
    assert workshop.client(device).offered().version == "2026.11.1"


def test_a_forged_root_planted_in_the_devices_memory_is_passed_over(workshop, tmp_path):
    workshop.publish("2026.11.1")
    stranger = BundleWorkshop(tmp_path / "stranger")
    device = tmp_path / "device"
    workshop.client(device).offered()
    forged = device / "metadata" / "root_history" / "2.root.json"
    forged.write_bytes(stranger.find("metadata/1.root.json").read_bytes())
    assert workshop.client(device).offered().version == "2026.11.1"


def sign_with_targets(workshop, version, stored):
    """Sign arbitrary stored files as a release: what a careless key holder could do."""
    writer = workshop.writer
    models = writer._current("models")
    digest = TargetFile.from_data("m", stored[f"{version}/manifest.json"], ["sha256"]).hashes[
        "sha256"
    ]
    channel = write_channel("stable", Release(version, digest))
    writer._add(
        models,
        {**stored, "channels/stable.json": channel},
        datetime.now(UTC).replace(microsecond=0),
    )


def stored_files(version, members):
    manifest = write_manifest(members, version=version, created_at=CREATED_AT)
    packed = {f"{version}/{name}.zst": pack(raw) for name, raw in members.items()}
    return {f"{version}/manifest.json": manifest.content, **packed}


@pytest.mark.parametrize("fault", ["bomb", "missing", "another member", "same length", "not zstd"])
def test_a_signed_release_that_does_not_hold_what_it_says_is_refused(workshop, slots, fault):
    workshop.publish("2026.11.1")
    workshop.install(slots)
    stored = stored_files("2026.11.2", small_members())
    path = "2026.11.2/models/common.onnx.zst"
    match fault:
        case "bomb":
            stored[path] = pack(bytes(128 * 2**20))
        case "missing":
            del stored[path]
        case "another member":
            stored[path] = stored["2026.11.2/models/meta.json.zst"]
        case "same length":
            stored[path] = pack(bytes(len(small_members()["models/common.onnx"])))
        case "not zstd":
            stored[path] = b"\x80\x04K*."
    sign_with_targets(workshop, "2026.11.2", stored)
    with pytest.raises(BundleTamperedError):
        workshop.install(slots)
    assert contents(slots.active()) == small_members()


def test_a_manifest_of_another_version_under_this_one_is_refused(workshop):
    stored = stored_files("2026.11.1", small_members())
    renamed = {path.replace("2026.11.1", "2026.11.9"): content for path, content in stored.items()}
    sign_with_targets(workshop, "2026.11.9", renamed)
    with pytest.raises(BundleTamperedError, match="in place of"):
        workshop.opened()


@pytest.mark.parametrize("role", ["root", "targets", "models", "snapshot", "timestamp"])
def test_metadata_signed_under_its_threshold_is_refused(workshop, role):
    workshop.publish("2026.11.1")
    pattern = "metadata/timestamp.json" if role == "timestamp" else f"metadata/*.{role}.json"
    path = workshop.find(pattern)
    raw = json.loads(path.read_bytes())
    raw["signatures"] = raw["signatures"][1:]
    path.write_bytes(json.dumps(raw).encode())
    trust = workshop.trust
    if role == "root":
        trust = type(trust)(path.read_bytes())
    with pytest.raises(BundleTamperedError):
        open_verified(workshop.repository, trust)


def test_one_signature_counted_twice_does_not_reach_the_threshold(workshop):
    workshop.publish("2026.11.1")
    path = workshop.find("metadata/*.models.json")
    raw = json.loads(path.read_bytes())
    raw["signatures"] = [raw["signatures"][0], raw["signatures"][0]]
    path.write_bytes(json.dumps(raw).encode())
    with pytest.raises(BundleTamperedError):
        workshop.opened()


def test_the_models_role_cannot_speak_outside_its_paths(workshop):
    """A target the role signs outside `RELEASE_PATTERNS` is not found."""
    models = workshop.writer._current("models")
    workshop.writer._add(
        models, {"trust/root.json": b"{}"}, datetime.now(UTC).replace(microsecond=0)
    )
    signed = chain.repository_targets(workshop.repository / "metadata", workshop.trust.root)
    assert "trust/root.json" in signed.delegated["models"].targets
    assert signed.find("trust/root.json") is None


def test_a_stolen_timestamp_key_alone_installs_nothing(tmp_path):
    """The thief signs a newer timestamp over a snapshot of his own; the snapshot key is missing."""
    workshop = BundleWorkshop(tmp_path / "publisher")
    workshop.publish("2026.11.1")
    thief = BundleWorkshop(tmp_path / "thief")
    thief.publish("2099.1.1")
    stolen = workshop.keys.signers("timestamp")[0]
    head = Metadata.from_bytes((thief.repository / "metadata" / "timestamp.json").read_bytes())
    head.signed.version = 99
    head.sign(stolen)
    for path in (thief.repository / "metadata").glob("*.json"):
        if "root" not in path.name:
            shutil.copy(path, workshop.repository / "metadata" / path.name)
    (workshop.repository / "metadata" / "timestamp.json").write_bytes(head.to_bytes())
    with pytest.raises(BundleTamperedError):
        workshop.client(tmp_path / "device").offered()
    with pytest.raises(BundleTamperedError):
        workshop.opened()


def test_a_hard_link_to_another_file_is_only_another_content(workshop, slots, tmp_path):
    workshop.publish("2026.11.1")
    workshop.install(slots)
    outside = tmp_path / "outside"
    for blob in itertools.islice(sorted((tmp_path / "slots" / "blobs").iterdir()), 3):
        outside.write_bytes(bytes(blob.stat().st_size))
        blob.unlink()
        blob.hardlink_to(outside)
        with pytest.raises(BundleTamperedError):
            contents(slots.active())
        blob.unlink()
