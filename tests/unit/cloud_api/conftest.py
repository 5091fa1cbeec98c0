"""The application over a database on disk, called in the same process."""

from datetime import UTC, datetime

import pytest
from support.bundle_workshop import BundleWorkshop
from support.cloud_server import SmallEngine

from cloud_api.settings import CloudSettings

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path):
    shop = BundleWorkshop(tmp_path / "publisher")
    shop.publish("2026.11.1")
    root = tmp_path / "root.json"
    root.write_bytes(shop.trust.root)
    return CloudSettings(data=tmp_path / "data", repository=shop.repository, root=root)


@pytest.fixture
def small_engine():
    return lambda artifacts: SmallEngine(version=artifacts.version, digest=artifacts.digest)
