"""A Case as a phenopacket v2, in the camelCase JSON that every protobuf reader takes.

Findings nobody asked about are left out: a phenopacket knows observed and excluded only. Vital
signs and grades are left out too. Our own findings go out under their own prefix, with a resource
that says whose it is. Nothing a model proposed is written: `truths` is what a clinician concluded.
"""

from collections.abc import Sequence
from typing import Any, Final

from ddx.domain.case import Case, Sex
from ddx.domain.finding import Finding, Presence, Severity
from ddx.domain.identifiers import DiseaseId
from ddx.errors import DdxError
from ddx.phenopackets.ages import duration_of
from ddx.terminology.catalogue import Catalogue, Language

Json = dict[str, Any]

SCHEMA_VERSION: Final = "2.0"
SEX_NAMES: Final = {Sex.FEMALE: "FEMALE", Sex.MALE: "MALE", Sex.UNKNOWN: "UNKNOWN_SEX"}
SEVERITY_TERMS: Final = {
    Severity.MILD: ("HP:0012825", "Mild"),
    Severity.MODERATE: ("HP:0012826", "Moderate"),
    Severity.SEVERE: ("HP:0012828", "Severe"),
}
_OBO: Final = "http://purl.obolibrary.org/obo/"
_RESOURCES: Final = {
    "HP": ("hp", "Human Phenotype Ontology", f"{_OBO}hp.owl", f"{_OBO}HP_"),
    "VF": ("vf", "Vereda findings", "urn:vereda:finding", "urn:vereda:finding:"),
    "OMIM": ("omim", "OMIM", "https://www.omim.org", "https://www.omim.org/entry/"),
    "ORPHA": ("orpha", "Orphanet", "https://www.orpha.net", "http://www.orpha.net/ORDO/Orphanet_"),
    "DECIPHER": ("decipher", "DECIPHER", "https://www.deciphergenomics.org", "urn:decipher:"),
    "VD": ("vd", "Vereda diseases", "urn:vereda:disease", "urn:vereda:disease:"),
}
"""Prefix -> id, name, address and IRI prefix of what it belongs to."""


def write_phenopacket(
    case: Case,
    catalogue: Catalogue,
    *,
    id: str,
    created: str,
    created_by: str,
    vocabulary_version: str,
    truths: Sequence[DiseaseId] = (),
    sources: Sequence[str] = (),
) -> Json:
    """Return the phenopacket of `case`; `json.dumps` of it is the file.

    id: of the packet and its subject; never a name. created: RFC 3339, UTC. created_by: who or
    what wrote it. vocabulary_version: of the bundle, for our own codes. sources: `PMID:…`.

    Raises:
        UnknownFindingError, UnknownDiseaseError: a code the catalogue does not know.
    """
    told = [f for f in case.findings if f.presence is not Presence.UNKNOWN]
    subject: Json = {"id": id, "sex": SEX_NAMES[case.sex]}
    if case.age_days is not None:
        subject["timeAtLastEncounter"] = _age(case.age_days)
    packet: Json = {
        "id": id,
        "subject": subject,
        "phenotypicFeatures": [_feature(f, case.age_days, catalogue) for f in told],
    }
    if truths:
        packet["diseases"] = [{"term": _disease(truth, catalogue)} for truth in truths]
    prefixes = dict.fromkeys(
        ("HP", *(code.partition(":")[0] for code in (*(f.id for f in told), *truths)))
    )
    versions = {"HP": catalogue.ontology.version}
    packet["metaData"] = {
        "created": created,
        "createdBy": created_by,
        "resources": [_resource(p, versions.get(p, vocabulary_version)) for p in prefixes],
        "phenopacketSchemaVersion": SCHEMA_VERSION,
    }
    if sources:
        packet["metaData"]["externalReferences"] = [{"id": source} for source in sources]
    return packet


def _feature(finding: Finding, age_days: int | None, catalogue: Catalogue) -> Json:
    label = catalogue.label(finding.id, Language.EN)
    feature: Json = {"type": {"id": finding.id, "label": label}}
    if finding.presence is Presence.EXCLUDED:
        feature["excluded"] = True
    if finding.severity is not None:
        term, name = SEVERITY_TERMS[finding.severity]
        feature["severity"] = {"id": term, "label": name}
    if finding.onset_days is not None and age_days is not None and finding.onset_days <= age_days:
        feature["onset"] = _age(age_days - finding.onset_days)
    return feature


def _disease(disease: DiseaseId, catalogue: Catalogue) -> Json:
    try:
        return {"id": disease, "label": catalogue.disease_label(disease, Language.EN)}
    except DdxError:
        return {"id": disease, "label": disease}


def _age(days: int) -> Json:
    return {"age": {"iso8601duration": duration_of(days)}}


def _resource(prefix: str, version: str) -> Json:
    resource_id, name, url, iri = _RESOURCES[prefix]
    return {
        "id": resource_id,
        "name": name,
        "url": url,
        "version": version,
        "namespacePrefix": prefix,
        "iriPrefix": iri,
    }
