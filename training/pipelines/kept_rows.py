"""A copy of the rows of every registered run, for when the lake has let their version go.

`tidy` ends a version after a month, so that erased rows end with it; a model serves longer. The
copy lies beside the ledger, named by the hash over its rows. What a clinic erases leaves the copies
too (`forget`): such a bundle can then be told where it is from, and no longer be built again.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from model_bundles import files
from training.lake.gold import GoldCases, case_ids
from training.pipelines.lineage import LineageError, Rows

TABLE_ID: Final = b"vereda.table_id"
"""Key of the file's metadata: the Delta table the rows are of."""


def keep(folder: Path, gold: GoldCases) -> Path:
    """Keep the rows of a run in `folder`, once; return the file."""
    path = _place(folder, gold.rows_sha256)
    if not path.exists():
        _write(path, gold.table, gold.table_id)
    return path


def read(folder: Path, rows: Rows) -> GoldCases | None:
    """Return the kept rows of a run, None when none are kept.

    Raises:
        LineageError: some were erased since.
    """
    path = _place(folder, rows.rows_sha256)
    if not path.is_file():
        return None
    table = pyarrow.parquet.read_table(path)
    if table.num_rows < rows.count:
        raise LineageError(
            f"{rows.count - table.num_rows} of the {rows.count} rows were erased at the word of "
            "a clinic; the bundle cannot be built again"
        )
    return GoldCases(table.replace_schema_metadata(None), rows.version, rows.table_id)


def forget(folder: Path, lake: Path | str, say: Callable[[str], None]) -> int:
    """Delete from every copy what the lake no longer holds; return how many rows.

    Copies of another lake are left and named: nothing here tells what was erased there.
    """
    paths = sorted(folder.glob("*.parquet"))
    if not paths:
        return 0
    present, table_id = case_ids(lake)
    gone = 0
    for path in paths:
        table = pyarrow.parquet.read_table(path)
        of = (table.schema.metadata or {}).get(TABLE_ID, b"").decode()
        if of != table_id:
            say(f"{path.name} is of another lake; erasures there do not reach it")
            continue
        left = table.filter(pc.is_in(table.column("case_id"), value_set=present))
        if left.num_rows < table.num_rows:
            _write(path, left, table_id)
            gone += table.num_rows - left.num_rows
    if gone:
        say(f"{gone} rows erased in the lake were erased from the kept rows")
    return gone


def _place(folder: Path, rows_sha256: str) -> Path:
    return folder / f"{rows_sha256}.parquet"


def _write(path: Path, table: pa.Table, table_id: str) -> None:
    sink = pa.BufferOutputStream()
    pyarrow.parquet.write_table(table.replace_schema_metadata({TABLE_ID: table_id.encode()}), sink)
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_durably(path, sink.getvalue().to_pybytes())
