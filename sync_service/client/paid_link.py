"""Is the link of the moment paid by the byte? What the operating system says, if it says."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from sync_service.client.meter import LinkCost
from sync_service.client.windows_cost import windows_says

_ASK: Final = ("-t", "-g", "GENERAL.METERED", "device", "show")
_TIMEOUT_S: Final = 3.0
_BELIEVED_S: Final = 60.0


class PaidLink(StrEnum):
    """Who decides: the system's word, or the person who set the clinic up."""

    AUTO = "auto"
    YES = "yes"
    NO = "no"


def system_says() -> LinkCost:
    """Return what this operating system says of the link of the moment."""
    return windows_says() if sys.platform == "win32" else networkmanager_says()


def networkmanager_says(program: str = "nmcli") -> LinkCost:
    """Return PAID when NetworkManager calls a connected device metered, UNKNOWN where it is mute.

    Source: NetworkManager reference, property `NM.Device:metered` (yes, "yes (guessed)", …).
    """
    found = shutil.which(program)
    if found is None:
        return LinkCost.UNKNOWN
    try:
        asked = subprocess.run(  # noqa: S603 - a fixed question to a program of the system
            [found, *_ASK], capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return LinkCost.UNKNOWN
    said = [line.strip() for line in asked.stdout.splitlines()]
    if any(line.startswith("yes") for line in said):
        return LinkCost.PAID
    return LinkCost.FREE if any(line.startswith("no") for line in said) else LinkCost.UNKNOWN


def link_cost(
    who: PaidLink,
    *,
    ask: Callable[[], LinkCost] = system_says,
    monotonic_s: Callable[[], float] = time.monotonic,
) -> Callable[[], LinkCost]:
    """Return the question to ask before each batch; the system is asked once a minute."""
    if who is not PaidLink.AUTO:
        said = LinkCost.PAID if who is PaidLink.YES else LinkCost.FREE
        return lambda: said
    believed: list[tuple[float, LinkCost]] = []

    def question() -> LinkCost:
        now_s = monotonic_s()
        if not believed or now_s - believed[0][0] > _BELIEVED_S:
            believed[:] = [(now_s, ask())]
        return believed[0][1]

    return question
