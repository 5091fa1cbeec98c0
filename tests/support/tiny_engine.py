"""A small real engine: three diseases, naive Bayes over a dozen findings, additive reasons."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from support.bundle_workshop import small_members
from support.guided import QUESTION, Guided

from ddx.domain import artifacts as members
from ddx.domain.canonical import canonical_json, digest_of
from ddx.domain.case import Case, Sex
from ddx.domain.differential import Band, Candidate, Differential, World
from ddx.domain.explanation import Contribution, Explanation
from ddx.domain.finding import Presence
from ddx.domain.identifiers import DiseaseId, FindingId
from ddx.domain.wire import case_to_json
from ddx.errors import ModelError, UnknownDiseaseError
from ddx.once import once
from ddx.terminology.catalogue import Catalogue
from ddx.terminology.search import FindingSearch
from desktop.services.errors import OtherBundleError
from desktop.services.records import ModelStatus
from sync_service.client.updates import UpdateReport, UpdateResult

ROOT = "HP:0000118"
HPO_LABELS = {
    "HP:0001166": "Arachnodactyly",
    "HP:0001519": "Disproportionate tall stature",
    "HP:0000768": "Pectus carinatum",
    "HP:0001382": "Joint hypermobility",
    "HP:0001083": "Ectopia lentis",
    "HP:0002650": "Scoliosis",
    "HP:0002107": "Pneumothorax",
    "HP:0001631": "Atrial septal defect",
    "HP:0001629": "Ventricular septal defect",
    "HP:0001199": "Triphalangeal thumb",
    "HP:0002984": "Hypoplasia of the radius",
    "HP:0009777": "Absent thumb",
    "HP:0001643": "Patent ductus arteriosus",
    "HP:0003690": "Limb muscle weakness",
    "HP:0001945": "Fever",
    "HP:0012735": "Cough",
}
OWN = {
    "VF:history.recent-viral-infection": "Recent viral infection",
    "VF:face-or-eye-muscle-weakness": "Weakness of face or eye muscles",
    "HP:0001945": "Fever",
    "HP:0012735": "Cough",
}
PROFILES = {
    DiseaseId("OMIM:154700"): {
        FindingId(f): 0.8 for f in ("HP:0001166", "HP:0001519", "HP:0001382", "HP:0001083")
    },
    DiseaseId("VD:influenza"): {FindingId("HP:0001945"): 0.9, FindingId("HP:0012735"): 0.8},
    DiseaseId("VD:guillain-barre-syndrome"): {
        FindingId("HP:0003690"): 0.9,
        FindingId("VF:history.recent-viral-infection"): 0.7,
    },
}
BACKGROUND = 0.05  # probability of a finding that is not in a profile


def _vocabulary() -> dict[str, bytes]:
    hpo = [
        {"id": ROOT, "en": "Phenotypic abnormality", "parents": [], "alt": []},
        *({"id": term, "en": en, "parents": [ROOT], "alt": []} for term, en in HPO_LABELS.items()),
    ]
    findings = [
        {
            "id": finding,
            "kind": "binary",
            "group": "",
            "en": en,
            "es": en,
            "question_en": f"{en}?",
            "question_es": f"¿{en}?",
            "implies": None,
            "antecedent": finding.startswith("VF:history"),
            "source": "tiny",
        }
        for finding, en in OWN.items()
    ]
    for row in (*hpo, *findings):
        row |= {"syn_en": [], "syn_es": []}
    diseases = [
        {"id": own, "en": own, "es": own, "icd10": "", "severity": 2, "sources": []}
        for own in PROFILES
        if own.startswith("VD:")
    ]
    rare = [{"id": "OMIM:154700", "en": "Marfan syndrome"}]
    return {
        members.HPO_TERMS: json.dumps({"version": "tiny", "terms": hpo}).encode(),
        members.FINDINGS: json.dumps({"version": "tiny", "findings": findings}).encode(),
        members.DISEASES: json.dumps({"version": "tiny", "diseases": diseases}).encode(),
        members.RARE_DISEASES: json.dumps({"version": "tiny", "diseases": rare}).encode(),
    }


@dataclass(frozen=True)
class TinyArtifacts:
    version: str = "2026.11.1"
    contents: dict[str, bytes] = field(default_factory=_vocabulary)

    @property
    def digest(self) -> str:
        return digest_of({"version": self.version})

    def read(self, name: str) -> bytes:
        if name not in self.contents:
            raise ModelError(name)
        return self.contents[name]


class TinyEngine(Guided):
    """Satisfies `desktop.services.engines.DiagnosticEngine`. background: see BACKGROUND."""

    askable = ((FindingId("HP:0001945"), QUESTION), (FindingId("HP:0012735"), QUESTION))
    actions = ((DiseaseId("VD:influenza"), "Reposo y líquidos.", "Rest and fluids."),)

    def __init__(
        self, version: str = "2026.11.1", background: float = BACKGROUND, artifacts=None
    ) -> None:
        self._artifacts = artifacts or TinyArtifacts(version)
        self._background = background
        self.version, self.digest = self._artifacts.version, self._artifacts.digest

    @classmethod
    def from_artifacts(cls, artifacts) -> "TinyEngine":
        return cls(artifacts=artifacts)

    @once
    def catalogue(self) -> Catalogue:
        return Catalogue.from_artifacts(self._artifacts)

    @once
    def search(self) -> FindingSearch:
        return FindingSearch(self.catalogue)

    def warm(self, pause: Callable[[], object]) -> None:
        self.search.warm(pause)

    def features(self, case: Case) -> str:
        return canonical_json(case_to_json(case)).hex()

    def feature_digest(self, case: Case) -> str:
        return digest_of(case_to_json(case))

    def diagnose(self, case: Case, limit: int = 50) -> Differential:
        margins = {d: sum(c.weight for c in self._reasons(case, d)) for d in PROFILES}
        total = 1.0 + sum(math.exp(m) for m in margins.values())  # 1.0: none of them
        ranked = sorted(margins, key=lambda d: -margins[d])
        return Differential(
            candidates=tuple(
                Candidate(
                    rank=rank,
                    disease=disease,
                    probability=math.exp(margins[disease]) / total,
                    band=Band.POSSIBLE,
                    world=World.RARE if disease.startswith("OMIM") else World.COMMON,
                )
                for rank, disease in enumerate(ranked, start=1)
            )[:limit],
            outside_probability=1.0 / total,
            unused=(),
            alerts=(),
            bundle_version=self.version,
            bundle_digest=self.digest,
        )

    def explain(self, case: Case, disease: DiseaseId) -> Explanation:
        if disease not in PROFILES:
            raise UnknownDiseaseError(disease)
        reasons = self._reasons(case, disease)
        return Explanation(
            disease=disease,
            world=World.RARE if disease.startswith("OMIM") else World.COMMON,
            base=0.0,
            margin=sum(c.weight for c in reasons),
            contributions=reasons,
            expected=tuple(f for f in PROFILES[disease] if case.presence_of(f) is Presence.UNKNOWN),
        )

    def _reasons(self, case: Case, disease: DiseaseId) -> tuple[Contribution, ...]:
        profile = PROFILES[disease]
        found = [f for f in case.findings if f.presence is not Presence.UNKNOWN]
        return tuple(
            Contribution(
                subject=f.id,
                presence=f.presence,
                weight=self._weight(f.presence, profile.get(f.id, self._background / 2)),
                frequency=profile.get(f.id),
            )
            for f in found
        )

    def _weight(self, presence: Presence, frequency: float) -> float:
        if presence is Presence.PRESENT:
            return math.log(frequency / self._background)
        return math.log((1 - frequency) / (1 - self._background))


def tiny_members() -> dict[str, bytes]:
    """Return the members of a bundle that `TinyEngine` serves, golden case included."""
    case = Case(age_days=365, sex=Sex.FEMALE, findings=())
    top = [[c.disease, c.probability] for c in TinyEngine().diagnose(case).candidates]
    golden = [{"case": case_to_json(case), "differential": {"top": top}}]
    return small_members() | _vocabulary() | {members.GOLDEN_CASES: json.dumps(golden).encode()}


@dataclass
class TinyShelf:
    """Satisfies `desktop.services.engines.BundleShelf`. older: engines of bundles still held."""

    engine: TinyEngine = field(default_factory=TinyEngine)
    older: tuple[TinyEngine, ...] = ()
    refused: tuple[str, ...] = ()

    @property
    def status(self) -> ModelStatus:
        return ModelStatus(
            version=self.engine.version,
            digest=self.engine.digest,
            built_at=datetime(2026, 11, 1, tzinfo=UTC),
            source="default",
        )

    def remember(self, kept) -> None:
        pass

    def engine_for(self, digest: str) -> TinyEngine:
        for engine in (self.engine, *self.older):
            if engine.digest == digest:
                return engine
        raise OtherBundleError(digest)

    def update_from(self, folder: Path, *more: object) -> UpdateReport:
        """Refuse: no stick of the tests that use this shelf holds bundles."""
        return UpdateReport(result=UpdateResult.REFUSED, code="bundle.malformed")
