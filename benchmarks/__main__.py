"""`make bench`: accuracy on published patients, then speed beside XGBoost and `shap`."""

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy loads: one thread, as on a device

import numpy as np
import shap
import xgboost

from benchmarks import rare, search, ward
from benchmarks.peers import booster_of
from ddx.domain.artifacts import COMMON_TREES
from ddx.engine import Engine
from ddx.explain.trees import Forest
from model_bundles.embedded import open_embedded_bundle

REPOSITORY = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("VEREDA_DATA", REPOSITORY.parent / "shared" / "data"))
REPORT = REPOSITORY / "docs" / "benchmarks.md"
ROUNDS = 200
SHAP_ROUNDS = 30
EXPLAINED = 5
ANSWER_MS, EXPLANATION_MS = 15.0, 30.0
"""What was promised of the median, one thread (issue 3)."""


def main() -> int:
    """Run everything, print it, write docs/benchmarks.md; return the exit code."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="clinical data sets (VEREDA_DATA)")
    data = parser.parse_args().data
    if not data.is_dir():
        print(
            f"No clinical data sets in {data}: set VEREDA_DATA (training/README.md).",
            file=sys.stderr,
        )
        return 2
    bundle = open_embedded_bundle()
    report = [
        "# Benchmarks",
        "",
        f"Written by `make bench`. Bundle {bundle.version}, {os.cpu_count()} cores "
        f"({platform.machine()}), Python {platform.python_version()}, one thread.",
        "",
        *accuracy(data),
        "",
        *speed(data),
        "",
        *bars(data),
        "",
        *search.rows(Engine.from_artifacts(bundle)),
        "",
        *start_up(),
    ]
    text = "\n".join(report) + "\n"
    REPORT.write_text(text, encoding="utf-8")
    print(text)
    return 0


def accuracy(data: Path) -> list[str]:
    """Put 40 rare and 400 common patients through an encrypted clinic."""
    rows = [
        "## Published patients through the desktop's services, on an encrypted store",
        "",
        "Every case is a patient, a draft, a diagnosis with receipt, audit entry and outbox",
        "events. Time: from pressing diagnose to the committed record.",
        "",
        "| patients | n | top-1 | top-3 | top-10 | median ms | p99 ms |",
        "|---|---|---|---|---|---|---|",
    ]
    full = ward.common_cases(data)
    groups = {
        "rare, published cases": ward.rare_cases(data),
        "rare, paper unseen by the annotations": ward.rare_cases(data, unseen=True),
        "common (DDXPlus, held out), every question": full,
        "common, one visit: 8 seen, 6 ruled out": ward.visits(full),
    }
    with tempfile.TemporaryDirectory() as name, ward.clinic(Path(name)) as (clinic, session):
        for label, cases in groups.items():
            seen = ward.see(clinic, session, cases)
            ms = np.array([s.seconds for s in seen]) * 1000
            shares = " | ".join(f"{ward.recall(seen, k):.3f}" for k in (1, 3, 10))
            rows.append(
                f"| {label} | {len(seen)} | {shares} | {np.median(ms):.1f} "
                f"| {np.percentile(ms, 99):.1f} |"
            )
    return rows


def speed(data: Path) -> list[str]:
    """Time diagnose and explain beside the peers on the same cases, in the same run."""
    bundle = open_embedded_bundle()
    engine = Engine.from_artifacts(bundle)
    forest = Forest.from_npz(bundle.read(COMMON_TREES))
    booster = booster_of(forest)
    visits = ward.visits(ward.common_cases(data, ROUNDS))
    rare_cases = ward.rare_cases(data, ROUNDS)
    rows = [engine.read(c.case)[0].values[np.newaxis] for c in visits]
    tops = [engine.diagnose(c.case).candidates[0].disease for c in visits]
    for disease in dict.fromkeys(tops):
        engine.explain(visits[0].case, disease)  # tables of a disease are built once
    ours = timed([lambda c=c: engine.diagnose(c.case) for c in visits])
    ours_rare = timed([lambda c=c: engine.diagnose(c.case) for c in rare_cases])
    why = timed(
        [lambda c=c, d=d: engine.explain(c.case, d) for c, d in zip(visits, tops, strict=True)]
    )
    alone = timed([lambda r=r: engine.common.margins_of(r) for r in rows])
    starts = [_start(engine, r, forest) for r in rows]
    plain = timed(
        [
            lambda r=r, s=s: booster.inplace_predict(r, base_margin=s)
            for r, s in zip(rows, starts, strict=True)
        ]
    )
    explainer = shap.TreeExplainer(booster)
    oracle = timed([lambda r=r: explainer.shap_values(r) for r in rows[:SHAP_ROUNDS]])
    return [
        "## Speed, one case at a time",
        "",
        "| what | median ms | p99 ms | ratio of medians |",
        "|---|---|---|---|",
        _row("diagnose, common visit (both models, gate, rules)", ours, None, ""),
        _row("diagnose, published rare case", ours_rare, None, ""),
        *rare.measure(engine, data).rows(),
        _row("common model alone (Bayes table, onnxruntime)", alone, None, ""),
        _row("the same trees, plain XGBoost, Bayes margins given", plain, alone, "of ours alone"),
        _row("explain one disease", why, None, ""),
        _row("the same trees, shap.TreeExplainer (all classes)", oracle, why, "of ours"),
    ]


def bars(data: Path) -> list[str]:
    """Time what one press of a key costs, against what was promised for one thread.

    The peer of the reasons is `shap.TreeExplainer` on the same trees; it explains all at once.
    """
    bundle = open_embedded_bundle()
    engine = Engine.from_artifacts(bundle)
    visits = ward.visits(ward.common_cases(data, ROUNDS))
    tops = [[c.disease for c in engine.diagnose(v.case).candidates[:EXPLAINED]] for v in visits]
    for disease in {
        disease for top in tops for disease in top if disease in engine.common.diseases
    }:
        engine.explain(visits[0].case, disease)  # tables of a disease are built once
    clock = time.thread_time  # of this thread: a busy machine does not count
    answer = timed([lambda v=v: engine.assess(v.case, questions=1) for v in visits], clock)
    alone = timed([lambda v=v: engine.diagnose(v.case) for v in visits], clock)
    why = timed(
        [
            lambda v=v, top=top: [engine.explain(v.case, disease) for disease in top]
            for v, top in zip(visits, tops, strict=True)
        ],
        clock,
    )
    explainer = shap.TreeExplainer(booster_of(Forest.from_npz(bundle.read(COMMON_TREES))))
    rows = [engine.read(v.case)[0].values[np.newaxis] for v in visits[:SHAP_ROUNDS]]
    oracle = timed([lambda r=r: explainer.shap_values(r) for r in rows], clock)
    return [
        "## One visit, one thread, against what was promised",
        "",
        "| what (thread time) | median ms | p99 ms | promised median ms | ratio of medians |",
        "|---|---|---|---|---|",
        _bar("diagnose, red flags, triage and next question", answer, ANSWER_MS, alone, "diagnose"),
        _bar(f"explanation of the first {EXPLAINED}", why, EXPLANATION_MS, oracle, "`shap`"),
    ]


def _bar(label: str, ms: np.ndarray, promised: float, beside: np.ndarray, peer: str) -> str:
    met = "met" if np.median(ms) < promised else "not met"
    ratio = f"{np.median(ms) / np.median(beside):.1f}x {peer}"
    return (
        f"| {label} | {np.median(ms):.2f} | {np.percentile(ms, 99):.2f} "
        f"| < {promised:.0f}, {met} | {ratio} |"
    )


def start_up() -> list[str]:
    """Time what a device does before the first answer, in fresh objects of this process."""
    started = time.perf_counter()
    bundle = open_embedded_bundle()
    opened = time.perf_counter()
    Engine.from_artifacts(bundle)
    loaded = time.perf_counter()
    return [
        "## Start",
        "",
        "| what | ms |",
        "|---|---|",
        f"| open the bundle: signatures and manifest | {(opened - started) * 1000:.0f} |",
        f"| build the engine: every member hashed, models and vocabulary loaded "
        f"| {(loaded - opened) * 1000:.0f} |",
    ]


def timed(
    calls: Sequence[Callable[[], object]], clock: Callable[[], float] = time.perf_counter
) -> np.ndarray:
    """Return milliseconds per call by `clock`, after one round to warm up."""
    calls[0]()
    out = []
    for call in calls:
        started = clock()
        call()
        out.append((clock() - started) * 1000)
    return np.array(out)


def _start(engine: Engine, row: np.ndarray, forest: Forest) -> np.ndarray | None:
    """Return the Bayes margins of the diseases the trees correct; None where there are none."""
    table = engine.common.bayes
    if table is None:
        return None
    return table.margins_of(row)[:, : int(forest.output.max()) + 1].astype(np.float32)


def _row(label: str, ms: np.ndarray, beside: np.ndarray | None, of: str) -> str:
    ratio = "" if beside is None else f"{np.median(ms) / np.median(beside):.1f}x {of}"
    return f"| {label} | {np.median(ms):.2f} | {np.percentile(ms, 99):.2f} | {ratio} |"


if __name__ == "__main__":
    print(f"xgboost {xgboost.__version__}, shap {shap.__version__}", file=sys.stderr)
    sys.exit(main())
