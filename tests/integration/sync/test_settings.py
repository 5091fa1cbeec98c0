"""Settings of the organisation come down in commit order, page after page, once."""

import asyncio

import pytest
from support.cloud_server import Clinic, cloud_in_thread

from cloud_api.app import utc_now
from cloud_api.db.engine import open_database
from cloud_api.db.settings import SqlDeviceSettings
from sync_service.client.errors import ServerRefusedError
from sync_service.client.pull import pull_settings


@pytest.fixture
def cloud(tmp_path, database_address):
    """A cloud on each kind of database."""
    with cloud_in_thread(tmp_path / "cloud", database_url=database_address) as running:
        yield running


def put(cloud, *settings, device_id=""):
    async def work():
        engine = open_database(cloud.settings.database_address())
        try:
            kept = SqlDeviceSettings(engine)
            return [
                await kept.put(key, value, now=utc_now(), device_id=device_id)
                for key, value in settings
            ]
        finally:
            await engine.dispose()

    return asyncio.run(work())


def pulled(clinic, cursor=0):
    found = []
    cursor = pull_settings(
        clinic.transport, cursor, lambda page, _at: found.extend((s.key, s.value) for s in page)
    )
    return found, cursor


def test_what_was_set_comes_down_in_order_and_once(cloud, clinic):
    put(cloud, ("DailyByteBudget", 50_000), ("AutoUpdateEnabled", False))
    found, cursor = pulled(clinic)
    assert found == [("DailyByteBudget", 50_000), ("AutoUpdateEnabled", False)]
    assert pulled(clinic, cursor) == ([], cursor)
    put(cloud, ("DailyByteBudget", 80_000))
    assert pulled(clinic, cursor) == ([("DailyByteBudget", 80_000)], 3)


def test_a_setting_for_another_device_does_not_come_down_here(cloud, clinic):
    other = Clinic(cloud.url).enrol(cloud.code())
    put(cloud, ("UpdateChannel", "pilot"), device_id=other.identity.device_id)
    put(cloud, ("UpdateChannel", "stable"))
    assert pulled(clinic)[0] == [("UpdateChannel", "stable")]
    assert pulled(other)[0] == [("UpdateChannel", "pilot"), ("UpdateChannel", "stable")]


def test_more_settings_than_a_page_all_come_down(cloud, clinic):
    put(cloud, *(("MaxModelAgeDays", number) for number in range(1, 231)))
    found, cursor = pulled(clinic)
    assert [value for _, value in found] == list(range(1, 231))
    assert cursor == 230


def test_a_cursor_nobody_gave_is_refused(cloud, clinic):
    with pytest.raises(ServerRefusedError) as refused:
        clinic.transport.get("/sync/v1/settings?after=yesterday", object)
    assert refused.value.problem == "sync.malformed"


def test_settings_cannot_be_rewritten(cloud, clinic):
    put(cloud, ("UpdateChannel", "stable"))
    for statement in ("UPDATE device_setting SET key = 'x'", "DELETE FROM device_setting"):
        assert "append-only" in cloud.refusal(statement)
