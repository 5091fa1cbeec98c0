"""Reader of `training/knowledge/endemic`: one file a disease, held to its own rules.

How the files are made and graded is in `docs/endemic.md`.
"""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any, Final

from ddx.domain.identifiers import FindingId, disease_id, finding_id
from ddx.errors import IdentifierError
from training.knowledge import findings as common_findings
from training.sources.endemic.ages import AGE_BANDS
from training.sources.endemic.model import (
    Background,
    Basis,
    EndemicDisease,
    EndemicKnowledge,
    FindingFrequency,
    Grade,
    probabilities,
)
from training.sources.endemic.tables import (
    EndemicKnowledgeError,
    RelationKind,
    read_findings,
    read_relations,
)

FEWEST_FINDINGS: Final = 20
_WEIGHTS_TOLERANCE: Final = 0.01
_NOT_DISEASES: Final = frozenset({"background.toml", "sources.toml"})


@cache
def endemic_knowledge() -> EndemicKnowledge:
    """Return the knowledge base as it ships. Raises EndemicKnowledgeError, see `read_knowledge`."""
    return read_knowledge(files("training.knowledge").joinpath("endemic"))


def read_knowledge(folder: Traversable) -> EndemicKnowledge:
    """Return the knowledge base in `folder`, checked.

    Raises:
        EndemicKnowledgeError: a file does not read; an id is unknown or given twice; a figure
            is outside 0..1; a grade, source, note or severity is missing or wrong; a finding
            is likelier than one it entails; a disease is silent on a common finding.
    """
    raw = _toml(folder.joinpath("background.toml"))
    sources = {
        key: entry["citation"] for key, entry in _toml(folder.joinpath("sources.toml")).items()
    }
    own = read_findings(folder.joinpath("findings.tsv"))
    known = {row.id for row in common_findings()} | {row.id for row in own}
    background = _read_background(raw, known, sources)
    names = sorted(f.name for f in folder.iterdir() if f.name.endswith(".toml"))
    knowledge = EndemicKnowledge(
        diseases=tuple(
            _read_disease(folder.joinpath(name), background, sources)
            for name in names
            if name not in _NOT_DISEASES
        ),
        background=MappingProxyType(background),
        common=tuple(finding_id(i) for i in raw["common"]),
        own_findings=own,
        relations=read_relations(folder.joinpath("relations.tsv"), known),
        sources=MappingProxyType(sources),
    )
    for disease in knowledge.diseases:
        _refuse_silence(disease, knowledge)
        _refuse_incoherence(disease, knowledge)
    return knowledge


def _toml(path: Traversable) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise EndemicKnowledgeError(f"{path.name} cannot be read: {error}") from error


def _read_disease(
    path: Traversable, known: Mapping[FindingId, Background], sources: Mapping[str, str]
) -> EndemicDisease:
    raw = _toml(path)
    try:
        disease = EndemicDisease(
            id=disease_id(raw["id"]),
            es=raw["es"],
            en=raw["en"],
            icd10=raw["icd10"],
            severity=raw["severity"],
            severity_ground=raw["severity_ground"],
            findings=tuple(_read_frequency(entry, sources) for entry in raw["findings"]),
            background=frozenset(finding_id(i) for i in raw["background"]),
            ages=MappingProxyType(dict(raw["age"]["weights"])),
            ages_basis=_read_basis(raw["age"], sources),
            female=_probability(raw["sex"]["female"]),
            female_basis=_read_basis(raw["sex"], sources),
        )
        _refuse_malformed(disease, known, slug=path.name.removesuffix(".toml"))
    except (KeyError, TypeError, IdentifierError, EndemicKnowledgeError) as error:
        raise EndemicKnowledgeError(f"{path.name}: {error}") from error
    return disease


def _read_frequency(entry: Mapping[str, Any], sources: Mapping[str, str]) -> FindingFrequency:
    try:
        return FindingFrequency(
            finding=finding_id(entry["id"]),
            p=_probability(entry["p"]),
            basis=_read_basis(entry, sources),
        )
    except EndemicKnowledgeError as error:
        raise EndemicKnowledgeError(f"finding {entry['id']}: {error}") from error


def _probability(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, float | int) or not 0 <= value <= 1:
        raise EndemicKnowledgeError(f"{value!r} is not a probability")
    return float(value)


def _read_basis(entry: Mapping[str, Any], sources: Mapping[str, str]) -> Basis:
    try:
        grade = Grade(entry["grade"])
    except ValueError as error:
        raise EndemicKnowledgeError(f"no grade {entry['grade']!r}") from error
    basis = Basis(
        grade=grade,
        source=entry.get("source", ""),
        n=entry.get("n"),
        note=entry.get("note", ""),
    )
    if grade is Grade.ESTIMATE:
        if basis.source:
            raise EndemicKnowledgeError("an estimate cannot name a source, only its note")
    elif basis.source not in sources:
        raise EndemicKnowledgeError(f"grade {grade} with unknown source {basis.source!r}")
    if grade is Grade.COUNTED and not basis.n:
        raise EndemicKnowledgeError("a counted figure without n")
    return basis


def _refuse_malformed(
    disease: EndemicDisease, known: Mapping[FindingId, Background], *, slug: str
) -> None:
    stated = [f.finding for f in disease.findings]
    wrong = {
        "id does not match the file name": disease.id != f"VD:{slug}",
        "a name, code or ground is empty": not all(
            (disease.es, disease.en, disease.icd10, disease.severity_ground)
        ),
        "severity is not 1 to 5": disease.severity not in range(1, 6),
        f"fewer than {FEWEST_FINDINGS} findings": len(stated) < FEWEST_FINDINGS,
        "a finding is given twice": len({*stated, *disease.background})
        != len(stated) + len(disease.background),
        "age bands or their sum are wrong": disease.ages.keys() != AGE_BANDS.keys()
        or abs(sum(disease.ages.values()) - 1) > _WEIGHTS_TOLERANCE,
    }
    for what in (text for text, is_wrong in wrong.items() if is_wrong):
        raise EndemicKnowledgeError(what)
    if unknown := {*stated, *disease.background} - known.keys():
        raise EndemicKnowledgeError(f"unknown findings {sorted(unknown)}")
    for basis in (disease.ages_basis, disease.female_basis, *(f.basis for f in disease.findings)):
        if basis.grade in {Grade.NARRATIVE, Grade.ESTIMATE} and not basis.note:
            raise EndemicKnowledgeError(f"a figure of grade {basis.grade} without its reasoning")


def _read_background(
    raw: Mapping[str, Any], known: Iterable[FindingId], sources: Mapping[str, str]
) -> dict[FindingId, Background]:
    ids = set(known)
    background: dict[FindingId, Background] = {}
    for entry in raw["findings"]:
        finding = finding_id(entry["id"])
        if finding in background or finding not in ids:
            raise EndemicKnowledgeError(f"background: {finding} is unknown or given twice")
        background[finding] = Background(
            finding=finding,
            p=_probability(entry["p"]),
            basis=_read_basis({"grade": raw["grade"], **entry}, sources),
            female_only=entry.get("female", False),
            from_years=entry.get("from_years", 0),
            to_years=entry.get("to_years", float("inf")),
            told_from_years=entry.get("told_from_years", 0),
            background_from_years=entry.get("background_from_years", 0),
        )
    return background


def _refuse_silence(disease: EndemicDisease, knowledge: EndemicKnowledge) -> None:
    stated = {f.finding for f in disease.findings}
    silent = [i for i in knowledge.common if i not in stated and i not in disease.background]
    if silent:
        raise EndemicKnowledgeError(f"{disease.id} says nothing of {silent}, not even background")


def _refuse_incoherence(disease: EndemicDisease, knowledge: EndemicKnowledge) -> None:
    """Refuse a finding that is likelier than one it entails (bloody diarrhea than diarrhea)."""
    p = probabilities(disease, knowledge)
    for relation in knowledge.relations:
        if relation.kind is RelationKind.ENTAILS and p[relation.finding] > p[relation.other]:
            raise EndemicKnowledgeError(
                f"{disease.id}: {relation.finding} ({p[relation.finding]}) is likelier than "
                f"{relation.other} ({p[relation.other]}), which it entails"
            )
