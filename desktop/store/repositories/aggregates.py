"""Counts over the whole store, made inside it: no row of a patient is read out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, select, text
from sqlalchemy.orm import Session

from desktop.store.columns import UtcMoment
from desktop.store.tables import DiagnosisTable, FeedbackTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """weeks: visits by the Monday of their week, ISO. The rest by code."""

    weeks: Mapping[str, int]
    verbs: Mapping[str, int]
    reasons: Mapping[str, int]
    diseases: Mapping[str, int]
    alerts: Mapping[str, int]


class AggregateRepository:
    """Counts of this clinic."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def since(self, moment: datetime) -> Counted:
        """Return what was recorded since `moment`."""
        return Counted(
            weeks=self._weeks(moment),
            verbs=self._decisions(moment, "verb"),
            reasons=self._decisions(moment, "reason"),
            diseases=self._decisions(moment, "disease"),
            alerts=self._alerts(moment),
        )

    def _weeks(self, moment: datetime) -> dict[str, int]:
        monday = func.date(DiagnosisTable.made_at, "weekday 0", "-6 days")
        query = (
            select(monday, func.count()).where(DiagnosisTable.made_at >= moment).group_by(monday)
        )
        return {str(week): int(count) for week, count in self._session.execute(query)}

    def _decisions(self, moment: datetime, column: str) -> dict[str, int]:
        told = getattr(FeedbackTable, column)
        query = (
            select(told, func.count())
            .where(FeedbackTable.outcome_at >= moment, told.is_not(None))
            .group_by(told)
        )
        return {str(code): int(count) for code, count in self._session.execute(query)}

    def _alerts(self, moment: datetime) -> dict[str, int]:
        query = text(
            "SELECT json_extract(alert.value, '$.code') AS code, count(*)"
            " FROM diagnosis, json_each(diagnosis.differential_json, '$.alerts') AS alert"
            " WHERE diagnosis.made_at >= :since GROUP BY code"
        ).bindparams(bindparam("since", moment, UtcMoment))
        return {str(code): int(count) for code, count in self._session.execute(query)}
