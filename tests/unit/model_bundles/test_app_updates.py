"""Versions of the application: offered in stages, verified, laid ready, and a way back."""

import pytest
from support.bundle_workshop import SMALL_POLICY, CountingFetcher, flip

from model_bundles.app_updates import AppRelease, AppUpdates, read_app_release, write_app_release
from model_bundles.authoring.keys import KeyRing, RolePolicy
from model_bundles.authoring.repository import Repository
from model_bundles.client import BundleClient, Device
from model_bundles.errors import (
    BundleIncompatibleError,
    BundleMalformedError,
    BundleOfflineError,
    BundleTamperedError,
    SigningError,
)
from model_bundles.installers import Installers
from model_bundles.local import LOCAL, LocalFetcher
from model_bundles.rollout import Rollout

POLICY = {**SMALL_POLICY, "app": RolePolicy(keys=2, threshold=2, lifetime_days=400)}
MSI = b"an installer of some length\n" * 4000


class Shop:
    """A repository with an `app` role, and a device of it."""

    def __init__(self, folder):
        self.folder = folder
        self.repository = Repository(
            folder / "repository", KeyRing.generate(folder / "keys", POLICY), POLICY
        )
        self.repository.initialise()
        self.fetcher = CountingFetcher(LocalFetcher(self.repository.directory))

    def publish(self, version, content=MSI, **how):
        files = {f"Vereda-{version}-x64.msi": content + version.encode()}
        self.repository.publish_app(version, files, **how)

    def device(self, running="0.1.0", *, platform="windows-x64", name="device", site=None):
        client = BundleClient(
            self.repository.trust, self.folder / "state" / "app", LOCAL, self.fetcher
        )
        return AppUpdates(
            client,
            self.installers(running),
            platform=platform,
            device=Device(name, site),
        )

    def installers(self, running="0.1.0"):
        return Installers(self.folder / "installers", running)

    def bundles(self):
        return BundleClient(self.repository.trust, self.folder / "state", LOCAL, self.fetcher)


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


def test_a_newer_version_is_brought_verified_and_laid_ready(shop):
    shop.publish("0.2.0")
    device = shop.device()
    offer = device.offered()
    file = device.fetch(offer)
    assert (offer.version, file.name) == ("0.2.0", "Vereda-0.2.0-x64.msi")
    assert file.read_bytes() == MSI + b"0.2.0"
    assert shop.installers().ready("0.2.0") == file


@pytest.mark.parametrize("running", ["0.2.0", "0.2.1", "1.0.0"])
def test_the_same_or_an_older_version_is_no_offer(shop, running):
    shop.publish("0.2.0")
    assert shop.device(running).offered() is None


def test_a_repository_without_versions_or_for_other_systems_offers_nothing(shop):
    assert shop.device().offered() is None
    shop.publish("0.2.0")
    assert shop.device(platform="linux-amd64").offered() is None


def test_a_stage_reaches_its_site_first(shop):
    stage = Rollout(basis_points=10_000, salt="0.2.0", sites=frozenset({"posta-1"}))
    shop.publish("0.2.0", rollout=stage)
    assert shop.device(site="posta-1").offered().version == "0.2.0"
    assert shop.device(site="posta-2").offered() is None
    assert shop.device().offered() is None


def test_a_stage_of_a_tenth_reaches_about_a_tenth_of_the_devices(shop):
    rollout = Rollout(basis_points=1_000, salt="0.2.0")
    release = AppRelease(version="0.2.0", installers={}, rollout=rollout)
    read = read_app_release(write_app_release("stable", release), "stable").rollout
    taken = sum(read.admits(f"device-{n}", None) for n in range(2_000))
    assert 140 <= taken <= 260  # 200 expected, five standard deviations (13.4) around


def test_one_changed_byte_of_the_installer_is_refused_and_nothing_lies_ready(shop):
    shop.publish("0.2.0")
    (stored,) = (shop.repository.directory / "targets" / "app" / "0.2.0").iterdir()
    flip(stored, offset=100)
    device = shop.device()
    with pytest.raises(BundleTamperedError):
        device.fetch(device.offered())
    assert shop.installers().ready("0.2.0") is None


def test_a_link_that_breaks_leaves_the_version_before_as_it_was(shop):
    shop.publish("0.2.0")
    device = shop.device()
    device.fetch(device.offered())
    shop.publish("0.3.0")
    offer = device.offered()
    shop.fetcher.break_after = shop.fetcher.received + 1_000
    with pytest.raises(BundleOfflineError):
        device.fetch(offer)
    assert shop.installers().ready("0.2.0") is not None
    assert shop.installers().ready("0.3.0") is None


def test_after_an_update_the_version_before_is_kept_to_go_back_to(shop):
    for version in ("0.2.0", "0.3.0"):
        shop.publish(version)
        device = shop.device("0.1.0" if version == "0.2.0" else "0.2.0")
        device.fetch(device.offered())
    version, file = shop.installers("0.3.0").previous()
    assert (version, file.read_bytes()) == ("0.2.0", MSI + b"0.2.0")


def test_versions_before_the_last_two_are_deleted(shop):
    running = "0.1.0"
    for version in ("0.2.0", "0.3.0", "0.4.0"):
        shop.publish(version)
        device = shop.device(running)
        device.fetch(device.offered())
        running = version
    assert {p.name for p in (shop.folder / "installers").iterdir()} == {"0.3.0", "0.4.0"}


def test_an_installer_changed_on_the_disk_is_not_gone_back_to(shop):
    shop.publish("0.2.0")
    device = shop.device()
    flip(device.fetch(device.offered()), offset=50)
    with pytest.raises(BundleTamperedError):
        shop.installers("0.3.0").previous()


def test_an_installer_changed_on_the_disk_is_brought_again(shop):
    shop.publish("0.2.0")
    device = shop.device()
    file = device.fetch(device.offered())
    flip(file, offset=50)
    assert device.fetch(device.offered()).read_bytes() == MSI + b"0.2.0"


def test_a_folder_of_somebody_elses_among_the_installers_is_left_alone(shop):
    shop.publish("0.2.0")
    stray = shop.folder / "installers" / "old stuff"
    stray.mkdir(parents=True)
    (stray / "signed.json").write_text("{}")
    device = shop.device()
    device.fetch(device.offered())
    assert stray.is_dir()
    assert shop.installers().newer() == "0.2.0"


def test_an_installer_already_here_is_not_brought_again(shop):
    shop.publish("0.2.0")
    device = shop.device()
    device.fetch(device.offered())
    before = shop.fetcher.received
    device.fetch(device.offered())
    assert shop.fetcher.received - before < len(MSI)


def test_a_reader_of_bundles_does_not_mind_the_role(shop):
    """A device from before the role was delegated goes on reading bundles."""
    shop.publish("0.2.0")
    assert shop.bundles().offered() is None
    assert not (shop.folder / "state" / "metadata" / "app.json").exists()


def test_a_repository_without_the_role_publishes_no_application(tmp_path):
    keys = KeyRing.generate(tmp_path / "keys", SMALL_POLICY)
    repository = Repository(tmp_path / "repository", keys, SMALL_POLICY)
    repository.initialise()
    with pytest.raises(SigningError):
        repository.publish_app("0.2.0", {})


@pytest.mark.parametrize(
    "path", ["app/0.2.0/../x", "app/0.3.0/x.msi", "2026.11.1/manifest.json", "app/0.2.0/", "/etc/x"]
)
def test_an_installer_outside_its_version_is_refused(path):
    with pytest.raises(BundleMalformedError):
        AppRelease(version="0.2.0", installers={"windows-x64": path})


def test_the_document_of_another_channel_or_format_is_refused():
    content = write_app_release("beta", AppRelease(version="0.2.0", installers={}))
    with pytest.raises(BundleMalformedError):
        read_app_release(content, "stable")
    with pytest.raises(BundleIncompatibleError):
        read_app_release(content.replace(b'"format":1', b'"format":2'), "beta")
