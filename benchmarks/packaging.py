"""`python -m benchmarks.packaging`: size of what is installed, and its start beside the source's.

Both start the same way, in turns, on an existing demonstration clinic: a process that shows its
window, signs in, opens one patient's visit and ends. Exit code 1 when a bar is not met. Needs
`make package` first; writes docs/packaging.md and keeps what stands there of two builds compared,
which `installers.compare` tells and nobody measures.
"""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
DIST = REPOSITORY / "dist"
REPORT = REPOSITORY / "docs" / "packaging.md"
COMPARED = "## Two builds of one commit"
UNPACKED_MB, COMPRESSED_MB, START_RATIO = 280, 100, 1.3
"""The bars; megabytes of a million bytes."""
TURNS = 7


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    what: str
    bar: str
    measured: str
    met: bool


def main() -> int:
    """Measure, print, write docs/packaging.md; return 1 when a bar is not met."""
    rows = [*_sizes(), _start()]
    text = _page(rows) + _compared()
    print(text)
    REPORT.write_text(text, encoding="utf-8")
    return 0 if all(row.met for row in rows) else 1


def _sizes() -> list[Row]:
    files = (p for p in (DIST / "vereda").rglob("*") if p.is_file() and not p.is_symlink())
    unpacked = sum(p.stat().st_size for p in files) / 1e6
    rows = [_size("Frozen application, unpacked", UNPACKED_MB, unpacked)]
    for pattern, what in (("*.deb", "deb, compressed"), ("*.msi", "MSI, compressed")):
        found = sorted(DIST.glob(pattern))[-1:]
        rows += [_size(what, COMPRESSED_MB, p.stat().st_size / 1e6) for p in found]
    return rows


def _size(what: str, bar_mb: int, measured_mb: float) -> Row:
    return Row(what, f"<= {bar_mb} MB", f"{measured_mb:.1f} MB", measured_mb <= bar_mb)


def _start() -> Row:
    frozen = (str(DIST / "vereda" / "vereda"),)
    source = (sys.executable, "-m", "desktop.app")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _visit(frozen, folder)  # creates the clinic
        _visit(source, folder)  # both read their files once before anything counts
        turns = [(_visit(frozen, folder), _visit(source, folder)) for _ in range(TURNS)]
    ratio = statistics.median(f / s for f, s in turns)
    medians = [statistics.median(times) for times in zip(*turns, strict=True)]
    told = f"{ratio:.2f}x ({medians[0]:.2f} s and {medians[1]:.2f} s, medians of {TURNS})"
    return Row("Frozen start beside the source", f"<= {START_RATIO}x", told, ratio <= START_RATIO)


def _visit(command: tuple[str, ...], folder: Path) -> float:
    """Return the seconds of one visit, from starting the process to its end."""
    arguments = ["--data", str(folder / "clinic"), "--offscreen", str(folder / "screens")]
    surroundings = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "OMP_NUM_THREADS": "1"}
    surroundings["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
    started = time.perf_counter()
    subprocess.run(
        [*command, *arguments], check=True, capture_output=True, env=surroundings, cwd=REPOSITORY
    )
    return time.perf_counter() - started


def _compared() -> str:
    """Return the section on two builds as it stands in the report, empty where there is none."""
    before = REPORT.read_text(encoding="utf-8") if REPORT.is_file() else ""
    _, mark, kept = before.partition(COMPARED)
    return f"\n{mark}{kept}" if mark else ""


def _page(rows: list[Row]) -> str:
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    lines = [
        "# What is installed, measured",
        "",
        f"`python -m benchmarks.packaging`, {datetime.now(UTC):%Y-%m-%d}, {machine}.",
        "A start is a whole visit offscreen on an existing clinic: window, sign-in, one patient,",
        "diagnosis, pictures. Frozen and source take turns; the ratio is the median of the turns.",
        "",
        "| What | Bar | Measured | Met |",
        "| --- | --- | --- | --- |",
        *(f"| {r.what} | {r.bar} | {r.measured} | {'yes' if r.met else '**no**'} |" for r in rows),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
