import itertools
import stat
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from support.bundle_workshop import CREATED_AT, SMALL_POLICY, BundleWorkshop, small_members
from tuf.api.metadata import Metadata

from model_bundles.authoring.build import build_bundle
from model_bundles.authoring.keys import HOUSE_POLICY, KeyRing, RolePolicy
from model_bundles.authoring.repository import Repository
from model_bundles.blobs import read_target
from model_bundles.errors import (
    BundleMalformedError,
    BundleTamperedError,
    BundleWithdrawnError,
    SigningError,
    VersionTakenError,
)
from model_bundles.manifest import Release, write_channel
from model_bundles.orders import Block, Downgrade, Orders
from model_bundles.rollout import ChannelOffer, Rollout, read_offer
from model_bundles.verify import open_verified

AT = datetime(2026, 11, 2, 8, 30, tzinfo=UTC)


@pytest.fixture
def workshop(tmp_path):
    return BundleWorkshop(tmp_path / "publisher")


def files_of(folder):
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def test_the_same_keys_and_times_give_the_same_repository(workshop, tmp_path):
    repositories = []
    for name in ("one", "two"):
        repository = Repository(tmp_path / name, workshop.keys, SMALL_POLICY)
        repository.initialise(AT)
        repository.publish(build_bundle(small_members(), "2026.11.1", CREATED_AT), at=AT)
        repositories.append(files_of(tmp_path / name))
    assert repositories[0] == repositories[1]


def test_a_version_is_published_once(workshop):
    workshop.publish("2026.11.1")
    before = files_of(workshop.repository)
    with pytest.raises(VersionTakenError):
        workshop.publish("2026.11.1", small_members(common=b"another"))
    assert files_of(workshop.repository) == before


def test_publishing_adds_files_and_changes_none_but_the_timestamp(workshop):
    workshop.publish("2026.11.1")
    before = files_of(workshop.repository)
    workshop.publish("2026.11.2")
    after = files_of(workshop.repository)
    assert {name for name in before if after[name] != before[name]} == {"metadata/timestamp.json"}


def test_publishing_stopped_anywhere_leaves_what_was_offered_before(workshop, monkeypatch):
    workshop.publish("2026.11.1")
    from model_bundles import files

    real = files.write_durably
    for allowed in itertools.count():
        left = [allowed]

        def write(path, content, left=left):
            if left[0] == 0:
                raise OSError(28, "No space left on device")
            left[0] -= 1
            real(path, content)

        monkeypatch.setattr(files, "write_durably", write)
        try:
            workshop.publish("2026.11.2")
        except OSError:
            assert workshop.opened().version == "2026.11.1"
        else:
            break
    assert allowed > 10
    assert workshop.opened().version == "2026.11.2"


def test_a_device_of_the_house_policy_needs_thresholds_and_expiries_of_the_house(tmp_path):
    repository = Repository(tmp_path / "repository", KeyRing.generate(tmp_path / "keys"))
    trust = repository.initialise(AT)
    repository.publish(build_bundle(small_members(), "2026.11.1", CREATED_AT), at=AT)
    assert open_verified(tmp_path / "repository", trust).version == "2026.11.1"
    root = Metadata.from_bytes(trust.root).signed
    thresholds = {name: (role.threshold, len(role.keyids)) for name, role in root.roles.items()}
    assert thresholds == {
        "root": (3, 5),
        "targets": (2, 3),
        "snapshot": (1, 1),
        "timestamp": (1, 1),
    }
    timestamp = Metadata.from_file(str(tmp_path / "repository/metadata/timestamp.json")).signed
    assert (timestamp.expires - AT).days == HOUSE_POLICY["timestamp"].lifetime_days


def test_too_few_keys_at_hand_sign_nothing(workshop):
    (workshop.folder / "keys" / "models-2.pem").unlink()
    keys = KeyRing.load(workshop.folder / "keys")
    writer = Repository(workshop.repository, keys, SMALL_POLICY)
    with pytest.raises(SigningError, match="1 keys for models, 2 needed"):
        writer.publish(build_bundle(small_members(), "2026.11.1", CREATED_AT))


def test_a_repository_is_not_initialised_over_another(workshop):
    with pytest.raises(SigningError, match="already"):
        workshop.writer.initialise()


def test_a_channel_cannot_offer_what_was_never_published(workshop):
    with pytest.raises(BundleWithdrawnError):
        workshop.writer.offer("2026.11.9")


def test_the_root_to_embed_is_the_first_one(workshop):
    assert workshop.writer.trust == workshop.trust


def test_an_unchanged_member_has_the_same_stored_bytes_in_the_next_version():
    one = build_bundle(small_members(), "2026.11.1", CREATED_AT).stored
    two = build_bundle(small_members(), "2026.11.2", CREATED_AT).stored
    assert one["2026.11.1/models/common.onnx.zst"] == two["2026.11.2/models/common.onnx.zst"]


def test_a_pickle_is_not_built_into_a_bundle():
    with pytest.raises(BundleMalformedError, match="refused"):
        build_bundle(
            {**small_members(), "models/common.pkl": b"\x80\x04."}, "2026.11.1", CREATED_AT
        )


def test_a_bundle_without_notices_is_not_built():
    members = small_members()
    del members["notices/NOTICES.md"]
    with pytest.raises(BundleMalformedError, match="missing"):
        build_bundle(members, "2026.11.1", CREATED_AT)


def test_keys_are_private_files_and_are_never_overwritten(tmp_path):
    KeyRing.generate(tmp_path / "keys", SMALL_POLICY)
    assert {stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "keys").iterdir()} == {0o600}
    with pytest.raises(SigningError, match="already"):
        KeyRing.generate(tmp_path / "keys", SMALL_POLICY)


def test_encrypted_keys_need_their_passphrase(tmp_path):
    ring = KeyRing.generate(tmp_path, SMALL_POLICY, passphrase=b"correct horse")
    again = KeyRing.load(tmp_path, passphrase=b"correct horse")
    assert [s.public_key for s in ring.signers("models")] == [
        s.public_key for s in again.signers("models")
    ]
    for wrong in (b"battery staple", None):
        with pytest.raises(SigningError):
            KeyRing.load(tmp_path, passphrase=wrong)


def test_a_folder_without_keys_or_with_something_else_signs_nothing(tmp_path):
    with pytest.raises(SigningError, match="no key files"):
        KeyRing.load(tmp_path)
    (tmp_path / "root-1.pem").write_text("not a key")
    with pytest.raises(SigningError, match="root-1"):
        KeyRing.load(tmp_path)


def test_a_role_without_keys_says_which(tmp_path):
    ring = KeyRing.generate(tmp_path, {"timestamp": RolePolicy(1, 1, 1)})
    with pytest.raises(SigningError, match="role root"):
        ring.signers("root")


@pytest.mark.parametrize("policy", [(1, 2, 3), (1, 0, 3), (1, 1, 0)])
def test_a_policy_that_cannot_sign_is_refused(policy):
    with pytest.raises(SigningError):
        RolePolicy(*policy)


def test_keys_made_before_a_role_existed_are_kept_and_that_role_gets_its_own(tmp_path):
    older = {role: how for role, how in SMALL_POLICY.items() if role != "safety"}
    before = KeyRing.generate(tmp_path, older)
    ring = KeyRing.ready(tmp_path, SMALL_POLICY)
    assert len(ring.signers("safety")) == 2
    for role in older:
        keys = [s.public_key for s in before.signers(role)]
        assert [s.public_key for s in ring.signers(role)] == keys


def test_orders_are_published_and_count_up(workshop):
    old, new = workshop.publish("2026.11.1").release, workshop.publish("2026.11.2").release
    assert workshop.writer.orders() is None
    said = Orders(
        number=1,
        issued_at=AT,
        blocks=(Block(release=new, model="rare"),),
        downgrades=(Downgrade(release=new, to=old),),
    )
    workshop.writer.order(said)
    assert workshop.writer.orders() == said
    with pytest.raises(SigningError, match="above"):
        workshop.writer.order(said)
    workshop.writer.order(replace(said, number=2, blocks=()))
    assert workshop.writer.orders().blocks == ()


def test_an_order_to_a_release_nobody_published_is_not_signed(workshop):
    new = workshop.publish("2026.11.2").release
    step = Downgrade(release=new, to=Release("2026.10.1", "a" * 64))
    with pytest.raises(BundleTamperedError, match="never published"):
        workshop.writer.order(Orders(number=1, issued_at=AT, downgrades=(step,)))


def test_the_safety_role_cannot_sign_a_release_or_a_channel(workshop):
    """Whatever it writes outside `safety/`, no reader asks it there."""
    workshop.publish("2026.11.1")
    built = build_bundle(small_members(common=b"mine"), "2026.11.2", CREATED_AT)
    channel = {"channels/stable.json": write_channel("stable", built.release)}
    workshop.writer._add(
        workshop.writer._current("safety"), {**built.stored, **channel}, AT, role="safety"
    )
    signed = workshop.writer.signed()
    assert "2026.11.2/manifest.json" in signed.delegated["safety"].targets
    assert signed.find("2026.11.2/manifest.json") is None
    assert workshop.opened().version == "2026.11.1"


def test_a_stage_of_a_rollout_is_published_and_widened(workshop):
    old = workshop.publish("2026.11.1").release
    stage = Rollout(basis_points=1000, salt="2026.11.2", before=old)
    new = workshop.publish("2026.11.2", rollout=stage).release
    workshop.writer.offer("2026.11.2", rollout=replace(stage, basis_points=2500))
    target = workshop.writer.signed().find("channels/stable.json")
    offer = read_offer(read_target(workshop.writer.stored, target), "stable")
    assert offer == ChannelOffer(release=new, rollout=replace(stage, basis_points=2500))
