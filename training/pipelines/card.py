"""The model card: what a bundle may do, how well it did, and where it must not be trusted."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from training.evaluate.rare import RecallLine
from training.evaluate.real_patients_text import areas_table
from training.fit.common import CommonFit
from training.fit.meta import COUNTED, MANY, RARE_PRIOR, MetaFit
from training.fit.rare import RareFit
from training.pipelines import common_card, visits_card
from training.pipelines.outside_card import outside_markdown
from training.pipelines.visits import VisitFigures

INTENDED_USE = (
    "Decision support for clinicians in rural clinics: a ranked differential from findings, "
    "age and sex. Not for use without a clinician; not a certified medical device."
)
LIMITS = (
    *common_card.LIMITS,
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
    visits: VisitFigures,
    rare: RareFit,
    meta: MetaFit,
    lines: Sequence[RecallLine],
    real_patients: Mapping[str, Any] | None = None,
    outside: Mapping[str, Any] | None = None,
) -> bytes:
    """Return the member `card/model_card.json`.

    real_patients: as `training.evaluate.real_patients.measure` gives it; None where the line
    lists are not at hand. outside: as `training.evaluate.outside.measure` gives it.
    """
    card: dict[str, Any] = {
        "version": version,
        "created_at": at.isoformat(),
        "intended_use": INTENDED_USE,
        "limits": list(LIMITS),
        "hpo_release": hpo,
        "common": {**common_card.common_json(common), **visits.to_json()},
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
        "real_patients": real_patients,
        "outside": outside,
        "gate": {"rare_prior": RARE_PRIOR, "rare_prior_is_estimate": True, **meta.metrics},
    }
    return json.dumps(card, indent=1, ensure_ascii=False).encode()


def card_markdown(raw: bytes, rare_table: str) -> str:
    """Return the card as `docs/model_card.md`, for people."""
    card = json.loads(raw)
    limits = "\n".join(f"- {limit}" for limit in card["limits"])
    gate = card["gate"]
    return f"""# Model card

Bundle {card["version"]}, made {card["created_at"]}, HPO {card["hpo_release"]}.
Written by `make train`.

**Intended use.** {card["intended_use"]}

## Limits
{limits}

{common_card.common_markdown(card["common"])}
{outside_markdown(card.get("outside"))}
{_real_patients(card.get("real_patients"))}
{visits_card.visits_markdown(card["common"])}
## Rare ranker
{card["rare"]["diseases"]:,} diseases (codes that Mondo matches exactly are one). A likelihood ratio
retrieves 200, a learned ranking orders them; "learned" lines are cross-fitted by disease, the
others are the first stage alone. docs/benchmark_rare.md has baselines and limits. Intervals:
bootstrap over papers. "not in index": the disease has no annotation, so it counts
as missed.

{rare_table}

## Gate between both worlds
Right side of one half on held-out cases: {gate["gate_accuracy"]:.4f} (mean of both worlds;
{gate["common_cases"]:.0f} and {gate["rare_cases"]:.0f} cases, each seen whole and with one to five
findings; in one common visit of twenty one or two findings have no column of the common model).

{_gate_table(gate)}
"""


def _gate_table(gate: Mapping[str, float]) -> str:
    """Return the accuracy of the gate in each world by findings present."""
    lines = ["| findings present | common cases | rare cases |", "|---|---|---|"]
    for first, last in COUNTED:
        named = f"{first}" if first == last else f"{first}-{last}" if last < MANY else f"{first}+"
        shares = (gate.get(f"gate_{world}_{first}") for world in ("common", "rare"))
        said = " | ".join("" if share is None else f"{share:.3f}" for share in shares)
        lines.append(f"| {named} | {said} |")
    return "\n".join(lines)


def _real_patients(section: Mapping[str, Any] | None) -> str:
    if section is None:
        return "## Real patients\nNot measured: the line lists were not at hand.\n"
    return f"""## Real patients
Published line lists with a reference diagnosis; they informed no figure of the model.
AUC with 95 % bootstrap intervals; `docs/real_patients.md` tells what limits them.

{areas_table(section["questions"])}
"""
