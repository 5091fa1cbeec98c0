"""The canonical manifest of a bundle, and the small records that point at a release."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Self

from ddx.domain.canonical import canonical_json
from model_bundles import layout
from model_bundles.errors import BundleIncompatibleError, BundleMalformedError

ZSTD: Final = "zstd"
_SHA256_HEX = 64


@dataclass(frozen=True, slots=True)
class Release:
    """One release: its version, and its digest = SHA-256 (hex) of the canonical manifest.

    Raises:
        BundleMalformedError: malformed version or digest.
    """

    version: str
    digest: str

    def __post_init__(self) -> None:
        layout.version_key(self.version)
        check_sha256(self.digest)

    def to_json(self) -> dict[str, str]:
        """Return the release as a JSON object."""
        return {"version": self.version, "digest": self.digest}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """Return the release `raw` describes. Raises BundleMalformedError."""
        try:
            return cls(version=raw["version"], digest=raw["digest"])
        except (KeyError, TypeError) as error:
            raise BundleMalformedError(f"release record cannot be read: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member: SHA-256 (hex) and length of the raw bytes, and how they are stored."""

    name: str
    sha256: str
    length: int
    compression: str = ZSTD


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a bundle holds. Members are sorted by name; created_at is UTC, whole seconds.

    min_app_version: oldest application that may read the bundle.
    """

    version: str
    created_at: datetime
    members: tuple[Member, ...]
    name: str = layout.BUNDLE_NAME
    min_app_version: str = layout.APP_VERSION
    content: bytes = field(repr=False, default=b"")

    @property
    def release(self) -> Release:
        """Version and digest of this manifest."""
        return Release(self.version, hashlib.sha256(self.content).hexdigest())


def check_sha256(text: str) -> None:
    """Return if `text` is a SHA-256 in lower-case hex; raise BundleMalformedError otherwise."""
    if not isinstance(text, str) or len(text) != _SHA256_HEX or set(text) - set("0123456789abcdef"):
        raise BundleMalformedError(f"not a SHA-256: {str(text)[:80]!r}")


def write_manifest(
    members: Mapping[str, bytes],
    *,
    version: str,
    created_at: datetime,
    min_app_version: str = layout.APP_VERSION,
) -> Manifest:
    """Return the manifest of `members` (name -> raw bytes), checked against the layout.

    created_at: any zone; kept as UTC in whole seconds.

    Raises:
        BundleMalformedError: a name, a size, a version or a naive time that the layout refuses.
    """
    if created_at.tzinfo is None:
        raise BundleMalformedError("created_at needs a time zone")
    content = canonical_json(
        {
            "format": layout.FORMAT_VERSION,
            "name": layout.BUNDLE_NAME,
            "version": version,
            "created_at": created_at.astimezone(UTC).isoformat(timespec="seconds"),
            "min_app_version": min_app_version,
            "members": [
                {
                    "name": name,
                    "sha256": hashlib.sha256(raw).hexdigest(),
                    "length": len(raw),
                    "compression": ZSTD,
                }
                for name, raw in sorted(members.items())
            ],
        }
    )
    manifest = read_manifest(content)
    layout.check_names(member.name for member in manifest.members)
    return manifest


def read_manifest(content: bytes) -> Manifest:
    """Return the manifest `content` spells; fields it does not know are ignored.

    Whether this application can use the bundle is another question: `check_usable`.

    Raises:
        BundleMalformedError: not canonical JSON, or a field missing or out of its limits.
        BundleIncompatibleError: another format of the manifest.
    """
    if len(content) > layout.MAX_MANIFEST_BYTES:
        raise BundleMalformedError(f"manifest over {layout.MAX_MANIFEST_BYTES} bytes")
    raw = read_canonical(content)
    if raw.get("format") != layout.FORMAT_VERSION:
        raise BundleIncompatibleError(f"manifest format {raw.get('format')!r} is not known")
    try:
        manifest = Manifest(
            name=raw["name"],
            version=raw["version"],
            created_at=_utc(raw["created_at"]),
            min_app_version=raw["min_app_version"],
            members=tuple(_member(m) for m in raw["members"]),
            content=content,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BundleMalformedError(f"manifest cannot be read: {error!r}") from error
    _check(manifest)
    return manifest


def _utc(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("created_at without a time zone")
    return moment.astimezone(UTC)


def _member(raw: Mapping[str, Any]) -> Member:
    length = raw["length"]
    if isinstance(length, bool) or not isinstance(length, int):
        raise TypeError("length is not a whole number")
    check_sha256(raw["sha256"])
    layout.check_name(raw["name"])
    return Member(
        name=raw["name"], sha256=raw["sha256"], length=length, compression=raw["compression"]
    )


def _check(manifest: Manifest) -> None:
    if manifest.name != layout.BUNDLE_NAME:
        raise BundleMalformedError(f"not one of our bundles: {manifest.name!r}")
    layout.version_key(manifest.version)
    layout.version_key(manifest.min_app_version)
    layout.check_sizes(member.length for member in manifest.members)


def check_usable(manifest: Manifest) -> None:
    """Return if this application can use the bundle `manifest` describes.

    Raises:
        BundleIncompatibleError: it needs a newer application, or a compression this one lacks.
        BundleMalformedError: a required member is missing, or a name is given twice.
    """
    if layout.version_key(manifest.min_app_version) > layout.version_key(layout.APP_VERSION):
        raise BundleIncompatibleError(
            f"needs application {manifest.min_app_version}, this is {layout.APP_VERSION}"
        )
    if any(member.compression != ZSTD for member in manifest.members):
        raise BundleIncompatibleError("a member is compressed in a way this application lacks")
    layout.check_names(member.name for member in manifest.members)


def write_channel(channel: str, release: Release) -> bytes:
    """Return the document that names the release a channel offers."""
    layout.channel_path(channel)
    return canonical_json({"format": 1, "channel": channel, "release": release.to_json()})


def read_channel(content: bytes, channel: str) -> Release:
    """Return the release `channel` offers; fields it does not know are ignored.

    Raises:
        BundleMalformedError: unreadable, or the document of another channel.
        BundleIncompatibleError: another format of the document.
    """
    if len(content) > layout.MAX_CHANNEL_BYTES:
        raise BundleMalformedError(f"channel document over {layout.MAX_CHANNEL_BYTES} bytes")
    raw = read_canonical(content)
    if raw.get("format") != 1:
        raise BundleIncompatibleError(f"channel format {raw.get('format')!r} is not known")
    if raw.get("channel") != channel:
        raise BundleMalformedError(f"document of channel {raw.get('channel')!r}, not {channel!r}")
    return Release.from_json(raw.get("release") or {})


def read_canonical(content: bytes) -> dict[str, Any]:
    """Return the JSON object `content` spells canonically.

    One value has one spelling, so a document cannot be re-written under the same digest and
    duplicate keys or other tricks of a lenient parser are refused.
    Raises BundleMalformedError.
    """
    try:
        value = json.loads(content)
        canonical = isinstance(value, dict) and canonical_json(value) == content
    except (ValueError, TypeError, RecursionError) as error:
        raise BundleMalformedError("not canonical JSON") from error
    if not canonical:
        raise BundleMalformedError("not a canonical JSON object")
    return dict(value)
