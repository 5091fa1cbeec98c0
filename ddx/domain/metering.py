"""Links that are paid by the byte: what a clinic lets travel there."""

from enum import StrEnum


class MeteredPolicy(StrEnum):
    """What may travel over a link that is paid by the byte."""

    ALLOW = "allow"
    RECORDS_ONLY = "records_only"
    NOTHING = "nothing"
