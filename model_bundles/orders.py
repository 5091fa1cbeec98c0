"""Orders of the safety role: do not serve this, go back to that. They can only take away.

    safety/orders.json
    {"format": 1, "number": n, "issued_at": t, "blocks": [...], "downgrades": [...]}

The role `safety` is delegated by targets, terminating, and trusted for `safety/…` alone, so one
safety key can never sign a model. A block stops a release, or one model of it (kill switch); a
downgrade names an older release that the `models` role had published before. What is blocked
stays blocked without a link: whoever reads an order keeps it (`newer`), and forgets it only for a
document with a higher number, from whichever repository it came.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, Protocol

from tuf.api.metadata import TargetFile

from ddx.domain.canonical import canonical_json
from model_bundles import blobs, layout
from model_bundles.chain import SignedTargets
from model_bundles.errors import (
    BundleIncompatibleError,
    BundleMalformedError,
    BundleTamperedError,
)
from model_bundles.manifest import Release, check_sha256, read_canonical

SAFETY: Final = "safety"
ORDERS_PATH: Final = "safety/orders.json"
SAFETY_PATTERNS: Final = ("safety/*.json",)
"""Target paths the `safety` role may sign for."""

MAX_ORDERS_BYTES: Final = 64 * 2**10
MAX_ORDERS: Final = 200
MAX_NOTE: Final = 400
_FORMAT: Final = 1
_MODEL: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")


class Reason(StrEnum):
    """Why a release or a model is stopped; the screen has a sentence for each."""

    MISSED_EMERGENCY = "missed_emergency"
    WRONG_ANSWERS = "wrong_answers"
    WRONG_CONTENT = "wrong_content"
    SECURITY = "security"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Do not serve `release`; with `model`, serve it without that model (`common`, `rare`).

    note: for the clinician, language code -> plain text; may be empty.
    """

    release: Release
    model: str | None = None
    reason: Reason = Reason.OTHER
    note: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.model is not None and not _MODEL.fullmatch(self.model):
            raise BundleMalformedError(f"not the name of a model: {self.model[:40]!r}")
        if any(len(language) != 2 or len(text) > MAX_NOTE for language, text in self.note):
            raise BundleMalformedError(f"a note is at most {MAX_NOTE} characters per language")

    def to_json(self) -> dict[str, Any]:
        """Return the block as a JSON object."""
        model = {} if self.model is None else {"model": self.model}
        note = dict(self.note)
        return {"release": self.release.to_json(), "reason": self.reason, "note": note, **model}


@dataclass(frozen=True, slots=True, kw_only=True)
class Downgrade:
    """Where `release` serves, go back to `to`, which is older and published already."""

    release: Release
    to: Release
    reason: Reason = Reason.OTHER

    def __post_init__(self) -> None:
        if layout.version_key(self.to.version) >= layout.version_key(self.release.version):
            raise BundleMalformedError(f"{self.to.version} is no step back")

    def to_json(self) -> dict[str, Any]:
        """Return the order as a JSON object."""
        ends = {"release": self.release.to_json(), "to": self.to.to_json()}
        return {**ends, "reason": self.reason}


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """All orders in force. number: counts up with each document, never reused.

    Raises:
        BundleMalformedError: two downgrades of one release, a downgrade to a blocked release, or
            more than MAX_ORDERS orders.
    """

    number: int
    issued_at: datetime
    blocks: tuple[Block, ...] = ()
    downgrades: tuple[Downgrade, ...] = ()

    def __post_init__(self) -> None:
        if self.number < 1 or self.issued_at.tzinfo is None:
            raise BundleMalformedError("orders need a number from 1 up and a time with its zone")
        if len(self.blocks) + len(self.downgrades) > MAX_ORDERS:
            raise BundleMalformedError(f"more than {MAX_ORDERS} orders")
        if len({order.release for order in self.downgrades}) != len(self.downgrades):
            raise BundleMalformedError("two downgrades of one release")
        for order in self.downgrades:
            if self.blocks_release(order.to.digest) is not None:
                raise BundleMalformedError(f"a downgrade to {order.to.version}, which is blocked")

    def blocks_release(self, digest: str) -> Block | None:
        """Return the order that stops the whole release with this digest, or None."""
        return next(
            (b for b in self.blocks if b.model is None and b.release.digest == digest), None
        )

    def blocked_models(self, digest: str) -> Mapping[str, Block]:
        """Return model name -> the order that stops it in the release with this digest.

        A name this application does not know stops nothing it has.
        """
        named = [b for b in self.blocks if b.model is not None and b.release.digest == digest]
        return {str(block.model): block for block in named}

    def destination(self, release: Release) -> Release | None:
        """Return where a device that serves `release` is sent back to, or None.

        Orders chain (9 -> 8, 8 -> 7); each goes to an older version, so there is an end.
        """
        steps = {order.release: order.to for order in self.downgrades}
        found = steps.get(release)
        while found is not None and found in steps:
            found = steps[found]
        return found

    def check_published(self, signed: SignedTargets) -> None:
        """Return if every downgrade leads to a release that `signed` vouches for.

        Raises:
            BundleTamperedError: it names a release nobody signed as one.
        """
        for order in self.downgrades:
            target = signed.find(layout.manifest_path(order.to.version))
            if target is None or blobs.sha256_of(target) != order.to.digest:
                raise BundleTamperedError(f"a downgrade to {order.to.version}, never published")


def newer(kept: Orders | None, read: Orders | None) -> Orders | None:
    """Return the orders in force of those kept before and those just read: the higher number.

    No document takes kept orders back: only a later one can, signed by the safety role.
    """
    found = [orders for orders in (kept, read) if orders is not None]
    return max(found, key=lambda orders: orders.number, default=None)


class OrdersMemory(Protocol):
    """Keeps the orders in force where changing files does not reach: an encrypted store.

    What it holds counts; the file beside the slots is a copy of it.
    """

    def orders(self) -> bytes | None:
        """Return the document kept, or None."""

    def keep_orders(self, content: bytes) -> None:
        """Keep a document in place of the one before, durably."""


def write_orders(orders: Orders) -> bytes:
    """Return the document of `orders`, canonical."""
    content = canonical_json(
        {
            "format": _FORMAT,
            "number": orders.number,
            "issued_at": orders.issued_at.astimezone(UTC).isoformat(timespec="seconds"),
            "blocks": [block.to_json() for block in orders.blocks],
            "downgrades": [order.to_json() for order in orders.downgrades],
        }
    )
    if len(content) > MAX_ORDERS_BYTES:
        raise BundleMalformedError(f"orders over {MAX_ORDERS_BYTES} bytes")
    return content


def read_orders(content: bytes) -> Orders:
    """Return the orders `content` spells; fields it does not know are ignored.

    Raises:
        BundleMalformedError: not canonical JSON, or a field missing or out of its limits.
        BundleIncompatibleError: another format of the document.
    """
    if len(content) > MAX_ORDERS_BYTES:
        raise BundleMalformedError(f"orders over {MAX_ORDERS_BYTES} bytes")
    raw = read_canonical(content)
    if raw.get("format") != _FORMAT:
        raise BundleIncompatibleError(f"orders of format {raw.get('format')!r} are not known")
    try:
        return Orders(
            number=_whole(raw["number"]),
            issued_at=datetime.fromisoformat(raw["issued_at"]),
            blocks=tuple(_block(block) for block in raw["blocks"]),
            downgrades=tuple(_downgrade(order) for order in raw["downgrades"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BundleMalformedError(f"orders cannot be read: {error!r}") from error


def check_target(target: TargetFile) -> None:
    """Return if `target` may be downloaded as orders; raise BundleMalformedError by its length."""
    if target.length > MAX_ORDERS_BYTES:
        raise BundleMalformedError(f"orders of {target.length} bytes")


def _block(raw: Mapping[str, Any]) -> Block:
    note = {str(language): str(text) for language, text in raw.get("note", {}).items()}
    return Block(
        release=_release(raw["release"]),
        model=raw.get("model"),
        reason=_reason(raw["reason"]),
        note=tuple(sorted(note.items())),
    )


def _downgrade(raw: Mapping[str, Any]) -> Downgrade:
    reason = _reason(raw["reason"])
    return Downgrade(release=_release(raw["release"]), to=_release(raw["to"]), reason=reason)


def _release(raw: Mapping[str, Any]) -> Release:
    check_sha256(raw["digest"])
    return Release.from_json(raw)


def _reason(code: str) -> Reason:
    """Return the reason; a later application's is OTHER, since the order counts all the same."""
    return Reason(code) if code in set(Reason) else Reason.OTHER


def _whole(number: object) -> int:
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError("number is not a whole number")
    return number
