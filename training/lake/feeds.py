"""The sources an hourly run can read, by name: published sets and the drop folders of hospitals.

Cohorts and cases kept for testing never enter: the lake feeds training. So does a share-alike set
stay out unless a lake of its own is made for it (training/README.md, "Data sets").
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Final

from ddx.domain.case import Case
from ddx.domain.identifiers import DiseaseId
from ddx.errors import DdxError
from training.knowledge import diseases, findings
from training.lake.tables import LabelSource
from training.sources import ddxplus
from training.sources.ehr.fhir import read_fhir
from training.sources.ehr.hl7v2 import read_hl7v2
from training.sources.febrile import COUNTED, read_cohort
from training.sources.phenopackets import read_phenopackets, tuning_cases
from training.sources.pseudonyms import Pseudonyms
from training.sources.visits import Visit, published_payload

Feed = Callable[[Path, Pseudonyms], Iterator[Visit]]


class FeedUnknownError(DdxError):
    """No source is called so. The text lists those there are."""

    code: ClassVar[str] = "lake.feed_unknown"


def open_feed(name: str, path: Path, pseudonyms: Pseudonyms, limit: int | None) -> Iterator[Visit]:
    """Return the visits of one source.

    name: a published set (`PUBLISHED`; path: the folder of clinical data sets), or `fhir.<site>`
    and `hl7v2.<site>` (path: a file or drop folder). limit: at most so many.

    Raises:
        FeedUnknownError: no such source.
        DdxError: what the reader of the source raises.
    """
    kind, _, site = name.partition(".")
    if name in PUBLISHED:
        visits = PUBLISHED[name](path, pseudonyms)
    elif kind in _RECORDS and site:
        visits = _RECORDS[kind](path, name, pseudonyms)
    else:
        known = ", ".join((*PUBLISHED, *(f"{kind}.<site>=PATH" for kind in _RECORDS)))
        raise FeedUnknownError(f"no source is called {name!r}; there are: {known}")
    return islice(visits, limit)


def _ddxplus(data: Path, pseudonyms: Pseudonyms) -> Iterator[Visit]:
    """Yield the generated patients, every question answered: about 900 findings each.

    Where the published file states no label it was deduced.
    """
    vocabulary = ddxplus.Vocabulary.of(findings(), diseases())
    for patient in ddxplus.read_patients(data):
        disease = vocabulary.disease_of_condition[patient.condition]
        label = (disease, LabelSource.SYNTHETIC.value, patient.label_source == "gold")
        case = ddxplus.case_of(patient, vocabulary)
        yield _published(
            "ddxplus", str(patient.row), case, (label,), at=_DDXPLUS_AT, pseudonyms=pseudonyms
        )


def _phenopackets(data: Path, pseudonyms: Pseudonyms) -> Iterator[Visit]:
    """Yield the published patients that may tune a model."""
    for found in tuning_cases(read_phenopackets(data)):
        labels = tuple((truth, LabelSource.PUBLISHED.value, True) for truth in found.truths)
        yield _published(
            "phenopackets", found.id, found.case, labels, at=_PHENOPACKETS_AT, pseudonyms=pseudonyms
        )


def _febrile(data: Path, pseudonyms: Pseudonyms) -> Iterator[Visit]:
    """Yield the cohorts that may inform training; those held out for tests stay out."""
    for cohort in COUNTED:
        for patient in read_cohort(data, cohort):
            tested = bool(patient.laboratory)
            source = LabelSource.LABORATORY if tested else LabelSource.PUBLISHED
            labels = tuple((truth, source.value, tested) for truth in patient.truths)
            yield _published(
                "febrile", patient.id, patient.case, labels, at=_FEBRILE_AT, pseudonyms=pseudonyms
            )


def _published(
    source: str,
    id: str,
    case: Case,
    labels: tuple[tuple[DiseaseId, str, bool], ...],
    *,
    at: datetime,
    pseudonyms: Pseudonyms,
) -> Visit:
    visit_id = pseudonyms.record(source, id)
    return Visit(
        id=visit_id,
        visit_id=visit_id,
        source=source,
        clinic=pseudonyms.clinic(source),
        at=at,
        payload=published_payload(visit_id, case, labels),
    )


_DDXPLUS_AT: Final = datetime(2022, 5, 18, tzinfo=UTC)
"""Published patients have no time of visit; their set's publication stands for it (arXiv
2205.09148)."""

_PHENOPACKETS_AT: Final = datetime(2026, 6, 1, tzinfo=UTC)
"""Month of the phenopacket-store release (training/README.md)."""

_FEBRILE_AT: Final = datetime(2020, 1, 1, tzinfo=UTC)
"""Before every visit of a clinic of ours; the line lists give no common date."""

PUBLISHED: Final[Mapping[str, Feed]] = MappingProxyType(
    {"ddxplus": _ddxplus, "phenopackets": _phenopackets, "febrile": _febrile}
)

_RECORDS: Final[Mapping[str, Callable[[Path, str, Pseudonyms], Iterator[Visit]]]] = (
    MappingProxyType({"fhir": read_fhir, "hl7v2": read_hl7v2})
)
