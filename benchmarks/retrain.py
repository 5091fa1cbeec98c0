"""5,000 new cases -> a signed candidate: one unattended command, timed.

A lake is filled with 5,000 cases of a valley that sees another mix of diseases than the historical
set: patients held out of every fit, each asked about as a clinic asks. Then `python -m training
retrain` runs on it in a process of its own.

    python -m benchmarks.retrain FOLDER [--kill]
"""

import argparse
import hashlib
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import deltalake
import numpy as np
import pyarrow as pa

from ddx.domain.canonical import canonical_json
from ddx.domain.case import Case
from ddx.domain.wire import case_to_json
from ddx.inquiry.interview import with_budget
from training.commands.workspace import DATA
from training.lake.tables import GOLD_CASES, week_of
from training.pipelines.history import History
from training.sources.ddxplus import case_of

CASES = 5000
MIX = 0.8
"""Standard deviation of the log odds by which the valley's diseases differ from the set's."""


def fill(lake: Path, data: Path, n: int = CASES, seed: int = 5) -> None:
    """Write n labelled cases into the gold table, one every four minutes until now."""
    history, rng = History.read(data), np.random.default_rng(seed)
    held_out, truth = history.split.test, history.sample.truth
    skew = np.exp(MIX * rng.standard_normal(len(history.diseases)))
    weights = skew[truth[held_out]]
    chosen = rng.choice(held_out, size=n, replace=False, p=weights / weights.sum())
    end = datetime.now(UTC).replace(microsecond=0)
    rows = [
        _row(
            i,
            _visit(history, int(at), rng),
            history.diseases[truth[at]],
            end - timedelta(minutes=4 * (n - i)),
        )
        for i, at in enumerate(chosen)
    ]
    table = pa.Table.from_pylist(rows, schema=GOLD_CASES.schema)
    deltalake.write_deltalake(f"{lake}/{GOLD_CASES.name}", table, mode="append")


def _visit(history: History, at: int, rng: np.random.Generator) -> Case:
    whole = case_of(history.patients[at], history.vocabulary)
    present, excluded = 1 + int(rng.geometric(0.15)), int(rng.geometric(0.1))
    return with_budget(whole, present=present, excluded=excluded, rng=rng)


def _row(number: int, case: Case, disease: str, at: datetime) -> dict[str, object]:
    findings = sorted(case.findings, key=lambda f: f.id)
    return {
        "case_id": f"valley-{number:06d}",
        "source": "stream",
        "clinic": f"clinic-{number % 40}",
        "event_time": at,
        "ingested_at": at,
        "batch": 1,
        "age_days": case.age_days,
        "sex": case.sex.value,
        "findings": [
            {"id": f.id, "presence": f.presence.value, "grade": f.grade} for f in findings
        ],
        "disease": disease,
        "label_source": "corrected",
        "confirmed": True,
        "label_time": at,
        "known_at": at,
        "content_sha256": hashlib.sha256(canonical_json(case_to_json(case))).hexdigest(),
        "week": week_of(at),
    }


def main() -> int:
    """Fill, retrain, say how long it took. --kill: end the run hard once a minute."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kill", type=float, default=0.0, help="seconds between kills, 0 none")
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--trials", default="6")
    asked = parser.parse_args()
    lake = asked.folder / "lake"
    if not lake.exists():
        fill(lake, DATA)
    command = [sys.executable, "-m", "training", "retrain", "--root", str(asked.folder)]
    command += ["--lake", str(lake), "--trials", asked.trials, "--trigger", "schedule"]
    started, killed = time.monotonic(), 0
    while True:
        process = subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"})
        try:
            wait = asked.kill if asked.kill and killed < asked.kills else None
            code = process.wait(wait)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed += 1
            print(f"killed {killed}", flush=True)
            continue
        print(f"{(time.monotonic() - started) / 60:.1f} min, {killed} kills, exit {code}")
        return code


if __name__ == "__main__":
    sys.exit(main())
