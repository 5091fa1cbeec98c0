"""Where XGBoost fits: on a GPU where the machine and the library have one."""

from pathlib import Path
from typing import Final

import xgboost

_NVIDIA: Final = Path("/dev/nvidia0")
"""Device file of the first NVIDIA GPU on Linux."""


def best_device() -> str:
    """Return `cuda` when this build of XGBoost can use a GPU of this machine, else `cpu`.

    A model fitted on a GPU has other digits than one fitted on a CPU: the device is one of the
    parameters a bundle's lineage names, and a rebuild uses the same.
    """
    can = bool(xgboost.build_info().get("USE_CUDA"))
    return "cuda" if can and _NVIDIA.exists() else "cpu"
