"""A real cloud on loopback and an enrolled clinic."""

import pytest
from support.cloud_server import Clinic, cloud_in_thread


@pytest.fixture
def cloud(tmp_path):
    with cloud_in_thread(tmp_path / "cloud") as running:
        yield running


@pytest.fixture
def clinic(cloud):
    device = Clinic(cloud.url).enrol(cloud.code())
    yield device
    device.http.close()
