"""The bundle and the root of trust that ship with the application, and what serves at start.

model_bundles/default/trust/root.json            the embedded root
model_bundles/default/trust/offline_root.json    that of the repository for sticks, if any
model_bundles/default/repository/metadata/       a repository like any other,
model_bundles/default/repository/targets/        opened and verified like any other
model_bundles/default/sticks/metadata/           the repository for sticks, over the same targets
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from model_bundles import layout
from model_bundles.errors import BundleBlockedError, BundleError, BundleStorageError
from model_bundles.orders import Block, Orders
from model_bundles.slots import Slots
from model_bundles.verify import METADATA_FOLDER, Trust, VerifiedBundle, open_verified

_DEFAULT: Final = Path(__file__).parent / "default"
MODELS: Final = ("common", "rare")
"""Models a block may name: those of the two worlds of a differential."""
_LOG = logging.getLogger(__name__)


def default_repository() -> Path:
    """Return the folder of the repository that ships with the application."""
    return _DEFAULT / "repository"


def stick_metadata(default: Path | None = None) -> Path | None:
    """Return the metadata of the shipped repository for sticks, or None where none ships."""
    folder = (default or _DEFAULT) / "sticks" / METADATA_FOLDER
    return folder if folder.is_dir() else None


def embedded_trust(default: Path | None = None) -> Trust:
    """Return the root of trust that ships with the application, or lies in another `default`.

    Raises:
        BundleStorageError: the installation is incomplete.
    """
    folder = (default or _DEFAULT) / "trust"
    offline = folder / "offline_root.json"
    try:
        return Trust(
            (folder / "root.json").read_bytes(),
            offline.read_bytes() if offline.is_file() else None,
        )
    except OSError as error:
        raise BundleStorageError("the application came without its root of trust") from error


class Origin(StrEnum):
    """Where the serving bundle came from."""

    ACTIVE = "active"
    PREVIOUS = "previous"
    EMBEDDED = "embedded"


@dataclass(frozen=True, slots=True)
class Serving:
    """The bundle to serve with. refused: why a better one could not serve; show it, audit it.

    blocked: models of it (`common`, `rare`) the safety role has stopped -> its order. Where it
    stopped all there is on this device, vocabulary and rules of the best one serve without models.
    """

    bundle: VerifiedBundle
    origin: Origin
    refused: tuple[BundleError, ...] = ()
    blocked: Mapping[str, Block] = field(default_factory=dict)


def serving_bundle(slots: Slots, open_embedded: Callable[[], VerifiedBundle]) -> Serving:
    """Return what this device serves with: a damaged slot never leaves it without a model.

    The active release; the embedded one when it is newer (the application was updated) or when
    nothing is active; the previous release when the active one no longer verifies or was stopped,
    and is newer than the embedded one. Where the safety role sends the best of them back to
    another that is here, that one. What the application ships becomes the floor for installing.

    open_embedded: usually `open_embedded_bundle`.

    Raises:
        BundleError: nothing on this device verifies; the first refusal.
    """
    candidates: list[tuple[Origin, VerifiedBundle]] = []
    refused: list[BundleError] = []
    orders = _orders(slots, refused)
    openings: tuple[tuple[Origin, Callable[[], VerifiedBundle | None]], ...] = (
        (Origin.ACTIVE, slots.active),
        (Origin.EMBEDDED, open_embedded),
    )
    for origin, opening in openings:
        _try(origin, opening, candidates, refused)
    lost = not any(origin is Origin.ACTIVE for origin, _ in candidates) and refused
    if lost or (orders is not None and (orders.blocks or orders.downgrades)):
        _try(Origin.PREVIOUS, slots.previous, candidates, refused)
    if not candidates:
        raise refused[0]
    _raise_floor(slots, candidates, refused)
    origin, bundle = _best(candidates, orders, refused)
    return Serving(bundle, origin, tuple(refused), _stopped_models(orders, bundle))


def _orders(slots: Slots, refused: list[BundleError]) -> Orders | None:
    try:
        return slots.orders()
    except BundleError as error:  # damaged: said, and brought back by the next contact
        refused.append(error)
        return None


def _best(
    candidates: list[tuple[Origin, VerifiedBundle]],
    orders: Orders | None,
    refused: list[BundleError],
) -> tuple[Origin, VerifiedBundle]:
    """Return the newest candidate that is not stopped, or where the safety role sends it back."""
    if orders is None:
        return max(candidates, key=_newest)
    stopped = [c for c in candidates if orders.blocks_release(c[1].digest) is not None]
    refused += [BundleBlockedError(f"release {b.version} was stopped") for _, b in stopped]
    origin, bundle = max([c for c in candidates if c not in stopped] or candidates, key=_newest)
    destination = orders.destination(bundle.release)
    for candidate in candidates:
        if candidate[1].release == destination:
            return candidate
    return origin, bundle


def _newest(candidate: tuple[Origin, VerifiedBundle]) -> tuple[int, int, int]:
    return layout.version_key(candidate[1].version)


def _stopped_models(orders: Orders | None, bundle: VerifiedBundle) -> Mapping[str, Block]:
    if orders is None:
        return {}
    whole = orders.blocks_release(bundle.digest)
    if whole is not None:
        return dict.fromkeys(MODELS, whole)
    return {m: b for m, b in orders.blocked_models(bundle.digest).items() if m in MODELS}


def open_embedded_bundle() -> VerifiedBundle:
    """Return the bundle that ships with the application, verified. Raises BundleError."""
    return open_verified(default_repository(), embedded_trust())


def _try(
    origin: Origin,
    opening: Callable[[], VerifiedBundle | None],
    candidates: list[tuple[Origin, VerifiedBundle]],
    refused: list[BundleError],
) -> None:
    try:
        bundle = opening()
    except BundleError as error:
        _LOG.warning("%s bundle refused: %s", origin, error.code)
        refused.append(error)
    else:
        if bundle is not None:
            candidates.append((origin, bundle))


def _raise_floor(
    slots: Slots,
    candidates: list[tuple[Origin, VerifiedBundle]],
    refused: list[BundleError],
) -> None:
    """Never install below what the application ships; a damaged memory does not stop serving."""
    for origin, bundle in candidates:
        if origin is Origin.EMBEDDED:
            try:
                slots.never_below(bundle.version)
            except BundleError as error:
                refused.append(error)
