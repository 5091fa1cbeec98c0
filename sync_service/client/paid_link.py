"""Is the link of the moment paid by the byte? What the operating system says, if it says."""

import shutil
import subprocess
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Final

_ASK: Final = ("-t", "-g", "GENERAL.METERED", "device", "show")
_TIMEOUT_S: Final = 3.0
_BELIEVED_S: Final = 60.0


class PaidLink(StrEnum):
    """Who decides: the system's word, or the person who set the clinic up."""

    AUTO = "auto"
    YES = "yes"
    NO = "no"


def networkmanager_says(program: str = "nmcli") -> bool:
    """Return whether NetworkManager calls a connected device metered; False where it is absent.

    Source: NetworkManager reference, property `NM.Device:metered` (yes, "yes (guessed)", …).
    """
    found = shutil.which(program)
    if found is None:
        return False
    try:
        asked = subprocess.run(  # noqa: S603 - a fixed question to a program of the system
            [found, *_ASK], capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return any(line.strip().startswith("yes") for line in asked.stdout.splitlines())


def is_paid(
    who: PaidLink,
    *,
    ask: Callable[[], bool] = networkmanager_says,
    monotonic_s: Callable[[], float] = time.monotonic,
) -> Callable[[], bool]:
    """Return the question to ask before each batch; the system is asked once a minute."""
    if who is not PaidLink.AUTO:
        return lambda: who is PaidLink.YES
    believed: list[tuple[float, bool]] = []

    def question() -> bool:
        now_s = monotonic_s()
        if not believed or now_s - believed[0][0] > _BELIEVED_S:
            believed[:] = [(now_s, ask())]
        return believed[0][1]

    return question
