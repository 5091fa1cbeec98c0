"""Names of what is written into the chains. New ones are appended; a name is never reused."""

from enum import StrEnum


class CloudAction(StrEnum):
    """What the service itself saw being done."""

    DEVICE_CODE_ISSUED = "device_code_issued"
    DEVICE_REVOKED = "device_revoked"
    SETTING_PUT = "setting_put"
    PREDICTIONS_SEARCHED = "predictions_searched"
    FEEDBACK_SEARCHED = "feedback_searched"
    AUDIT_SEARCHED = "audit_searched"
    AUDIT_VERIFIED = "audit_verified"
    RELEASE_OBSERVED = "release_observed"
    RELEASE_STAGING = "release_staging"
    RELEASE_CANARY = "release_canary"
    RELEASE_PRODUCTION = "release_production"
    RELEASE_WITHDRAWN = "release_withdrawn"


REPORTED = "reported."
"""Begins the name of what a caller says was done elsewhere: it never reads as seen by us."""
