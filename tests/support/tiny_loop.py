"""A whole retraining in miniature: four diseases, a few hundred cases, the real rare half."""

import hashlib
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path

import numpy as np
from support import tiny_patients
from support.gold_lake import write_gold
from support.tiny_patients import CHANCES, FINDINGS, TINY_SETTINGS

from ddx.domain import artifacts
from ddx.domain.canonical import digest_of
from ddx.domain.case import Case, Sex
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import FindingId
from ddx.engine import Engine
from ddx.errors import ModelError
from ddx.inference.conformal import COMMON_CONFORMAL
from ddx.inference.outside import COMMON_OUTSIDE
from model_bundles.embedded import open_embedded_bundle
from model_bundles.layout import HPO_ANNOTATIONS, HPO_ONTOLOGY
from training import knowledge
from training.change_plan import ChangePlan, change_plan
from training.fit.common import fit_exported
from training.fit.material import Material
from training.fit.tune import SearchSettings
from training.pipelines import worlds
from training.pipelines.history import History
from training.pipelines.lineage import Code
from training.pipelines.request import Request, Settings, pinned
from training.pipelines.retrain import Retraining
from training.pipelines.visits import Sizes
from training.sources.ddxplus import Patient, Vocabulary, case_of
from training.sources.phenopackets import LabelledCase

NAMES = {
    **{condition: condition for condition in CHANCES},
    "Bronchospasm": "Bronchospasm / acute asthma exacerbation",
    "Urticaria": "Anaphylaxis",  # severity 1
}
CODES = {row.ddxplus for row in FINDINGS}


@cache
def vocabulary() -> Vocabulary:
    """Return the questions of the miniature under the names that ship."""
    findings = [row for row in knowledge.findings() if row.ddxplus in CODES]
    return Vocabulary.of(findings, [d for d in knowledge.diseases() if d.ddxplus in NAMES.values()])


def patients(n: int = 600, seed: int = 3) -> tuple[Patient, ...]:
    """Return the patients of the miniature with the conditions that ship."""
    made = tiny_patients.patients(n, seed)
    return tuple(replace(patient, condition=NAMES[patient.condition]) for patient in made)


MISLABELLED = 0.8
AT = datetime(2026, 11, 26, 10, tzinfo=UTC)
CODE = Code(commit="0" * 40, sources_sha256="1" * 64)
MARFAN = ("HP:0001083", "HP:0001166", "HP:0002616", "HP:0000767", "HP:0001519", "HP:0001382")
PUBLISHED = tuple(
    LabelledCase(
        id=str(n),
        case=Case(
            age_days=5000 + n,
            sex=Sex.MALE,
            findings=tuple(
                Finding(id=FindingId(f), presence=Presence.PRESENT)
                for f in ("HP:0002094", *MARFAN[n % 3 : n % 3 + 4])
            ),
        ),
        truths=(),
    )
    for n in range(12)
)
SETTINGS = Settings(
    search=SearchSettings(trials=2, folds=2, trial_rows=300, fold_patients=200, judged=60),
    held_out=40,
    fit=TINY_SETTINGS,
    gate_cases=8,
    outside_patients=60,
    visits=Sizes(calibrated=60, calibrated_interviews=3),
)


@dataclass(frozen=True)
class Bundle:
    """Members as a verified bundle offers them."""

    contents: Mapping[str, bytes]
    version: str = "2026.11.1"

    @property
    def digest(self) -> str:
        return digest_of({name: hash_of(raw) for name, raw in self.contents.items()})

    @property
    def members(self) -> tuple[str, ...]:
        return tuple(self.contents)

    def read(self, name: str) -> bytes:
        if name not in self.contents:
            raise ModelError(name)
        return self.contents[name]


def hash_of(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


@cache
def history() -> History:
    """Return 600 patients of four diseases."""
    known = vocabulary()
    return History(
        patients=patients(),
        vocabulary=known,
        diseases=tuple(sorted(set(known.disease_of_condition.values()))),
        ontology=None,
        endemic=None,
        files={"tiny": "0"},
        published=lambda: PUBLISHED,
    )


@cache
def current() -> Bundle:
    """Return a bundle whose common model learned from labels that were mostly wrong."""
    shipped = open_embedded_bundle()
    left = {COMMON_OUTSIDE, COMMON_CONFORMAL, HPO_ONTOLOGY, HPO_ANNOTATIONS}  # large, or refitted
    members = {name: shipped.read(name) for name in shipped.members if name not in left}
    ours, rng = history(), np.random.default_rng(4)
    truth = ours.sample.truth
    guessed = rng.integers(0, truth.max() + 1, len(truth))
    wrong = replace(
        ours.sample, truth=np.where(rng.random(len(truth)) < MISLABELLED, guessed, truth)
    )
    material = Material.of(wrong.take(ours.split.train), ours.diseases, None, TINY_SETTINGS.bayes)
    poor = fit_exported(wrong, ours.split, material, TINY_SETTINGS, lambda _: None)
    members |= poor.members()
    members[artifacts.META_MODEL] = worlds.ungated().to_json()
    return Bundle(members)


def cases(n: int, seed: int = 21) -> list[tuple[Case, str]]:
    """Return n labelled visits: each patient asked about part of what they have."""
    rng = np.random.default_rng(seed)
    known = vocabulary()
    return [
        (_asked(patient, rng), known.disease_of_condition[patient.condition])
        for patient in patients(n, seed=seed)
    ]


def _asked(patient: Patient, rng: np.random.Generator) -> Case:
    whole = case_of(patient, vocabulary())
    asked = [
        f for f in whole.findings if rng.random() < (0.9 if f.presence is Presence.PRESENT else 0.4)
    ]
    return replace(whole, findings=tuple(asked))


def lake(folder: Path, n: int = 120, seed: int = 21) -> Path:
    """Return a lake with n gold cases."""
    write_gold(folder, cases(n, seed))
    return folder


def request(lake: Path, plan: ChangePlan | None = None, **changed) -> Request:
    """Return a request on all cases of `lake`."""
    settings = changed.pop("settings", SETTINGS)
    rows = pinned(
        lake,
        since=None,
        until=None,
        version=None,
        held_out=settings.held_out,
        plan=plan or change_plan(),
        say=lambda _: None,
    )
    return Request(
        **{
            "at": AT,
            "version": "2026.11.7",
            "trigger": "schedule",
            "rows": rows,
            "code": CODE,
            "history": history().files,
            "replaces": current().digest,
            "settings": settings,
            **changed,
        }
    )


def retraining(
    folder: Path, lake: Path, made: Request | None = None, say=lambda _: None, **changed
):
    """Return a run in `folder`."""
    return Retraining(
        folder=folder,
        request=made or request(lake),
        lake=lake,
        read_history=history,
        current=current(),
        plan=changed.pop("plan", change_plan()),
        say=say,
        clock=partial(
            next, itertools.count(0.0, 0.001)
        ),  # no test depends on how busy a machine is
        **changed,
    )


def engine() -> Engine:
    """Return the engine of the current bundle."""
    return Engine.from_artifacts(current())
