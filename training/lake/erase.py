"""Erasing at the word of a clinic: the records, and all that was made of them."""

import re
from collections.abc import Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from training.lake.place import Lake
from training.lake.tables import (
    BRONZE_EVENTS,
    GOLD_CASES,
    SILVER_CASES,
    SILVER_FINDINGS,
    SILVER_LABELS,
    LakeTable,
)

_CODE = re.compile(r"[A-Za-z0-9._:-]+")
_MADE_OF_RECORDS: Final = (GOLD_CASES, SILVER_LABELS, SILVER_FINDINGS, SILVER_CASES)


def erase_records(lake: Lake, source: str, offsets: Sequence[int]) -> int:
    """Delete the records at these places of a source, and their cases; return how many cases.

    Bronze goes last: when the run dies in between, the cases can still be found from it. Files of
    older versions hold the rows until they are vacuumed (`training.lake.upkeep`).
    """
    if not lake.exists(BRONZE_EVENTS):
        return 0
    wanted = (pc.field("source") == source) & pc.field("offset").isin(pa.array(offsets, pa.int64()))
    rows = lake.open(BRONZE_EVENTS).to_pyarrow_dataset().to_table(["case_id"], wanted)
    cases = sorted(set(rows.column("case_id").to_pylist()))
    for table in _MADE_OF_RECORDS:
        _delete_cases(lake, table, cases)
    places = ", ".join(str(int(offset)) for offset in offsets)
    lake.open(BRONZE_EVENTS).delete(f"source = {_quoted(source)} AND offset IN ({places})")
    return len(cases)


def _delete_cases(lake: Lake, table: LakeTable, cases: Sequence[str]) -> None:
    if cases and lake.exists(table):
        lake.open(table).delete(f"case_id IN ({', '.join(map(_quoted, cases))})")


def _quoted(code: str) -> str:
    """Return a code as SQL; ids and names of sources hold no quotes."""
    if not _CODE.fullmatch(code):
        raise ValueError("not an id")
    return f"'{code}'"
