"""Fits the common-disease model: naive Bayes on what patients mention, and trees that correct it.

The Bayes table counts DDXPlus patients and, where the endemic knowledge base is given, patients
simulated from it; the trees are boosted from its margins on DDXPlus alone
(`training.fit.endemic` says why). What is exported and measured is the model a device runs, not
the library's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import xgboost
from numpy.typing import NDArray

from ddx.domain.artifacts import (
    COMMON_BAYES,
    COMMON_CALIBRATION,
    COMMON_MODEL,
    COMMON_SCHEMA,
    COMMON_TREES,
)
from ddx.domain.case import Case
from ddx.domain.identifiers import DiseaseId
from ddx.features.schema import FeatureSchema
from ddx.inference.bayes import BayesTable
from ddx.inference.common import Calibration, CommonModel
from ddx.inference.session import ModelSession
from ddx.once import once
from ddx.terminology.ontology import Ontology
from training import knowledge
from training.evaluate.common import Estimate, evaluate
from training.evaluate.fairness import Fairness, fairness_of
from training.evaluate.protocols import CLINIC, FINDINGS_KNOWN, FULL, measure
from training.evaluate.ranked import evaluate_ranked
from training.evaluate.rivals import among_first, by_bayes, unmasked
from training.export.forest import forest_of
from training.export.onnx import onnx_of
from training.export.parity import prove_parity
from training.fit.boost import FitSettings, boost
from training.fit.calibrate import CalibrationRecord, calibrate, compare
from training.fit.endemic import (
    ENDEMIC_PRIOR,
    MEASURED_PATIENTS,
    Purpose,
    Simulated,
)
from training.fit.fitter import EMBEDDED, Fitter, Progress
from training.fit.material import Material
from training.fit.partial import Budget
from training.fit.recorded import Recorded
from training.fit.sample import (
    SPLIT_SEED,
    CommonFitError,
    Indices,
    Rows,
    Sample,
    Split,
    schema_of,
    split_patients,
)
from training.sources import hpo
from training.sources.ddxplus import RANKED, Patient, Vocabulary, case_of, read_patients
from training.sources.ddxplus_ranked import has_ranked
from training.sources.endemic import EndemicKnowledge, endemic_knowledge

__all__ = [
    "CommonFit",
    "CommonFitError",
    "FitSettings",
    "Sample",
    "Split",
    "fit_common",
    "fit_patients",
    "schema_of",
    "split_patients",
]

PARITY_ROWS: Final = 1000
VISITS_EACH: Final = 5
"""Clinic visits of every test patient when recall is compared between sexes and ages. Three
visits of each calibration patient gave gaps by age of 1.2, 1.9 and 3.2 points one by one, and 1.0
together; by chance 2.1 and 1.2."""

SIMULATED_SHARE: Final = 0.25
"""Share of simulated patients among the held-out cases the gate is stacked on: ENDEMIC_PRIOR."""


@dataclass(frozen=True, kw_only=True)
class Exported:
    """A common model as a device runs it. parity: largest probability difference to XGBoost."""

    schema: FeatureSchema
    calibration: Calibration
    calibration_record: CalibrationRecord
    onnx: bytes
    trees: bytes
    bayes: BayesTable
    parity: float

    @property
    def diseases(self) -> tuple[DiseaseId, ...]:
        """Diseases in output order."""
        return self.calibration.diseases

    @once
    def model(self) -> CommonModel:
        """The model as a device loads it."""
        session = ModelSession.from_bytes(self.onnx)
        return CommonModel(session, self.schema, self.calibration, self.bayes)

    def members(self) -> dict[str, bytes]:
        """Return the members this model contributes to a bundle."""
        return {
            COMMON_MODEL: self.onnx,
            COMMON_SCHEMA: self.schema.to_json(),
            COMMON_TREES: self.trees,
            COMMON_BAYES: self.bayes.to_npz(),
            COMMON_CALIBRATION: self.calibration.to_json(),
        }


@dataclass(frozen=True, kw_only=True)
class CommonFit(Exported):
    """Everything a bundle, the gate between both worlds and the model card need.

    metrics: protocol -> figure -> estimate on the test patients, DDXPlus unless named simulated.
    rivals: model -> protocol -> figures on the same rows. patients, sample, split: the data set,
    the same packed, and who was held out of it. endemic: simulated patients that were not counted;
    None without a knowledge base. fairness: by protocol.
    """

    metrics: Mapping[str, Mapping[str, Estimate]]
    rivals: Mapping[str, Mapping[str, Mapping[str, Estimate]]]
    fairness: Mapping[str, Fairness]
    vocabulary: Vocabulary
    patients: tuple[Patient, ...]
    sample: Sample
    split: Split
    endemic: Simulated | None

    def held_out_cases(self, n: int) -> tuple[Case, ...]:
        """Return up to n cases to stack on; see `stacking_cases`."""
        return stacking_cases(self.patients, self.vocabulary, self.split, self.endemic, n)


def stacking_cases(
    patients: tuple[Patient, ...],
    vocabulary: Vocabulary,
    split: Split,
    endemic: Simulated | None,
    n: int,
) -> tuple[Case, ...]:
    """Return up to n fully asked cases, evenly spread: calibration patients and simulated ones.

    Nothing was fitted on them and no figure of the common model is measured on the DDXPlus ones:
    stack on these.
    """
    ours = 0 if endemic is None else round(n * SIMULATED_SHARE)
    chosen = split.calibration[_spread(len(split.calibration), n - ours)]
    cases = tuple(case_of(patients[i], vocabulary) for i in chosen)
    if endemic is None:
        return cases
    return cases + endemic.cases(_spread(len(endemic.truth), ours).tolist())


def _spread(length: int, n: int) -> Indices:
    return np.unique(np.linspace(0, length - 1, num=n).astype(np.int64))


def fit_common(data: Path, *, progress: Progress, settings: FitSettings | None = None) -> CommonFit:
    """Return the model fitted on `data`/ddxplus and the knowledge base.

    progress: told one line per stage and every tenth round. The official validation rows are a
    second test set where `data` holds them.

    Raises:
        DataSetMissingError, DataSetMalformedError: the set is absent or unreadable.
        ExportError: the exported model does not answer like the fitted one.
    """
    vocabulary = Vocabulary.of(knowledge.findings(), knowledge.diseases())
    endemic = endemic_knowledge()
    severity = {row.id: row.severity for row in knowledge.diseases()}
    severity |= {row.id: row.severity for row in endemic.diseases}
    release = hpo.read_ontology()
    ontology = Ontology(release.version, ((t.id, t.parents, t.alt_ids) for t in release.terms))
    patients = read_patients(data)
    progress(f"{len(patients):,} patients read")
    fit = fit_patients(
        patients,
        vocabulary,
        severity,
        ontology=ontology,
        endemic=endemic,
        settings=settings or FitSettings(),
        progress=progress,
    )
    if not has_ranked(data):
        progress(f"second test set skipped: {RANKED} is not there")
        return fit
    train = [patients[i] for i in fit.split.train]
    second = evaluate_ranked(
        fit.model, vocabulary, severity, data, fitted_on=train, ontology=ontology
    )
    for protocol, figures in second.items():
        progress(f"{protocol}: top-1 {figures['top1']}")
    return replace(fit, metrics={**fit.metrics, **second})


def fit_patients(
    patients: tuple[Patient, ...],
    vocabulary: Vocabulary,
    severity: Mapping[DiseaseId, int],
    *,
    ontology: Ontology | None,
    settings: FitSettings,
    progress: Progress,
    endemic: EndemicKnowledge | None = None,
) -> CommonFit:
    """Return the model fitted on four fifths of `patients`, calibrated and measured on the rest."""
    split = split_patients(patients)
    theirs = tuple(sorted({vocabulary.disease_of_condition[p.condition] for p in patients}))
    sample = Sample.of(patients, vocabulary, theirs, ontology)
    train, test = sample.take(split.train), sample.take(split.test)
    material = Material.of(train, theirs, endemic, settings.bayes)
    made = fit_exported(sample, split, material, settings, progress)
    plain, bayes, model = material.table(selective=False), made.bayes, made.model
    grades = np.array([severity[d] for d in material.diseases])
    held_out = material.simulated(MEASURED_PATIENTS, Purpose.MEASURING)
    figures = measure(
        {
            "ours": model.probabilities_of,
            "ours_among_ddxplus": among_first(model.probabilities_of, len(theirs)),
            "bayes_alone": by_bayes(bayes),
            "naive_bayes": by_bayes(plain),
            "xgboost_unmasked": unmasked(train, material.schema, len(material.diseases), settings),
        },
        test,
        material.schema,
        grades,
    )
    metrics = {**figures.pop("ours"), **_with_simulated(model, test, held_out, grades)}
    for protocol, found in metrics.items():
        progress(f"{protocol}: top-1 {found['top1']}")
    return CommonFit(
        schema=material.schema,
        calibration=made.calibration,
        calibration_record=made.calibration_record,
        onnx=made.onnx,
        trees=made.trees,
        bayes=bayes,
        metrics=metrics,
        rivals=figures,
        fairness=_fairness(model, test),
        parity=made.parity,
        vocabulary=vocabulary,
        patients=patients,
        sample=sample,
        split=split,
        endemic=held_out,
    )


def fit_exported(
    sample: Sample,
    split: Split,
    material: Material,
    settings: FitSettings,
    progress: Progress,
    *,
    recorded: Recorded | None = None,
    fitter: Fitter = EMBEDDED,
) -> Exported:
    """Return trees boosted from the table of `material`, calibrated, exported, parity proven.

    sample, split: all DDXPlus patients and who fits, calibrates, tests. recorded: clinics' own
    visits that the trees see too. fitter: who boosts them.

    Raises:
        ExportError: the exported model does not answer like the fitted one.
    """
    train, test = sample.take(split.train), sample.take(split.test)
    corrected, bayes = int(train.truth.max()) + 1, material.table(selective=True)
    progress(f"{len(material.diseases)} diseases counted, {len(material.schema)} columns")
    interview = material.interview(bayes)
    booster = boost(
        train,
        material.schema,
        interview,
        settings,
        progress,
        recorded=recorded,
        fitter=fitter,
    )
    forest = forest_of(
        bytes(booster.save_raw("json")),
        schema_hash=material.schema.hash,
        frequency=material.frequency,
        described=material.believed,
        bayes_digest=bayes.digest,
    )
    onnx = onnx_of(forest, corrected=corrected)
    raw = CommonModel(
        ModelSession.from_bytes(onnx), material.schema, _untouched(material.diseases), bayes
    )
    calibration, record = _calibrated(raw, sample.take(split.calibration), material)
    progress(f"temperature {calibration.temperature:.3f}; {record}")
    parity = prove_parity(raw, *_parity_rows(test, material.schema, booster, bayes, corrected))
    progress(f"exported; largest probability difference to XGBoost {parity:.1e}")
    return Exported(
        schema=material.schema,
        calibration=calibration,
        calibration_record=record,
        onnx=onnx,
        trees=forest.to_npz(),
        bayes=bayes,
        parity=parity,
    )


def _fairness(model: CommonModel, test: Sample) -> dict[str, Fairness]:
    """Return recall by sex and age of who was asked everything, and of VISITS_EACH visits."""
    rng, n = np.random.default_rng(SPLIT_SEED + 5), len(test.truth)
    visits = (
        test.partly_asked(model.schema, Budget.clinic(n, rng), test.rates(), rng)
        for _ in range(VISITS_EACH)
    )
    return {
        FULL: fairness_of([model.probabilities_of(test.fully_asked(model.schema))], test),
        CLINIC: fairness_of((model.probabilities_of(rows) for rows in visits), test),
    }


def _untouched(diseases: tuple[DiseaseId, ...]) -> Calibration:
    return Calibration(diseases=diseases, temperature=1.0)


def _calibrated(
    raw: CommonModel, held_out: Sample, material: Material
) -> tuple[Calibration, CalibrationRecord]:
    """Return the temperature on visits like those of a clinic, and what else was tried.

    Simulated patients take part with the share the prior gives their diseases.
    """
    rng = np.random.default_rng(SPLIT_SEED)
    n = len(held_out.truth)
    budget = Budget.clinic(n, rng)
    rows = held_out.partly_asked(material.schema, budget, held_out.rates(), rng)
    truth = held_out.truth
    ours = material.simulated(_per_disease(n, material), Purpose.CALIBRATION)
    if ours is not None:
        budget, ontology = Budget.clinic(len(ours.truth), rng), held_out.ontology
        more = ours.partly_asked(material.schema, ontology, budget, rng)
        mixed = rng.permutation(n + len(more))
        rows, truth = np.vstack((rows, more))[mixed], np.concatenate((truth, ours.truth))[mixed]
    margins = np.log(np.maximum(raw.probabilities_of(rows), np.finfo(np.float64).tiny))
    return (
        calibrate(margins, truth, material.diseases),
        compare(margins, truth, material.diseases),
    )


def _per_disease(n: int, material: Material) -> int:
    """Return how many simulated patients of each disease make ENDEMIC_PRIOR beside n others."""
    ours = len(material.endemic.diseases) if material.endemic else 1
    return round(n * ENDEMIC_PRIOR / (1.0 - ENDEMIC_PRIOR) / ours)


def _parity_rows(
    test: Sample,
    schema: FeatureSchema,
    booster: xgboost.Booster,
    bayes: BayesTable,
    corrected: int,
) -> tuple[Rows, NDArray[np.float64]]:
    """Return rows half fully, half partly asked, and XGBoost's own margins for them."""
    rng = np.random.default_rng(SPLIT_SEED)
    few = test.take(rng.permutation(len(test.truth))[: PARITY_ROWS // 2])
    budget = Budget.clinic(len(few.truth), rng)
    partly = few.partly_asked(schema, budget, test.rates(), rng)
    rows = np.vstack((few.fully_asked(schema), partly))
    margins = bayes.margins_of(rows)
    start = margins[:, :corrected].astype(np.float32)
    fitted = booster.predict(xgboost.DMatrix(rows, base_margin=start), output_margin=True)
    margins[:, :corrected] = fitted
    return rows, margins


def _with_simulated(
    model: CommonModel, test: Sample, ours: Simulated | None, severity: Indices
) -> dict[str, dict[str, Estimate]]:
    """Return figures on simulated endemic patients, and on visits of both sources together.

    The former say that the model knows the files, no more. In the latter simulated patients have
    the share of their prior: the population the probabilities are calibrated for.
    """
    if ours is None:
        return {}
    rng = np.random.default_rng(SPLIT_SEED + 2)
    n, schema, ontology = len(ours.truth), model.schema, test.ontology
    visits = ours.partly_asked(schema, ontology, Budget.clinic(n, rng), rng)
    wanted = round(n * (1.0 - ENDEMIC_PRIOR) / ENDEMIC_PRIOR)
    others = test.take(rng.permutation(len(test.truth))[:wanted])
    budget = Budget.clinic(len(others.truth), rng)
    mixed = np.vstack((visits, others.partly_asked(schema, budget, test.rates(), rng)))
    asked = {
        "simulated_full_evidence": (ours.fully_asked(schema, ontology), ours.truth),
        "simulated_clinic_visit": (visits, ours.truth),
        "mixed_clinic_visit": (mixed, np.concatenate((ours.truth, others.truth))),
    }
    for k in FINDINGS_KNOWN:
        rows = ours.partly_asked(schema, ontology, Budget.fixed(n, present=k), rng)
        asked[f"simulated_present_{k}"] = (rows, ours.truth)
    return {
        name: evaluate(model.probabilities_of(rows), truth, severity)
        for name, (rows, truth) in asked.items()
    }
