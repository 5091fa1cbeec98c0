"""The model that ships on real febrile patients: how far symptoms, and our figures of them, go.

Three line lists with a reference diagnosis, none of which informed any figure of the model:
notified chikungunya of Foz do Iguaçu, febrile children of Vietnam, febrile inpatients of
Indonesia. Beside the model stand a logistic regression fitted on the same patients and findings
(in cross-validation) and the best single finding.

    python -m training.evaluate.real_patients
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ddx.domain.identifiers import DiseaseId, FindingId
from ddx.engine import Engine
from ddx.errors import DdxError
from ddx.features.encode import encode
from ddx.inference.common import CommonModel
from ddx.terminology.catalogue import Language
from model_bundles.embedded import open_embedded_bundle
from training.evaluate.common import calibration_error
from training.evaluate.discrimination import (
    auc_estimate,
    cross_validated,
    regression_inputs,
    single_best,
)
from training.evaluate.held_out import DATA
from training.evaluate.real_patients_text import markdown
from training.sources.febrile import Cohort, FebrilePatient, read_cohort
from training.sources.febrile.cohorts import CHIKUNGUNYA, DENGUE, PUBLICATIONS

DOCUMENT: Final = Path(__file__).resolve().parents[2] / "docs" / "real_patients.md"

FEBRILE: Final = (
    *DENGUE,
    CHIKUNGUNYA,
    *(
        DiseaseId(f"VD:{name}")
        for name in (
            "zika",
            "malaria-vivax",
            "malaria-falciparum",
            "leptospirosis",
            "typhoid-fever",
            "visceral-leishmaniasis",
            "sepsis",
            "covid-19",
            "influenza",
        )
    ),
)
"""What an acute fever without an obvious place may be: the rivals of the second score."""

LABORATORY: Final = frozenset(FindingId(f"HP:{n}") for n in ("0001882", "0001974", "0001873"))
"""Blood counts, which many a rural clinic has not: figures are given without them too."""

RELIABILITY_BINS: Final = 5
NO_PATHOGEN: Final = frozenset({"UNK", "X NO SAMPLE", "Multiple"})
"""Conclusions of the Indonesian study that name no one pathogen."""

Rows = NDArray[np.float32]
Labels = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Who is told apart from whom in one line list.

    positive: True or False, None leaves the patient out. target: the diseases that are right.
    reference: what was published on these patients; empty where none is at hand.
    """

    key: str
    title: str
    cohort: Cohort
    target: tuple[DiseaseId, ...]
    positive: Callable[[FebrilePatient], bool | None]
    reference: str = ""


def _notified(patient: FebrilePatient) -> bool | None:
    return None if patient.diagnosis == "open" else bool(patient.truths)


def _notified_laboratory(patient: FebrilePatient) -> bool | None:
    return _notified(patient) if patient.laboratory else None


def _dengue(patient: FebrilePatient) -> bool:
    return patient.truths == DENGUE


def _dengue_with_pathogen(patient: FebrilePatient) -> bool | None:
    return None if patient.diagnosis in NO_PATHOGEN else _dengue(patient)


QUESTIONS: Final = (
    Question(
        key="chikungunya_foz",
        title="Chikungunya confirmed against discarded, Foz do Iguaçu 2023",
        cohort=Cohort.FOZ,
        target=(CHIKUNGUNYA,),
        positive=_notified,
        reference="logistic regression in Foz do Iguaçu, AUC .68",
    ),
    Question(
        key="chikungunya_foz_laboratory",
        title="The same, only those a laboratory decided",
        cohort=Cohort.FOZ,
        target=(CHIKUNGUNYA,),
        positive=_notified_laboratory,
    ),
    Question(
        key="dengue_vietnam",
        title="Dengue against other febrile illness, Vietnam, children in the first three days",
        cohort=Cohort.VIETNAM,
        target=DENGUE,
        positive=_dengue,
        reference="age, white cells and platelets as measured, fitted in Vietnam, sensitivity "
        ".748 at specificity .763 (Tuan et al. 2015)",
    ),
    Question(
        key="dengue_indonesia",
        title="Dengue against another pathogen found, Indonesia, inpatients",
        cohort=Cohort.INDONESIA,
        target=DENGUE,
        positive=_dengue_with_pathogen,
    ),
    Question(
        key="dengue_indonesia_all",
        title="Dengue against all others, Indonesia, no pathogen found counted as other",
        cohort=Cohort.INDONESIA,
        target=DENGUE,
        positive=_dengue,
    ),
)


def measure(
    engine: Engine, data: Path, questions: Sequence[Question] = QUESTIONS
) -> dict[str, Any]:
    """Return every figure as JSON values: the section `real_patients` of the model card.

    Raises:
        LineListMissingError, LineListMalformedError: a line list is not as published.
    """
    people = {q.cohort: read_cohort(data, q.cohort) for q in questions}
    rows = {cohort: rows_of(patients, engine) for cohort, patients in people.items()}
    return {
        "febrile_rivals": list(FEBRILE),
        "questions": [answer(q, people[q.cohort], rows[q.cohort], engine) for q in questions],
        "diseases": {
            cohort.value: by_disease(people[cohort], rows[cohort], engine.common)
            for cohort in people
            if cohort is Cohort.INDONESIA
        },
    }


def rows_of(patients: Sequence[FebrilePatient], engine: Engine) -> Rows:
    """Return the patients as the common model reads them, float32 (n, n_columns)."""
    schema, ontology = engine.common.schema, engine.catalogue.ontology
    return np.stack([encode(p.case, schema, ontology).values for p in patients])


def answer(
    question: Question, patients: Sequence[FebrilePatient], rows: Rows, engine: Engine
) -> dict[str, Any]:
    """Return the figures of one question."""
    said = [question.positive(p) for p in patients]
    kept = np.array([s is not None for s in said])
    positive = np.array([bool(s) for s in said])[kept]
    used = rows[kept]
    bare = used.copy()
    bare[:, _columns(engine.common, LABORATORY)] = np.nan
    known = ~np.isnan(used[:, list(engine.common.schema.positions.values())])
    return {
        "key": question.key,
        "title": question.title,
        "source": PUBLICATIONS[question.cohort].citation,
        "reference": question.reference,
        "patients": len(positive),
        "positive": int(positive.sum()),
        "left_out": int((~kept).sum()),
        "findings_asked": int(known.any(axis=0).sum()),
        "evidence": {
            "all": _told_apart(question, used, positive, engine),
            "no_blood_count": _told_apart(question, bare, positive, engine),
        },
        "probability": _worth(question, used, positive, engine.common),
        "unexplained": _unexplained(used, positive, engine),
    }


def _columns(model: CommonModel, findings: frozenset[FindingId]) -> list[int]:
    return [at for finding, at in model.schema.positions.items() if finding in findings]


def _told_apart(question: Question, rows: Rows, positive: Labels, engine: Engine) -> dict[str, Any]:
    """Return the areas of both scores of the model and of what it stands beside."""
    model = engine.common
    p = model.probabilities_of(rows)
    ours = _of(p, model, question.target)
    febrile = _of(p, model, tuple(d for d in FEBRILE if d not in question.target))
    tiny = np.finfo(np.float64).tiny
    findings = list(model.schema.positions.values())
    asked = [at for at in findings if not np.isnan(rows[:, at]).all()]
    best = single_best(rows[:, asked], positive)
    name = model.schema.columns[asked[best.column]].finding
    inputs = regression_inputs(rows[:, asked], rows[:, 0].astype(np.float64), rows[:, 1])
    fitted = cross_validated(inputs, positive)
    areas = {
        "against_the_rest": np.log(ours + tiny) - np.log(1.0 - ours + tiny),
        "against_febrile": np.log(ours + tiny) - np.log(febrile + tiny),
        "regression_cross_validated": fitted,
    }
    return {name: auc_estimate(score, positive).to_json() for name, score in areas.items()} | {
        "single_best": best.area.to_json()
        | {
            "finding": name,
            "label": engine.catalogue.label(name, Language.EN) if name else "",
            "present_speaks_for": best.present_speaks_for,
        }
    }


def _of(p: NDArray[np.float64], model: CommonModel, diseases: tuple[DiseaseId, ...]) -> Any:
    return p[:, [model.diseases.index(d) for d in diseases]].sum(axis=1)


def _worth(question: Question, rows: Rows, positive: Labels, model: CommonModel) -> dict[str, Any]:
    """Return what the calibrated probability of the target is worth, and where it ranks."""
    p = model.probabilities_of(rows)
    ours, share = _of(p, model, question.target), float(positive.mean())
    within = {n: _within(p, model, question.target, n) for n in (1, 3)}
    return {
        "mean_said": float(ours.mean()),
        "observed": share,
        "calibration_error": calibration_error(ours, positive),
        "brier": float(((ours - positive) ** 2).mean()),
        "brier_of_the_share": share * (1.0 - share),
        "reliability": _reliability(ours, positive),
        "top1": float(within[1][positive].mean()),
        "top3": float(within[3][positive].mean()),
        "top1_of_the_others": float(within[1][~positive].mean()),
        "top3_of_the_others": float(within[3][~positive].mean()),
    }


def _unexplained(rows: Rows, positive: Labels, engine: Engine) -> dict[str, Any] | None:
    """Return how many are told that no common disease explains them, if the bundle can tell."""
    model, common = engine.outside, engine.common
    if model is None or common.bayes is None:
        return None
    p = model.p_values(rows, common.schema, common.bayes)
    assessed, told = ~np.isnan(p), p <= model.rate
    return {
        "assessed": int(assessed.sum()),
        "of_positive": float(told[assessed & positive].mean())
        if any(assessed & positive)
        else None,
        "of_others": float(told[assessed & ~positive].mean())
        if any(assessed & ~positive)
        else None,
    }


def _within(
    p: NDArray[np.float64], model: CommonModel, diseases: tuple[DiseaseId, ...], n: int
) -> Labels:
    """Return whether any of the diseases is among the first n of each row."""
    first = np.argsort(-p, axis=1, kind="stable")[:, :n]
    listed = np.isin(first, [model.diseases.index(d) for d in diseases])
    among: Labels = np.any(listed, axis=1)
    return among


def _reliability(said: NDArray[np.float64], positive: Labels) -> list[dict[str, float]]:
    """Return fifths of the patients by what was said: mean said and share that had it."""
    parts = np.array_split(np.argsort(said, kind="stable"), RELIABILITY_BINS)
    return [
        {
            "patients": len(part),
            "said": float(said[part].mean()),
            "observed": float(positive[part].mean()),
        }
        for part in parts
        if len(part)
    ]


def by_disease(
    patients: Sequence[FebrilePatient], rows: Rows, model: CommonModel
) -> dict[str, Any]:
    """Return top-1 and top-3 of every conclusion that is a disease of ours, and what is not."""
    p = model.probabilities_of(rows)
    groups: dict[str, list[int]] = {}
    for i, patient in enumerate(patients):
        groups.setdefault(patient.diagnosis, []).append(i)
    mapped, unmapped = [], Counter[str]()
    for name, members in sorted(groups.items(), key=lambda item: -len(item[1])):
        truths = patients[members[0]].truths
        if not truths:
            unmapped[name] = len(members)
            continue
        mapped.append(
            {
                "conclusion": name,
                "diseases": list(truths),
                "patients": len(members),
                "top1": float(_within(p[members], model, truths, 1).mean()),
                "top3": float(_within(p[members], model, truths, 3).mean()),
            }
        )
    return {"mapped": mapped, "unmapped": dict(unmapped)}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, write the document and print it; return 0, or 2 without the data."""
    asked = _parser().parse_args(argv)
    try:
        engine = Engine.from_artifacts(open_embedded_bundle())
        section: Mapping[str, Any] = measure(engine, asked.data)
    except DdxError as error:
        print(error, file=sys.stderr)
        return 2
    text = markdown(section, engine.version)
    asked.out.write_text(text, encoding="utf-8")
    print(text)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate.real_patients",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, default=DATA, help="clinical data sets (VEREDA_DATA)")
    parser.add_argument("--out", type=Path, default=DOCUMENT, help="where the document goes")
    return parser


if __name__ == "__main__":
    sys.exit(main())
