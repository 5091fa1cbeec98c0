"""The start of a program without what no clinic installs, as in the frozen application.

Training and cloud bring packages that others try and go on without (`securesystemslib` tries
Azure's clients, which bring msal and requests); a probe of a clinic's imports must not see them.
"""

from installers.frozen.allowed import OPTIONAL, ROOMS


def without_optional(room: str = "desktop.app") -> str:
    """Return statements that hide from imports what is optional and not on the list of `room`."""
    left_out = sorted(OPTIONAL - ROOMS[room])
    return f"import importlib, json, sys; sys.modules.update(dict.fromkeys({left_out}))"
