"""What both ends must agree on before the first byte: version, paths, headers, limits."""

from typing import Final

SCHEMA_VERSION: Final = 2
"""Version of the envelope this code writes. It rises when a reader must behave differently;
a new optional field does not raise it, because unknown fields survive.

1: one result per record in a receipt. 2: neighbours answered alike are told as a run, and a batch
of nothing but conflicts is answered 409."""

RUNS_SINCE: Final = 2
"""From this version on a sender reads receipts with runs and the 409 of a whole batch."""


def accepted_versions(current: int) -> frozenset[int]:
    """Return what a server of version `current` reads: that one and the two before it."""
    return frozenset(range(max(1, current - 2), current + 1))


ACCEPTED_VERSIONS: Final = accepted_versions(SCHEMA_VERSION)
"""A clinic that missed two releases still syncs; a newer one is told to wait for the server."""

BATCHES_PATH: Final = "/sync/v1/batches"
DEVICES_PATH: Final = "/sync/v1/devices"
CHECKPOINTS_PATH: Final = "/sync/v1/checkpoints"
LEASES_PATH: Final = "/sync/v1/leases"
SETTINGS_PATH: Final = "/sync/v1/settings"
STATUS_PATH: Final = "/sync/v1/status"
BUNDLE_METADATA_PATH: Final = "/bundles/metadata/"
BUNDLE_TARGETS_PATH: Final = "/bundles/targets/"

DEVICE_HEADER: Final = "X-Vereda-Device"
TIMESTAMP_HEADER: Final = "X-Vereda-Timestamp"
NONCE_HEADER: Final = "X-Vereda-Nonce"
SIGNATURE_HEADER: Final = "X-Vereda-Signature"

MAX_BODY_BYTES: Final = 1 << 20
"""Largest request body as sent; at about 1 KB a visit this is a thousand visits."""

MAX_MESSAGE_BYTES: Final = 8 << 20
"""Largest message once decompressed: eight times the body, where our JSON shrinks four times."""

MAX_EVENTS_PER_BATCH: Final = 500
MAX_PAYLOAD_BYTES: Final = 256 << 10
"""Largest canonical payload of one event; a diagnosis is 2 KB, a full audit segment 40 KB."""

MAX_UNKNOWN_BYTES: Final = 4 << 10
"""Fields of envelope and event that this version does not know, kept with every event."""

REPLAY_WINDOW_S: Final = 300
"""A signed request is accepted this long before and after its own timestamp."""

MAX_SEQUENCE: Final = (1 << 63) - 1
"""Largest integer every database we know stores exactly."""
