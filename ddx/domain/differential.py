"""A differential: ranked diseases with calibrated probabilities and what drove each."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ddx.domain.identifiers import DiseaseId, FindingId


class World(StrEnum):
    """Which model put a candidate on the list."""

    COMMON = "common"
    RARE = "rare"


class Band(StrEnum):
    """Probability as a word; bounds in `ddx.inference.meta.band_of`."""

    VERY_LIKELY = "very_likely"
    LIKELY = "likely"
    POSSIBLE = "possible"
    UNLIKELY = "unlikely"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One disease on the differential.

    rank: 1 for the most probable. probability: 0..1, calibrated over both worlds.
    severity: 1 (most severe) to 5, of the disease itself; None where no source grades it.
    """

    rank: int
    disease: DiseaseId
    probability: float
    band: Band
    world: World
    severity: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A deterministic rule that fired: shown whatever the probabilities say.

    code: message id of the rule. evidence: findings or vital signs it rests on.
    source: the guideline, as a citation. urgent: act before the differential.
    """

    code: str
    urgent: bool
    evidence: tuple[str, ...]
    source: str


class Fit(StrEnum):
    """Whether a common disease of the bundle explains what is present."""

    EXPLAINED = "explained"
    UNEXPLAINED = "unexplained"
    NOT_ASSESSED = "not_assessed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonFit:
    """How well the common diseases explain the findings present, whatever their probabilities.

    p_value: share, 0..1, of visits of known diseases with as many findings that were explained
    no better. None when not assessed: the bundle does not carry what it takes, or the common
    model reads too little of the case. Source: ddx.inference.outside.
    """

    fit: Fit = Fit.NOT_ASSESSED
    p_value: float | None = None


NOT_ASSESSED: Final = CommonFit()


@dataclass(frozen=True, slots=True, kw_only=True)
class Differential:
    """The answer to one case.

    candidates: by rank. probabilities of all candidates and `outside_probability` sum to 1
    over the full list; the tuple may be cut to the first `limit`.
    outside_probability: probability that no disease the bundle knows explains the case; it only
    counts rare diseases that were not retrieved. common_fit: whether a common disease explains
    the findings at all, which no probability tells, for those are shared among known diseases.
    unused: findings of the case that no model could read; shown, never hidden.
    alerts: rules that fired, independent of rank.
    bundle_digest: sha256 (hex) of the manifest of the bundle that answered.
    blocked: worlds whose model was stopped and did not answer; an empty list is then no all-clear.
    """

    candidates: tuple[Candidate, ...]
    outside_probability: float
    unused: tuple[FindingId, ...]
    alerts: tuple[Alert, ...]
    bundle_version: str
    bundle_digest: str
    common_fit: CommonFit = NOT_ASSESSED
    blocked: tuple[World, ...] = ()
