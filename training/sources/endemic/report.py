"""What the endemic knowledge base rests on, as the table of `docs/endemic.md`."""

from collections import Counter
from collections.abc import Iterable

from training.sources.endemic.model import EndemicDisease, EndemicKnowledge, Grade


def summary_table(knowledge: EndemicKnowledge) -> str:
    """Return a Markdown table: each disease with its severity, findings and figures by grade."""
    lines = [
        "| disease | ICD-10 | severity | findings | background | A | B | C | E | age, sex |",
        "| --- | --- | --: | --: | --: | --: | --: | --: | --: | --- |",
    ]
    lines += [_row(disease) for disease in knowledge.diseases]
    total = Counter(f.basis.grade for d in knowledge.diseases for f in d.findings)
    counts = " | ".join(str(total[grade]) for grade in Grade)
    lines.append(f"| **all** | | | {total.total()} | | {counts} | |")
    return "\n".join(lines)


def _row(disease: EndemicDisease) -> str:
    grades = Counter(f.basis.grade for f in disease.findings)
    cells: Iterable[object] = (
        disease.en,
        disease.icd10,
        disease.severity,
        len(disease.findings),
        len(disease.background),
        *(grades[grade] for grade in Grade),
        f"{disease.ages_basis.grade}, {disease.female_basis.grade}",
    )
    return "| " + " | ".join(str(cell) for cell in cells) + " |"
