"""Field types of queries and answers that several rooms share."""

from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import Path, Query
from pydantic import AfterValidator, AwareDatetime, StringConstraints

from cloud_api.records.ports import MAX_PAGE, Window
from sync_service.protocol.fields import CODE_PATTERN, RecordIdText
from sync_service.protocol.versions import MAX_SEQUENCE

FIRST: Final = datetime(2020, 1, 1, tzinfo=UTC)
LAST: Final = datetime(2100, 1, 1, tzinfo=UTC)
"""Moments the service talks about; some of those outside cannot be written in UTC at all."""


def _of_our_time(moment: datetime) -> datetime:
    if not FIRST <= moment < LAST:
        raise ValueError(f"from {FIRST:%Y} to {LAST:%Y}")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_of_our_time)]
Actor = Annotated[
    str, StringConstraints(pattern=r"^(?:(?:person|device):[A-Za-z0-9_.:|@+-]{1,150})?$")
]
CodeOrNothing = Annotated[str, StringConstraints(pattern=f"^$|{CODE_PATTERN}")]

A_MOMENT: Final = "2026-11-23T12:00:00Z"
AN_ID: Final = "0198a000-0000-7000-8000-000000000001"
"""What the documentation shows."""

Since = Annotated[Moment | None, Query(description="From this moment on.", examples=[A_MOMENT])]
Until = Annotated[Moment | None, Query(description="Before this moment.", examples=[A_MOMENT])]
Limit = Annotated[
    int, Query(ge=1, le=MAX_PAGE, description="Most records on a page.", examples=[100])
]
AfterId = Annotated[
    RecordIdText | None,
    Query(description="`next` of the page before; nothing for the first.", examples=[AN_ID]),
]
AfterSequence = Annotated[
    int,
    Query(
        ge=0,
        le=MAX_SEQUENCE,
        description="`next` of the page before; 0 for the first.",
        examples=[0],
    ),
]
RecordInPath = Annotated[RecordIdText, Path(examples=[AN_ID])]


def window_of(since: datetime | None, until: datetime | None) -> Window:
    """Return the stretch a query asks for."""
    return Window(since=since, until=until)
