"""Several people, several machines, one repository; the commands that the runbook names."""

import random
import shlex
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.bundle_workshop import BundleWorkshop, small_members
from tuf.api.metadata import Metadata

from model_bundles import layout
from model_bundles.app_updates import AppUpdates
from model_bundles.authoring import keyfile
from model_bundles.authoring.ceremony import NoKeys
from model_bundles.authoring.commands import _parser, main
from model_bundles.authoring.keys import HOUSE_POLICY, OFFLINE_POLICY, OPTIONAL_POLICY
from model_bundles.authoring.repository import Repository
from model_bundles.client import BundleClient
from model_bundles.client import Device as DeviceId
from model_bundles.errors import BundleTamperedError
from model_bundles.installers import Installers
from model_bundles.local import LOCAL, LocalFetcher
from model_bundles.slots import Slots
from model_bundles.verify import Trust, open_verified

WORDS = "correct horse battery"


class House:
    """People with a key each, and a repository they sign together, by commands alone."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.repository = folder, folder / "repository"
        self.keys, self.cards = folder / "keys", folder / "cards"
        self.cards.mkdir(parents=True)
        self.said: list[str] = []

    def run(self, *arguments: object) -> int:
        return main([str(a) for a in arguments], ask=lambda prompt: WORDS, say=self.said.append)

    def do(self, *arguments: object) -> None:
        assert self.run(*arguments) == 0, arguments

    def key(self, name: str) -> Path:
        return self.keys / f"{name}.key"

    def make(self, name: str, *, card: bool = True) -> Path:
        """Make `root-1`, ...; send its card to the desk unless told otherwise."""
        role = name.partition("-")[0]
        self.do("create", "--role", role, "--holder", name, "--out", self.key(name))
        path = keyfile.card_path(self.key(name))
        if card:
            shutil.copy(path, self.cards)
        return path

    def sign(self, role: str, *names: str, repository: Path | None = None) -> None:
        """Each signs a copy of the draft on a machine of their own; the desk collects them."""
        where = repository or self.repository
        (draft,) = (where / "ceremony" / "drafts").glob(f"*.{role}.json")
        copies = []
        for name in names:
            elsewhere = self.folder / "machines" / name / draft.name
            elsewhere.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(draft, elsewhere)
            self.do("sign", elsewhere, "--key", self.key(name))
            copies.append(elsewhere)
        self.do("collect", where, *copies)

    def complete(self, *, repository: Path | None = None, timestamp: str = "timestamp-1") -> int:
        online = ("--key", self.key("snapshot-1"), "--key", self.key(timestamp))
        return self.run("complete", repository or self.repository, *online)

    def release(
        self,
        workshop: BundleWorkshop,
        version: str,
        *staged: object,
        members: Mapping[str, bytes] | None = None,
    ) -> None:
        """Publish what a training machine made, with two of the three models keys."""
        workshop.publish(version, members)
        root = workshop.folder / "root.json"
        root.write_bytes(workshop.trust.root)
        source = ("--from", workshop.repository, "--root", root)
        self.do("release", self.repository, *source, *staged)
        self.sign("models", "models-1", "models-3")
        assert self.complete() == 0


@pytest.fixture(autouse=True)
def _cheap_guesses(monkeypatch):
    monkeypatch.setattr(keyfile, "SCRYPT_N", 2**4)


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path / "house")
    for role, how in HOUSE_POLICY.items():
        for number in range(1, how.keys + 1):
            house.make(f"{role}-{number}")
    house.do("init", house.repository, "--cards", house.cards)
    house.sign("root", "root-1", "root-3", "root-5")
    house.sign("targets", "targets-1", "targets-2")
    house.sign("models", "models-1", "models-2")
    house.sign("safety", "safety-2")
    assert house.complete() == 0
    return house


@pytest.fixture
def training(tmp_path):
    return BundleWorkshop(tmp_path / "training")


class Device:
    """A device that was set up with the root of the first day."""

    def __init__(self, house: House, folder: Path) -> None:
        self.trust = Trust((house.repository / "metadata" / "1.root.json").read_bytes())
        self.slots = Slots(folder / "slots", self.trust)
        fetcher = LocalFetcher(house.repository)
        self.client = BundleClient(self.trust, folder / "client", LOCAL, fetcher)

    def update(self) -> str:
        offer = self.client.offered()
        assert offer is not None
        self.client.fetch(offer, self.slots)
        return self.slots.activate().version


@pytest.fixture
def device(house, tmp_path):
    return Device(house, tmp_path / "device")


def root_of(house: House, version: int):
    return Metadata.from_file(str(house.repository / "metadata" / f"{version}.root.json")).signed


def test_a_repository_of_the_house_is_made_by_commands_and_a_device_installs_from_it(
    house, training, device
):
    house.release(training, "2026.11.1")
    assert device.update() == "2026.11.1"
    root = root_of(house, 1)
    assert {r: (held.threshold, len(held.keyids)) for r, held in root.roles.items()} == {
        "root": (3, 5),
        "targets": (2, 3),
        "snapshot": (1, 1),
        "timestamp": (1, 1),
    }


def test_under_threshold_nothing_is_published(house, training, device):
    house.release(training, "2026.11.1")
    training.publish("2026.11.2")
    house.do(
        "release", house.repository,
        "--from", training.repository, "--root", training.folder / "root.json",
    )  # fmt: skip
    house.sign("models", "models-1")
    assert house.complete() == 1
    assert device.update() == "2026.11.1"
    house.do("inspect", house.repository)
    assert any("1 more needed" in line for line in house.said)
    house.sign("models", "models-2")
    assert house.complete() == 0
    assert device.update() == "2026.11.2"


def test_a_key_of_another_role_counts_for_nothing(house, training):
    training.publish("2026.11.1")
    (training.folder / "root.json").write_bytes(training.trust.root)
    house.do(
        "release", house.repository,
        "--from", training.repository, "--root", training.folder / "root.json",
    )  # fmt: skip
    house.sign("models", "models-1", "safety-1", "root-1")
    assert house.complete() == 1


def test_an_old_device_follows_two_root_rotations_it_slept_through(house, training, device):
    house.release(training, "2026.11.1")
    assert device.update() == "2026.11.1"
    for lost, fresh, signers in (
        ("root-1", "root-6", ("root-2", "root-3", "root-4", "root-6")),
        ("root-2", "root-7", ("root-3", "root-4", "root-6", "root-7")),
    ):
        card = house.make(fresh)
        keyid = keyfile.read_card(house.key(lost)).keyid
        house.do("rotate-root", house.repository, "--remove", keyid[:12], "--add", card)
        house.sign("root", *signers)
        assert house.complete() == 0
    assert root_of(house, 3).version == 3
    house.release(training, "2026.11.2")
    assert device.update() == "2026.11.2"


def test_a_root_rotation_needs_the_old_holders(house):
    card = house.make("root-6")
    keyid = keyfile.read_card(house.key("root-1")).keyid
    house.do("rotate-root", house.repository, "--remove", keyid, "--add", card)
    house.sign("root", "root-2", "root-3", "root-6")
    assert house.complete() == 1  # three of the new root, two of the old
    house.sign("root", "root-1")
    assert house.complete() == 0


@pytest.mark.parametrize(
    ("role", "drafts"),
    [
        ("timestamp", {"root": ("root-1", "root-2", "root-3")}),
        (
            "targets",
            {"root": ("root-1", "root-2", "root-3"), "targets": ("targets-2", "targets-9")},
        ),
        ("models", {"targets": ("targets-1", "targets-3"), "models": ("models-2", "models-9")}),
        ("safety", {"targets": ("targets-1", "targets-3"), "safety": ("safety-9",)}),
    ],
)
def test_an_old_device_follows_new_keys_of_a_role(house, training, device, role, drafts):
    house.release(training, "2026.11.1")
    assert device.update() == "2026.11.1"
    card = house.make(f"{role}-9")
    keyid = keyfile.read_card(house.key(f"{role}-1")).keyid
    house.do("rotate", house.repository, role, "--remove", keyid, "--add", card)
    for drafted, names in drafts.items():
        house.sign(drafted, *names)
    assert house.complete(timestamp="timestamp-9" if role == "timestamp" else "timestamp-1") == 0
    assert device.client.offered().version == "2026.11.1"
    assert device.slots.active().version == "2026.11.1"


def test_a_removed_models_key_signs_nothing_any_more(house, training, device):
    house.release(training, "2026.11.1")
    card = house.make("models-9")
    keyid = keyfile.read_card(house.key("models-1")).keyid
    house.do("rotate", house.repository, "models", "--remove", keyid, "--add", card)
    house.sign("targets", "targets-1", "targets-3")
    house.sign("models", "models-2", "models-1")
    assert house.complete() == 1
    house.sign("models", "models-9")
    assert house.complete() == 0


def test_a_timestamp_key_that_the_root_does_not_know_completes_nothing(house, training):
    house.make("timestamp-9")
    training.publish("2026.11.1")
    (training.folder / "root.json").write_bytes(training.trust.root)
    house.do(
        "release", house.repository,
        "--from", training.repository, "--root", training.folder / "root.json",
    )  # fmt: skip
    house.sign("models", "models-1", "models-2")
    assert house.complete(timestamp="timestamp-9") == 1


def test_a_signed_copy_of_something_else_is_not_collected(house, training, tmp_path, capsys):
    house.do("renew", house.repository, "targets")
    (draft,) = (house.repository / "ceremony" / "drafts").iterdir()
    other = Metadata.from_file(str(draft))
    other.signed.expires += timedelta(days=900)
    copy = tmp_path / draft.name
    copy.write_bytes(other.to_bytes())
    house.do("sign", copy, "--key", house.key("targets-1"))
    assert house.run("collect", house.repository, copy) == 1
    assert "no copy of a draft" in capsys.readouterr().err


def test_a_broken_signature_does_not_displace_a_good_one(house, tmp_path):
    house.do("renew", house.repository, "safety")
    house.sign("safety", "safety-1")
    (draft,) = (house.repository / "ceremony" / "drafts").iterdir()
    broken = Metadata.from_file(str(draft))
    for signature in broken.signatures.values():
        signature.signature = "00" * 64
    copy = tmp_path / draft.name
    copy.write_bytes(broken.to_bytes())
    house.do("collect", house.repository, copy)
    assert house.complete() == 0


def test_a_release_of_a_stranger_is_not_drafted(house, training, tmp_path):
    stranger = BundleWorkshop(tmp_path / "stranger")
    stranger.publish("2099.1.1")
    root = tmp_path / "root.json"
    root.write_bytes(training.trust.root)
    source = ("--from", stranger.repository, "--root", root)
    assert house.run("release", house.repository, *source) == 1


def test_a_release_brings_patches_from_the_three_versions_before_it(house, training):
    weights = random.Random(1).randbytes(50_000)
    for number in range(1, 6):
        changed = small_members(common=weights + bytes([number]))
        house.release(training, f"2026.11.{number}", members=changed)
    targets = Repository(house.repository, NoKeys()).signed().under("2026.11.5")
    patches = [t for t in targets if layout.is_patch("2026.11.5", t.path)]
    assert len(patches) == 3
    assert max(t.length for t in patches) < 1_000


def test_orders_are_given_and_lifted_by_one_safety_key(house, training):
    house.release(training, "2026.11.1")
    house.release(training, "2026.11.2")
    house.do(
        "block", house.repository, "2026.11.2",
        "--model", "rare", "--reason", "wrong_answers", "--es", "No usar.",
    )  # fmt: skip
    house.sign("safety", "safety-1")
    assert house.complete() == 0
    house.do("downgrade", house.repository, "2026.11.2", "--to", "2026.11.1")
    house.sign("safety", "safety-2")
    assert house.complete() == 0
    house.do("inspect", house.repository)
    assert any(line == "orders 2: 2 in force" for line in house.said)
    house.do("lift", house.repository, "2026.11.2")
    house.sign("safety", "safety-2")
    assert house.complete() == 0
    house.do("inspect", house.repository)
    assert house.said[-1] == "orders 3: 0 in force"
    assert house.run("downgrade", house.repository, "2026.11.1", "--to", "2026.11.2") == 1
    assert house.run("block", house.repository, "2026.11.9") == 1


def test_a_rollout_is_offered_in_stages(house, training):
    house.release(training, "2026.11.1")
    house.release(training, "2026.11.2", "--share", "10", "--before", "2026.11.1")
    house.do("inspect", house.repository)
    assert any('"basis_points":1000' in line for line in house.said)
    house.do("offer", house.repository, "2026.11.2", "--share", "25", "--before", "2026.11.1")
    house.sign("models", "models-1", "models-2")
    assert house.complete() == 0
    assert house.run("offer", house.repository, "2026.11.2", "--share", "101") == 1


def test_the_repository_for_sticks_is_its_own_and_takes_models_as_they_were_signed(
    house, training, tmp_path
):
    house.release(training, "2026.11.1")
    cards = tmp_path / "offline-cards"
    cards.mkdir()
    for card in house.cards.iterdir():
        if card.name.partition("-")[0] in {"root", "models", "safety"}:
            shutil.copy(card, cards)
    for name in ("targets-11", "targets-12", "targets-13", "snapshot-11", "timestamp-11"):
        shutil.copy(house.make(name, card=False), cards)
    offline = tmp_path / "offline"
    house.do("init", offline, "--cards", cards, "--offline")
    house.sign("root", "root-1", "root-2", "root-3", repository=offline)
    house.sign("targets", "targets-11", "targets-12", repository=offline)
    house.sign("models", "models-1", "models-2", repository=offline)
    house.sign("safety", "safety-1", repository=offline)
    online = ("--key", house.key("snapshot-11"), "--key", house.key("timestamp-11"))
    house.do("complete", offline, *online)
    house.do("mirror", offline, "--from", house.repository, *online)
    trust = Trust((offline / "metadata" / "1.root.json").read_bytes())
    assert open_verified(offline, trust).version == "2026.11.1"
    with pytest.raises(BundleTamperedError):
        open_verified(offline, Trust((house.repository / "metadata/1.root.json").read_bytes()))
    head = Metadata.from_file(str(offline / "metadata" / "timestamp.json")).signed
    left = head.expires - datetime.now(UTC)
    assert timedelta(days=179) < left <= timedelta(days=180)
    assert OFFLINE_POLICY["snapshot"].lifetime_days == 180


def test_snapshot_and_timestamp_are_renewed_with_their_keys_alone(house):
    before = (house.repository / "metadata" / "timestamp.json").read_bytes()
    house.do(
        "renew", house.repository,
        "--key", house.key("snapshot-1"), "--key", house.key("timestamp-1"),
    )  # fmt: skip
    assert (house.repository / "metadata" / "timestamp.json").read_bytes() != before
    assert house.run("renew", house.repository) == 1


def test_init_wants_every_key_of_the_policy_and_an_empty_folder(house, tmp_path, capsys):
    assert house.run("init", house.repository, "--cards", house.cards) == 1
    (house.cards / "root-5.card.json").unlink()
    assert house.run("init", tmp_path / "new", "--cards", house.cards) == 1
    assert "4 keys for root, 5 are asked for" in capsys.readouterr().err


def test_too_few_keys_left_or_an_ambiguous_name_rotates_nothing(house):
    keyids = [keyfile.read_card(house.key(f"targets-{n}")).keyid for n in (1, 2)]
    removals = [part for keyid in keyids for part in ("--remove", keyid)]
    assert house.run("rotate", house.repository, "targets", *removals) == 1
    assert house.run("rotate", house.repository, "targets", "--remove", keyids[0][:4]) == 1
    card = house.make("models-9")
    assert house.run("rotate", house.repository, "targets", "--add", card) == 1


def test_passphrases_come_from_a_prompt_or_a_file_and_must_agree(tmp_path, capsys):
    answers = iter(["correct horse battery", "correct horse battery!"])
    out = tmp_path / "ana.key"
    arguments = ["create", "--role", "root", "--holder", "Ana", "--out", str(out)]
    assert main(arguments, ask=lambda prompt: next(answers)) == 1
    assert not out.exists()
    secret = tmp_path / "secret"
    secret.write_text(f"{WORDS}\n")
    assert main(["--passphrase-file", str(secret), *arguments]) == 0
    assert keyfile.open_key(out, WORDS).public_key == keyfile.read_card(out).key
    assert main(["list", str(tmp_path)]) == 0
    assert "root, Ana" in capsys.readouterr().out
    assert main(["list", str(tmp_path / "empty")]) == 1


RUNBOOK = Path(__file__).parents[4] / "docs" / "keys.md"


def commands_of(page: str) -> list[str]:
    """The `vereda-keys` lines of a page's indented blocks, continuation lines joined."""
    lines = page.replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if line.startswith("    vereda-keys ")]


def test_every_command_of_the_runbook_is_one_that_exists():
    found = commands_of(RUNBOOK.read_text(encoding="utf-8"))
    for command in found:
        program, *arguments = shlex.split(command)
        assert program == "vereda-keys"
        assert callable(_parser().parse_args(arguments).run), command
    named = {shlex.split(command)[1] for command in found}
    assert {"create", "init", "sign", "collect", "complete", "release", "block"} <= named


APP_KEYS = ("app-1", "app-2", "app-3")


def installers(folder: Path, version: str) -> list[Path]:
    """The MSI and the deb of a version, a few bytes each."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"Vereda-{version}-x64.msi", folder / f"vereda_{version}_amd64.deb"]
    for path in files:
        path.write_bytes(f"installer {path.name}".encode())
    return files


def app_device(house: House, folder: Path, site: str | None = None) -> AppUpdates:
    trust = Trust((house.repository / "metadata" / "1.root.json").read_bytes())
    client = BundleClient(trust, folder / "app-client", LOCAL, LocalFetcher(house.repository))
    return AppUpdates(
        client,
        Installers(folder / "installers", "0.1.0"),
        platform="linux-amd64",
        device=DeviceId("device", site),
    )


@pytest.fixture
def app_house(house):
    """The house, after targets has handed the `app` role to three people."""
    for name in APP_KEYS:
        house.make(name)
    house.do("delegate", house.repository, "app", "--cards", house.cards)
    house.sign("targets", "targets-1", "targets-3")
    house.sign("app", "app-1", "app-3")
    assert house.complete() == 0
    return house


def ship(house: House, folder: Path, version: str, *staged: object) -> None:
    house.do("app-release", house.repository, version, *installers(folder, version), *staged)
    house.sign("app", "app-1", "app-2")
    assert house.complete() == 0


def test_targets_hand_the_application_to_holders_of_its_own_and_a_device_takes_its_version(
    app_house, tmp_path
):
    ship(app_house, tmp_path / "dist", "0.2.0")
    updates = app_device(app_house, tmp_path / "device")
    offer = updates.offered()
    assert offer.version == "0.2.0"
    assert updates.fetch(offer).read_bytes() == b"installer vereda_0.2.0_amd64.deb"


def test_models_go_on_as_before_once_the_application_has_its_role(app_house, training, device):
    app_house.release(training, "2026.11.1")
    assert device.update() == "2026.11.1"


def test_a_repository_may_have_the_role_from_its_first_day(tmp_path):
    house = House(tmp_path / "house")
    for role, how in (HOUSE_POLICY | OPTIONAL_POLICY).items():
        for number in range(1, how.keys + 1):
            house.make(f"{role}-{number}")
    house.do("init", house.repository, "--cards", house.cards)
    house.sign("root", "root-1", "root-3", "root-5")
    house.sign("targets", "targets-1", "targets-2")
    house.sign("models", "models-1", "models-2")
    house.sign("safety", "safety-2")
    house.sign("app", "app-2", "app-3")
    assert house.complete() == 0
    ship(house, tmp_path / "dist", "0.2.0")
    assert app_device(house, tmp_path / "device").offered().version == "0.2.0"


def test_one_holder_alone_ships_no_application(app_house, tmp_path, capsys):
    app_house.do("app-release", app_house.repository, "0.2.0", *installers(tmp_path, "0.2.0"))
    app_house.sign("app", "app-1")
    assert app_house.complete() == 1
    assert "1 for app" in capsys.readouterr().err
    assert app_device(app_house, tmp_path / "device").offered() is None


def test_holders_of_models_cannot_sign_an_application(app_house, tmp_path):
    app_house.do("app-release", app_house.repository, "0.2.0", *installers(tmp_path, "0.2.0"))
    app_house.sign("app", "models-1", "models-2")  # signatures of strangers are not collected
    assert app_house.complete() == 1
    assert app_device(app_house, tmp_path / "device").offered() is None


def test_a_version_is_shown_to_one_site_and_later_to_everybody(app_house, tmp_path):
    ship(app_house, tmp_path / "dist", "0.2.0", "--site", "posta-1")
    elsewhere = app_device(app_house, tmp_path / "device", "posta-2")
    assert elsewhere.offered() is None
    app_house.do("app-offer", app_house.repository, "0.2.0")
    app_house.sign("app", "app-2", "app-3")
    assert app_house.complete() == 0
    assert elsewhere.offered().version == "0.2.0"


@pytest.mark.parametrize(
    ("version", "why"), [("0.2.0", "published"), ("0.9.0", "not in this repository")]
)
def test_a_version_is_shipped_once_and_offered_only_when_shipped(
    app_house, tmp_path, capsys, version, why
):
    ship(app_house, tmp_path / "dist", "0.2.0")
    again = (
        ("app-release", app_house.repository, version, *installers(tmp_path, version))
        if version == "0.2.0"
        else ("app-offer", app_house.repository, version)
    )
    assert app_house.run(*again) == 1
    assert why in capsys.readouterr().err


def test_a_file_named_like_no_installer_is_not_shipped(app_house, tmp_path, capsys):
    stray = tmp_path / "notes.txt"
    stray.write_text("not an installer")
    assert app_house.run("app-release", app_house.repository, "0.2.0", stray) == 1
    assert "notes.txt" in capsys.readouterr().err


def test_a_house_without_the_role_ships_nothing_and_says_what_to_do(house, tmp_path, capsys):
    files = installers(tmp_path, "0.2.0")
    assert house.run("app-release", house.repository, "0.2.0", *files) == 1
    assert "vereda-keys delegate" in capsys.readouterr().err


def test_the_role_is_handed_over_once(house, app_house, capsys):
    assert app_house.run("delegate", house.repository, "app", "--cards", house.cards) == 1
    assert "rotate" in capsys.readouterr().err


def test_two_cards_of_three_are_not_enough_to_hand_the_role_over(house, capsys):
    for name in APP_KEYS[:2]:
        house.make(name)
    assert house.run("delegate", house.repository, "app", "--cards", house.cards) == 1
    assert "2 keys for app, 3 are asked for" in capsys.readouterr().err


def test_a_holder_of_the_application_who_leaves_is_replaced(app_house, tmp_path):
    new, old = app_house.make("app-4"), keyfile.read_card(app_house.key("app-1")).keyid
    app_house.do("rotate", app_house.repository, "app", "--remove", old[:12], "--add", new)
    app_house.sign("targets", "targets-1", "targets-2")
    app_house.sign("app", "app-2", "app-4")
    assert app_house.complete() == 0
    app_house.do("app-release", app_house.repository, "0.2.0", *installers(tmp_path, "0.2.0"))
    app_house.sign("app", "app-1", "app-4")  # the one who left no longer counts
    assert app_house.complete() == 1
    app_house.sign("app", "app-3")
    assert app_house.complete() == 0


def test_inspect_tells_whom_the_application_is_offered_to(app_house, tmp_path):
    ship(app_house, tmp_path / "dist", "0.2.0", "--share", 10)
    app_house.said.clear()
    app_house.do("inspect", app_house.repository)
    (line,) = [said for said in app_house.said if said.startswith("app/channels/stable.json")]
    assert '"version":"0.2.0"' in line
    assert any(said.startswith("    app 2 of 3: app-") for said in app_house.said)
