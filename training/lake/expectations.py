"""Runs a suite of Great Expectations over rows, and says in one line each what does not hold.

Great Expectations takes seconds to import: nothing else of the lake imports it, and this module
only when a suite is run. Its telemetry is off.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ddx.errors import DdxError
from training.lake.alarms import Alarm, Notifier, Severity
from training.lake.gold import GoldCases
from training.lake.suites import SUITES


class ExpectationsFailedError(DdxError):
    """Rows do not hold what their suite expects. Nothing of them was published."""

    code: ClassVar[str] = "lake.expectations_failed"

    def __init__(self, suite: str, failures: Sequence[str]) -> None:
        super().__init__(f"{suite}: {'; '.join(failures)}")
        self.suite, self.failures = suite, tuple(failures)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a suite found. failures: one line each, without a value of a row."""

    suite: str
    rows: int
    expectations: int
    failures: tuple[str, ...]


def check(suite: str, rows: pa.Table) -> Verdict:
    """Return the verdict of a suite on `rows`. An empty table holds whatever is expected of it."""
    if not rows.num_rows:
        return Verdict(suite, 0, 0, ())
    frame = _flat(rows).to_pandas(timestamp_as_object=False)
    expectations = SUITES[suite](frame)
    results = _run(suite, frame, expectations)
    failures = tuple(_told(result) for result in results if not result["success"])
    return Verdict(suite, len(frame), len(expectations), failures)


def require(suite: str, rows: pa.Table, notifier: Notifier) -> Verdict:
    """Return the verdict when everything holds; else notify and raise.

    Raises:
        ExpectationsFailedError: the run stops here.
    """
    verdict = check(suite, rows)
    if verdict.failures:
        title = f"{suite} does not hold what is expected; the run stopped"
        notifier.notify(
            Alarm(ExpectationsFailedError.code, Severity.CRITICAL, title, verdict.failures)
        )
        raise ExpectationsFailedError(suite, verdict.failures)
    return verdict


def require_trainable(cases: GoldCases, notifier: Notifier) -> Verdict:
    """Return the verdict on the cases of one training; else notify and raise.

    Raises:
        ExpectationsFailedError: these cases may not train a model.
    """
    return require("training_cases", _with_shares(cases.table), notifier)


def _flat(rows: pa.Table) -> pa.Table:
    """Return `rows` with each list as its length: a million findings as Python objects are slow."""
    for at, column in enumerate(rows.schema):
        if pa.types.is_list(column.type):
            rows = rows.set_column(at, column.name, pc.list_value_length(rows.column(at)))
    return rows


def _with_shares(table: pa.Table) -> pa.Table:
    count = max(table.num_rows, 1)
    diseases = pc.value_counts(table.column("disease").combine_chunks().drop_null())
    largest = max((row["counts"].as_py() for row in diseases), default=0)
    stated = pc.sum(pc.greater(pc.list_value_length(table.column("findings")), 0)).as_py() or 0
    known = count - table.column("age_days").null_count
    shares = {"largest_disease_share": largest, "stated_share": stated, "age_known_share": known}
    for name, part in shares.items():
        table = table.append_column(name, pa.array([part / count] * table.num_rows, pa.float64()))
    return table


def _run(
    suite: str, frame: pd.DataFrame, expectations: Sequence[tuple[str, dict[str, Any]]]
) -> list[dict[str, Any]]:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx  # noqa: PLC0415 - seconds, and only here

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
    asset = context.data_sources.add_pandas("lake").add_dataframe_asset(suite)
    batch = asset.add_batch_definition_whole_dataframe("rows").get_batch({"dataframe": frame})
    wanted = [getattr(gx.expectations, name)(**arguments) for name, arguments in expectations]
    result = batch.validate(gx.ExpectationSuite(name=suite, expectations=wanted))
    return [found.to_json_dict() for found in result.results]


def _told(result: dict[str, Any]) -> str:
    """Return which expectation failed, where, and how often; never a value."""
    config, counts = result["expectation_config"], result.get("result") or {}
    arguments = config["kwargs"]
    where = arguments.get("column") or ", ".join(arguments.get("column_list", ())) or "table"
    bounds = [str(arguments[k]) for k in ("min_value", "max_value") if arguments.get(k) is not None]
    limits = f" within {'..'.join(bounds)}" if bounds else ""
    if "unexpected_count" in counts:
        seen = f"{counts['unexpected_count']} of {counts.get('element_count')} rows"
    else:
        seen = f"observed {counts.get('observed_value', 'an error')}"
    return f"{config['type']} {where}{limits}: {seen}"
