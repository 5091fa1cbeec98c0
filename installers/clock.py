"""The one moment a build is stamped with, so that two builds of one commit are alike."""

import os
import subprocess
from pathlib import Path


def build_clock(root: Path) -> int:
    """Return SOURCE_DATE_EPOCH when it is set, else the time of the last commit (Unix seconds).

    Source: reproducible-builds.org, SOURCE_DATE_EPOCH specification 1.1.
    """
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    shown = subprocess.run(
        ["git", "log", "-1", "--format=%ct"], cwd=root, capture_output=True, text=True, check=True
    )
    return int(shown.stdout)
