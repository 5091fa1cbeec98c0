"""The common model's part of the model card: figures, rivals, fairness, and what they rest on."""

from collections.abc import Mapping
from typing import Any, Final

from training.evaluate.common import Estimate
from training.fit.common import VISITS_EACH, CommonFit
from training.fit.endemic import COUNTED_PATIENTS, ENDEMIC_PRIOR

BARS: Final[Mapping[str, float]] = {
    "full_evidence": 0.996,
    "question_3": 0.86,
    "question_5": 0.95,
    "question_8": 0.98,
}
"""Top-1 a release must reach, every disease competing (plan, step 2)."""

RIVALS: Final[Mapping[str, str]] = {
    "ours_among_ddxplus": "ours, endemic ruled out",
    "bayes_alone": "ours without trees",
    "naive_bayes": "naive Bayes",
    "xgboost_unmasked": "XGBoost, no masking",
}

LIMITS: Final = (
    "The common model was fitted on synthetic patients (DDXPlus) and a knowledge base. On the real "
    "febrile patients of three published line lists it does less well: see Real patients.",
    "Its endemic diseases (dengue, malaria, typhoid, snakebite and others) come from a knowledge "
    "base in which four figures in five are our own estimates (docs/endemic.md). Figures named "
    "simulated say that the model knows those files, and nothing of patients.",
    "DDXPlus and the knowledge base ask different questions. What a source does not describe of "
    "its diseases is guessed near the finding's background, or left open where none is stated.",
    f"The share of endemic disease ({ENDEMIC_PRIOR:.2f} of common consultations, even among them) "
    "is an estimate; it differs between places and seasons.",
)


def common_json(fit: CommonFit) -> dict[str, Any]:
    """Return the value of `common` in `card/model_card.json`."""
    corrected = len(set(fit.vocabulary.disease_of_condition.values()))
    return {
        "diseases": len(fit.diseases),
        "diseases_corrected_by_trees": corrected,
        "endemic_diseases": len(fit.diseases) - corrected,
        "endemic_prior": ENDEMIC_PRIOR,
        "endemic_prior_is_estimate": True,
        "endemic_patients_simulated_per_disease": COUNTED_PATIENTS,
        "columns": len(fit.schema),
        "schema_hash": fit.schema.hash,
        "patients_held_out": len(fit.split.test),
        "parity_max_probability_difference": fit.parity,
        "temperature": fit.calibration.temperature,
        "calibration": fit.calibration_record.to_json(),
        "bars": dict(BARS),
        "metrics": _figures(fit.metrics),
        "rivals": {name: _figures(found) for name, found in fit.rivals.items()},
        "fairness": {name: found.to_json() for name, found in fit.fairness.items()},
    }


def _figures(metrics: Mapping[str, Mapping[str, Estimate]]) -> dict[str, dict[str, Any]]:
    return {
        protocol: {name: estimate.to_json() for name, estimate in figures.items()}
        for protocol, figures in metrics.items()
    }


def common_markdown(common: Mapping[str, Any]) -> str:
    """Return the section on the common model. common: as `common_json` wrote it."""
    calibration = common["calibration"]
    return f"""## Common model
{common["diseases"]} diseases, {common["columns"]} columns. Naive Bayes on what patients mention;
trees correct it among the {common["diseases_corrected_by_trees"]} diseases of DDXPlus. Measured on
{common["patients_held_out"]:,} DDXPlus patients that fitted and calibrated nothing, all diseases
competing. 95 % bootstrap intervals. Largest probability difference between the exported model and
XGBoost on 1,000 rows, unknown values included: {common["parity_max_probability_difference"]:.1e}.

{_metrics_table(common["metrics"])}

`full_evidence`: every question answered. `clinic_visit`: as many as a visit asks. `question_k`: k
of the questions the patient answers with yes, each with all its values, nothing else: what the bars
are held to. `present_k`: k single values. `second_set`: official validation rows, 19 diseases.
`simulated`: patients drawn from the endemic knowledge base. `mixed_clinic_visit`: both, simulated
ones with the share of their prior ({common["endemic_prior"]:.2f}), the population the probabilities
are calibrated for; elsewhere the ECE also pays for that share being 0 or 1. `severe_recall`: top-1
recall on diseases of severity 1 and 2. Macro F1 is over the diseases the sample holds.

### Side by side, top-1 on the same rows
{_rivals_table(common)}

Naive Bayes: findings present with P(finding | disease), the same age, sex and priors. XGBoost
without masking reads what was not asked as absent.

### Calibration
ECE of the first-ranked disease on held-out visits of both sources:
{calibration["untouched_ece"]:.4f} untouched, {calibration["temperature_ece"]:.4f} with a
temperature ({common["temperature"]:.3f} ships), {calibration["isotonic_ece"]:.4f} with an isotonic
map.

### Sexes and ages
Top-1 recall. Like for like: over the diseases all groups share (ten patients or more each), weighed
alike. A gap is between the best and the worst group; the bar is 2 points. Like for like it has its
95 % interval, and what groups of that size show by chance when all are served alike. A patient
makes {VISITS_EACH} clinic visits and counts once: after one visit the gap is mostly the luck of
what was asked.

{fairness_table(common["fairness"])}
"""


def _metrics_table(metrics: Mapping[str, Any]) -> str:
    names = list(metrics["full_evidence"])
    rows = [f"| evidence | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for protocol, figures in metrics.items():
        cells = (cell(figures[name]) if name in figures else "" for name in names)
        rows.append(f"| {protocol} | {' | '.join(cells)} |")
    return "\n".join(rows)


def cell(estimate: Mapping[str, float]) -> str:
    """Return an estimate with its interval."""
    return f"{estimate['value']:.4f} ({estimate['low']:.4f}–{estimate['high']:.4f})"


def _rivals_table(common: Mapping[str, Any]) -> str:
    rows = [
        f"| evidence | bar | ours | {' | '.join(RIVALS.values())} |",
        f"|---|---|---|{'---|' * len(RIVALS)}",
    ]
    for protocol in next(iter(common["rivals"].values())):
        bar = f"{common['bars'][protocol]:.3f}" if protocol in common["bars"] else ""
        found = [common["metrics"], *(common["rivals"][name] for name in RIVALS)]
        cells = " | ".join(f"{figures[protocol]['top1']['value']:.4f}" for figures in found)
        rows.append(f"| {protocol} | {bar} | {cells} |")
    return "\n".join(rows)


def fairness_table(fairness: Mapping[str, Any]) -> str:
    """Return recalls by group and the gaps. fairness: by protocol."""
    rows = ["| evidence | group | patients | recall | like for like |", "|---|---|---|---|---|"]
    for protocol, groupings in fairness.items():
        for by, found in groupings.items():
            rows += [
                f"| {protocol} | {group['group']} | {group['patients']:,} | {group['recall']:.4f} "
                f"| {_figure(group['like_for_like'], '{:.4f}')} |"
                for group in found["groups"]
            ]
            gap = _figure(found["gap_points"], "{:.1f} points")
            alike = _gap(found["like_for_like_gap"])
            rows.append(f"| {protocol} | **gap by {by}** | | {gap} | {alike} |")
    return "\n".join(rows)


def _gap(gap: Mapping[str, float | None]) -> str:
    if gap["points"] is None:
        return "no shared disease"
    return (
        f"{gap['points']:.1f} points ({gap['low']:.1f}–{gap['high']:.1f}; "
        f"by chance {gap['by_chance']:.1f})"
    )


def _figure(value: float | None, form: str) -> str:
    return "no shared disease" if value is None else form.format(value)
