"""An explanation: what each finding did to one candidate, and what else would move it."""

from dataclasses import dataclass

from ddx.domain.differential import World
from ddx.domain.finding import Presence
from ddx.domain.identifiers import DiseaseId, FindingId


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What one input did to one candidate.

    subject: a finding id, or "age" / "sex".
    weight: change of the margin (log-odds scale of the model), positive speaks for.
    frequency: share of described patients with the finding, 0..1, where a profile states it.
    """

    subject: FindingId | str
    presence: Presence
    weight: float
    frequency: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a disease stands where it stands.

    base: margin before any input is read: log prior and the average training row's trees for a
    common disease, 0 for a rare one. base + sum of all contribution weights = margin (1e-4).
    contributions: every input that moved the margin, strongest first, unasked ones included
    (presence UNKNOWN: the model also learns from what was not asked).
    expected: findings typical of the disease that were not asked, most frequent first.
    """

    disease: DiseaseId
    world: World
    base: float
    margin: float
    contributions: tuple[Contribution, ...]
    expected: tuple[FindingId, ...]

    @property
    def speaks_for(self) -> tuple[Contribution, ...]:
        """Contributions that raise the candidate, strongest first."""
        return tuple(c for c in self.contributions if c.weight > 0)

    @property
    def speaks_against(self) -> tuple[Contribution, ...]:
        """Contributions that lower the candidate, strongest first."""
        return tuple(c for c in self.contributions if c.weight < 0)
