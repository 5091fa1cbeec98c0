"""Patches of a release from the versions before it: what a warm start changes is a few percent.

A patch is a target like any other, signed with the release: old member's hash -> new member's
hash. A device that has neither the old member nor luck with the patch takes the whole file.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from model_bundles import blobs, chain, compression, layout
from model_bundles.authoring.build import BuiltBundle
from model_bundles.blobs import RepositoryFiles
from model_bundles.errors import BundleIncompatibleError
from model_bundles.manifest import Manifest, Release
from model_bundles.verify import (
    METADATA_FOLDER,
    TARGETS_FOLDER,
    Trust,
    VerifiedBundle,
    open_release,
)


def with_patches(
    built: BuiltBundle, old: Iterable[VerifiedBundle], new: Mapping[str, bytes]
) -> BuiltBundle:
    """Return `built` with a patch for every member that differs from that of an `old` bundle.

    new: the raw members `built` was built of. A patch no smaller than the whole file is left out.
    """
    patches = patches_for(built.manifest, built.stored, old, new)
    return replace(built, stored={**built.stored, **patches})


def patches_for(
    manifest: Manifest,
    stored: Mapping[str, bytes],
    old: Iterable[VerifiedBundle],
    new: Mapping[str, bytes],
) -> dict[str, bytes]:
    """Return path -> patch as `with_patches` adds them. stored: path -> bytes, whole files."""
    hashes = {member.name: member.sha256 for member in manifest.members}
    patches: dict[str, bytes] = {}
    for bundle in old:
        for name, raw in new.items():
            before = bundle.member(name)
            if before is None or before.sha256 == hashes[name]:
                continue
            path = layout.patch_path(manifest.version, before.sha256, hashes[name])
            patch = compression.make_patch(bundle.peek(name), raw)
            whole = stored[layout.member_path(manifest.version, name)]
            if patch is not None and len(patch) < len(whole):
                patches[path] = patch
    return patches


def versions_before(
    repository: Path, trust: Trust, version: str, *, count: int = layout.PATCHED_VERSIONS
) -> tuple[VerifiedBundle, ...]:
    """Return the newest published bundles older than `version`, newest first.

    None where nothing is published yet. Those another application wrote are passed over.

    Raises:
        BundleError: the repository is damaged.
    """
    if not (repository / METADATA_FOLDER / "timestamp.json").exists():
        return ()
    signed = chain.repository_targets(repository / METADATA_FOLDER, trust.root)
    stored = RepositoryFiles(repository / TARGETS_FOLDER)
    published = {
        path.split("/")[0]: blobs.sha256_of(target)
        for role in (signed.targets, *signed.delegated.values())
        for path, target in role.targets.items()
        if path.endswith("/manifest.json") and path.count("/") == 1
    }
    newest = layout.version_key(version)
    older = [v for v in published if layout.version_key(v) < newest]
    found: list[VerifiedBundle] = []
    for candidate in sorted(older, key=layout.version_key, reverse=True)[:count]:
        try:
            found.append(open_release(signed, Release(candidate, published[candidate]), stored))
        except BundleIncompatibleError:
            continue
    return tuple(found)
