"""Keys change while devices are offline; only the old keys may say so."""

import pytest
from support.bundle_workshop import SMALL_POLICY
from tuf.api.metadata import Metadata

from model_bundles.authoring.keys import KeyRing, RolePolicy
from model_bundles.authoring.repository import Repository
from model_bundles.errors import BundleTamperedError
from model_bundles.verify import Trust


def rotate(workshop, *roles, old_signs=True, new_signs=True, version=2):
    """Publish the next root, with fresh keys for `roles`; return the key ring that follows."""
    fresh = KeyRing.generate(workshop.folder / "fresh", {r: RolePolicy(2, 2, 9) for r in roles})
    metadata = Metadata.from_bytes(workshop.trust.root)
    root = metadata.signed
    root.version = version
    for role in roles:
        for keyid in list(root.roles[role].keyids):
            root.revoke_key(keyid, role)
        root.roles[role].threshold = 2
        for signer in fresh.signers(role):
            root.add_key(signer.public_key, role)
    metadata.signatures.clear()
    old = workshop.keys.signers("root") if old_signs else ()
    new = fresh.signers("root") if "root" in roles and new_signs else ()
    for signer in (*old, *new):
        metadata.sign(signer, append=True)
    (workshop.repository / "metadata" / "2.root.json").write_bytes(metadata.to_bytes())
    kept = {role: workshop.keys.signers(role) for role in SMALL_POLICY if role not in roles}
    return KeyRing(kept | {role: fresh.signers(role) for role in roles})


@pytest.fixture
def device(workshop, slots, tmp_path):
    workshop.publish("2026.11.1")
    workshop.install(slots, tmp_path / "device")
    return tmp_path / "device"


def test_a_device_follows_new_root_and_timestamp_keys(workshop, slots, device):
    workshop.keys = rotate(workshop, "root", "timestamp")
    workshop.writer = Repository(workshop.repository, workshop.keys, SMALL_POLICY)
    workshop.publish("2026.11.2")
    assert workshop.install(slots, device).version == "2026.11.2"
    assert slots.active().version == "2026.11.2"
    assert workshop.opened().version == "2026.11.2"


def test_an_application_with_the_new_root_serves_what_was_installed_under_the_old(
    workshop, slots, device, tmp_path
):
    """The online key was replaced meanwhile; the keys that signed the bundle were not."""
    rotate(workshop, "timestamp")
    newer = Trust((workshop.repository / "metadata" / "2.root.json").read_bytes())
    workshop.trust = newer
    assert workshop.slots(tmp_path / "slots").active().version == "2026.11.1"


def test_a_root_that_withdraws_the_keys_of_a_bundle_withdraws_the_bundle(
    workshop, slots, device, tmp_path
):
    rotate(workshop, "targets")
    workshop.trust = Trust((workshop.repository / "metadata" / "2.root.json").read_bytes())
    with pytest.raises(BundleTamperedError, match="role targets"):
        workshop.slots(tmp_path / "slots").active()


@pytest.mark.parametrize(
    "signed_by",
    [{"old_signs": False}, {"new_signs": False}, {"version": 3}],
    ids=["new keys alone", "old keys alone", "a version left out"],
)
def test_a_new_root_that_breaks_the_chain_is_refused(workshop, slots, device, signed_by):
    rotate(workshop, "root", **signed_by)
    with pytest.raises(BundleTamperedError, match="root"):
        workshop.opened()
    assert slots.active().version == "2026.11.1"


def test_a_repository_may_count_anew_under_a_new_timestamp_key(workshop, slots, device):
    """Recovery from a thief who ran the count up to the end: new key, new count."""
    for _ in range(5):
        workshop.renew()
    workshop.client(device).offered()
    workshop.keys = rotate(workshop, "timestamp")
    head = Metadata.from_bytes((workshop.repository / "metadata/timestamp.json").read_bytes())
    head.signed.version = 1
    head.signatures.clear()
    for signer in workshop.keys.signers("timestamp"):
        head.sign(signer, append=True)
    (workshop.repository / "metadata" / "timestamp.json").write_bytes(head.to_bytes())
    assert workshop.client(device).offered(slots) is None
