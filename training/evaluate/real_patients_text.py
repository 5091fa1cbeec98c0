"""The figures on real patients, as `docs/real_patients.md` and as a section of the model card."""

from collections.abc import Mapping
from typing import Any, Final

SCORES: Final = {
    "against_the_rest": "ours, against all common diseases",
    "against_febrile": "ours, against other febrile diseases",
    "regression_cross_validated": "logistic regression, cross-validated",
    "single_best": "best single finding",
}
EVIDENCE: Final = {"all": "all asked", "no_blood_count": "no blood count"}


def markdown(section: Mapping[str, Any], version: str) -> str:
    """Return the whole document. section: as `real_patients.measure` returned it."""
    questions = section["questions"]
    return f"""# Real patients

Bundle {version}. Written by `python -m training.evaluate.real_patients`; do not edit.

The common model was fitted on synthetic patients and on a knowledge base that is mostly our own
estimates. Here it meets three published line lists with a reference diagnosis. Nothing of them
informed any figure of the model, and nothing was changed after looking at these results.

{areas_table(questions)}

AUC with a 95 % bootstrap interval over patients: the chance that a patient with the disease scores
above one without. "Against all common diseases": log-odds of the disease (the three forms of dengue
together) against every other common disease. "Against other febrile diseases": against
{len(section["febrile_rivals"])} acute fevers, the disease itself among them. The logistic
regression is fitted on nine tenths of the same patients and measured on the last, ten times; it
reads the same findings, age in bands and sex, and knows how often the disease occurs there. The
single finding was picked on the patients it is measured on, which flatters it.

Published on these patients: {_references(questions)}.

## What the probability is worth
{_worth_table(questions)}

Said: mean probability of the disease among the common diseases. ECE: mean distance between what was
said and what was observed, in 15 bins. Brier score beside that of always saying the observed share:
above it, the probability as it stands is worth less than knowing how common the disease is there.
In first, in three: the disease is first or among the first three of the common list, of the
patients who have it and of those who have not.

{_unexplained(questions)}
### By fifths of what was said
{_reliability_table(questions)}

## Which disease, Indonesia
{_diseases_table(section["diseases"])}

## How to read this

- **What was asked limits everybody.** The lists ask what the study needed, not what a clinician
  asks next. Vietnam has ten signs and a blood count of children whose fever began less than 72
  hours before, too early for most of what tells dengue. Indonesia has no symptom of each patient
  on file, only temperature, pulse, breathing, pressure, days of fever and a blood count; a column
  of syndromes is not read, for the file does not say when it was filled in.
- **Who was let in.** In Foz do Iguaçu everybody was notified as suspected chikungunya, so fever and
  joint pain say less than they do at a clinic's door. All patients of Indonesia were in hospital.
- **The reference.** Most conclusions in Foz went by symptoms and surroundings, which is what the
  model reads too; the second question keeps those a laboratory decided{_circular(questions)}.
  Discarded is not another diagnosis. In Vietnam and Indonesia a laboratory decided.
- **The share.** The model takes a quarter of common consultations to be endemic disease, shared
  evenly among 23. In an outbreak or a dengue ward it says too little, in a highland clinic too
  much. The disease's own share moves every log-odds alike and so no area under the curve; it does
  move the probability.
- **What a fitted model adds.** The distance to the regression is what figures from the same
  patients would add to ours. It cannot be had without fitting on them, and then these patients
  would test nothing.
- Intervals cover the sampling of patients, not another hospital, season or virus.
"""


def _circular(questions: list[Mapping[str, Any]]) -> str:
    """Return what is left of the areas where a laboratory decided, if both were measured."""
    found = {q["key"]: q["evidence"]["all"] for q in questions}
    keys = ("chikungunya_foz", "chikungunya_foz_laboratory")
    if not found.keys() >= set(keys):
        return ""
    ours = [found[key]["against_the_rest"]["value"] for key in keys]
    fitted = [found[key]["regression_cross_validated"]["value"] for key in keys]
    return (
        f".\n  Our area is {ours[0]:.2f} on all and {ours[1]:.2f} on those (chance: 0.50), that of "
        f"the regression\n  {fitted[0]:.2f} and {fitted[1]:.2f}: what tells there is not what our "
        "figures say"
    )


def areas_table(questions: list[Mapping[str, Any]]) -> str:
    """Return the areas of every question as a table."""
    lines = [
        f"| question | with / without | evidence | {' | '.join(SCORES.values())} |",
        f"|---|---|---|{'---|' * len(SCORES)}",
    ]
    for question in questions:
        without = question["patients"] - question["positive"]
        for evidence, areas in question["evidence"].items():
            cells = " | ".join(_area(areas[name]) for name in SCORES)
            lines.append(
                f"| {question['title']} | {question['positive']:,} / {without:,} "
                f"| {EVIDENCE[evidence]} | {cells} |"
            )
    return "\n".join(lines)


def _area(area: Mapping[str, Any]) -> str:
    text = f"{area['value']:.3f} ({area['low']:.3f}–{area['high']:.3f})"
    if "label" not in area:
        return text
    return f"{text} {'' if area['present_speaks_for'] else 'no '}{area['label'].lower()}"


def _references(questions: list[Mapping[str, Any]]) -> str:
    told = [q["reference"] for q in questions if q["reference"]]
    return "; ".join(told) or "nothing at hand"


def _worth_table(questions: list[Mapping[str, Any]]) -> str:
    lines = [
        "| question | said | observed | ECE | Brier | Brier of the share | in first | in three "
        "| in first, others | in three, others |",
        f"|---|{'---|' * 9}",
    ]
    names = (
        "mean_said",
        "observed",
        "calibration_error",
        "brier",
        "brier_of_the_share",
        "top1",
        "top3",
        "top1_of_the_others",
        "top3_of_the_others",
    )
    for question in questions:
        cells = " | ".join(f"{question['probability'][name]:.3f}" for name in names)
        lines.append(f"| {question['title']} | {cells} |")
    return "\n".join(lines)


def _unexplained(questions: list[Mapping[str, Any]]) -> str:
    told = [q for q in questions if q["unexplained"] is not None]
    if not told:
        return "Whether a common disease explains the findings was not assessed by this bundle.\n"
    lines = [
        "Told that no common disease explains the findings (one in twenty of familiar cases):\n"
    ]
    for question in told:
        found = question["unexplained"]
        shares = (found["of_positive"], found["of_others"])
        cells = ["none assessed" if value is None else f"{value:.3f}" for value in shares]
        lines.append(
            f"- {question['title']}: {cells[0]} with the disease, {cells[1]} without "
            f"({found['assessed']:,} with enough findings)."
        )
    return "\n".join(lines) + "\n"


def _reliability_table(questions: list[Mapping[str, Any]]) -> str:
    fifths = len(questions[0]["probability"]["reliability"])
    lines = [
        f"| question (said → observed) |{''.join(f' {n + 1} |' for n in range(fifths))}",
        f"|---|{'---|' * fifths}",
    ]
    for question in questions:
        cells = " | ".join(
            f"{part['said']:.3f} → {part['observed']:.3f}"
            for part in question["probability"]["reliability"]
        )
        lines.append(f"| {question['title']} | {cells} |")
    return "\n".join(lines)


def _diseases_table(cohorts: Mapping[str, Any]) -> str:
    lines = ["| found | ours | patients | in first | in three |", "|---|---|---|---|---|"]
    others: list[str] = []
    for found in cohorts.values():
        lines += [
            f"| {group['conclusion']} | {', '.join(d[3:] for d in group['diseases'])} "
            f"| {group['patients']} | {group['top1']:.3f} | {group['top3']:.3f} |"
            for group in found["mapped"]
        ]
        others += [f"{name} {count}" for name, count in found["unmapped"].items()]
    return "\n".join(lines) + f"\n\nNo disease of ours: {'; '.join(others)}."
