"""Whether a case outside what the common model knows is told, and how often a familiar one is.

Familiar: test patients and simulated ones that nothing was fitted on, told wrongly. Outside: the
patients of one disease after another, each left out of the Bayes table (counted anew without it,
columns nobody else has taken away, scores of familiar visits drawn anew); and published cases of
rare diseases, whose findings the common model reads in part.

    python -m training.evaluate.outside
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ddx.domain.identifiers import DiseaseId
from ddx.errors import DdxError
from ddx.features.encode import encode
from ddx.features.schema import FeatureSchema
from ddx.inference.bayes import BayesTable
from ddx.inference.outside import OutsideModel, explained
from training.evaluate.common import SEED, Estimate
from training.evaluate.conformal import Patients, visits_under
from training.evaluate.discrimination import auc
from training.evaluate.held_out import DATA, HeldOut
from training.evaluate.interview import share
from training.fit import material
from training.fit.bayes import Counts, Known
from training.fit.boost import FitSettings
from training.fit.endemic import Purpose, Simulated, simulated
from training.fit.outside import (
    CLINIC,
    FULL,
    PATIENTS,
    Protocol,
    Visit,
    fit_outside,
    simulated_visit_of,
    sources_of,
    visit_of,
    visits,
)
from training.fit.sample import Rows, Sample, Split
from training.sources.endemic import EndemicKnowledge, endemic_knowledge
from training.sources.phenopackets import LabelledCase, read_phenopackets

LEFT_OUT_AT: Final[tuple[Protocol, ...]] = (3, 5, 10, FULL)
FAMILIAR_PATIENTS: Final = 5000
STAYING_PATIENTS: Final = 1200
CALIBRATION_PATIENTS: Final = 800
"""DDXPlus patients, at most: measured for false alarms; and for each disease left out, those that
stay and those its scores are drawn from anew."""

PER_DISEASE: Final = 200
"""Patients of a disease left out, at most; DDXPlus test sets hold fewer of the rarest."""

LOOKED_AT: Final = 4
"""The score was chosen on calibration patients of every fourth disease, counted from the second;
the others chose nothing."""

INTERVIEWED: Final = (5, 10)
RESAMPLES: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What the model was made of. diseases: in output order, those of the patients first."""

    schema: FeatureSchema
    diseases: tuple[DiseaseId, ...]
    counts: Counts
    known: Known
    everyone: Sample
    split: Split
    endemic: EndemicKnowledge | None

    @classmethod
    def of(
        cls,
        everyone: Sample,
        split: Split,
        schema: FeatureSchema,
        diseases: tuple[DiseaseId, ...],
        endemic: EndemicKnowledge | None,
    ) -> "Material":
        """Count the training patients again."""
        first = len(diseases) - (len(endemic.diseases) if endemic else 0)
        fitted = material.Material.of(
            everyone.take(split.train), diseases[:first], endemic, FitSettings().bayes
        )
        return cls(
            schema=schema,
            diseases=diseases,
            counts=fitted.counts,
            known=fitted.known,
            everyone=everyone,
            split=split,
            endemic=endemic,
        )

    @property
    def source(self) -> NDArray[np.int64]:
        """Number of the source that describes each disease."""
        return sources_of(len(self.diseases), self.endemic)

    def calibration(self, n: int = PATIENTS) -> list[Visit]:
        """Return the visits the shipped scores are drawn from."""
        return self._visits(self.split.calibration, n, Purpose.CALIBRATION)

    def test(self, n: int, protocols: Sequence[Protocol]) -> list[Visit]:
        """Return visits of patients that nothing was fitted on."""
        return self._visits(self.split.test, n, Purpose.MEASURING, protocols=protocols)

    def _visits(
        self, rows: NDArray[np.int64], n: int, purpose: Purpose, **asked: Any
    ) -> list[Visit]:
        rng = np.random.default_rng([SEED, purpose])
        patients = self.everyone.take(rng.permutation(rows)[:n])
        return list(visits(patients, self.schema, self.endemic, purpose, **asked))

    def patients_of(self, disease: int) -> list[Visit]:
        """Return visits of test patients of one disease, simulated where it is endemic."""
        rng = np.random.default_rng([SEED, disease])
        ours = self._simulated_of(disease)
        if ours is not None:
            ontology = self.everyone.ontology
            return [
                simulated_visit_of(ours, self.schema, ontology, protocol, rng)
                for protocol in LEFT_OUT_AT
            ]
        test = self.split.test
        own = test[self.everyone.truth[test] == disease][:PER_DISEASE]
        patients = self.everyone.take(own)
        return [visit_of(patients, self.schema, protocol, rng) for protocol in LEFT_OUT_AT]

    def _simulated_of(self, disease: int) -> Simulated | None:
        first = len(self.diseases) - (len(self.endemic.diseases) if self.endemic else 0)
        if self.endemic is None or disease < first:
            return None
        drawn = simulated(self.endemic, PER_DISEASE, first, Purpose.MEASURING)
        return drawn.take(np.flatnonzero(drawn.truth == disease))

    def without(self, disease: int) -> tuple[BayesTable, NDArray[np.bool_]]:
        """Return the table counted without a disease, and which columns anybody else has."""
        keep = np.arange(len(self.diseases)) != disease
        counts, known = self.counts, self.known
        counts = replace(
            counts,
            seen=counts.seen[keep],
            mentioned=counts.mentioned[keep],
            patients=counts.patients[keep],
            typical=counts.typical[keep],
        )
        prior = known.prior[keep] / known.prior[keep].sum()
        table = counts.table(
            replace(known, prior=prior, described=known.described[keep]), selective=True
        )
        total = np.add.reduceat(counts.seen, counts.first, axis=1)
        present = (total - counts.seen[:, counts.first]).sum(axis=0)
        finding = np.array([column.finding is not None for column in self.schema.columns])
        return table, ~finding | (present > 0)


def familiar(model: OutsideModel, bayes: BayesTable, material: Material) -> dict[str, Any]:
    """Return how often familiar visits are told to be unexplained, by protocol and source."""
    first = len(material.diseases) - (len(material.endemic.diseases) if material.endemic else 0)
    found = {}
    protocols = (*(k for k in LEFT_OUT_AT if k != FULL), CLINIC, FULL)
    for visit in material.test(FAMILIAR_PATIENTS, protocols):
        p = model.p_values(visit.rows, material.schema, bayes)
        found[visit.protocol] = _told(p, model.rate) | {
            "ddxplus": _told(p[visit.truth < first], model.rate),
            "simulated": _told(p[visit.truth >= first], model.rate),
            "worst_disease": _worst(p, visit.truth, model.rate, material.diseases),
        }
    return found


def _told(p: NDArray[np.float64], rate: float) -> dict[str, Any]:
    """Return visits, those assessed, and the share of the assessed that is told."""
    assessed = ~np.isnan(p)
    if not assessed.any():
        return {"visits": len(p), "assessed": 0, "told": None}
    told = share(p[assessed] <= rate)
    return {"visits": len(p), "assessed": int(assessed.sum()), "told": told.to_json()}


def _worst(
    p: NDArray[np.float64], truth: NDArray[np.int64], rate: float, diseases: Sequence[DiseaseId]
) -> dict[str, Any]:
    told = [(float(np.mean(p[truth == d] <= rate)), d) for d in np.unique(truth).tolist()]
    worst, disease = max(told)
    return {"disease": diseases[disease], "told": worst}


def left_out(material: Material, rate: float) -> dict[str, Any]:
    """Return what becomes of the patients of each disease when it is left out."""
    calibration = material.calibration(CALIBRATION_PATIENTS)
    stay = material.test(STAYING_PATIENTS, LEFT_OUT_AT)
    figures: dict[str, dict[str, dict[str, float]]] = {}
    for disease, name in enumerate(material.diseases):
        own = material.patients_of(disease)
        bayes, readable = material.without(disease)

        source = np.delete(material.source, disease)
        others = (_without(visit, disease, readable) for visit in calibration)
        model = fit_outside(others, material.schema, bayes, source, rate)
        figures[name] = {
            theirs.protocol: _separated(
                model.p_values(_without(staying, disease, readable), material.schema, bayes),
                model.p_values(_readable(theirs.rows, readable), material.schema, bayes),
                rate,
            )
            for staying, theirs in zip(stay, own, strict=True)
        }
    return figures


def _without(visit: Visit, disease: int, readable: NDArray[np.bool_]) -> Rows:
    return _readable(visit.rows[visit.truth != disease], readable)


def _readable(rows: Rows, readable: NDArray[np.bool_]) -> Rows:
    kept = rows.copy()
    kept[:, ~readable] = np.nan
    return kept


def _separated(
    inside: NDArray[np.float64], outside: NDArray[np.float64], rate: float
) -> dict[str, float]:
    """Return the area and both rates. What is not assessed counts as explained."""
    p = np.nan_to_num(np.concatenate((inside, outside)), nan=1.0)
    is_outside = np.arange(len(p)) >= len(inside)
    return {
        "auroc": auc(-p, is_outside),
        "detected": float((p[is_outside] <= rate).mean()),
        "false_alarms": float((p[~is_outside] <= rate).mean()),
        "patients": int(is_outside.sum()),
    }


def averages(figures: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return the mean over diseases of each figure by protocol, resampled over diseases."""
    rng = np.random.default_rng(SEED)
    rows = [figures[name] for name in names]
    drawn = rng.integers(0, len(rows), (RESAMPLES, len(rows)))
    found: dict[str, Any] = {}
    for protocol in rows[0]:
        found[protocol] = {}
        for figure in ("auroc", "detected", "false_alarms"):
            values = np.array([row[protocol][figure] for row in rows])
            low, high = np.percentile(values[drawn].mean(axis=1), [2.5, 97.5])
            found[protocol][figure] = Estimate(
                float(values.mean()), float(low), float(high)
            ).to_json()
    return found


def rare(
    model: OutsideModel,
    bayes: BayesTable,
    material: Material,
    published: Sequence[LabelledCase],
) -> dict[str, Any]:
    """Return how often published rare cases are told, where enough of them is read.

    The area is against clinic visits of test patients.
    """
    schema, ontology = material.schema, material.everyone.ontology
    rows = np.stack([encode(case.case, schema, ontology).values for case in published])
    present, p = explained(rows, schema, bayes).present, model.p_values(rows, schema, bayes)
    (clinic,) = material.test(FAMILIAR_PATIENTS, (CLINIC,))
    inside = model.p_values(clinic.rows, schema, bayes)
    assessed, said = p[~np.isnan(p)], inside[~np.isnan(inside)]
    both = np.concatenate((said, assessed))
    bands = {"3-4": (3, 4), "5-9": (5, 9), "10+": (10, 10_000)}
    return _told(p, model.rate) | {
        "auroc_against_clinic_visits": auc(-both, np.arange(len(both)) >= len(said)),
        "by_findings_read": {
            name: _told(p[(present >= low) & (present <= high)], model.rate)
            for name, (low, high) in bands.items()
        },
    }


def measure(
    model: OutsideModel, bayes: BayesTable, material: Material, data: Path
) -> dict[str, Any]:
    """Return every figure as JSON values: the section `outside` of the model card.

    Raises:
        CaseSourceError: the published rare cases are missing or malformed.
    """
    figures = left_out(material, model.rate)
    chose_nothing = [name for name in figures if name not in material.diseases[1::LOOKED_AT]]
    return {
        "rate": model.rate,
        "least_present": model.least_present,
        "familiar": familiar(model, bayes, material),
        "left_out": averages(figures, list(figures)),
        "left_out_not_looked_at": averages(figures, chose_nothing),
        "left_out_diseases": figures,
        "rare": rare(model, bayes, material, read_phenopackets(data)),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Fit on calibration patients, measure and print; return 0, or 2 without the data."""
    asked = _parser().parse_args(argv)
    try:
        held_out = HeldOut.read(asked.data)
        common = held_out.engine.common
        if common.bayes is None:
            print("The bundle has no Bayes table; train one with `make train`.", file=sys.stderr)
            return 2
        material = Material.of(
            held_out.everyone,
            held_out.split,
            common.schema,
            common.diseases,
            endemic_knowledge(),
        )
        familiar_rows = (visit.rows for visit in material.calibration())
        model = fit_outside(familiar_rows, common.schema, common.bayes, material.source)
        section = measure(model, common.bayes, material, asked.data)
    except DdxError as error:
        print(error, file=sys.stderr)
        return 2
    section["interviewed"] = _interviewed(model, common.bayes, held_out)
    print(json.dumps(section, indent=1))
    if asked.out is not None:
        asked.out.write_bytes(model.to_json())
    return 0


def _interviewed(model: OutsideModel, bayes: BayesTable, held_out: HeldOut) -> dict[str, Any]:
    """Return how often test patients are told after questions a model chose."""
    rng = np.random.default_rng(SEED)
    test, schema = held_out.some(held_out.split.test, 2000, rng), held_out.engine.common.schema
    asked = visits_under(
        Patients(ddxplus=test, endemic=None),
        held_out.panel(),
        rng,
        interviews=2000,
        wanted={f"interview_{questions}" for questions in INTERVIEWED},
    )
    return {
        visit.protocol: _told(model.p_values(visit.rows, schema, bayes), model.rate)
        for visit in asked
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate.outside",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, default=DATA, help="clinical data sets (VEREDA_DATA)")
    parser.add_argument("--out", type=Path, help="write the bundle member here")
    return parser


if __name__ == "__main__":
    sys.exit(main())
