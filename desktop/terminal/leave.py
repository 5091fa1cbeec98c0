"""`vereda leave --yes`: erase the clinic of this account, or of every account of this machine.

The uninstaller calls it when an administrator asks for it (REMOVEDATA=1). Nothing can be brought
back afterwards but from a backup kept elsewhere.
Exit codes: 0 nothing is left; 1 something could not be erased; 2 `--yes` is missing.
"""

import argparse
import shutil
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from desktop.settings import data_directory

DONE, LEFT, BAD_INPUT = 0, 1, 2
PROFILES: Final = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList"
INSIDE: Final = Path("AppData", "Local", "Vereda")
"""Where `data_directory` is inside a profile of Windows."""


def main(argv: Sequence[str] | None = None) -> int:
    """Erase, and say what is left."""
    parser = argparse.ArgumentParser(prog="vereda leave", description=__doc__.split("\n")[0])
    parser.add_argument("--every-account", action="store_true", help="Windows, as administrator")
    parser.add_argument("--yes", action="store_true", help="without it nothing is erased")
    asked = parser.parse_args(argv)
    if not asked.yes:
        sys.stderr.write("vereda leave: this erases clinics for ever; say --yes\n")
        return BAD_INPUT
    folders = [p / INSIDE for p in profiles()] if asked.every_account else [data_directory()]
    left = [folder for folder in folders if not erase(folder)]
    for folder in left:
        sys.stderr.write(f"vereda leave: {folder} could not be erased whole\n")
    return LEFT if left else DONE


def erase(folder: Path) -> bool:
    """Erase `folder` and all inside; return whether nothing is left. A link is not followed."""
    if folder.is_symlink():
        folder.unlink()
        return True
    if folder.is_dir():
        shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


def profiles() -> list[Path]:
    """Return the folders of the accounts Windows knows. Raises ModuleNotFoundError elsewhere."""
    winreg: Any = import_module("winreg")
    found = []
    with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, PROFILES) as key:
        for index in range(winreg.QueryInfoKey(key)[0]):
            with winreg.OpenKey(key, winreg.EnumKey(key, index)) as profile:
                found.append(Path(winreg.QueryValueEx(profile, "ProfileImagePath")[0]))
    return found


if __name__ == "__main__":
    sys.exit(main())
