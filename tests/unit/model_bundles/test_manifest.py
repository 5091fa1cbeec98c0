import hashlib
import json
from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.bundle_workshop import CREATED_AT, small_members

from ddx.domain.canonical import canonical_json
from model_bundles import layout
from model_bundles.errors import BundleIncompatibleError, BundleMalformedError
from model_bundles.manifest import (
    Release,
    check_usable,
    read_channel,
    read_manifest,
    write_channel,
    write_manifest,
)


def manifest_json(**changes):
    raw = json.loads(
        write_manifest(small_members(), version="2026.11.1", created_at=CREATED_AT).content
    )
    return {**raw, **changes}


def read(**changes):
    return read_manifest(canonical_json(manifest_json(**changes)))


@given(
    contents=st.lists(
        st.binary(max_size=64), min_size=len(layout.REQUIRED), max_size=len(layout.REQUIRED)
    ),
    created_at=st.datetimes(timezones=st.just(UTC)),
)
@settings(max_examples=50)
def test_what_is_written_is_read_back(contents, created_at):
    members = dict(zip(sorted(layout.REQUIRED), contents, strict=True))
    written = write_manifest(members, version="2026.11.1", created_at=created_at)
    assert read_manifest(written.content) == written
    assert written.created_at == created_at.replace(microsecond=0)
    assert {m.name: (m.sha256, m.length) for m in written.members} == {
        name: (hashlib.sha256(raw).hexdigest(), len(raw)) for name, raw in members.items()
    }


def test_the_digest_is_the_sha256_of_the_canonical_manifest():
    manifest = write_manifest(small_members(), version="2026.11.1", created_at=CREATED_AT)
    assert manifest.release.digest == hashlib.sha256(manifest.content).hexdigest()
    assert manifest.content == canonical_json(json.loads(manifest.content))


def test_the_zone_of_the_builder_does_not_change_the_bundle():
    lima = CREATED_AT.astimezone(timezone(timedelta(hours=-5)))
    one, two = (
        write_manifest(small_members(), version="2026.11.1", created_at=t)
        for t in (CREATED_AT, lima)
    )
    assert one.content == two.content


def test_a_time_without_zone_is_refused():
    with pytest.raises(BundleMalformedError):
        write_manifest(
            small_members(), version="2026.11.1", created_at=CREATED_AT.replace(tzinfo=None)
        )


def test_fields_of_a_later_minor_format_are_ignored():
    assert read(patches=[{"from": "2026.10.1"}]).version == "2026.11.1"


def test_a_second_spelling_of_the_same_manifest_is_refused():
    with pytest.raises(BundleMalformedError, match="canonical"):
        read_manifest(json.dumps(manifest_json(), indent=1).encode())


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"null", b"\xff", b'{"a":NaN}', b"[" * 100_000, b'{"a":"\\ud800"}'],
    ids=["empty", "list", "null", "not utf-8", "nan", "deep", "surrogate"],
)
def test_what_is_not_a_canonical_object_is_refused(content):
    with pytest.raises(BundleMalformedError):
        read_manifest(content)


def test_another_format_or_a_newer_application_is_incompatible_not_tampered():
    with pytest.raises(BundleIncompatibleError, match="format"):
        read(format=2)
    with pytest.raises(BundleIncompatibleError, match=r"needs application 99\.0\.0"):
        check_usable(read(min_app_version="99.0.0"))


@pytest.mark.parametrize(
    "change",
    [
        {"name": "somebody-else"},
        {"version": "11"},
        {"created_at": "2026-11-01T12:00:00"},
        {"created_at": "yesterday"},
        {"members": None},
        {"members": [{"name": "models/x.json"}]},
        {
            "members": [
                {"name": "models/x.pkl", "sha256": "0" * 64, "length": 1, "compression": "zstd"}
            ]
        },
        {
            "members": [
                {"name": "models/x.json", "sha256": "0" * 63, "length": 1, "compression": "zstd"}
            ]
        },
        {"members": [{"name": "models/x.json", "sha256": 5, "length": 1, "compression": "zstd"}]},
        {
            "members": [
                {"name": "models/x.json", "sha256": "0" * 64, "length": True, "compression": "zstd"}
            ]
        },
        {
            "members": [
                {
                    "name": "models/x.json",
                    "sha256": "0" * 64,
                    "length": 2**40,
                    "compression": "zstd",
                }
            ]
        },
    ],
)
def test_a_malformed_field_is_refused(change):
    with pytest.raises(BundleMalformedError):
        read(**change)


def test_a_compression_this_application_lacks_is_incompatible():
    member = {"name": "models/x.json", "sha256": "0" * 64, "length": 1, "compression": "brotli"}
    with pytest.raises(BundleIncompatibleError):
        check_usable(read(members=[member]))


def test_a_manifest_over_its_size_limit_is_refused_before_it_is_parsed():
    with pytest.raises(BundleMalformedError, match="over"):
        read_manifest(b" " * (layout.MAX_MANIFEST_BYTES + 1))


def test_a_channel_names_its_release_and_only_its_own():
    release = Release("2026.11.1", "a" * 64)
    assert read_channel(write_channel("stable", release), "stable") == release
    with pytest.raises(BundleMalformedError, match="channel"):
        read_channel(write_channel("beta", release), "stable")


def test_a_channel_of_another_format_is_incompatible():
    raw = json.loads(write_channel("stable", Release("2026.11.1", "a" * 64)))
    with pytest.raises(BundleIncompatibleError):
        read_channel(canonical_json(raw | {"format": 2}), "stable")
    with pytest.raises(BundleMalformedError):
        read_channel(canonical_json(raw | {"release": None}), "stable")
