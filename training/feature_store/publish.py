"""The hourly step after `training.lake build`: compute the features, hand them to the store."""

from collections.abc import Callable

from training.feature_store.compute import clinic_features, patient_features
from training.feature_store.tables import CLINIC_FEATURES, PATIENT_FEATURES
from training.lake.engine import Engine
from training.lake.place import Lake
from training.lake.tables import GOLD_CASES


def gone_patients(lake: Lake) -> list[str]:
    """Return the patients that have features and no case in gold any more, sorted.

    To be asked, and forgotten online, before `compute` writes the tables anew.
    """
    if not lake.exists(PATIENT_FEATURES) or not lake.exists(GOLD_CASES):
        return []
    had, have = (
        lake.open(table).to_pyarrow_dataset().to_table(columns=["patient"])["patient"].unique()
        for table in (PATIENT_FEATURES, GOLD_CASES)
    )
    return sorted(set(had.to_pylist()) - set(have.to_pylist()))


def compute(lake: Lake, engine: Engine, say: Callable[[str], None] = lambda _: None) -> None:
    """Write both feature tables from gold, each in one version.

    Raises:
        LakeBusyError: another run writes.
    """
    with lake.writing():
        gold = engine.read(GOLD_CASES)
        for table, rows in (
            (PATIENT_FEATURES, patient_features(gold)),
            (CLINIC_FEATURES, clinic_features(gold)),
        ):
            engine.overwrite(table, rows)
            say(f"{table.name}: {engine.read(table).count():,} states")
