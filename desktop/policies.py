r"""Where this system keeps what an organisation sets for its machines and users.

Windows: the registry; group policy and Intune write it from our templates (ADMX).
    HKLM\Software\Vereda\Desktop             what the installer was told
    HKCU\Software\Policies\Vereda\Desktop    policy for the user
    HKLM\Software\Policies\Vereda\Desktop    policy for the machine
Elsewhere: files only root writes, in the form of `vereda.toml`.
    /etc/vereda/installer.toml               what the installer was told
    /etc/vereda/users/NAME.toml              policy for the user of that account
    /etc/vereda/policy.toml                  policy for the machine
"""

import getpass
import sys
from collections.abc import Mapping
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol

from desktop.settings import Layer, Origin, declared, toml_values

POLICY_KEY: Final = r"Software\Policies\Vereda\Desktop"
INSTALLER_KEY: Final = r"Software\Vereda\Desktop"
POLICY_FOLDER: Final = Path("/etc/vereda")


class Hive(StrEnum):
    """The two roots of the registry that matter here."""

    MACHINE = "HKLM"
    USER = "HKCU"


class Registry(Protocol):
    """What is asked of the registry of Windows."""

    def values(self, hive: Hive, key: str) -> Mapping[str, str | int]:
        """Return the named values of one key; empty where there is none."""
        ...


def system_layers() -> tuple[Layer, ...]:
    """Return what this machine's organisation set. Raises SettingsError."""
    if sys.platform == "win32":
        return registry_layers(WindowsRegistry())
    return file_layers(POLICY_FOLDER, getpass.getuser())


def registry_layers(registry: Registry) -> tuple[Layer, ...]:
    """Return the three layers of Windows."""
    places = (
        (Origin.INSTALLER, Hive.MACHINE, INSTALLER_KEY),
        (Origin.USER_POLICY, Hive.USER, POLICY_KEY),
        (Origin.MACHINE_POLICY, Hive.MACHINE, POLICY_KEY),
    )
    return tuple(
        Layer(origin, rf"{hive}\{key}", _typed(registry.values(hive, key)))
        for origin, hive, key in places
    )


def file_layers(folder: Path, user: str) -> tuple[Layer, ...]:
    """Return the three layers of Linux. user: a name of the system's accounts."""
    places = (
        (Origin.INSTALLER, folder / "installer.toml"),
        (Origin.USER_POLICY, folder / "users" / f"{Path(user).name}.toml"),
        (Origin.MACHINE_POLICY, folder / "policy.toml"),
    )
    return tuple(Layer(origin, str(path), toml_values(path, str(path))) for origin, path in places)


def _typed(values: Mapping[str, str | int]) -> dict[str, Any]:
    """Return registry values in the types of the model: a switch is a DWORD of 0 or 1."""
    known = declared()
    return {
        key: _of_type(known[key][1], value) if key in known else value
        for key, value in values.items()
    }


def _of_type(kind: type, value: str | int) -> Any:
    """Return what `value` means; what means nothing stays, and the model refuses it by name."""
    if kind is bool and value in (0, 1):
        return bool(value)
    if kind is int and isinstance(value, str) and value.isdecimal():
        return int(value)  # preferences of group policy often write numbers as text
    return value


class WindowsRegistry:
    """The registry of the machine this runs on, in its 64-bit view."""

    def values(self, hive: Hive, key: str) -> Mapping[str, str | int]:
        """Implement `Registry`."""
        winreg: Any = import_module("winreg")  # there is none elsewhere
        root = winreg.HKEY_LOCAL_MACHINE if hive is Hive.MACHINE else winreg.HKEY_CURRENT_USER
        try:
            opened = winreg.OpenKey(root, key, 0, winreg.KEY_READ | winreg.KEY_WOW64_64KEY)
        except FileNotFoundError:
            return {}
        with opened:
            found = [winreg.EnumValue(opened, i) for i in range(winreg.QueryInfoKey(opened)[1])]
        return {name: value for name, value, _ in found if isinstance(value, str | int)}
