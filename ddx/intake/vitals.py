"""Vital signs as typed: are they numbers, possible, and usual at this age."""

from collections.abc import Iterator, Mapping
from typing import Final

from ddx.domain.case import DAYS_PER_YEAR, VitalSigns
from ddx.intake import reading
from ddx.intake.issues import CaseIssue, Level
from ddx.intake.limits import POSSIBLE, usual_range

YES_NO: Final = frozenset({"on_oxygen", "alert"})


def issues(vitals: Mapping[str, str], age_days: int | None) -> Iterator[CaseIssue]:
    """Yield what is wrong or doubtful about `vitals`, in order of entry."""
    years = None if age_days is None else age_days / DAYS_PER_YEAR
    for vital, text in vitals.items():
        if not text.strip():
            continue
        if vital in POSSIBLE:
            yield from _number_issues(vital, text, years)
        elif vital not in YES_NO:
            yield CaseIssue(Level.ERROR, vital, "vital.unknown", {"vital": vital})
        elif reading.yes_or_no(text) is None:
            params = {"vital": vital, "text": text}
            yield CaseIssue(Level.ERROR, vital, "vital.not_yes_or_no", params)
    yield from _pressure_issues(vitals)


def read(vitals: Mapping[str, str]) -> VitalSigns:
    """Return vital signs that `issues` found no error in; blank fields are not measured."""
    numbers = {v: reading.number(t) for v, t in vitals.items() if v in POSSIBLE and t.strip()}
    answers = {v: reading.yes_or_no(t) for v, t in vitals.items() if v in YES_NO and t.strip()}
    return VitalSigns(**numbers, **answers)  # type: ignore[arg-type] # field names by POSSIBLE, YES_NO


def _number_issues(vital: str, text: str, years: float | None) -> Iterator[CaseIssue]:
    value = reading.number(text)
    if value is None:
        params = {"vital": vital, "text": text}
        yield CaseIssue(Level.ERROR, vital, "vital.not_a_number", params)
        return
    possible, usual = POSSIBLE[vital], usual_range(vital, years)
    if not possible.low <= value <= possible.high:
        params = _params(vital, value, possible.low, possible.high)
        yield CaseIssue(Level.ERROR, vital, "vital.out_of_range", params, _meant(vital, value))
    elif not usual.low <= value <= usual.high:
        params = _params(vital, value, usual.low, usual.high)
        yield CaseIssue(Level.WARNING, vital, "vital.unusual_for_age", params)


def _pressure_issues(vitals: Mapping[str, str]) -> Iterator[CaseIssue]:
    systolic = reading.number(vitals.get("systolic_mmhg", ""))
    diastolic = reading.number(vitals.get("diastolic_mmhg", ""))
    if systolic is not None and diastolic is not None and diastolic >= systolic:
        params = {"systolic": f"{systolic:g}", "diastolic": f"{diastolic:g}"}
        yield CaseIssue(Level.ERROR, "diastolic_mmhg", "vital.diastolic_not_below_systolic", params)


def _meant(vital: str, value: float) -> str:
    """Return a temperature that was likely meant: Fahrenheit, or a lost decimal point."""
    if vital != "temperature_c":
        return ""
    usual = usual_range(vital, None)
    candidates = ((value - 32) / 1.8, value / 10)
    likely = [c for c in candidates if usual.low <= c <= usual.high]
    return f"{likely[0]:.1f}" if likely else ""


def _params(vital: str, value: float, low: float, high: float) -> dict[str, str]:
    return {"vital": vital, "value": f"{value:g}", "low": f"{low:g}", "high": f"{high:g}"}
