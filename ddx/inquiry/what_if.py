"""The rows a case would become after an answer, read as `ddx.features.encode` would read them."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ddx.domain.case import Case
from ddx.domain.finding import Presence
from ddx.features.encode import FeatureRow
from ddx.features.schema import FeatureSchema
from ddx.inquiry.bank import Item

Rows = NDArray[np.float32]

TYPICAL_GRADE: Final = 5.0
"""Stands in for the answer to a graded question: the middle of 0..10 (estimate)."""


def stated_columns(case: Case, schema: FeatureSchema) -> NDArray[np.bool_]:
    """Return bool (n_columns,): the columns whose finding the case itself states."""
    stated = np.zeros(len(schema), dtype=bool)
    for finding in case.findings:
        if finding.presence is not Presence.UNKNOWN and finding.id in schema.positions:
            stated[schema.positions[finding.id]] = True
    return stated


def yes_and_no(row: FeatureRow, stated: NDArray[np.bool_], item: Item) -> Rows:
    """Return float32 (2, n_columns): the row after yes, then after no, to a yes/no question."""
    rows = np.repeat(row.values[np.newaxis], 2, axis=0)
    above = [column for column in item.above if not stated[column]]
    below = [column for column in item.below if not row.asked[column]]
    rows[0, above] = 1.0
    rows[1, below] = 0.0
    rows[0, item.columns[0]] = TYPICAL_GRADE if item.graded else 1.0
    rows[1, item.columns[0]] = 0.0
    return rows


def after_choices(row: FeatureRow, item: Item, answers: NDArray[np.float64]) -> Rows:
    """Return float32 (n_answers, n_columns): the row after each answer to a choice.

    answers: 0 or 1, (n_answers, n_values). Values the case states stay as stated.
    """
    rows = np.repeat(row.values[np.newaxis], len(answers), axis=0)
    columns = np.array(item.columns)
    fresh = ~row.asked[columns]
    rows[:, columns[fresh]] = answers[:, fresh]
    return rows
