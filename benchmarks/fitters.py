"""The trees of a release, boosted in this process and on Spark's workers: the same bytes?

The historical set's training rows and a release's settings; Apache Spark runs on this machine.

    python -m benchmarks.fitters [--workers 2] [--rows 170000]
"""

import argparse
import hashlib
import sys
import time
from dataclasses import replace
from pathlib import Path

from training.commands.workspace import DATA
from training.fit.boost import FitSettings, boost
from training.fit.fitter import EMBEDDED, Boosting, Fitter, Progress
from training.fit.material import Material
from training.fit.on_spark import local_fitter
from training.pipelines.history import History


class Timed:
    """Tells how long a fitter takes for a fit it is given, without making the rows."""

    def __init__(self, fitter: Fitter) -> None:
        self._fitter, self.seconds = fitter, 0.0

    def fit(self, boosting: Boosting, progress: Progress):
        """See `Fitter.fit`."""
        started = time.monotonic()
        booster = self._fitter.fit(boosting, progress)
        self.seconds = time.monotonic() - started
        return booster

    def device(self) -> str:
        """See `Fitter.device`."""
        return self._fitter.device()


def main() -> int:
    """Boost both ways; print digests and seconds; 0 when the bytes are the same."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rows", type=int, help="training rows; default: as many as a release")
    asked = parser.parse_args()
    settings = FitSettings(threads=1)
    if asked.rows:
        whole = settings.full_rows + settings.partial_rows + settings.interview_rows
        names = ("full_rows", "partial_rows", "interview_rows")
        part = {n: round(getattr(settings, n) * asked.rows / whole) for n in names}
        settings = replace(settings, **part)
    history = History.read(asked.data)
    train = history.sample.take(history.split.train)
    material = Material.of(train, history.diseases, history.endemic, settings.bayes)
    interview = material.interview(material.table(selective=True))
    found = []
    with local_fitter(asked.workers) as on_spark:
        for name, fitter in (("this process", EMBEDDED), ("Spark", on_spark)):
            timed = Timed(fitter)
            booster = boost(train, material.schema, interview, settings, print, fitter=timed)
            found.append(hashlib.sha256(bytes(booster.save_raw("json"))).hexdigest())
            print(f"{name:<14}{timed.seconds:7.1f} s   trees {found[-1]}", flush=True)
    return 0 if len(set(found)) == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
