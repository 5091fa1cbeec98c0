"""Members -> a bundle ready to be signed: canonical manifest and compressed files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from model_bundles import compression, layout
from model_bundles.manifest import Manifest, Release, write_manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltBundle:
    """A bundle nobody has signed yet. stored: target path -> bytes as they will be published."""

    manifest: Manifest
    stored: Mapping[str, bytes] = field(repr=False)

    @property
    def release(self) -> Release:
        """Version and digest."""
        return self.manifest.release

    @property
    def version(self) -> str:
        """Version, e.g. `2026.11.1`."""
        return self.manifest.version

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical manifest."""
        return self.release.digest

    @property
    def stored_bytes(self) -> int:
        """Size of everything that will be published, in bytes."""
        return sum(len(content) for content in self.stored.values())


def build_bundle(
    members: Mapping[str, bytes],
    version: str,
    created_at: datetime,
    *,
    min_app_version: str = layout.APP_VERSION,
) -> BuiltBundle:
    """Return the bundle of `members` (name -> raw bytes).

    Deterministic: the same arguments give the same bytes, so an unchanged member keeps its
    stored hash from one version to the next and no device downloads it twice.

    Raises:
        BundleMalformedError: a name, size, version or time that `layout` refuses.
    """
    manifest = write_manifest(
        members, version=version, created_at=created_at, min_app_version=min_app_version
    )
    stored = {
        layout.member_path(version, name): compression.pack(raw)
        for name, raw in sorted(members.items())
    }
    return BuiltBundle(
        manifest=manifest, stored={layout.manifest_path(version): manifest.content, **stored}
    )
