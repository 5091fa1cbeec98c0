"""A payload that is small and complete, and the MSI made of it."""

import os
import shutil

import pytest
from support.small_msi import EPOCH, make_small_payload, rows_of

from installers.windows.msi import make_msi

TOOLS = ("wixl", "msibuild", "msiinfo", "osslsigncode")


@pytest.fixture(scope="session")
def small_payload(tmp_path_factory):
    """Real launchers, a Python that is none, two files in folders."""
    return make_small_payload(tmp_path_factory.mktemp("payload") / "payload")


@pytest.fixture(scope="session")
def small_msi(small_payload, tmp_path_factory):
    """The MSI of that payload, version 0.1.0."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        end = pytest.fail if os.environ.get("CI") else pytest.skip
        end(f"{', '.join(missing)} missing: installers/linux/system-packages.sh packaging")
    package = tmp_path_factory.mktemp("msi") / "small.msi"
    make_msi(small_payload, "0.1.0", package, EPOCH)
    return package


@pytest.fixture(scope="session")
def table(small_msi):
    """Ask for the rows of one table of the small MSI."""
    return lambda name: rows_of(small_msi, name)
