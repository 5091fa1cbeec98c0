"""The model card's section on cases outside what the common model knows."""

from collections.abc import Mapping
from typing import Any, Final

HARDEST: Final = 8
"""Left-out diseases named as hardest: those nearest to diseases that stay."""

FIGURES: Final = {"auroc": "AUROC", "detected": "detected", "false_alarms": "false alarms"}


def outside_markdown(section: Mapping[str, Any] | None) -> str:
    """Return the section. section: as `training.evaluate.outside.measure` returned it."""
    if section is None:
        return "## Outside what the common model knows\nNot measured.\n"
    rate = section["rate"]
    return f"""## Outside what the common model knows
A case is told to be unexplained when its findings fit the diseases the model believes in no better
than {rate:.0%} of familiar visits with as many findings of the same source (conformal p-value; at
least {section["least_present"]} findings present). `ddx.inference.outside` has the score.

### Diseases left out, one after another
Counted anew without the disease; its own test patients (simulated where endemic) against test
patients of the rest. Mean over diseases, 95 % bootstrap over diseases. The score was chosen on
calibration patients of every fourth disease; the second row of each pair is of the others alone.
One scale per source was decided after false alarms on test patients had been seen.

{_left_out_table(section)}

Least detected with all findings: {_hardest(section)}.
A disease left out that resembles one that stays is explained by it.

### Familiar visits, told wrongly
{_familiar_table(section["familiar"])}

### Published rare cases
{_rare(section["rare"])}
"""


def _left_out_table(section: Mapping[str, Any]) -> str:
    lines = [f"| findings | diseases | {' | '.join(FIGURES.values())} |", "|---|---|---|---|---|"]
    for protocol, figures in section["left_out"].items():
        others = section["left_out_not_looked_at"][protocol]
        for name, found in (("all", figures), ("chose nothing", others)):
            cells = " | ".join(_cell(found[figure]) for figure in FIGURES)
            lines.append(f"| {protocol} | {name} | {cells} |")
    return "\n".join(lines)


def _hardest(section: Mapping[str, Any]) -> str:
    last = list(section["left_out"])[-1]
    found = {name: of[last]["detected"] for name, of in section["left_out_diseases"].items()}
    worst = sorted(found, key=found.__getitem__)[:HARDEST]
    return ", ".join(f"{name[3:]} ({found[name]:.2f})" for name in worst)


def _familiar_table(familiar: Mapping[str, Any]) -> str:
    lines = [
        "| visit | assessed | told | of DDXPlus | of simulated | worst disease |",
        "|---|---|---|---|---|---|",
    ]
    for protocol, found in familiar.items():
        told = " | ".join(
            _cell(part["told"]) for part in (found, found["ddxplus"], found["simulated"])
        )
        worst = found["worst_disease"]
        lines.append(
            f"| {protocol} | {found['assessed']:,} of {found['visits']:,} | {told} "
            f"| {worst['disease'][3:]} {worst['told']:.2f} |"
        )
    return "\n".join(lines)


def _rare(rare: Mapping[str, Any]) -> str:
    bands = "; ".join(
        f"{name} findings read: {_cell(found['told'])} of {found['assessed']:,}"
        for name, found in rare["by_findings_read"].items()
    )
    return (
        f"Told: {_cell(rare['told'])} of the {rare['assessed']:,} cases (of {rare['visits']:,}) of "
        f"which the common model\nreads enough. {bands}. AUROC against\nclinic visits: "
        f"{rare['auroc_against_clinic_visits']:.3f}. Published cases list signs, synthetic "
        "patients answer questions: part of\nwhat is told is that difference."
    )


def _cell(told: Mapping[str, float] | None) -> str:
    if told is None:
        return "none"
    return f"{told['value']:.3f} ({told['low']:.3f}–{told['high']:.3f})"
