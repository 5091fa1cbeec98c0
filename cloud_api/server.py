"""uvicorn that says it is leaving before it leaves."""

import asyncio
import signal
from types import FrameType

import uvicorn

from cloud_api.drain import Drain


class DrainingServer(uvicorn.Server):
    """Told to stop (SIGTERM), stops `drain_s` later; told twice, or by Ctrl+C, at once."""

    def __init__(self, config: uvicorn.Config, drain: Drain, drain_s: float) -> None:
        super().__init__(config)
        self._drain, self._drain_s = drain, drain_s
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override] # a list of sockets
        """Remember the loop to wake when a signal comes."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets=sockets)  # type: ignore[arg-type]

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to leave."""
        patient = sig == signal.SIGTERM and self._drain_s > 0 and not self._drain.begun
        self._drain.begun = True
        if not patient or self._loop is None:
            super().handle_exit(sig, frame)
            return
        leave = super().handle_exit
        self._loop.call_soon_threadsafe(self._loop.call_later, self._drain_s, leave, sig, frame)
