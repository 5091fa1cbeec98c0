"""What a release is made of and locked to, as a CycloneDX 1.6 bill of materials in JSON.

Two kinds of components: the members of the bundle, by the SHA-256 of their raw bytes, and the
packages the application of that release is locked to, by name, version and the digests of the lock.
Deterministic: the same lock, members and time give the same bytes.
Source: CycloneDX 1.6 JSON reference; package URLs as the purl specification writes `pkg:pypi/…`.
"""

import hashlib
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from typing import Any, Final

from ddx.domain.canonical import canonical_json
from model_bundles import layout
from model_bundles.errors import BundleMalformedError

SBOM: Final = "notices/sbom.json"
LOCK_DIGEST: Final = "vereda:lock:sha256"
"""Property of a package: one SHA-256 the lock accepts for it (a wheel or the source)."""

_PINNED: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)")
_DIGEST: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_KINDS: Final = {"onnx": "machine-learning-model", "npz": "machine-learning-model"}


@dataclass(frozen=True, slots=True)
class LockedPackage:
    """One pinned package. digests: SHA-256 (hex) of the files the lock accepts, sorted."""

    name: str
    version: str
    digests: tuple[str, ...]

    @property
    def purl(self) -> str:
        """The package URL, its name normalised as PEP 503 says."""
        return f"pkg:pypi/{re.sub(r'[-_.]+', '-', self.name).lower()}@{self.version}"


def read_lock(text: str) -> tuple[LockedPackage, ...]:
    """Return the packages of a lock file with digests (pip's requirements format).

    Raises:
        BundleMalformedError: a package without version or digest; a lock has both.
    """
    return tuple(_packages(text))


def _packages(text: str) -> Iterator[LockedPackage]:
    for entry in text.replace("\\\n", " ").splitlines():
        if not entry.strip() or entry.lstrip().startswith("#"):
            continue
        pinned, digests = _PINNED.match(entry), _DIGEST.findall(entry)
        if pinned is None or not digests:
            raise BundleMalformedError(f"the lock does not pin {entry.strip()[:60]!r}")
        yield LockedPackage(pinned.group(1), pinned.group(2), tuple(sorted(digests)))


def bill_of_materials(
    lock: str, members: Mapping[str, bytes], *, version: str, at: datetime
) -> bytes:
    """Return the member `notices/sbom.json`.

    lock: text of the application's lock file. members: name -> raw bytes, itself not among them.
    Licences are those the installed packages declare; a package that is not installed here, or
    declares none, has none listed.

    Raises:
        BundleMalformedError: see `read_lock`.
    """
    components = [_member(name, raw) for name, raw in sorted(members.items())]
    components += [_library(package) for package in read_lock(lock)]
    content = canonical_json(components)
    serial = uuid.uuid5(uuid.NAMESPACE_URL, hashlib.sha256(content).hexdigest())
    return canonical_json(
        {
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "serialNumber": f"urn:uuid:{serial}",
            "version": 1,
            "metadata": {
                "timestamp": at.astimezone(UTC).isoformat(timespec="seconds"),
                "component": {
                    "type": "machine-learning-model",
                    "bom-ref": layout.BUNDLE_NAME,
                    "name": layout.BUNDLE_NAME,
                    "version": version,
                },
            },
            "components": components,
        }
    )


def _member(name: str, raw: bytes) -> dict[str, Any]:
    digest = {"alg": "SHA-256", "content": hashlib.sha256(raw).hexdigest()}
    kind = _KINDS.get(name.rpartition(".")[2], "data")
    return {"type": kind, "bom-ref": name, "name": name, "hashes": [digest]}


def _library(package: LockedPackage) -> dict[str, Any]:
    licence = _licence(package)
    return {
        "type": "library",
        "bom-ref": package.purl,
        "name": package.name,
        "version": package.version,
        "purl": package.purl,
        "properties": [{"name": LOCK_DIGEST, "value": digest} for digest in package.digests],
        **({} if licence is None else {"licenses": [licence]}),
    }


def _licence(package: LockedPackage) -> dict[str, Any] | None:
    """Return what the installed package declares: an SPDX expression, or a name of its own."""
    try:
        declared = metadata.metadata(package.name)
    except metadata.PackageNotFoundError:
        return None
    if "License-Expression" in declared:
        return {"expression": declared["License-Expression"]}
    classifiers = declared.get_all("Classifier") or []
    names = [c.rpartition(" :: ")[2] for c in classifiers if c.startswith("License :: ")]
    name = names[0] if names else _first_line(declared)
    return {"license": {"name": name[:120]}} if name else None


def _first_line(declared: metadata.PackageMetadata) -> str:
    """Return the first line of the old `License` field, which may hold a whole text."""
    return declared["License"].strip().partition("\n")[0] if "License" in declared else ""
