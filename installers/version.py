"""The version of the application, as the distribution states it."""

import tomllib
from pathlib import Path


def version(root: Path) -> str:
    """Return the version of pyproject.toml (major.minor.patch)."""
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    return str(tomllib.loads(text)["project"]["version"])
