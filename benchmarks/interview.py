"""How long the next question takes: `python -m benchmarks.interview`.

Cases of growing evidence, made from the vocabulary of the bundle; no data set is needed. Times are
of this thread, one thread, so that a busy machine does not count.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy loads: one thread, as on a device

import numpy as np

from ddx.domain.case import Case, Sex
from ddx.domain.finding import Finding, Presence
from ddx.engine import Engine
from model_bundles.embedded import open_embedded_bundle

WARM_UP = 10
SIZES = ((1, 0), (3, 5), (8, 20), (12, 150))
"""Findings present and excluded: complaint, short visit, long visit, whole choices answered."""


def cases(engine: Engine, present: int, excluded: int, n: int) -> list[Case]:
    """Return n cases with so many findings drawn evenly from the columns of the common model."""
    rng = np.random.default_rng(present * 1000 + excluded)
    findings = engine.common.schema.findings
    made = []
    for _ in range(n):
        drawn = rng.permutation(len(findings))[: present + excluded]
        states = [Presence.PRESENT] * present + [Presence.EXCLUDED] * excluded
        made.append(
            Case(
                age_days=int(rng.integers(400, 30_000)),
                sex=Sex.FEMALE if rng.random() < 0.5 else Sex.MALE,
                findings=tuple(
                    Finding(id=findings[i], presence=state)
                    for i, state in zip(drawn, states, strict=True)
                ),
            )
        )
    return made


def timed(act: Callable[[Case], object], over: Sequence[Case]) -> np.ndarray:
    """Return milliseconds of thread time per case, after a warm-up."""
    for case in over[:WARM_UP]:
        act(case)
    spent = []
    for case in over:
        started = time.thread_time_ns()
        act(case)
        spent.append((time.thread_time_ns() - started) / 1e6)
    return np.array(spent)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.interview", description=__doc__)
    parser.add_argument("--cases", type=int, default=200)
    n = parser.parse_args().cases
    bundle = open_embedded_bundle()
    engine = Engine.from_artifacts(bundle)
    inquirer = engine.inquirer

    def both(case: Case) -> None:
        engine.diagnose(case)
        inquirer.next_questions(case)

    print(f"bundle {bundle.version}; milliseconds, p50 / p99\n")
    print(f"{'present, excluded':<20}{'next questions':>20}{'diagnose + flags + next':>28}")
    for present, excluded in SIZES:
        drawn = cases(engine, present, excluded, n)
        cells = []
        for act in (inquirer.next_questions, both):
            p50, p99 = np.percentile(timed(act, drawn), [50, 99])
            cells.append(f"{p50:.2f} / {p99:.2f}")
        print(f"{f'{present}, {excluded}':<20}{cells[0]:>20}{cells[1]:>28}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
