"""The interviews' part of the model card: orders side by side, gaps after ten, conformal sets."""

from collections.abc import Mapping
from typing import Any, Final

from training.pipelines.common_card import cell, fairness_table

BARS: Final[Mapping[str, float]] = {
    "top1_when_stopped": 0.985,
    "macro_f1": 0.95,
    "severe_recall": 0.95,
    "ece": 0.02,
}
"""What an interview in the device's order must reach (plan, step 2); the ECE is a most."""


def visits_markdown(common: Mapping[str, Any]) -> str:
    """Return the section on interviews and sets. common: with what `VisitFigures` wrote."""
    interviews = common["interviews"]
    adaptive = interviews["adaptive"]
    return f"""### Interviews
{adaptive["patients"]:,} test patients open with one symptom; questions are answered from the
record, and the whole engine ranks, rare diseases competing. `adaptive`: the order a device
proposes. `tree`: one fixed decision tree. `random`: any question that still makes sense. The same
patients in the same run; 95 % bootstrap intervals.

{_orders_table(interviews)}

With the stop rule: {cell(adaptive["questions_when_stopped"])} questions on average, top-1
{cell(adaptive["top1_when_stopped"])} (bar {BARS["top1_when_stopped"]:.3f}).

Sexes and ages after ten questions, ranked by the common model, on more patients:

{fairness_table({"interview_10": common["fairness_after_interview"]})}

### Conformal sets
Sets of diseases that cannot be set aside, meant to hold the right one in 90 of 100 visits
(0.90 within one point) whatever was asked. Calibrated on calibration patients and on simulated
endemic ones, measured on others. `bare`: the randomised sets, to which the promise applies, some of
them empty. `shown`: with the first disease always in, as a clinician sees them; where it is right
more often than nine times in ten these cover more than they promise. `interview_k`: after k
questions in the device's order; simulated patients are asked only what their file answers, as real
ones answer everything. A threshold belongs to the source that describes a disease, so that the
promise holds in either whatever share of visits it has.

{_sets_table(common["conformal"])}
"""


def _orders_table(interviews: Mapping[str, Any]) -> str:
    rows = [
        f"| | bar | {' | '.join(interviews)} |",
        f"|---|---|{'---|' * len(interviews)}",
    ]
    shown = [
        n
        for n in interviews["adaptive"]["top1"]
        if all(n in i["top1"] for i in interviews.values())
    ]
    for n in shown:
        cells = (cell(found["top1"][n]) for found in interviews.values())
        rows.append(f"| top-1 after {n} | | {' | '.join(cells)} |")
    for name in ("severe_recall", "macro_f1", "ece"):
        cells = (cell(i["last"][name]) if name in i["last"] else "" for i in interviews.values())
        rows.append(f"| {name} after {shown[-1]} | {BARS[name]:.2f} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _sets_table(lines: list[Mapping[str, Any]]) -> str:
    rows = [
        "| visit | patients of | patients | bare | shown | mean size shown |",
        "|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {line['protocol']} | {line['group']} | {line['patients']:,} | {cell(line['bare'])} "
        f"| {cell(line['shown'])} | {line['size']:.2f} |"
        for line in lines
    ]
    return "\n".join(rows)
