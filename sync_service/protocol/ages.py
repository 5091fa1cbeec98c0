"""Ages as they may leave a clinic."""

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
