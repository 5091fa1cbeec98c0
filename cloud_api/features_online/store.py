"""Newest feature values by organisation and entity, for readers that have milliseconds.

The offline store (training) is the truth and writes here; what is older than its `keep_s` is
absent, not stale. An entity is a place or a device, never a patient.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cloud_api.shared.ports import SharedMemory
from ddx.domain.canonical import canonical_json

KEEP_S: Final = 48 * 3600.0
"""The offline store writes daily; two runs may fail before a feature is absent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureValues:
    """Values of one entity by feature name. at: UTC, when they were computed."""

    at: datetime
    values: Mapping[str, float]


class OnlineFeatures:
    """Feature values in the memory workers share."""

    def __init__(self, memory: SharedMemory, keep_s: float = KEEP_S) -> None:
        self._memory, self._keep_s = memory, keep_s

    async def put(self, tenant_id: str, entity: str, features: FeatureValues) -> None:
        """Replace the values of an entity; older ones than those kept change nothing.

        Raises:
            SharedMemoryError: nothing was written.
        """
        kept = await self.get(tenant_id, entity)
        if kept is None or kept.at <= features.at:
            content = {"at": features.at.isoformat(), "values": dict(features.values)}
            key = _key(tenant_id, entity)
            await self._memory.put(key, canonical_json(content), keep_s=self._keep_s)

    async def get(self, tenant_id: str, entity: str) -> FeatureValues | None:
        """Return the newest values of an entity, None when none are young enough.

        Raises:
            SharedMemoryError: the memory does not answer.
        """
        kept = await self._memory.get(_key(tenant_id, entity))
        if kept is None:
            return None
        content = json.loads(kept)
        return FeatureValues(at=datetime.fromisoformat(content["at"]), values=content["values"])


def _key(tenant_id: str, entity: str) -> str:
    return f"feature:{len(tenant_id)}:{tenant_id}:{entity}"  # the length keeps "a:b" + "c" apart
