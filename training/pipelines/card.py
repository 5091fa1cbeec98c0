"""The model card: what a bundle may do, how well it did, and where it must not be trusted."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from training.evaluate.common import Estimate
from training.evaluate.rare import RecallLine
from training.fit.common import CommonFit
from training.fit.meta import RARE_PRIOR, MetaFit
from training.fit.rare import RareFit

INTENDED_USE = (
    "Decision support for clinicians in rural clinics: a ranked differential from findings, "
    "age and sex. Not for use without a clinician; not a certified medical device."
)
LIMITS = (
    "The common model was fitted and measured on synthetic patients (DDXPlus); figures on real "
    "patients will differ and are not known yet.",
    "Its 49 diseases hold no dengue, malaria, chikungunya or other disease endemic in Latin "
    "America.",
    "About half of the published rare cases come from a paper that also feeds the annotations of "
    "the same disease; see the lines with the paper removed and the clean set.",
    "The gate between common and rare separates synthetic patients from published cases and "
    "partly learns that difference.",
    f"The prior of rare disease ({RARE_PRIOR:.2f}) is an estimate from prevalence, not visits.",
)


def card_json(
    *,
    version: str,
    hpo: str,
    at: datetime,
    common: CommonFit,
    rare: RareFit,
    meta: MetaFit,
    lines: Sequence[RecallLine],
) -> bytes:
    """Return the member `card/model_card.json`."""
    card: dict[str, Any] = {
        "version": version,
        "created_at": at.isoformat(),
        "intended_use": INTENDED_USE,
        "limits": list(LIMITS),
        "hpo_release": hpo,
        "common": {
            "diseases": len(common.diseases),
            "columns": len(common.schema),
            "schema_hash": common.schema.hash,
            "patients_held_out": len(common.split.test),
            "parity_max_probability_difference": common.parity,
            "temperature": common.calibration.temperature,
            "metrics": _figures(common.metrics),
        },
        "rare": {
            "diseases": len(rare.names),
            "recall": [
                {
                    "set": line.name.strip(),
                    "protocol": line.protocol.value,
                    "cases": line.cases,
                    "not_in_index": line.unranked,
                    "recall": {str(k): v for k, v in line.recall.items()},
                    "low": {str(k): v for k, v in line.low.items()},
                    "high": {str(k): v for k, v in line.high.items()},
                    "mrr": line.mean_reciprocal_rank,
                }
                for line in lines
            ],
        },
        "gate": {"rare_prior": RARE_PRIOR, "rare_prior_is_estimate": True, **meta.metrics},
    }
    return json.dumps(card, indent=1, ensure_ascii=False).encode()


def _figures(metrics: Mapping[str, Mapping[str, Estimate]]) -> dict[str, dict[str, Any]]:
    return {
        protocol: {name: estimate.to_json() for name, estimate in figures.items()}
        for protocol, figures in metrics.items()
    }


def card_markdown(raw: bytes, rare_table: str) -> str:
    """Return the card as `docs/model_card.md`, for people."""
    card = json.loads(raw)
    names = list(next(iter(card["common"]["metrics"].values())))
    rows = [
        f"| {protocol} | " + " | ".join(_cell(figures[name]) for name in names) + " |"
        for protocol, figures in card["common"]["metrics"].items()
    ]
    limits = "\n".join(f"- {limit}" for limit in card["limits"])
    gate, common = card["gate"], card["common"]
    return f"""# Model card

Bundle {card["version"]}, made {card["created_at"]}, HPO {card["hpo_release"]}.
Written by `make train`.

**Intended use.** {card["intended_use"]}

## Limits
{limits}

## Common model
{common["diseases"]} diseases, {common["columns"]} columns, measured on
{common["patients_held_out"]:,} DDXPlus patients that fitted and calibrated nothing. 95 % bootstrap
intervals. Largest probability difference between the exported model and XGBoost on 1,000 rows,
unknown values included: {common["parity_max_probability_difference"]:.1e}.

| evidence | {" | ".join(names)} |
|---|{"---|" * len(names)}
{chr(10).join(rows)}

`full_evidence`: every question answered. `clinic_visit`: as many as a visit asks. `present_k`:
k of the patient's own findings, nothing else. `severe_recall`: top-1 recall on diseases of
severity 1 and 2.

## Rare ranker
{card["rare"]["diseases"]:,} diseases. Likelihood ratio; learned re-ranking is not part of this
version. Intervals: bootstrap over papers. "not in index": the disease has no annotation, so it
counts as missed.

{rare_table}

## Gate between both worlds
Right side of one half on held-out cases: {gate["gate_accuracy"]:.4f} (mean of both worlds;
{gate["common_cases"]:.0f} and {gate["rare_cases"]:.0f} cases). Temperature of the rare scores
{gate["rare_temperature"]:.2f}; disease not retrieved in {gate["rare_miss_rate"]:.3f} of the rare
cases.
"""


def _cell(estimate: Mapping[str, float]) -> str:
    return f"{estimate['value']:.4f} ({estimate['low']:.4f}–{estimate['high']:.4f})"
