"""Who boosts the trees, as the commands take it: this process, a cluster, or a local Spark."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from training.fit.fitter import EMBEDDED, Fitter

WORKERS: Final = 2
"""The least number of workers of the reference architecture's cluster."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `--fitter` and `--workers`."""
    parser.add_argument(
        "--fitter",
        choices=("embedded", "databricks", "spark"),
        default="embedded",
        help="who boosts: this process, the cluster's workers, an Apache Spark of this machine; "
        "the trees are the same",
    )
    parser.add_argument(
        "--workers", type=int, default=WORKERS, help="of Spark; each needs a slot of its own"
    )


def arguments_of(asked: argparse.Namespace) -> list[str]:
    """Return what was asked, for another command."""
    return ["--fitter", asked.fitter, "--workers", str(asked.workers)]


@contextmanager
def open_fitter(asked: argparse.Namespace) -> Iterator[Fitter]:
    """Yield the fitter that was asked for; for a dry run, which fits nothing, no cluster is asked.

    Raises SparkFitError when it cannot be had.
    """
    if asked.fitter == "embedded" or asked.dry_run:
        yield EMBEDDED
        return
    from training.fit.on_spark import cluster_fitter, local_fitter  # noqa: PLC0415 (loads PySpark)

    opened = cluster_fitter if asked.fitter == "databricks" else local_fitter
    with opened(asked.workers) as fitter:
        yield fitter
