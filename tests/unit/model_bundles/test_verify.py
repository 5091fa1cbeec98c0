import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC

import pytest
from support.as_installed import without_optional
from support.bundle_workshop import CREATED_AT, BundleWorkshop, small_members

from ddx.domain import artifacts
from ddx.errors import ModelError
from model_bundles import verify
from model_bundles.authoring.build import build_bundle
from model_bundles.errors import (
    BundleIncompatibleError,
    BundleMemberMissingError,
    BundleTamperedError,
)
from model_bundles.manifest import write_channel, write_manifest
from model_bundles.verify import Trust, VerifiedBundle, open_verified


def test_a_signed_bundle_gives_its_members(workshop):
    built = workshop.publish("2026.11.1")
    bundle = workshop.opened()
    assert (bundle.version, bundle.digest) == ("2026.11.1", built.digest)
    assert bundle.created_at == CREATED_AT
    assert bundle.created_at.tzinfo is UTC
    assert {name: bundle.read(name) for name in bundle.members} == small_members()
    assert bundle.size_bytes == built.stored_bytes - len(built.manifest.content)


def test_the_channel_decides_which_release_of_a_repository_is_opened(workshop):
    workshop.publish("2026.11.1")
    workshop.publish("2026.11.2", channel="beta")
    assert workshop.opened().version == "2026.11.1"
    assert workshop.opened("beta").version == "2026.11.2"
    with pytest.raises(BundleTamperedError, match="no channel"):
        workshop.opened("alpha")


def test_a_bundle_satisfies_what_the_engine_reads(workshop):
    bundle: artifacts.Artifacts = workshop.signed()
    assert bundle.read(artifacts.COMMON_MODEL)


def test_an_unknown_member_is_a_model_error_for_the_engine(workshop):
    bundle = workshop.signed()
    with pytest.raises(ModelError):
        bundle.read("models/other.onnx")
    with pytest.raises(BundleMemberMissingError):
        bundle.read("../../secret.json")


def test_nobody_else_makes_a_verified_bundle():
    manifest = write_manifest(small_members(), version="2026.11.1", created_at=CREATED_AT)
    with pytest.raises(TypeError, match="open_verified"):
        VerifiedBundle(object(), manifest, {}, None)


def test_another_publishers_root_opens_nothing(workshop, tmp_path):
    workshop.publish()
    stranger = BundleWorkshop(tmp_path / "stranger")
    with pytest.raises(BundleTamperedError, match="signatures"):
        open_verified(workshop.repository, stranger.trust)


@pytest.mark.parametrize("root", [b"", b"{}", b"not json"])
def test_an_unreadable_root_opens_nothing(workshop, root):
    workshop.publish()
    with pytest.raises(BundleTamperedError, match="root"):
        open_verified(workshop.repository, Trust(root))


def test_a_targets_file_is_no_root_of_trust(workshop):
    workshop.publish()
    with pytest.raises(BundleTamperedError, match="in place of root"):
        open_verified(
            workshop.repository, Trust(workshop.find("metadata/1.targets.json").read_bytes())
        )


def test_years_past_every_date_the_bundle_still_opens(tmp_path):
    workshop = BundleWorkshop(tmp_path)
    workshop.publish(at=CREATED_AT.replace(year=2000))
    workshop.expire(days_ago=5000)
    assert workshop.opened().version == "2026.11.1"


def test_a_bundle_for_a_newer_application_is_incompatible(workshop):
    workshop.publish(min_app_version="99.0.0")
    with pytest.raises(BundleIncompatibleError):
        workshop.opened()


def test_a_missing_member_is_noticed_when_the_bundle_is_opened(workshop):
    workshop.publish()
    workshop.find("targets/2026.11.1/models/*common.onnx.zst").unlink()
    with pytest.raises(BundleTamperedError, match=r"common\.onnx.*missing"):
        workshop.opened()


def test_a_member_is_hashed_when_first_read_and_then_kept(workshop):
    bundle = workshop.signed()
    model = bundle.read(artifacts.COMMON_MODEL)
    workshop.tamper("targets/*/models/*common.onnx.zst")
    workshop.tamper("targets/*/models/*meta.json.zst")
    assert bundle.read(artifacts.COMMON_MODEL) == model
    with pytest.raises(BundleTamperedError, match="not what was signed"):
        bundle.read(artifacts.META_MODEL)
    with pytest.raises(BundleTamperedError):
        bundle.check_every_member()


def test_a_member_let_go_is_read_and_hashed_again(workshop):
    bundle = workshop.signed()
    model = bundle.read(artifacts.COMMON_MODEL)
    bundle.let_go()
    assert bundle.read(artifacts.COMMON_MODEL) == model
    bundle.let_go()
    workshop.tamper("targets/*/models/*common.onnx.zst")
    with pytest.raises(BundleTamperedError, match="not what was signed"):
        bundle.read(artifacts.COMMON_MODEL)


def test_a_member_changed_and_longer_is_refused_when_the_bundle_is_opened(workshop):
    workshop.publish()
    path = workshop.find("targets/*/models/*common.onnx.zst")
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(BundleTamperedError, match="bytes"):
        workshop.opened()


def test_members_may_not_be_swapped_under_one_anothers_names(workshop):
    workshop.publish(members=small_members(meta=b"a" * 50, rare_diseases=b"b" * 50))
    one = workshop.find("targets/*/models/*meta.json.zst")
    two = workshop.find("targets/*/models/*rare_diseases.json.zst")
    one_bytes, two_bytes = one.read_bytes(), two.read_bytes()
    one.write_bytes(two_bytes)
    two.write_bytes(one_bytes)
    with pytest.raises(BundleTamperedError):
        workshop.opened().read(artifacts.META_MODEL)


def test_threads_that_read_together_get_the_same_bytes(workshop):
    bundle = workshop.signed()
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(bundle.read, list(bundle.members) * 4))
    assert read == [small_members()[name] for name in bundle.members] * 4


def test_the_metadata_of_two_repositories_does_not_mix(workshop, tmp_path):
    workshop.publish("2026.11.1")
    before = workshop.keep()
    workshop.publish("2026.11.2")
    old = (before / "metadata" / "2.models.json").read_bytes()
    workshop.find("metadata/3.models.json").write_bytes(old)
    with pytest.raises(BundleTamperedError, match="not the one named"):
        workshop.opened()


def test_a_rotated_root_is_followed_only_when_the_old_one_signed_it(workshop, tmp_path):
    workshop.publish()
    stranger = BundleWorkshop(tmp_path / "stranger")
    forged = stranger.find("metadata/1.root.json").read_bytes()
    (workshop.repository / "metadata" / "2.root.json").write_bytes(forged)
    with pytest.raises(BundleTamperedError, match="role root"):
        workshop.opened()


def test_a_channel_that_names_a_digest_nobody_signed_opens_nothing(workshop):
    built = workshop.publish("2026.11.1")
    other = build_bundle(small_members(common=b"another"), "2026.11.1", CREATED_AT)
    assert other.digest != built.digest
    models = workshop.writer._current("models")
    channel = write_channel("stable", other.release)
    workshop.writer._add(models, {"channels/stable.json": channel}, CREATED_AT)
    with pytest.raises(BundleTamperedError, match="is not signed"):
        workshop.opened()


def test_the_client_is_reachable_here_but_opening_a_bundle_loads_no_http_library():
    assert verify.BundleClient.__name__ == "BundleClient"
    with pytest.raises(AttributeError):
        _ = verify.Nothing
    probe = (
        f"{without_optional()}; import model_bundles.verify, model_bundles.slots;"
        "print('urllib3' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
