"""Ages and onsets as they may leave a clinic."""

from typing import Final

_DAYS_IN_FOUR_YEARS: Final = 1461  # Julian year of 365.25 days, as in ddx.domain.case
_POOLED_FROM_YEARS: Final = 90


def coarse_age_days(age_days: int) -> int:
    """Return an age in days as it may leave the clinic: whole years, 90 and above pooled.

    The value is the first whole day of that year of life in Julian years.
    Source: HIPAA Safe Harbor, 45 CFR 164.514(b)(2)(i)(C), for the pooling at 90.
    """
    years = min(_POOLED_FROM_YEARS, age_days * 4 // _DAYS_IN_FOUR_YEARS)
    return -(-years * _DAYS_IN_FOUR_YEARS // 4)


_EXACT_ONSET_DAYS: Final = 30
"""Acute onsets stay exact: the course of a fever is told in days."""


def coarse_onset_days(onset_days: int) -> int:
    """Return how long ago a finding began as it may leave the clinic.

    Exact up to 30 days, then whole months of 30 days below a year, then whole years as for ages:
    "since birth" would otherwise tell the age in days.
    """
    if onset_days <= _EXACT_ONSET_DAYS:
        return onset_days
    if onset_days * 4 < _DAYS_IN_FOUR_YEARS:
        return onset_days - onset_days % _EXACT_ONSET_DAYS
    return coarse_age_days(onset_days)
