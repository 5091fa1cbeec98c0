"""`vereda-train`: fit, check and sign the bundle that ships; the learning loop's other commands.

python -m training                 fit everything and make it the bundle that ships
python -m training retrain         new cases of the lake -> a signed candidate and its report
python -m training approve RUN     a physician's signature on a candidate
python -m training release RUN     the approved candidate to the clinics, by stages
python -m training monitor         drift, performance and triggers of a day
python -m training rebuild         a bundle again from its own lineage
python -m training served          which model a device had on a day
python -m training simulate        the rollout on a simulated fleet
"""

import argparse
import importlib
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from ddx.errors import DdxError
from training.evaluate.rare import table
from training.pipelines.card import card_markdown
from training.pipelines.release import Release, release

REPOSITORY = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("VEREDA_DATA", REPOSITORY.parent / "shared" / "data"))
KEYS = Path(os.environ.get("VEREDA_KEYS", REPOSITORY / "build" / "keys"))
CARD = REPOSITORY / "docs" / "model_card.md"


COMMANDS = ("retrain", "approve", "release", "monitor", "rebuild", "served", "simulate")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command of the learning loop, or the release pipeline when none is named."""
    given = list(sys.argv[1:] if argv is None else argv)
    if given and given[0] in COMMANDS:
        command = importlib.import_module(f"training.commands.{given[0]}")
        return int(command.main(given[1:]))
    return fit_and_release(given)


def fit_and_release(argv: Sequence[str]) -> int:
    """Run the release pipeline; return 0, or 2 after saying what to do."""
    arguments = _parser().parse_args(argv)
    if not arguments.data.is_dir():
        print(_where_to_get(arguments.data), file=sys.stderr)
        return 2
    started = time.monotonic()

    def say(line: str) -> None:
        print(f"[{time.monotonic() - started:6.0f} s] {line}", flush=True)

    try:
        made = release(arguments.data, arguments.keys, say=say)
    except DdxError as error:
        print(f"\nStopped: {error}\nThe default bundle is unchanged.", file=sys.stderr)
        return 2
    CARD.write_text(card_markdown(made.card, table(made.rare_lines)), encoding="utf-8")
    print(summary(made))
    return 0


def summary(made: Release) -> str:
    """Return the closing table: what was signed, and the figures that matter."""
    lines = [
        "",
        f"bundle {made.built.version}   {made.built.stored_bytes / 1e6:.1f} MB   "
        f"digest {made.built.digest[:16]}…",
        "",
        f"{'common model':<26}{'top-1':>10}{'top-3':>10}{'severe':>10}{'ECE':>10}",
    ]
    for protocol, figures in made.common.metrics.items():
        named = (figures.get(name) for name in ("top1", "top3", "severe_recall", "ece"))
        cells = ("" if figure is None else f"{figure.value:.4f}" for figure in named)
        lines.append(f"{protocol:<26}" + "".join(f"{cell:>10}" for cell in cells))
    lines += ["", f"{'rare ranker':<46}{'top-1':>8}{'top-10':>8}{'in 200':>8}"]
    for line in made.rare_lines:
        name = f"{line.name}, {line.protocol}"
        lines.append(
            f"{name:<46}{line.recall[1]:>8.3f}{line.recall[10]:>8.3f}{line.recall[200]:>8.3f}"
        )
    lines += ["", f"model card: {CARD.relative_to(REPOSITORY)}"]
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vereda-train",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, default=DATA, help="clinical data sets (VEREDA_DATA)")
    parser.add_argument("--keys", type=Path, default=KEYS, help="signing keys (VEREDA_KEYS)")
    return parser


def _where_to_get(folder: Path) -> str:
    return (
        f"The clinical data sets are not in {folder}.\n"
        "Set VEREDA_DATA, or put them there; training/README.md lists each set, where its\n"
        "publisher offers it, and the file names that are expected. Nothing was changed."
    )


if __name__ == "__main__":
    sys.exit(main())
