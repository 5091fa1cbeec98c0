"""What every test may ask for: the clinical data sets, and a Qt platform that needs no screen."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_NUM_THREADS", "1")
# No test writes into the keystore of whoever runs it.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"

pytest_plugins = ["support.cloud_stores"]
REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def clinical_data() -> Path:
    """Folder of the clinical data sets; in CI their absence is a failure, not a skip."""
    folder = Path(os.environ.get("VEREDA_DATA", REPOSITORY.parent / "shared" / "data"))
    if (folder / "MANIFEST.md").is_file():
        return folder
    reason = f"clinical data sets not found in {folder}; set VEREDA_DATA (see training/README.md)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
