"""Where a lake is, and how its tables are opened, made and locked."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final

import deltalake
import pyarrow as pa
from deltalake import CommitProperties, Transaction

from ddx.errors import DdxError
from training.lake.tables import LakeTable

if os.name == "posix":
    import fcntl

_LOCK: Final = ".writing"


class LakeBusyError(DdxError):
    """Another run writes into this lake. Wait for it, or look at who holds the lock file."""

    code: ClassVar[str] = "lake.busy"
    retryable = True


@dataclass(frozen=True, slots=True)
class Lake:
    """A folder of this machine, or an address delta-rs and Spark both read (`abfss://…`).

    storage_options: credentials as delta-rs names them; they never enter a table or a log.
    """

    address: str
    storage_options: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def is_local(self) -> bool:
        """Whether the lake is a folder of this machine."""
        return "://" not in self.address

    def path(self, table: LakeTable) -> str:
        """Return the address of one table."""
        return f"{self.address}/{table.name}"

    def exists(self, table: LakeTable) -> bool:
        """Return whether the table was made already."""
        options = dict(self.storage_options)
        return bool(deltalake.DeltaTable.is_deltatable(self.path(table), storage_options=options))

    def open(self, table: LakeTable, version: int | None = None) -> deltalake.DeltaTable:
        """Return the table, made empty when it is not there yet."""
        options = dict(self.storage_options)
        if version is None and not self.exists(table):
            return deltalake.DeltaTable.create(
                self.path(table),
                deltalake.Schema.from_arrow(table.schema),
                mode="ignore",
                partition_by=list(table.partitions),
                storage_options=options,
            )
        return deltalake.DeltaTable(self.path(table), version=version, storage_options=options)

    def append(
        self, table: LakeTable, rows: pa.Table, positions: Mapping[str, int] | None = None
    ) -> None:
        """Append rows and move the positions, in one commit: both happen or neither.

        positions: name -> how far its reader has come (Delta's transaction identifiers).
        """
        marks = [Transaction(name, at) for name, at in (positions or {}).items()]
        deltalake.write_deltalake(
            self.open(table),
            rows.cast(table.schema),
            mode="append",
            commit_properties=CommitProperties(app_transactions=marks) if marks else None,
        )

    def position(self, table: LakeTable, name: str) -> int:
        """Return how far the reader `name` has come, 0 at the beginning."""
        if not self.exists(table):
            return 0
        return self.open(table).transaction_version(name) or 0

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the lake alone. In a cloud store the scheduler runs one job at a time instead.

        Raises:
            LakeBusyError: somebody else holds it.
        """
        if not self.is_local or os.name != "posix":
            yield
            return
        folder = Path(self.address)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / _LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise LakeBusyError(f"another run writes into {folder}") from error
            yield
