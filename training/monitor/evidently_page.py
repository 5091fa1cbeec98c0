"""Evidently's own report of two stretches of cases, for people; `drift` decides, not this page.

Runs in a process of its own: Evidently takes 20 s and half a gigabyte to import (docs/adr/0024).

    python -m training.monitor.evidently_page REFERENCE.parquet DAY.parquet PAGE.html
"""

import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet

from ddx.errors import DdxError
from training.lake.gold import GoldCases
from training.lake.tables import VITALS

COLUMNS = ("age_days", "sex", "predicted", "predicted_probability", *(v.name for v in VITALS))
TIMEOUT_S = 600


class EvidentlyError(DdxError):
    """Evidently gave no report. The day's score and alarms do not depend on it."""

    code: ClassVar[str] = "training.evidently"


def write_page(reference: GoldCases, day: GoldCases, page: Path, findings: int = 20) -> None:
    """Write Evidently's drift report. findings: the most stated, as columns.

    Raises:
        EvidentlyError: it could not be made.
    """
    top = _most_stated(reference, findings)
    paths = [page.with_suffix(f".{name}.parquet") for name in ("reference", "day")]
    try:
        for gold, path in zip((reference, day), paths, strict=True):
            pyarrow.parquet.write_table(_flat(gold, top), path)
        asked = [
            sys.executable,
            "-m",
            "training.monitor.evidently_page",
            *map(str, paths),
            str(page),
        ]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)  # noqa: S603 (our own module)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EvidentlyError(f"Evidently's report was not made: {error}") from error
    finally:
        for path in paths:
            path.unlink(missing_ok=True)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise EvidentlyError(f"Evidently's report was not made: {last[0]}")


def _most_stated(gold: GoldCases, n: int) -> list[str]:
    counts: dict[str, int] = {}
    for case in gold.table.column("findings").to_pylist():
        for finding in case:
            counts[finding["id"]] = counts.get(finding["id"], 0) + 1
    return sorted(counts, key=lambda f: (-counts[f], f))[:n]


def _flat(gold: GoldCases, findings: list[str]) -> pa.Table:
    table = gold.table.select([c for c in COLUMNS if gold.table.column(c).null_count < len(gold)])
    stated = [
        {f["id"]: f["presence"] for f in case} for case in gold.table.column("findings").to_pylist()
    ]
    for finding in findings:
        told = pa.array([case.get(finding, "unknown") for case in stated])
        table = table.append_column(finding, told)
    return table


def main(reference: str, day: str, page: str) -> None:
    """Make the page out of two Parquet files."""
    import pandas as pd  # noqa: PLC0415 (heavy, and only in this process)
    from evidently import Report  # noqa: PLC0415
    from evidently.presets import DataDriftPreset  # noqa: PLC0415

    before, now = (pd.read_parquet(path) for path in (reference, day))
    shared = [c for c in before.columns if c in now.columns]
    made = Report([DataDriftPreset()]).run(now[shared], before[shared])
    made.save_html(page)


if __name__ == "__main__":
    main(*sys.argv[1:4])
