"""What a piece of work costs: time by the clock, processor time, memory; children included.

Apache Spark works in a JVM beside this process: its time and memory count as much. Linux only, as
the figures are.
"""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """wall_s: by the clock, which a busy machine stretches. processor_s: of all threads."""

    wall_s: float
    processor_s: float

    def a_second(self, count: int) -> str:
        """Return a rate by both clocks."""
        by_processor = f"{count / self.processor_s:,.0f} a processor second"
        return f"{count / self.wall_s:,.0f} a second, {by_processor}"


def cost_of(work: Callable[[], object]) -> Cost:
    """Return what `work` cost this process and the children that live."""
    wall_s, processor_s = time.perf_counter(), _processor_s()
    work()
    return Cost(time.perf_counter() - wall_s, _processor_s() - processor_s)


def peak_mib() -> float:
    """Return the most memory this process and its living children held so far."""
    return sum(_peak_mib(process) for process in _family(os.getpid()))


def _processor_s() -> float:
    return sum(sum(_stat(process)[11:13]) for process in _family(os.getpid())) / _TICKS


def _family(root: int) -> Iterator[int]:
    """Yield `root` and all who descend from it."""
    parents = {
        int(folder.name): _stat(int(folder.name))[1]
        for folder in Path("/proc").iterdir()
        if folder.name.isdigit()
    }
    grown = {root}
    while more := {process for process, parent in parents.items() if parent in grown} - grown:
        grown |= more
    yield from grown


def _stat(process: int) -> list[int]:
    """Return the fields of /proc/PID/stat after the name, state first as 0 (proc(5))."""
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):  # ended meanwhile
        return [0] * 50
    return [0, *map(int, text.rpartition(")")[2].split()[1:])]


def _peak_mib(process: int) -> float:
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
