"""What keeps a lake quick and forgetful: small files joined, old versions let go.

An old version holds the rows a model was trained on, and rows that were erased since. Both end
after RETENTION_DAYS: an erasure is complete then, and an older model is built again from the copy
of its rows that its training kept (`training.pipelines.kept_rows`), erasures taken out.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Final

from training.lake.place import Lake
from training.lake.tables import TABLES, LakeTable

RETENTION_DAYS: Final = 30
"""Time to retrain from, or audit, the newest models; and an erasure's month (GDPR, art. 12(3))."""


def tidy(
    lake: Lake,
    say: Callable[[str], None],
    *,
    tables: Iterable[LakeTable] = TABLES,
    retention_days: int = RETENTION_DAYS,
) -> None:
    """Join small files and delete those that only versions older than `retention_days` read."""
    with lake.writing():
        for table in tables:
            if not lake.exists(table):
                continue
            joined = lake.open(table).optimize.compact()
            hours = int(timedelta(days=retention_days).total_seconds() // 3600)
            gone = lake.open(table).vacuum(hours, dry_run=False, enforce_retention_duration=False)
            say(
                f"{table.name}: {joined['numFilesRemoved']} files joined into "
                f"{joined['numFilesAdded']}, {len(gone)} old files deleted"
            )
