"""An engine for the window: eight findings and five diseases in two languages, a weight table.

It satisfies `desktop.services.engines.DiagnosticEngine` over a real catalogue, raises an alert for
a low saturation, and works on a diagnosis until it is told to stop when `busy_until` is set.
"""

import json
import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType

from support.guided import Guided

from ddx.domain import artifacts as members
from ddx.domain.canonical import canonical_json, digest_of
from ddx.domain.case import Case
from ddx.domain.differential import Alert, Band, Candidate, Differential, World
from ddx.domain.explanation import Contribution, Explanation
from ddx.domain.finding import Presence
from ddx.domain.identifiers import DiseaseId, FindingId
from ddx.domain.wire import case_to_json
from ddx.inquiry.effort import Means
from ddx.terminology.catalogue import Catalogue
from ddx.terminology.search import FindingSearch
from desktop.services.records import ModelStatus

ROOT = FindingId("HP:0000118")
FEVER = FindingId("HP:0001945")
COUGH = FindingId("HP:0012735")
CHEST_PAIN = FindingId("HP:0100749")
DYSPNEA = FindingId("HP:0002094")
RASH = FindingId("HP:0000988")
HEADACHE = FindingId("HP:0002315")
TALL = FindingId("HP:0000098")
PAIN = FindingId("VF:pain-intensity")
SITES = (FindingId("VF:rash-site.face"), FindingId("VF:rash-site.trunk"))
LABELS: Mapping[FindingId, tuple[str, str]] = MappingProxyType(
    {
        FEVER: ("Fiebre", "Fever"),
        COUGH: ("Tos", "Cough"),
        CHEST_PAIN: ("Dolor torácico", "Chest pain"),
        DYSPNEA: ("Dificultad para respirar", "Shortness of breath"),
        RASH: ("Erupción cutánea", "Skin rash"),
        HEADACHE: ("Dolor de cabeza", "Headache"),
        TALL: ("Talla alta", "Tall stature"),
        PAIN: ("Intensidad del dolor", "Pain intensity"),
        SITES[0]: ("Lesión: cara", "Lesion: face"),
        SITES[1]: ("Lesión: tronco", "Lesion: trunk"),
    }
)
PNEUMONIA = DiseaseId("VD:pneumonia")
INFLUENZA = DiseaseId("VD:influenza")
EMBOLISM = DiseaseId("VD:pulmonary-embolism")
DENGUE = DiseaseId("VD:dengue")
MARFAN = DiseaseId("OMIM:154700")
DISEASES: Mapping[DiseaseId, tuple[str, str]] = MappingProxyType(
    {
        PNEUMONIA: ("Neumonía", "Pneumonia"),
        INFLUENZA: ("Gripe", "Influenza"),
        EMBOLISM: ("Embolia pulmonar", "Pulmonary embolism"),
        DENGUE: ("Dengue", "Dengue fever"),
        MARFAN: ("Síndrome de Marfan", "Marfan syndrome"),
    }
)
SEVERITY = {EMBOLISM: 1, PNEUMONIA: 2}
WEIGHTS: Mapping[DiseaseId, Mapping[FindingId, float]] = MappingProxyType(
    {
        PNEUMONIA: {FEVER: 1.6, COUGH: 1.9, DYSPNEA: 1.2, CHEST_PAIN: 0.7, RASH: -0.8},
        INFLUENZA: {FEVER: 1.5, COUGH: 1.2, HEADACHE: 1.0, DYSPNEA: -0.4, RASH: -0.6},
        EMBOLISM: {CHEST_PAIN: 1.6, DYSPNEA: 1.8, COUGH: 0.3, FEVER: -0.3},
        MARFAN: {TALL: 2.4, CHEST_PAIN: 0.5, FEVER: -0.8},
        DENGUE: {FEVER: 1.4, RASH: 1.7, HEADACHE: 1.1, COUGH: -0.7},
    }
)
OUTSIDE = 0.08
LOW_SPO2 = 92.0
LONGEST_BUSY_S = 20.0
BANDS = ((0.6, Band.VERY_LIKELY), (0.3, Band.LIKELY), (0.1, Band.POSSIBLE))


def _row(finding: FindingId, **extra: object) -> dict[str, object]:
    es, en = LABELS.get(finding, ("Anomalía fenotípica", "Phenotypic abnormality"))
    return {"id": finding, "es": es, "en": en, "syn_es": [], "syn_en": [], **extra}


def _term(finding: FindingId) -> dict[str, object]:
    return _row(finding, parents=[] if finding == ROOT else [ROOT], alt=[])


def _own(finding: FindingId, kind: str, group: str, asked: tuple[str, str]) -> dict[str, object]:
    return _row(
        finding,
        kind=kind,
        group=group,
        question_es=asked[0],
        question_en=asked[1],
        implies=None,
        antecedent=False,
        source="tests",
    )


def _disease(disease: DiseaseId) -> dict[str, object]:
    es, en = DISEASES[disease]
    severity = SEVERITY.get(disease, 3)
    return {"id": disease, "es": es, "en": en, "icd10": "", "severity": severity, "sources": []}


_OWN = [
    _own(PAIN, "graded", "", ("¿Cuánto duele?", "How much does it hurt?")),
    _own(CHEST_PAIN, "binary", "", ("¿Le duele el pecho?", "Does your chest hurt?")),
    *(_own(s, "choice", "rash.site", ("¿Dónde está la lesión?", "Where is it?")) for s in SITES),
]


@dataclass(frozen=True)
class WardArtifacts:
    """The vocabulary members of a bundle, in memory."""

    version: str = "2026.11.1"

    @property
    def digest(self) -> str:
        return digest_of({"ward": self.version})

    def read(self, name: str) -> bytes:
        terms = [ROOT, *(f for f in LABELS if f.startswith("HP:"))]
        contents: dict[str, object] = {
            members.HPO_TERMS: {"version": "ward", "terms": [_term(f) for f in terms]},
            members.FINDINGS: {"version": "ward", "findings": _OWN},
            members.DISEASES: {
                "version": "ward",
                "diseases": [_disease(d) for d in DISEASES if d.startswith("VD:")],
            },
            members.RARE_DISEASES: {
                "version": "ward",
                "diseases": [{"id": MARFAN, "en": "Marfan syndrome", "es": "Síndrome de Marfan"}],
            },
        }
        return json.dumps(contents[name]).encode()


class WardEngine(Guided):
    """A logistic table.

    busy_until: a diagnosis computes until this is set, for `LONGEST_BUSY_S` at most.
    """

    askable = (
        (CHEST_PAIN, Means.QUESTION),
        (DYSPNEA, Means.STETHOSCOPE),
        *((site, Means.QUESTION) for site in SITES),
    )
    kept = frozenset({PNEUMONIA, EMBOLISM})
    actions = ((PNEUMONIA, "Dé amoxicilina según el peso.", "Give amoxicillin by weight."),)

    def __init__(self, busy_until: threading.Event | None = None) -> None:
        made_of = WardArtifacts()
        self.version, self.digest = made_of.version, made_of.digest
        self.catalogue = Catalogue.from_artifacts(made_of)
        self.search = FindingSearch(self.catalogue)
        self.busy_until = busy_until

    def diagnose(self, case: Case, limit: int = 50) -> Differential:
        given_up = time.monotonic() + LONGEST_BUSY_S
        while self.busy_until is not None and not self.busy_until.is_set():
            assert time.monotonic() < given_up, "nobody let the diagnosis end"
        return self.at_once(case, limit)

    def at_once(self, case: Case, limit: int = 50) -> Differential:
        margins = {d: sum(c.weight for c in self._reasons(case, d)) for d in DISEASES}
        total = sum(math.exp(m) for m in margins.values())
        ranked = sorted(margins, key=lambda d: -margins[d])
        return Differential(
            candidates=tuple(
                self._candidate(rank, d, (1 - OUTSIDE) * math.exp(margins[d]) / total)
                for rank, d in enumerate(ranked, start=1)
            )[:limit],
            outside_probability=OUTSIDE,
            unused=tuple(f.id for f in case.present if f.id == PAIN),
            alerts=_alerts(case),
            bundle_version=self.version,
            bundle_digest=self.digest,
        )

    def _candidate(self, rank: int, disease: DiseaseId, probability: float) -> Candidate:
        return Candidate(
            rank=rank,
            disease=disease,
            probability=probability,
            band=next((band for least, band in BANDS if probability >= least), Band.UNLIKELY),
            world=World.RARE if disease == MARFAN else World.COMMON,
            severity=None if disease == MARFAN else SEVERITY.get(disease, 3),
        )

    def explain(self, case: Case, disease: DiseaseId) -> Explanation:
        reasons = self._reasons(case, disease)
        unasked = [
            f
            for f, weight in sorted(WEIGHTS[disease].items(), key=lambda item: -item[1])
            if weight > 0 and case.presence_of(f) is Presence.UNKNOWN
        ]
        return Explanation(
            disease=disease,
            world=World.RARE if disease == MARFAN else World.COMMON,
            base=0.0,
            margin=sum(c.weight for c in reasons),
            contributions=reasons,
            expected=tuple(unasked),
        )

    def _reasons(self, case: Case, disease: DiseaseId) -> tuple[Contribution, ...]:
        weights = WEIGHTS[disease]
        reasons = [
            Contribution(
                subject=f.id,
                presence=f.presence,
                weight=weights[f.id] * (1.0 if f.presence is Presence.PRESENT else -0.6),
                frequency=0.8 if weights[f.id] > 1.5 else None,
            )
            for f in (*case.present, *case.excluded)
            if f.id in weights
        ]
        return tuple(sorted(reasons, key=lambda c: -abs(c.weight)))

    def warm(self, pause: Callable[[], object]) -> None:
        """Make what the first search would wait for."""
        self.search.warm(pause)

    def features(self, case: Case) -> str:
        return canonical_json(case_to_json(case)).hex()

    def feature_digest(self, case: Case) -> str:
        return digest_of(case_to_json(case))


def _alerts(case: Case) -> tuple[Alert, ...]:
    spo2 = case.vitals.spo2_percent
    if spo2 is None or spo2 >= LOW_SPO2:
        return ()
    source = "Royal College of Physicians, NEWS2, 2017"
    return (Alert(code="oxygen.below_90", urgent=True, evidence=("spo2_percent",), source=source),)


@dataclass
class WardShelf:
    """Satisfies `desktop.services.engines.BundleShelf` with one engine and no updates."""

    engine: WardEngine = field(default_factory=WardEngine)
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

    def engine_for(self, digest: str) -> WardEngine:
        assert digest == self.engine.digest
        return self.engine
