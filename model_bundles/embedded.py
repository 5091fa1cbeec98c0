"""The bundle and the root of trust that ship with the application, and what serves at start.

model_bundles/default/trust/root.json            the embedded root
model_bundles/default/trust/offline_root.json    that of the repository for sticks, if any
model_bundles/default/repository/metadata/       a repository like any other,
model_bundles/default/repository/targets/        opened and verified like any other
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from model_bundles import layout
from model_bundles.errors import BundleError, BundleStorageError
from model_bundles.slots import Slots
from model_bundles.verify import Trust, VerifiedBundle, open_verified

_DEFAULT: Final = Path(__file__).parent / "default"
_LOG = logging.getLogger(__name__)


def default_repository() -> Path:
    """Return the folder of the repository that ships with the application."""
    return _DEFAULT / "repository"


def embedded_trust() -> Trust:
    """Return the root of trust that ships with the application.

    Raises:
        BundleStorageError: the installation is incomplete.
    """
    offline = _DEFAULT / "trust" / "offline_root.json"
    try:
        return Trust(
            (_DEFAULT / "trust" / "root.json").read_bytes(),
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
    """The bundle to serve with. refused: why a better one could not serve; show it, audit it."""

    bundle: VerifiedBundle
    origin: Origin
    refused: tuple[BundleError, ...] = ()


def serving_bundle(slots: Slots, open_embedded: Callable[[], VerifiedBundle]) -> Serving:
    """Return what this device serves with: a damaged slot never leaves it without a model.

    The active release; the embedded one when it is newer (the application was updated) or when
    nothing is active; the previous release when the active one no longer verifies and is newer
    than the embedded one. What the application ships becomes the floor for installing.

    open_embedded: usually `open_embedded_bundle`.

    Raises:
        BundleError: nothing on this device verifies; the first refusal.
    """
    candidates: list[tuple[Origin, VerifiedBundle]] = []
    refused: list[BundleError] = []
    openings: tuple[tuple[Origin, Callable[[], VerifiedBundle | None]], ...] = (
        (Origin.ACTIVE, slots.active),
        (Origin.EMBEDDED, open_embedded),
    )
    for origin, opening in openings:
        _try(origin, opening, candidates, refused)
    if not any(origin is Origin.ACTIVE for origin, _ in candidates) and refused:
        _try(Origin.PREVIOUS, slots.previous, candidates, refused)
    if not candidates:
        raise refused[0]
    _raise_floor(slots, candidates, refused)
    origin, bundle = max(candidates, key=lambda c: layout.version_key(c[1].version))
    return Serving(bundle, origin, tuple(refused))


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
