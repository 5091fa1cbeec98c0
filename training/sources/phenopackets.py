"""Published rare-disease cases: phenopacket-store, the 4,917 comparison set, PhenoBrain.

Formats are read as published: GA4GH Phenopacket v2 JSON (phenopacket-schema.readthedocs.io),
one a line; the list of prompt files of the published LLM/Exomiser comparison; PhenoBrain's
`Public_Test_set.json` (pairs of HPO ids and disease codes).
"""

import csv
import gzip
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Final

from ddx.domain.case import DAYS_PER_YEAR, Case, Sex
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import DiseaseId, FindingId, disease_id, finding_id
from ddx.errors import CaseError, DdxError, IdentifierError
from training.sources.published_set import MatchedBy, PacketName, match_published

PHENOPACKETS: Final = "phenopackets/phenopackets.jsonl.gz"
CASE_TABLE: Final = "phenopackets/cases.tsv.gz"
PUBLISHED_SET: Final = "published/ppkts_4917set.txt"
PHENOBRAIN: Final = "phenobrain/phenobrain_Public_Test_set.json"

_PROMPT_SUFFIX: Final = "_en-prompt.txt"
_AGE = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T.*)?")
_PMID_IN_ID = re.compile(r"(?<=_)\d{6,8}(?=_|$)")


class CaseSourceError(DdxError):
    """A file of published cases is missing or does not read as its format says."""

    code: ClassVar[str] = "training.cases_unusable"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledCase:
    """One published patient and what the paper diagnosed.

    truths: the diagnosis; several codes mean the same disease, any of them is right.
    pmid: `PMID:…` of the paper, None where the source names none.
    leaked: the paper also feeds the HPO annotations of the same disease.
    clean: paper neither in the annotations nor in phenopacket-store 0.1.19.
    published: how the case was recognised as one of the 4,917 of the published comparison; None
    when it is not.
    withheld: its paper contributed to that comparison, so it must not tune anything.
    """

    id: str
    case: Case
    truths: tuple[DiseaseId, ...]
    pmid: str | None = None
    leaked: bool = False
    clean: bool = False
    published: MatchedBy | None = None
    withheld: bool = False


def read_phenopackets(folder: Path) -> tuple[LabelledCase, ...]:
    """Return every phenopacket of `folder` (the clinical data sets), in file order.

    `published` goes by `training.sources.published_set`. `withheld` goes by paper: of the cases
    recognised, and of every paper a name of the comparison holds, so that a case of that set
    renamed beyond recognition cannot slip into tuning.

    Raises:
        CaseSourceError: a file is missing or malformed.
    """
    flags = _flags(folder / CASE_TABLE)
    names = _published_names(folder / PUBLISHED_SET)
    packets = [raw["phenopacket"] for raw in _json_lines(folder / PHENOPACKETS)]
    cases = [_labelled(packet, flags) for packet in packets]
    named = [_name(c, packet) for c, packet in zip(cases, packets, strict=True)]
    found = {id_: how for id_, (_, how) in match_published(names, named).items()}
    papers = {f"PMID:{n}" for name in names for n in _PMID_IN_ID.findall(name)}
    papers |= {c.pmid for c in cases if c.pmid and c.id in found}
    return tuple(
        replace(c, published=found.get(c.id), withheld=c.id in found or c.pmid in papers)
        for c in cases
    )


def read_phenobrain(folder: Path) -> tuple[LabelledCase, ...]:
    """Return PhenoBrain's 873 public test cases. For tests only: nothing may be tuned on them.

    Codes outside OMIM and ORPHA (CCRD) are left out of `truths`. Raises CaseSourceError.
    """
    path = folder / PHENOBRAIN
    try:
        pairs = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    return tuple(_phenobrain_case(i, hpo, codes) for i, (hpo, codes) in enumerate(pairs))


def tuning_cases(cases: Iterable[LabelledCase]) -> tuple[LabelledCase, ...]:
    """Return the cases that may tune a model: not published set, not its papers, not clean."""
    return tuple(c for c in cases if not (c.published or c.withheld or c.clean))


def to_case(phenopacket: Mapping[str, Any]) -> Case:
    """Return the patient of a phenopacket as a Case.

    A term both observed and excluded counts as observed. Age is that of the last encounter,
    read as an ISO 8601 duration (years of 365.25 days, months a twelfth of that).

    Raises:
        IdentifierError: a feature without a well-formed HPO id.
        CaseError: an age that is no duration.
    """
    subject = phenopacket.get("subject", {})
    features: dict[FindingId, Presence] = {}
    for feature in phenopacket.get("phenotypicFeatures", ()):
        term = finding_id(feature["type"]["id"])
        excluded = feature.get("excluded", False) and features.get(term) is not Presence.PRESENT
        features[term] = Presence.EXCLUDED if excluded else Presence.PRESENT
    age = subject.get("timeAtLastEncounter", {}).get("age", {}).get("iso8601duration")
    return Case(
        age_days=None if age is None else age_in_days(age),
        sex={"FEMALE": Sex.FEMALE, "MALE": Sex.MALE}.get(subject.get("sex", ""), Sex.UNKNOWN),
        findings=tuple(Finding(id=i, presence=p) for i, p in features.items()),
    )


def age_in_days(duration: str) -> int:
    """Return an ISO 8601 duration such as `P3Y6M` in whole days. Raises CaseError."""
    match = _AGE.fullmatch(duration)
    if match is None or duration == "P":
        raise CaseError(f"not an ISO 8601 age: {duration!r}")
    years, months, weeks, days = (int(part or 0) for part in match.groups())
    return round((years + months / 12) * DAYS_PER_YEAR + 7 * weeks + days)


def _name(labelled: LabelledCase, phenopacket: Mapping[str, Any]) -> PacketName:
    subject = str(phenopacket.get("subject", {}).get("id", ""))
    paper = labelled.pmid.removeprefix("PMID:") if labelled.pmid else None
    return PacketName(labelled.id, subject, paper)


def _labelled(phenopacket: Mapping[str, Any], flags: Mapping[str, dict[str, str]]) -> LabelledCase:
    try:
        row = flags[phenopacket["id"]]
        return LabelledCase(
            id=phenopacket["id"],
            case=to_case(phenopacket),
            truths=(disease_id(row["disease"]),),
            pmid=row["pmid"] or None,
            leaked=row["leak"] == "True",
            clean=row["clean"] == "True",
        )
    except (KeyError, IdentifierError, CaseError) as error:
        raise CaseSourceError(f"phenopacket {phenopacket.get('id')!r}: {error!r}") from error


def _phenobrain_case(number: int, hpo: list[str], codes: list[str]) -> LabelledCase:
    findings = tuple(
        Finding(id=finding_id(h), presence=Presence.PRESENT) for h in dict.fromkeys(hpo)
    )
    return LabelledCase(
        id=f"phenobrain-{number}",
        case=Case(age_days=None, sex=Sex.UNKNOWN, findings=findings),
        truths=tuple(disease_id(c) for c in codes if c.startswith(("OMIM:", "ORPHA:"))),
    )


def _flags(path: Path) -> dict[str, dict[str, str]]:
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
            return {row["id"]: row for row in csv.DictReader(lines, delimiter="\t")}
    except (OSError, EOFError, KeyError) as error:
        raise _unreadable(path, error) from error


def _published_names(path: Path) -> frozenset[str]:
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise _unreadable(path, error) from error
    return frozenset(line.strip().removesuffix(_PROMPT_SUFFIX) for line in lines)


def _json_lines(path: Path) -> Iterator[Any]:
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            yield from map(json.loads, lines)
    except (OSError, EOFError, ValueError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> CaseSourceError:
    return CaseSourceError(f"{path.name} cannot be read ({error}); see training/README.md")
