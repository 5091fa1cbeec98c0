"""How many devices there are, over all organisations and without naming any."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from cloud_api.db.scoped import Reason, unscoped_session
from cloud_api.db.tables import DeviceRow


async def devices_by_state(engine: AsyncEngine) -> dict[str, int]:
    """Return the number of devices that are enrolled and of those that were revoked."""
    async with unscoped_session(engine, Reason.COUNTS) as session:
        found = await session.execute(
            select(func.count(), func.count(DeviceRow.revoked_at)).select_from(DeviceRow)
        )
        every, revoked = found.one()
    return {"enrolled": int(every) - int(revoked), "revoked": int(revoked)}
