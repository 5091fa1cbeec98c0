"""A phenopacket read into a Case: whatever can be used, and every issue at once.

Read: observed and excluded features with mild, moderate or severe and their onset; sex; age at
the last encounter, or date of birth and time of the encounter; the diagnosis and the papers,
which are no part of the case. Fields we have no place for (modifiers, evidence, measurements,
variants, files) and unknown ones are passed over. Format: phenopacket-schema.readthedocs.io, 2.0.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ddx.domain.case import Case, Sex
from ddx.domain.finding import Finding, Presence, Severity
from ddx.domain.identifiers import DiseaseId, FindingId, disease_id
from ddx.errors import IdentifierError
from ddx.intake.issues import Level
from ddx.intake.limits import MAX_AGE_YEARS
from ddx.phenopackets import ages
from ddx.phenopackets.features import Feature, FeatureCodes
from ddx.phenopackets.fields import Node
from ddx.phenopackets.issues import PacketIssue, PhenopacketError

SEXES: Final = {
    "": Sex.UNKNOWN, "UNKNOWN_SEX": Sex.UNKNOWN, "FEMALE": Sex.FEMALE, "MALE": Sex.MALE,
    "0": Sex.UNKNOWN, "1": Sex.FEMALE, "2": Sex.MALE,
}  # fmt: skip
"""Names and numbers of the enum `Sex`; OTHER_SEX (3) is read as unknown, and told."""
OTHER_SEX: Final = ("OTHER_SEX", "3")

SEVERITIES: Final = {
    "HP:0012825": Severity.MILD,
    "HP:0012826": Severity.MODERATE,
    "HP:0012828": Severity.SEVERE,
}
CONGENITAL: Final = "HP:0003577"
"""Onset class that is one moment, birth; the others are spans and give no number of days."""

UNSOLVED: Final = ("UNSOLVED", "4")
"""Progress of an interpretation whose diagnosis is not the truth."""

_MARKS: Final = ("phenotypicFeatures", "subject", "metaData", "diseases", "interpretations")
_GROUPS: Final = {"proband": "family", "members": "cohort"}
_PMID: Final = re.compile(r"(?:PMID[:_]|pubmed(?:\.ncbi\.nlm\.nih\.gov)?/)(\d{1,8})", re.IGNORECASE)
_PREFIXES: Final = {"ORPHANET": "ORPHA", "ORDO": "ORPHA", "MIM": "OMIM"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Phenopacket:
    """What was read of one phenopacket.

    case: None when nothing usable was observed; `issues` say why. truths: the diagnosis, from a
    solved interpretation, else from `diseases`; several codes mean any of them is right.
    sources: `PMID:…` of the papers it names. hpo_version: as it states it, else empty.
    """

    id: str
    case: Case | None
    truths: tuple[DiseaseId, ...] = ()
    sources: tuple[str, ...] = ()
    hpo_version: str = ""
    issues: tuple[PacketIssue, ...] = ()


@dataclass(slots=True)
class _Reading:
    """Issues in the order of the document, as they are met."""

    issues: list[PacketIssue] = field(default_factory=list)

    def error(self, node: Node, code: str, suggestion: str = "", **params: str) -> None:
        self._tell(Level.ERROR, node, code, suggestion, params)

    def warn(self, node: Node, code: str, suggestion: str = "", **params: str) -> None:
        self._tell(Level.WARNING, node, code, suggestion, params)

    def _tell(
        self, level: Level, node: Node, code: str, suggestion: str, params: Mapping[str, str]
    ) -> None:
        self.issues.append(
            PacketIssue(
                level=level, place=node.place, code=code, params=params, suggestion=suggestion
            )
        )


def is_phenopacket(raw: Mapping[str, Any]) -> bool:
    """Return whether the object looks like a phenopacket rather than something else."""
    return any(Node(raw).at(mark) for mark in _MARKS)


def read_phenopacket(raw: Mapping[str, Any], codes: FeatureCodes) -> Phenopacket:
    """Return what a phenopacket says of its patient.

    codes: the vocabulary of the bundle. A feature both observed and excluded counts as observed.

    Raises:
        PhenopacketError: `raw` is no phenopacket, or holds several (a family, a cohort).
    """
    packet, reading = Node(raw), _Reading()
    for name, reason in _GROUPS.items():
        if packet.at(name):
            raise PhenopacketError(reason)
    if not is_phenopacket(raw):
        raise PhenopacketError("not_a_phenopacket")
    sex = _sex(packet.down("subject.sex"), reading)
    age_days = _age(packet.at("subject"), reading)
    features = list(_features(packet.at("phenotypicFeatures"), codes, age_days, reading))
    findings = _one_each(features, codes, reading)
    usable = any(f.presence is Presence.PRESENT for f in findings)
    if not usable:
        reading.error(packet.at("phenotypicFeatures"), "packet.nothing_usable")
    truths = tuple(_truths(packet, reading))
    return Phenopacket(
        id=packet.at("id").text(),
        case=Case(age_days=age_days, sex=sex, findings=findings) if usable else None,
        truths=tuple(dict.fromkeys(truths)),
        sources=tuple(dict.fromkeys(_sources(packet))),
        hpo_version=_hpo_version(packet.down("metaData.resources"), codes, reading),
        issues=tuple(reading.issues),
    )


def _sex(node: Node, reading: _Reading) -> Sex:
    text = node.text().upper()
    if text in OTHER_SEX:
        reading.warn(node, "sex.other")
    elif text not in SEXES:
        guess = {"F": "FEMALE", "M": "MALE"}.get(text[:1], "")
        reading.error(node, "sex.unreadable", guess, text=node.text())
    return SEXES.get(text, Sex.UNKNOWN)


def _age(subject: Node, reading: _Reading) -> int | None:
    """Return the age in days at the last encounter; None, with an issue, where there is none."""
    encounter = subject.at("timeAtLastEncounter")
    stated = encounter.down("age.iso8601duration")
    old = subject.down("ageAtCollection.age")
    if not stated and old:
        reading.warn(old, "packet.version_1", "timeAtLastEncounter", field="ageAtCollection")
        stated = old
    if stated:
        return _possible(stated, ages.days_of(stated.text()), reading)
    birth, then = subject.at("dateOfBirth"), encounter.at("timestamp")
    if birth and then:
        return _possible(then, ages.days_between(birth.text(), then.text()), reading)
    if encounter.at("gestationalAge"):
        reading.warn(encounter.at("gestationalAge"), "age.before_birth")
    elif encounter.at("ontologyClass") or encounter.at("ageRange"):
        reading.warn(encounter, "age.no_number", "age.iso8601duration")
    else:
        reading.warn(encounter, "age.missing", "age.iso8601duration")
    return None


def _possible(node: Node, days: int | None, reading: _Reading) -> int | None:
    if days is None or days < 0:
        text = node.text()
        reading.error(node, "age.unreadable", ages.meant_by(text), text=text)
        return None
    if ages.too_high(days):
        params = {"text": node.text(), "limit_years": str(MAX_AGE_YEARS)}
        reading.error(node, "age.too_high", **params)
        return None
    return days


def _features(
    listed: Node, codes: FeatureCodes, age_days: int | None, reading: _Reading
) -> Iterator[tuple[Node, Finding]]:
    """Yield what can be read of the features, in order, one finding for each."""
    for node in listed.items():
        if not isinstance(node.value, Mapping):
            reading.error(node, "feature.not_an_object")
            continue
        presence, code = _presence(node, reading), _code(node, codes, reading)
        if presence is not None and code is not None:
            yield (
                node,
                Finding(
                    id=code,
                    presence=presence,
                    severity=_severity(node.down("severity.id"), reading),
                    onset_days=_onset(node.at("onset"), age_days, reading),
                ),
            )


def _code(node: Node, codes: FeatureCodes, reading: _Reading) -> FindingId | None:
    type_id = node.down("type.id")
    if not type_id.text():
        label = node.down("type.label").text()
        reading.error(type_id, "feature.no_type", codes.by_label(label))
        return None
    read: Feature = codes.read(type_id.text(), node.down("type.label").text())
    if read.problem:
        tell = reading.warn if read.id is not None else reading.error
        tell(type_id, read.problem, read.suggestion, **read.params)
    return read.id


def _presence(node: Node, reading: _Reading) -> Presence | None:
    """Return whether the feature was seen; None, with an issue, where nobody can tell."""
    written, old = node.at("excluded"), node.at("negated")
    if old and not written:
        reading.warn(old, "packet.version_1", "excluded", field="negated")
        written = old
    if written.value is None or written.value is False:
        return Presence.PRESENT
    if written.value is True:
        return Presence.EXCLUDED
    reading.error(written, "feature.excluded_unreadable", "true", text=str(written.value))
    return None


def _severity(node: Node, reading: _Reading) -> Severity | None:
    if node.text() and node.text() not in SEVERITIES:
        reading.warn(node, "severity.not_kept", id=node.text())
    return SEVERITIES.get(node.text())


def _onset(node: Node, age_days: int | None, reading: _Reading) -> int | None:
    """Return how many days before the encounter it began; None where that cannot be told."""
    stated = node.down("age.iso8601duration")
    if stated:
        began = ages.days_of(stated.text())
        if began is None:
            text = stated.text()
            reading.error(stated, "onset.unreadable", ages.meant_by(text), text=text)
    else:
        began = 0 if node.down("ontologyClass.id").text() == CONGENITAL else None
    if began is None or age_days is None:
        return None
    if began > age_days:
        reading.error(stated, "onset.after_encounter", days=str(began - age_days))
        return None
    return age_days - began


def _one_each(
    features: list[tuple[Node, Finding]], codes: FeatureCodes, reading: _Reading
) -> tuple[Finding, ...]:
    """Return one finding per code: the observed one where both are stated."""
    kept: dict[FindingId, Finding] = {}
    for node, finding in features:
        known, place = kept.get(finding.id), node.down("type.id")
        if known is None:
            kept[finding.id] = finding
            continue
        same = known.presence is finding.presence
        reading.error(place, "feature.repeated" if same else "feature.contradiction", id=finding.id)
        if finding.presence is Presence.PRESENT and not same:
            kept[finding.id] = finding
        elif same:
            kept[finding.id] = _fuller(known, finding)
    _excluded_kinds(features, kept, codes, reading)
    return tuple(kept.values())


def _fuller(known: Finding, again: Finding) -> Finding:
    """Return a finding stated twice with all that either statement says of it."""
    return replace(
        known,
        severity=known.severity or again.severity,
        onset_days=known.onset_days if known.onset_days is not None else again.onset_days,
    )


def _excluded_kinds(
    features: list[tuple[Node, Finding]],
    kept: Mapping[FindingId, Finding],
    codes: FeatureCodes,
    reading: _Reading,
) -> None:
    """Warn of every exclusion that an observed feature contradicts as one of its kinds."""
    above: dict[FindingId, FindingId] = {}
    for finding in kept.values():
        if finding.presence is Presence.PRESENT:
            for kind in codes.kinds(finding.id):
                above.setdefault(kind, finding.id)
    for node, finding in features:
        if finding.presence is Presence.EXCLUDED and finding.id in above:
            params = {"present": above[finding.id], "excluded": finding.id}
            reading.warn(node.down("type.id"), "feature.excluded_kind", **params)


def _truths(packet: Node, reading: _Reading) -> Iterator[DiseaseId]:
    solved = [
        i.down("diagnosis.disease.id")
        for i in packet.at("interpretations").items()
        if i.at("progressStatus").text().upper() not in UNSOLVED
    ]
    solved = [node for node in solved if node.text()]
    listed = [d for d in packet.at("diseases").items() if d.at("excluded").value is not True]
    for node in solved or [d.down("term.id") for d in listed]:
        prefix, _, number = node.text().partition(":")
        code = f"{_PREFIXES.get(prefix.upper(), prefix.upper())}:{number.strip()}"
        try:
            yield disease_id(code)
        except IdentifierError:
            reading.warn(node, "disease.unreadable", id=node.text())


def _sources(packet: Node) -> Iterator[str]:
    """Yield the papers of the packet: its external references, then what its id names."""
    places = [
        text
        for reference in packet.down("metaData.externalReferences").items()
        for text in (reference.at("id").text(), reference.at("reference").text())
    ]
    for text in (*places, packet.at("id").text()):
        for match in _PMID.finditer(text):
            yield f"PMID:{int(match[1])}"


def _hpo_version(resources: Node, codes: FeatureCodes, reading: _Reading) -> str:
    stated = ""
    for resource in resources.items():
        names = {resource.at(n).text().casefold() for n in ("id", "namespacePrefix")}
        if names & {"hp", "hpo"}:
            stated = resource.at("version").text()
    ours = codes.hpo_version
    if not stated:
        reading.warn(resources, "hpo.not_stated", ours=ours)
    elif stated.strip("v") != ours:
        reading.warn(resources, "hpo.other_version", theirs=stated, ours=ours)
    return stated
