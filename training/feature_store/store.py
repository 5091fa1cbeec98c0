"""The feature store: Feast over the lake's Delta tables, online in SQLite or Redis."""

import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Final

import feast
import pandas as pd
from feast.repo_config import RepoConfig
from feast.type_map import feast_value_type_to_python_type

from ddx.errors import DdxError
from training.feature_store.definitions import SERVICE, definitions, feature_names
from training.feature_store.tables import CLINIC_FEATURES, PATIENT_FEATURES
from training.lake.place import Lake
from training.lake.tables import LakeTable

SQLITE: Final = "sqlite"
PROJECT: Final = "vereda"
_ENTITY_KEYS: Final = 3
"""Feast's serialisation of entity keys; 3 is the newest."""


class FeatureStoreError(DdxError):
    """The feature store cannot be read or written. Predictions go on without its features."""

    code: ClassVar[str] = "features.unavailable"
    retryable = True


@dataclass(frozen=True, slots=True)
class OnlineFeatures:
    """Features of one patient at one clinic.

    values: feature -> value, None where nothing is known. known_at: view -> since when its values
    hold; None for an entity the store has never heard of.
    """

    values: Mapping[str, Any]
    known_at: Mapping[str, datetime | None]

    def age_s(self, view: str, now: datetime) -> float | None:
        """Return how old a view's values are, in seconds; None when there are none."""
        at = self.known_at.get(view)
        return None if at is None else (now - at).total_seconds()


class FeatureStore:
    """One project on one lake.

    online: `sqlite`, a file in `folder`, or `host:port[,password=…]` of a Redis.
    """

    def __init__(self, lake: Lake, folder: Path, *, online: str = SQLITE) -> None:
        """Write the registry in `folder`; both online stores get the same definitions."""
        folder.mkdir(parents=True, exist_ok=True)
        config = RepoConfig(
            project=PROJECT,
            provider="local",
            registry=str(folder / "registry.db"),
            offline_store={"type": "dask"},
            online_store=_online(online, folder),
            entity_key_serialization_version=_ENTITY_KEYS,
        )
        self._feast = feast.FeatureStore(config=config, repo_path=str(folder))
        self._feast.apply([*definitions(lake)])
        self._service = self._feast.get_feature_service(SERVICE)

    def history(self, moments: pd.DataFrame) -> pd.DataFrame:
        """Return `moments`, row for row, with every feature as it was known then.

        moments: columns patient, clinic, event_timestamp (with a zone), and any others. Each view
        is joined by itself: Feast's file store leaves out a moment before an entity's first state,
        and with it what the other view knew.

        Raises:
            FeatureStoreError: the feature tables cannot be read.
        """
        rows = moments.reset_index(drop=True)
        for table in (PATIENT_FEATURES, CLINIC_FEATURES):
            rows = rows.join(self._view_history(rows, table))
        return rows

    def _view_history(self, rows: pd.DataFrame, table: LakeTable) -> pd.DataFrame:
        names = list(feature_names(table))
        moment = [table.keys[0], "event_timestamp"]
        with _quietly("the feature tables cannot be read"):
            found = self._feast.get_historical_features(
                rows[moment].drop_duplicates(), [f"{table.name}:{name}" for name in names]
            ).to_df()
        return rows[moment].merge(found, on=moment, how="left")[names]

    def materialise(self, now: datetime) -> None:
        """Bring the online store up to `now`: since the last time, or since the views' reach.

        Raises:
            FeatureStoreError: one of the stores does not answer; what is online stays.
        """
        with _quietly("features were not published"):
            self._feast.materialize_incremental(end_date=now.astimezone(UTC))

    def forget(self, patients: Sequence[str], now: datetime) -> None:
        """Write over what is online of patients erased or gone from gold: no visit, no value.

        The pseudonym stays as a key; Feast writes no row that is empty and deletes none.

        Raises:
            FeatureStoreError: the online store does not answer; ask again.
        """
        known = dict.fromkeys(feature_names(PATIENT_FEATURES)) | {"visits_365d": 0}
        blank = pd.DataFrame({"patient": list(patients)}).assign(
            **known, available_at=now, made_at=now
        )
        with _quietly("patients were not forgotten"):
            if len(blank):
                self._feast.write_to_online_store(PATIENT_FEATURES.name, blank)

    def online(self, pairs: Sequence[tuple[str, str]]) -> list[OnlineFeatures]:
        """Return the features of each (patient, clinic), in the order given.

        Raises:
            FeatureStoreError: the online store does not answer.
        """
        asked = [{"patient": patient, "clinic": clinic} for patient, clinic in pairs]
        try:
            answer = self._feast.get_online_features(self._service, asked).proto
        except Exception as error:  # Feast lets those of its stores through
            raise FeatureStoreError(f"the online store does not answer: {error!r}") from error
        return _read(answer, len(asked))

    def published_until(self) -> dict[str, datetime | None]:
        """Return, for each view, up to when the online store was brought."""
        return {view.name: view.most_recent_end_time for view in self._feast.list_feature_views()}


@contextmanager
def _quietly(what: str) -> Iterator[None]:
    """Keep Feast's progress and Dask's warnings off the terminal; wrap what its stores raise."""
    try:
        with redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    except Exception as error:
        raise FeatureStoreError(f"{what}: {error!r}") from error


def _online(where: str, folder: Path) -> dict[str, str]:
    if where == SQLITE:
        return {"type": "sqlite", "path": str(folder / "online.db")}
    return {"type": "redis", "connection_string": where}


_VIEW_OF: Final = {
    name: table.name
    for table in (PATIENT_FEATURES, CLINIC_FEATURES)
    for name in feature_names(table)
}


def _read(answer: Any, count: int) -> list[OnlineFeatures]:
    names = list(answer.metadata.feature_names.val)
    rows = []
    for i in range(count):
        values: dict[str, Any] = {}
        known: dict[str, datetime | None] = {}
        for name, column in zip(names, answer.results, strict=True):
            view = _VIEW_OF.get(name)
            if view is None:
                continue
            values[name] = feast_value_type_to_python_type(column.values[i])
            stamp = column.event_timestamps[i]
            known[view] = stamp.ToDatetime(tzinfo=UTC) if stamp.seconds else None
        rows.append(OnlineFeatures(values, known))
    return rows
