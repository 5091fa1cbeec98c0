"""Counts of two windows, and how far apart they are.

Population stability index over categories, sum((p - q) * ln(p / q)), with half a record added to
each category of both windows so that an empty one does not make it infinite. 0.1 and 0.25 are the
customary bounds of "some" and "large" change (Siddiqi, Credit Risk Scorecards, 2006).
"""

import math
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, Literal

from cloud_api.drift.schemas import Drift, FieldDrift, Summary
from cloud_api.records.ports import (
    FeedbackField,
    FeedbackLog,
    PredictionField,
    PredictionLog,
    Window,
)

SOME: Final = 0.1
LARGE: Final = 0.25
ENOUGH: Final = 100
"""Records each window needs before its index says anything but noise."""

Level = Literal["stable", "some", "large", "too_few"]


class DriftService:
    """Answers from the logs of one organisation at a time."""

    def __init__(
        self, predictions: PredictionLog, feedback: FeedbackLog, now: Callable[[], datetime]
    ) -> None:
        self._predictions, self._feedback, self._now = predictions, feedback, now

    async def drift(self, tenant_id: str, *, days: int, reference_days: int) -> Drift:
        """Return how the last `days` differ from the `reference_days` before them."""
        until = self._now()
        since = until - timedelta(days=days)
        recent = Window(since=since, until=until)
        before = Window(since=since - timedelta(days=reference_days), until=since)
        return Drift(
            since=since,
            until=until,
            reference_since=since - timedelta(days=reference_days),
            fields=tuple(
                [await self._field(tenant_id, by, recent, before) for by in PredictionField]
            ),
        )

    async def summary(self, tenant_id: str, *, days: int) -> Summary:
        """Return what was asked, answered and decided in the last `days`."""
        until = self._now()
        window = Window(since=until - timedelta(days=days), until=until)
        counts = {
            by.value: dict(await self._predictions.tally(tenant_id, by, window=window))
            for by in PredictionField
        }
        decided = {
            by.value: dict(await self._feedback.tally(tenant_id, by, window=window))
            for by in FeedbackField
        }
        outcomes = decided[FeedbackField.OUTCOME]
        total = sum(outcomes.values())
        return Summary(
            since=until - timedelta(days=days),
            until=until,
            predictions=sum(counts[PredictionField.BUNDLE_VERSION].values()),
            predictions_by=counts,
            feedback=total,
            feedback_by=decided,
            accepted_share=outcomes.get("accepted", 0) / total if total else None,
        )

    async def _field(
        self, tenant_id: str, by: PredictionField, recent: Window, before: Window
    ) -> FieldDrift:
        now = await self._predictions.tally(tenant_id, by, window=recent)
        then = await self._predictions.tally(tenant_id, by, window=before)
        index = stability_index(now, then)
        records, reference = sum(now.values()), sum(then.values())
        return FieldDrift(
            field=by.value,
            records=records,
            reference_records=reference,
            index=index,
            level=_level(index, min(records, reference)),
        )


def stability_index(now: Mapping[str, int], then: Mapping[str, int]) -> float:
    """Return the population stability index of two counts; 0 when both say the same."""
    values = sorted({*now, *then})
    here = [now.get(value, 0) + 0.5 for value in values]
    there = [then.get(value, 0) + 0.5 for value in values]
    shares = [(h / sum(here), t / sum(there)) for h, t in zip(here, there, strict=True)]
    return sum((p - q) * math.log(p / q) for p, q in shares)


def _level(index: float, fewest: int) -> Level:
    if fewest < ENOUGH:
        return "too_few"
    if index >= LARGE:
        return "large"
    return "some" if index >= SOME else "stable"
