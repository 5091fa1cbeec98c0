"""Patches between versions of a member: authored, signed, applied, or passed over."""

import random
import tracemalloc

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from support.bundle_workshop import CREATED_AT, flip, small_members

from model_bundles import layout
from model_bundles.authoring.build import build_bundle
from model_bundles.authoring.patches import versions_before, with_patches
from model_bundles.compression import apply_patch, make_patch, pack
from model_bundles.errors import BundleMalformedError, BundleTamperedError
from model_bundles.slots import Slots

NOISE = random.Random(20261126)
MODEL = NOISE.randbytes(60_000)


def grown(model, number):
    """A model with something added, as a warm start adds trees."""
    return model + b"%d" % number + random.Random(number).randbytes(500)


@given(st.binary(max_size=3000), st.binary(max_size=3000))
def test_a_patch_gives_the_new_bytes(old, new):
    assert apply_patch(old, make_patch(old, new), len(new)) == new


def test_a_patch_costs_about_what_changed():
    assert len(make_patch(MODEL, grown(MODEL, 1))) < 700
    assert len(pack(grown(MODEL, 1))) > 60_000


@pytest.mark.parametrize("length", [0, 60_503, 60_505])
def test_a_patch_of_another_length_is_refused(length):
    with pytest.raises(BundleTamperedError):
        apply_patch(MODEL, make_patch(MODEL, MODEL + bytes(504)), length)


@pytest.mark.parametrize("declared", [True, False])
def test_a_bomb_in_place_of_a_patch_is_refused_without_being_unpacked(declared):
    bomb = zstandard.ZstdCompressor(write_content_size=declared).compress(bytes(256 * 2**20))
    tracemalloc.start()
    with pytest.raises(BundleTamperedError):
        apply_patch(MODEL, bomb, len(MODEL))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 * 2**20


def test_a_patch_that_asks_for_a_giant_window_is_refused():
    parameters = zstandard.ZstdCompressionParameters(window_log=27)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    frame = compressor.compress(b"x" * 1000) + compressor.flush()
    with pytest.raises(BundleTamperedError):
        apply_patch(MODEL, frame, 1000)


def test_members_too_large_for_the_window_get_no_patch(monkeypatch):
    monkeypatch.setattr(layout, "MAX_PATCHED_BYTES", 100_000)
    assert make_patch(MODEL, MODEL) is None
    with pytest.raises(BundleTamperedError):
        apply_patch(MODEL, b"", len(MODEL))


def test_the_folder_of_patches_holds_no_member():
    with pytest.raises(BundleMalformedError):
        layout.check_name("patches/x.json")


def publish(workshop, number, **changed):
    """Publish 2026.11.<number> with patches from the versions before it."""
    version = f"2026.11.{number}"
    members = small_members(common=grown(MODEL, number), **changed)
    built = build_bundle(members, version, CREATED_AT)
    old = versions_before(workshop.repository, workshop.trust, version)
    workshop.writer.publish(with_patches(built, old, members))
    return members


def patches_of(workshop, number):
    folder = workshop.repository / "targets" / f"2026.11.{number}" / layout.PATCHES
    return sorted(folder.iterdir()) if folder.is_dir() else []


def contents(bundle):
    return {name: bundle.read(name) for name in bundle.members}


@pytest.fixture
def fetcher(workshop):
    return workshop.fetcher()


@pytest.fixture
def client(workshop, fetcher, tmp_path):
    return workshop.client(tmp_path / "device", fetcher=fetcher)


def install(client, slots, sources=()):
    client.fetch(client.offered(slots, sources), slots, sources=sources)
    return slots.activate()


def test_a_release_carries_patches_from_the_last_three_versions(workshop):
    for number in range(1, 6):
        publish(workshop, number)
    assert [len(patches_of(workshop, number)) for number in range(1, 6)] == [0, 1, 2, 3, 3]


def test_an_update_downloads_the_patch_and_no_whole_member(workshop, client, slots, fetcher):
    publish(workshop, 1)
    install(client, slots)
    members = publish(workshop, 2)
    fetcher.requests.clear()
    seen = []
    offer = client.offered(slots)
    client.fetch(offer, slots, lambda done, total: seen.append((done, total)))
    assert contents(slots.activate()) == members
    asked = [url for url in fetcher.requests if "/targets/2026" in url]
    assert [("/patches/" in url, "manifest" in url) for url in asked] == [
        (False, True),
        (True, False),
    ]
    assert seen[-1][0] == seen[-1][1] < 8000
    assert seen == sorted(seen)


def test_what_was_rebuilt_serves_after_a_restart_and_is_a_source_of_the_next(
    workshop, client, slots, tmp_path
):
    for number in range(1, 5):
        members = publish(workshop, number)
        install(client, slots)
        again = Slots(tmp_path / "slots", workshop.trust)
        assert contents(again.active()) == members
        again.active().check_every_member()
    assert client.offered(slots) is None


def test_a_device_four_versions_behind_takes_the_whole_file(workshop, client, slots, fetcher):
    publish(workshop, 1)
    install(client, slots)
    for number in range(2, 6):
        members = publish(workshop, number)
    fetcher.requests.clear()
    assert contents(install(client, slots)) == members
    assert not any("/patches/" in url for url in fetcher.requests)


def test_a_damaged_old_member_falls_back_to_the_whole_file(workshop, client, slots, tmp_path):
    publish(workshop, 1)
    install(client, slots)
    old = slots.active().member("models/common.onnx").sha256
    largest = max((tmp_path / "slots" / "blobs").iterdir(), key=lambda p: p.stat().st_size)
    flip(largest, offset=-100)
    members = publish(workshop, 2)
    assert contents(install(client, slots)) == members
    assert slots.active().member("models/common.onnx").sha256 != old


def test_a_signed_patch_that_does_not_give_the_member_falls_back_to_the_whole_file(
    workshop, client, slots, fetcher
):
    publish(workshop, 1)
    install(client, slots)
    members = small_members(common=grown(MODEL, 2))
    built = build_bundle(members, "2026.11.2", CREATED_AT)
    old = versions_before(workshop.repository, workshop.trust, "2026.11.2")
    wrong = with_patches(built, old, members)
    for path in list(wrong.stored):
        if layout.is_patch("2026.11.2", path):
            wrong.stored[path] = make_patch(MODEL, bytes(len(grown(MODEL, 2))))
    workshop.writer.publish(wrong)
    fetcher.requests.clear()
    assert contents(install(client, slots)) == members
    assert any("/patches/" in url for url in fetcher.requests)
    assert any("common.onnx.zst" in url for url in fetcher.requests)


def test_a_patch_tampered_on_its_way_installs_nothing_and_the_active_bundle_serves(
    workshop, client, slots
):
    before = publish(workshop, 1)
    install(client, slots)
    publish(workshop, 2)
    flip(patches_of(workshop, 2)[0], offset=-20)
    with pytest.raises(BundleTamperedError):
        install(client, slots)
    assert contents(slots.active()) == before


def test_a_rebuilt_member_changed_on_the_disk_is_refused(workshop, client, slots, tmp_path):
    publish(workshop, 1)
    install(client, slots)
    publish(workshop, 2)
    install(client, slots)
    (rebuilt,) = (tmp_path / "slots" / "blobs").glob("*.raw")
    flip(rebuilt, offset=-50)
    with pytest.raises(BundleTamperedError):
        contents(slots.active())


def test_a_new_device_takes_what_ships_with_it_and_patches_for_the_rest(
    workshop, slots, client, fetcher
):
    publish(workshop, 1)
    shipped = workshop.opened()
    members = publish(workshop, 2)
    offer = client.offered(slots, [shipped])
    fetcher.requests.clear()
    client.fetch(offer, slots, sources=[shipped])
    assert contents(slots.activate()) == members
    assert len([url for url in fetcher.requests if "/targets/2026" in url]) == 2
