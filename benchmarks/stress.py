"""Visits as fast as keys go, beside all that goes on by itself: nothing may be refused.

    python -m benchmarks.stress --visits 150

The composed application on an encrypted demonstration clinic, a key every two milliseconds, and at
once, again and again without a pause: the daily upkeep (check of every page, backup), pushes of
every record to a cloud on loopback, and backups by a process of their own. A refusal, a report of
damage or a record that does not arrive is a fault of ours: each is told, and the result is 1.
"""

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from support.cloud_server import CloudProcess

from benchmarks.screen import Shift, application
from ddx.errors import DdxError
from desktop.services import keeping
from desktop.services.demo import PASSPHRASE
from desktop.services.records import SyncPhase

if TYPE_CHECKING:
    from desktop.services.session import Session

ASKED_AT_MOST, BUSY_S = 30, 2.0
"""The cloud has a device that pushes without a pause wait; a quarter of a minute, as a rule."""
ANOTHER_PROCESS = """
import sys
from pathlib import Path
from desktop.services.clinic import Clinic
from desktop.services.open_shelf import open_shelf
from desktop.settings import Settings
folder, passphrase = Path(sys.argv[1]), sys.argv[2]
clinic = Clinic(folder, open_shelf(folder, Settings()))
session = clinic.sign_in(clinic.clinicians()[0].id, passphrase)
while sys.stdin.readline():
    session.keeping.back_up()
    print("made", flush=True)
"""


@dataclass
class Tally:
    """What was done how often, and what was refused, by error code."""

    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    def beside(self, over: threading.Event, what: str, work: Callable[[], object]) -> None:
        """Do `work` again and again until `over`."""
        while not over.is_set():
            try:
                work()
            except DdxError as error:
                self.refused[f"{what}: {error.code}"] += 1
            self.done[what] += 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run it and print what was done; return 1 where something was refused or is missing."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.stress",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--visits", type=int, default=150)
    asked = parser.parse_args(argv)
    keeping.BACKUP_EVERY = keeping.CHECK_EVERY = timedelta()  # type: ignore[misc]  # due each time
    with tempfile.TemporaryDirectory() as name:
        tally, missing = stress(Path(name), asked.visits)
    for what, count in sorted(tally.done.items()):
        print(f"{what:<28}{count:>6}")
    for what, count in sorted(tally.refused.items()):
        print(f"REFUSED {what:<20}{count:>6}")
    print(f"records that did not arrive {missing:>6}")
    return 1 if tally.refused or missing else 0


def stress(folder: Path, visits: int) -> tuple[Tally, int]:
    """Return the tally of `visits` visits, and how many records the cloud does not have."""
    tally, over = Tally(), threading.Event()
    with cloud(folder / "cloud") as (address, code), application(folder / "clinic") as window:
        run = window.jobs.run

        def told(work: Any, done: Any, failed: Any, *rest: Any, **more: Any) -> None:
            def refused(error: DdxError) -> object:
                tally.refused[f"window: {error.code}"] += 1
                return failed(error)

            run(work, done, refused, *rest, **more)

        window.jobs.run = told  # type: ignore[method-assign]
        hands = Shift(window, folder)
        hands.sign_in()
        session: Session | None = window._session  # noqa: SLF001 -- the one that is signed in
        assert session is not None
        session.sync.link(address, code)
        threads = [
            threading.Thread(target=tally.beside, args=(over, what, work))
            for what, work in (
                ("upkeeps", session.keeping.upkeep),
                ("pushes", session.sync.run_once),
            )
        ]
        with another_process(folder / "clinic") as back_up:
            threads.append(
                threading.Thread(target=tally.beside, args=(over, "backups elsewhere", back_up))
            )
            for thread in threads:
                thread.start()
            try:
                for number in range(1, visits + 1):
                    hands.visit(number)
                    tally.done["visits"] += 1
            finally:
                over.set()
                for thread in threads:
                    thread.join()
        session.keeping.check()
        for _ in range(ASKED_AT_MOST):
            report = session.sync.run_once()
            if report.phase is not SyncPhase.WAITING:
                break
            time.sleep(BUSY_S)
        tally.done["records that arrived"] = report.acknowledged
        return tally, report.pending + report.quarantined


@contextmanager
def cloud(folder: Path) -> Iterator[tuple[str, str]]:
    """Run a cloud on loopback; give its address and the code for one device."""
    process = CloudProcess(folder).start()
    try:
        yield process.url, process.code
    finally:
        process.kill()


@contextmanager
def another_process(folder: Path) -> Iterator[Callable[[], None]]:
    """Sign in to the clinic in a process of its own; give what has it make a backup."""
    command = [sys.executable, "-c", ANOTHER_PROCESS, str(folder), PASSPHRASE]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:

        def back_up() -> None:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("back up\n")
            process.stdin.flush()
            if process.stdout.readline() != "made\n":
                raise SystemExit("the other process failed; see above")

        try:
            yield back_up
        finally:
            process.stdin.close()  # type: ignore[union-attr]


if __name__ == "__main__":
    sys.exit(main())
