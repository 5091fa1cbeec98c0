"""5,000 new cases -> a signed candidate: one unattended command, timed.

A lake is filled with 5,000 cases of a valley that sees another mix of diseases than the historical
set: patients held out of every fit, each asked about as a clinic asks. Then `python -m training
retrain` runs on it in a process of its own. With `--kill 60` the same run is made again and ended
hard at random moments of every step, about once a minute in a long one and once in a short one; it
must end with the same candidate digest.

    python -m benchmarks.retrain FOLDER [--kill 60]
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import deltalake
import numpy as np
import pyarrow as pa

from ddx.domain.canonical import canonical_json
from ddx.domain.case import Case
from ddx.domain.wire import case_to_json
from ddx.inquiry.interview import with_budget
from training.commands.workspace import DATA, DONE, FINISHED, STOPPED
from training.lake.tables import GOLD_CASES, week_of
from training.pipelines.history import History
from training.pipelines.request import REQUEST
from training.sources.ddxplus import case_of

CASES = 5000
BEGINS = re.compile(r"\[\d+/\d+\] (\w+): running|\] (registering)$")
"""A line of `retrain` that tells that a step begins."""

GOES_ON = "search"
"""The step that goes on where a kill met it; the others begin anew."""

QUICK_S = 5.0
"""A step that takes no longer; it varies by more than a long one."""

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


@dataclass
class Kills:
    """When to end a run: moments of each step, drawn from the seconds it took undisturbed."""

    seconds: dict[str, float]
    every_s: float
    rng: np.random.Generator
    left: dict[str, int] = field(init=False)
    done: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.left = {step: max(1, round(s / self.every_s)) for step, s in self.seconds.items()}

    def moment(self, step: str) -> float | None:
        """Return seconds from the step's start to the next kill, None when it had all of its."""
        if not self.left.get(step):
            return None
        self.left[step] -= 1
        share = self.seconds[step] / (self.left[step] + 1 if step == GOES_ON else 1)
        latest = 0.7 if self.seconds[step] > QUICK_S else 0.3  # a quick step is soon over
        return float(self.rng.uniform(0.02, latest) * share)


def run(command: list[str], kills: Kills | None) -> tuple[int, dict[str, float]]:
    """Run the command once; return its exit code (negative: killed) and seconds by step."""
    process = subprocess.Popen(
        command,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    timer: threading.Timer | None = None
    step, began, seconds = "", time.monotonic(), dict[str, float]()
    for line in process.stdout or ():
        print(line, end="", flush=True)
        if (found := BEGINS.search(line)) is None:
            continue
        if step:
            seconds[step] = time.monotonic() - began
            if timer is not None and kills is not None:  # quicker than the undisturbed one
                timer.cancel()
                kills.missed[step] += 1
        step, began = found[1] or found[2], time.monotonic()
        delay = None if kills is None else kills.moment(step)
        timer = None if delay is None else threading.Timer(delay, process.kill)
        if timer is not None:
            timer.start()
    code = process.wait()
    seconds[step] = time.monotonic() - began
    if timer is not None and kills is not None:
        timer.cancel()
        met = code == -signal.SIGKILL
        (kills.done if met else kills.missed)[step] += 1
        print(f"--- killed in {step}" if met else f"--- too late in {step}", flush=True)
    return code, seconds


def candidate(root: Path) -> str:
    """Return the digest the only run below `root` ended with."""
    (finished,) = (root / "runs").glob(f"*/{FINISHED}")
    return str(json.loads(finished.read_bytes())["digest"])


def same_request(whole: Path, killed: Path) -> None:
    """Start a run below `killed` that is pinned to what the one below `whole` is."""
    (request,) = (whole / "runs").glob(f"*/{REQUEST}")
    folder = killed / "runs" / request.parent.name
    folder.mkdir(parents=True)
    shutil.copy(request, folder)


def main() -> int:
    """Fill, retrain, say how long it took and whether kills moved the digest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kill", type=float, default=0.0, help="seconds between kills, 0 none")
    parser.add_argument("--trials", default="6")
    parser.add_argument("--seed", type=int, default=1, help="of the moments of the kills")
    asked = parser.parse_args()
    lake, whole, killed = (asked.folder / name for name in ("lake", "whole", "killed"))
    if not lake.exists():
        fill(lake, DATA)
    command = [sys.executable, "-m", "training", "retrain", "--lake", str(lake)]
    command += ["--trials", asked.trials, "--trigger", "schedule", "--root"]
    started = time.monotonic()
    code, seconds = run([*command, str(whole)], None)
    print(f"{(time.monotonic() - started) / 60:.1f} min undisturbed, exit {code}", flush=True)
    if not asked.kill or code not in {DONE, STOPPED}:
        return code
    same_request(whole, killed)
    kills = Kills(seconds, asked.kill, np.random.default_rng(asked.seed))
    started = time.monotonic()
    while (code := run([*command, str(killed)], kills)[0]) == -signal.SIGKILL:
        pass
    digests = candidate(whole), candidate(killed)
    print(f"{(time.monotonic() - started) / 60:.1f} min, {kills.done.total()} kills, exit {code}")
    for step, took in seconds.items():
        late = f", {kills.missed[step]} came too late" if kills.missed[step] else ""
        print(f"  {step:<12} {took:6.1f} s undisturbed, {kills.done[step]} kills{late}")
    print(f"{digests[0]}  undisturbed\n{digests[1]}  killed")
    return 0 if digests[0] == digests[1] else 1


if __name__ == "__main__":
    sys.exit(main())
