import pytest
from support.bundle_workshop import flip

from model_bundles import embedded
from model_bundles.embedded import Origin, serving_bundle
from model_bundles.errors import (
    BundleError,
    BundleRollbackError,
    BundleStateError,
    BundleStorageError,
    BundleTamperedError,
)
from model_bundles.verify import open_verified


@pytest.fixture
def shipped(workshop):
    """The repository folder as it ships with an application: release 2026.11.2."""
    workshop.publish("2026.11.1")
    workshop.publish("2026.11.2")
    folder = workshop.keep()
    return lambda: open_verified(folder, workshop.trust)


def test_a_new_device_serves_with_what_the_application_ships(slots, shipped):
    serving = serving_bundle(slots, shipped)
    assert (serving.origin, serving.bundle.version) == (Origin.EMBEDDED, "2026.11.2")
    assert serving.refused == ()


def test_nothing_older_than_what_ships_is_installed(workshop, slots, shipped):
    serving_bundle(slots, shipped)
    workshop.offer_older("2026.11.1")
    with pytest.raises(BundleRollbackError):
        workshop.install(slots)


def test_a_newer_installed_release_serves(workshop, slots, shipped):
    shipped()
    workshop.publish("2026.11.3")
    workshop.install(slots)
    serving = serving_bundle(slots, shipped)
    assert (serving.origin, serving.bundle.version) == (Origin.ACTIVE, "2026.11.3")


def test_an_updated_application_brings_a_newer_bundle_than_the_active_one(
    workshop, slots, tmp_path
):
    workshop.publish("2026.11.3")
    workshop.install(slots)
    workshop.publish("2026.12.1")
    serving = serving_bundle(slots, workshop.opened)
    assert (serving.origin, serving.bundle.version) == (Origin.EMBEDDED, "2026.12.1")


def damage_active(slots, tmp_path):
    release = slots.active_release()
    folder = tmp_path / "slots" / "releases" / f"{release.version}-{release.digest[:16]}"
    flip(folder / "metadata" / "models.json", offset=-100)


def test_a_damaged_active_release_gives_way_to_the_previous_and_says_so(
    workshop, slots, shipped, tmp_path
):
    shipped()
    for version in ("2026.11.3", "2026.11.4"):
        workshop.publish(version)
        workshop.install(slots)
    damage_active(slots, tmp_path)
    serving = serving_bundle(slots, shipped)
    assert (serving.origin, serving.bundle.version) == (Origin.PREVIOUS, "2026.11.3")
    assert [type(error) for error in serving.refused] == [BundleTamperedError]


def test_a_damaged_only_release_gives_way_to_what_ships(workshop, slots, shipped, tmp_path):
    shipped()
    workshop.publish("2026.11.3")
    workshop.install(slots)
    damage_active(slots, tmp_path)
    serving = serving_bundle(slots, shipped)
    assert (serving.origin, len(serving.refused)) == (Origin.EMBEDDED, 1)


def test_a_damaged_memory_of_this_device_does_not_stop_it_serving(slots, shipped, tmp_path):
    serving_bundle(slots, shipped)
    (tmp_path / "slots" / "pointer.json").write_bytes(b"\0" * 40)
    (tmp_path / "slots" / "floors.json").write_bytes(b"\0" * 40)
    serving = serving_bundle(slots, shipped)
    assert serving.bundle.version == "2026.11.2"
    assert {type(error) for error in serving.refused} == {BundleStateError}


def test_nothing_that_verifies_means_no_bundle_never_a_doubtful_one(slots, workshop):
    workshop.publish()
    workshop.tamper("metadata/timestamp.json")
    with pytest.raises(BundleError):
        serving_bundle(slots, workshop.opened)


def test_an_installation_without_its_root_of_trust_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(embedded, "_DEFAULT", tmp_path)
    with pytest.raises(BundleStorageError):
        embedded.embedded_trust()


def test_the_embedded_bundle_opens_with_the_embedded_root(monkeypatch, workshop, tmp_path):
    workshop.publish("2026.11.1")
    folder = tmp_path / "default"
    (folder / "trust").mkdir(parents=True)
    (folder / "trust" / "root.json").write_bytes(workshop.trust.root)
    workshop.repository.rename(folder / "repository")
    monkeypatch.setattr(embedded, "_DEFAULT", folder)
    assert embedded.open_embedded_bundle().version == "2026.11.1"
