"""Remembers signed requests for as long as they could be replayed."""

from collections import OrderedDict
from typing import Final, Protocol

from sync_service.protocol.errors import GatewayBusyError

_CAPACITY: Final = 200_000
"""About 30 MB; 300 requests a second for the whole window."""


class NonceMemory(Protocol):
    """A port: in the process by default, shared between processes where there are several."""

    async def first_time(self, device_id: str, nonce: str, *, now_s: float, keep_s: float) -> bool:
        """Return whether the nonce is new, and remember it for `keep_s` seconds."""


class ProcessNonces:
    """Nonces in memory. Forgotten at a restart: a replay then meets idempotent intake."""

    def __init__(self, capacity: int = _CAPACITY) -> None:
        self._until_s: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._capacity = capacity

    async def first_time(self, device_id: str, nonce: str, *, now_s: float, keep_s: float) -> bool:
        """Return whether the nonce is new. Raises GatewayBusyError rather than forget early."""
        while self._until_s and next(iter(self._until_s.values())) < now_s:
            self._until_s.popitem(last=False)
        if (device_id, nonce) in self._until_s:
            return False
        if len(self._until_s) >= self._capacity:
            raise GatewayBusyError(30)
        self._until_s[device_id, nonce] = now_s + keep_s
        return True
