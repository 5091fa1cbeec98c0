"""Names and limits inside a bundle, and the paths of its files in a repository."""

import re
from collections.abc import Iterable
from typing import Final

from ddx.domain import artifacts
from model_bundles.errors import BundleMalformedError

APP_VERSION: Final = "0.1.0"
"""Version of this reader; a bundle may ask for a newer one (`min_app_version`)."""

BUNDLE_NAME: Final = "vereda-models"
FORMAT_VERSION: Final = 1

MODEL_CARD: Final = "card/model_card.json"
NOTICES: Final = "notices/NOTICES.md"
HPO_ONTOLOGY: Final = "vocabulary/hp.obo"
HPO_ANNOTATIONS: Final = "vocabulary/phenotype.hpoa"

REQUIRED: Final = frozenset(
    {
        artifacts.FINDINGS,
        artifacts.DISEASES,
        artifacts.HPO_TERMS,
        artifacts.COMMON_MODEL,
        artifacts.COMMON_SCHEMA,
        artifacts.COMMON_TREES,
        artifacts.COMMON_CALIBRATION,
        artifacts.RARE_INDEX,
        artifacts.RARE_DISEASES,
        artifacts.META_MODEL,
        artifacts.GOLDEN_CASES,
        MODEL_CARD,
        NOTICES,
    }
)
"""Without these the engine cannot answer, test itself, or say what it is."""

KNOWN: Final = REQUIRED | {HPO_ONTOLOGY, HPO_ANNOTATIONS}
"""Members this reader knows; a bundle may hold others, which it ignores."""

MAX_MEMBERS: Final = 256
MAX_MEMBER_BYTES: Final = 64 * 2**20
"""Raw bytes of one member; the largest today is phenotype.hpoa, near 35 MB."""
MAX_BUNDLE_BYTES: Final = 256 * 2**20
"""Raw bytes of all members: what a clinic machine with 4 GB can hold besides its work."""
MAX_MANIFEST_BYTES: Final = 256 * 2**10
MAX_CHANNEL_BYTES: Final = 16 * 2**10

PATCHES: Final = "patches"
"""Folder of a release's patches; no member lies in it, for its name is refused as one."""
PATCHED_VERSIONS: Final = 3
"""A release carries patches from so many versions before it."""
MAX_PATCHED_BYTES: Final = 64 * 2**20
"""Raw bytes of old and new member together: the window, and so the memory, to apply a patch."""

SUFFIXES: Final = frozenset({"json", "onnx", "npz", "obo", "hpoa", "md", "txt", "csv"})
"""Formats that hold data only. An allow-list: pickle and its kin execute code when loaded."""

_MEMBER = re.compile(r"[a-z][a-z0-9_]*/[A-Za-z0-9][A-Za-z0-9_-]*\.([a-z0-9]+)")
_VERSION = re.compile(r"(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})")
_CHANNEL = re.compile(r"[a-z][a-z0-9-]{0,31}")

RELEASE_PATTERNS: Final = ("[0-9]*/*", "[0-9]*/*/*", "channels/*.json")
"""Target paths the `models` role may sign for: `<version>/…` and the channels."""

APP: Final = "app"
"""Role that signs installers of the application. A repository may delegate to it or not."""
APP_PATTERNS: Final = ("app/*/*",)
OPTIONAL_ROLES: Final = frozenset({APP})
"""Roles a reader of bundles need not fetch: what they sign is no bundle and no order."""


def version_key(version: str) -> tuple[int, int, int]:
    """Return `2026.11.1` as (2026, 11, 1), which orders releases.

    Raises:
        BundleMalformedError: not three dot-separated numbers without leading zeros.
    """
    match = _VERSION.fullmatch(version)
    if match is None:
        raise BundleMalformedError(f"not a bundle version: {version[:40]!r}")
    year, month, number = (int(part) for part in match.groups())
    return year, month, number


def check_names(names: Iterable[str]) -> None:
    """Return if the members form a bundle.

    Two names that differ only in case are refused: on Windows they would be one file.

    Raises:
        BundleMalformedError: a forbidden or repeated name, too many, or a required one missing.
    """
    listed = list(names)
    if len(listed) > MAX_MEMBERS:
        raise BundleMalformedError(f"{len(listed)} members, at most {MAX_MEMBERS}")
    for name in listed:
        check_name(name)
    if len({name.lower() for name in listed}) != len(listed):
        raise BundleMalformedError("two members share one name")
    missing = sorted(REQUIRED.difference(listed))
    if missing:
        raise BundleMalformedError(f"missing members: {', '.join(missing)}")


def check_name(name: str) -> None:
    """Return if `name` is `folder/file.suffix` with an allowed suffix.

    Raises:
        BundleMalformedError: anything else, `models/x.pkl` and `../x.json` among them.
    """
    match = _MEMBER.fullmatch(name)
    if match is None or len(name) > 128:
        raise BundleMalformedError(f"not a member name: {name[:140]!r}")
    if name.startswith(f"{PATCHES}/"):
        raise BundleMalformedError(f"the folder of patches holds no member: {name}")
    if match.group(1) not in SUFFIXES:
        raise BundleMalformedError(f"members of this format are refused: {name}")


def check_sizes(lengths: Iterable[int]) -> None:
    """Return if raw lengths in bytes are within the limits; raise BundleMalformedError."""
    total = 0
    for length in lengths:
        if not 0 <= length <= MAX_MEMBER_BYTES:
            raise BundleMalformedError(f"a member of {length} bytes, at most {MAX_MEMBER_BYTES}")
        total += length
    if total > MAX_BUNDLE_BYTES:
        raise BundleMalformedError(f"a bundle of {total} bytes, at most {MAX_BUNDLE_BYTES}")


def manifest_path(version: str) -> str:
    """Return the target path of a release's manifest."""
    version_key(version)
    return f"{version}/manifest.json"


def member_path(version: str, name: str) -> str:
    """Return the target path of one stored member."""
    version_key(version)
    return f"{version}/{name}.zst"


def app_channel_path(channel: str) -> str:
    """Return where a channel names the application's version. Raises BundleMalformedError."""
    channel_path(channel)
    return f"{APP}/channels/{channel}.json"


def channel_path(channel: str) -> str:
    """Return the target path of a channel. Raises BundleMalformedError for an odd name."""
    if not _CHANNEL.fullmatch(channel):
        raise BundleMalformedError(f"not a channel name: {channel[:40]!r}")
    return f"channels/{channel}.json"


def patch_path(version: str, old_sha256: str, new_sha256: str) -> str:
    """Return the target path of the patch from one member's raw bytes to another's.

    Sixteen digits of each hash name the patch; what it rebuilds is held to the whole hash.
    """
    version_key(version)
    return f"{version}/{PATCHES}/{old_sha256[:16]}-{new_sha256[:16]}.zst"


def is_patch(version: str, path: str) -> bool:
    """Return whether a target path of a release is that of a patch."""
    return path.startswith(f"{version}/{PATCHES}/")
