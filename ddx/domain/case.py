"""A case: what is known of one patient at one visit, free of names."""

from dataclasses import dataclass, field
from enum import StrEnum

from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import FindingId
from ddx.errors import CaseError

DAYS_PER_YEAR = 365.25
"""Julian year, so that ages in years and in days convert the same way everywhere."""


class Sex(StrEnum):
    """Sex as the models were trained on it; UNKNOWN is a value, not a gap."""

    FEMALE = "female"
    MALE = "male"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class VitalSigns:
    """Vital signs of the visit; None is "not measured".

    temperature_c: degrees Celsius. heart_rate_bpm, respiratory_rate_bpm: per minute.
    systolic_mmhg, diastolic_mmhg: millimetres of mercury. spo2_percent: 0..100.
    on_oxygen: supplemental oxygen at the time of spo2_percent. alert: ACVPU "A".
    weight_kg: kilograms. glucose_mg_dl: capillary glucose.
    """

    temperature_c: float | None = None
    heart_rate_bpm: float | None = None
    respiratory_rate_bpm: float | None = None
    systolic_mmhg: float | None = None
    diastolic_mmhg: float | None = None
    spo2_percent: float | None = None
    on_oxygen: bool | None = None
    alert: bool | None = None
    weight_kg: float | None = None
    glucose_mg_dl: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One patient at one visit, as the engine sees it.

    age_days: age at the visit in days, >= 0; None when not known.
    findings: at most one per finding id, UNKNOWN ones allowed and ignored by the models.

    Raises:
        CaseError: negative age, or a finding given twice.
    """

    age_days: int | None
    sex: Sex
    findings: tuple[Finding, ...] = ()
    vitals: VitalSigns = field(default_factory=VitalSigns)

    def __post_init__(self) -> None:
        if self.age_days is not None and self.age_days < 0:
            raise CaseError(f"age of {self.age_days} days")
        ids = [finding.id for finding in self.findings]
        if len(set(ids)) != len(ids):
            twice = sorted({i for i in ids if ids.count(i) > 1})
            raise CaseError(f"finding given more than once: {', '.join(twice)}")

    @property
    def age_years(self) -> float | None:
        """Age in Julian years, or None when not known."""
        return None if self.age_days is None else self.age_days / DAYS_PER_YEAR

    @property
    def present(self) -> tuple[Finding, ...]:
        """Findings seen, in the order they were entered."""
        return tuple(f for f in self.findings if f.presence is Presence.PRESENT)

    @property
    def excluded(self) -> tuple[Finding, ...]:
        """Findings asked for and not found, in the order they were entered."""
        return tuple(f for f in self.findings if f.presence is Presence.EXCLUDED)

    def presence_of(self, finding: FindingId) -> Presence:
        """Return the state of one finding; UNKNOWN when the case does not mention it."""
        return next((f.presence for f in self.findings if f.id == finding), Presence.UNKNOWN)
