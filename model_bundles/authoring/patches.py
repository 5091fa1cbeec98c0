"""Patches of a release from the versions before it: what a warm start changes is a few percent.

A patch is a target like any other, signed with the release: old member's hash -> new member's
hash. A device that has neither the old member nor luck with the patch takes the whole file.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from model_bundles import blobs, chain, compression, layout
from model_bundles.authoring.build import BuiltBundle
from model_bundles.blobs import RepositoryFiles
from model_bundles.errors import BundleIncompatibleError
from model_bundles.manifest import Release
from model_bundles.verify import (
    METADATA_FOLDER,
    TARGETS_FOLDER,
    Trust,
    VerifiedBundle,
    open_release,
)


def with_patches(
    built: BuiltBundle, old: Iterable[VerifiedBundle], new: dict[str, bytes]
) -> BuiltBundle:
    """Return `built` with a patch for every member that differs from that of an `old` bundle.

    new: the raw members `built` was built of. A patch no smaller than the whole file is left out.
    """
    hashes = {member.name: member.sha256 for member in built.manifest.members}
    patches: dict[str, bytes] = {}
    for bundle in old:
        for name, raw in new.items():
            before = bundle.member(name)
            if before is None or before.sha256 == hashes[name]:
                continue
            path = layout.patch_path(built.version, before.sha256, hashes[name])
            patch = compression.make_patch(bundle.peek(name), raw)
            whole = built.stored[layout.member_path(built.version, name)]
            if patch is not None and len(patch) < len(whole):
                patches[path] = patch
    return replace(built, stored={**built.stored, **patches})


def versions_before(
    repository: Path, trust: Trust, version: str, *, count: int = layout.PATCHED_VERSIONS
) -> tuple[VerifiedBundle, ...]:
    """Return the newest published bundles older than `version`, newest first.

    Those another application wrote are passed over. Raises BundleError: the repository is damaged.
    """
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
