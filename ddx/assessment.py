"""All that is said of one case: the differential, how soon, what stays open, what to ask next."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from ddx.domain.differential import Candidate, Differential
from ddx.domain.identifiers import DiseaseId
from ddx.inquiry.stop import Proposal
from ddx.reading import Reading
from ddx.safety import Triage


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """One case, assessed.

    not_excluded: diseases that cannot be set aside, listed or not; None when nothing can be said
    of it, which is not the same as an empty set. reading: what the models said on the way, for
    explanations of the same case; None from an engine that keeps none.
    """

    differential: Differential
    triage: Triage
    not_excluded: frozenset[DiseaseId] | None
    inquiry: Proposal
    reading: Reading | None = field(default=None, compare=False, repr=False)


def open_diseases(
    differential: Differential, not_excluded: AbstractSet[DiseaseId] | None
) -> tuple[Candidate, ...]:
    """Return the candidates that cannot be set aside, by rank; none when nothing is known."""
    kept = not_excluded or frozenset()
    return tuple(c for c in differential.candidates if c.disease in kept)
