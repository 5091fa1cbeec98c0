"""One patient's visits as FHIR R4 (4.0.1): a collection Bundle for another record system.

Source of every mapping: hl7.org/fhir/R4. What a model said is a RiskAssessment performed by a
Device, labelled AIAST, and never a Condition; a Condition is what a clinician decided, and stays
`provisional`: nothing here confirms a disease. A finding nobody could tell is an Observation with
`dataAbsentReason`, and one that was ruled out has `valueBoolean` false.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from ddx.domain.case import Sex, VitalSigns
from ddx.domain.differential import Candidate
from ddx.domain.feedback import Feedback
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import DiseaseId
from ddx.errors import UnknownDiseaseError, UnknownFindingError
from ddx.phenopackets.write import SEVERITY_TERMS
from ddx.terminology.catalogue import Catalogue, Language
from desktop.store.records import PatientRecord, StoredDiagnosis

Json = dict[str, Any]

CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
ABSENT: Final = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
VERIFICATION: Final = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
CLASS: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
SECURITY: Final = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
LOINC: Final = "http://loinc.org"
UCUM: Final = "http://unitsofmeasure.org"
AI_ASSERTED: Final = {"system": SECURITY, "code": "AIAST"}

SYSTEMS: Final = MappingProxyType(
    {
        "HP": "http://human-phenotype-ontology.org",
        "OMIM": "http://www.omim.org",
        "ORPHA": "http://www.orpha.net",
        "DECIPHER": "https://www.deciphergenomics.org",
        "VF": "urn:vereda:finding",
        "VD": "urn:vereda:disease",
    }
)
"""Prefix of our identifiers -> system of a FHIR coding."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A vital sign as LOINC and UCUM know it."""

    loinc: str
    display: str
    unit: str
    category: str = "vital-signs"


MEASURES: Final = MappingProxyType(
    {
        "temperature_c": Measure("8310-5", "Body temperature", "Cel"),
        "heart_rate_bpm": Measure("8867-4", "Heart rate", "/min"),
        "respiratory_rate_bpm": Measure("9279-1", "Respiratory rate", "/min"),
        "spo2_percent": Measure("59408-5", "Oxygen saturation by pulse oximetry", "%"),
        "systolic_mmhg": Measure("8480-6", "Systolic blood pressure", "mm[Hg]"),
        "diastolic_mmhg": Measure("8462-4", "Diastolic blood pressure", "mm[Hg]"),
        "weight_kg": Measure("29463-7", "Body weight", "kg"),
        "glucose_mg_dl": Measure(
            "41653-7", "Glucose in capillary blood by glucometer", "mg/dL", "laboratory"
        ),
    }
)
"""Source: LOINC 2.77 names, the codes of the FHIR R4 vital signs profiles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One recorded diagnosis with who attended and what was decided."""

    stored: StoredDiagnosis
    attended_by: str
    decisions: tuple[Feedback, ...]


def patient_bundle(
    person: PatientRecord,
    visits: Sequence[Visit],
    catalogue: Catalogue,
    *,
    clinic: str,
    written_at: datetime,
) -> Json:
    """Return the Bundle of `person`: the patient, then each visit, newest first."""
    resources = [_patient(person, clinic)]
    devices: set[str] = set()
    for visit in visits:
        resources += _Writer(person, visit, catalogue).resources(devices)
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": written_at.isoformat(),
        "entry": [
            {"fullUrl": f"urn:vereda:{r['resourceType']}:{r['id']}", "resource": r}
            for r in resources
        ],
    }


def _patient(person: PatientRecord, clinic: str) -> Json:
    gender = {Sex.FEMALE: "female", Sex.MALE: "male"}.get(person.sex, "unknown")
    made: Json = {
        "resourceType": "Patient",
        "id": person.id,
        "name": [{"family": person.family_name, "given": person.given_name.split()}],
        "gender": gender,
        "birthDate": person.birth_date.isoformat(),
        "managingOrganization": {"display": clinic},
    }
    if person.national_id:
        made["identifier"] = [{"system": "urn:vereda:document", "value": person.national_id}]
    return made


class _Writer:
    """The resources of one visit; they point at each other by what the Bundle calls them."""

    def __init__(self, person: PatientRecord, visit: Visit, catalogue: Catalogue) -> None:
        self._visit, self._stored, self._catalogue = visit, visit.stored, catalogue
        self._when = visit.stored.made_at.isoformat()
        self._about = {
            "subject": _to("Patient", person.id),
            "encounter": _to("Encounter", visit.stored.id),
        }
        self._subject = {"subject": _to("Patient", person.id)}

    def resources(self, devices: set[str]) -> Iterator[Json]:
        """Yield them. devices: bundles written already; one that is new is added."""
        yield self._encounter()
        for place, finding in enumerate(self._stored.case.findings):
            yield self._finding(place, finding)
        yield from self._vitals(self._stored.case.vitals)
        digest = self._stored.differential.bundle_digest[:32]
        if digest not in devices:
            devices.add(digest)
            yield self._device(digest)
        yield self._assessment(digest)
        yield self._provenance(digest)
        yield from self._conclusions()

    def _encounter(self) -> Json:
        return {
            "resourceType": "Encounter",
            "id": self._stored.id,
            "identifier": [{"system": "urn:vereda:receipt", "value": self._stored.short_code}],
            "status": "finished",
            "class": {"system": CLASS, "code": "AMB", "display": "ambulatory"},
            **self._subject,
            "participant": [{"individual": {"display": self._visit.attended_by}}],
            "period": {"start": self._when, "end": self._when},
        }

    def _finding(self, place: int, finding: Finding) -> Json:
        made: Json = {
            "resourceType": "Observation",
            "id": f"{self._stored.id}-f{place}",
            "status": "final",
            "category": [_coded(CATEGORY, "exam")],
            "code": {"coding": [self._coding(finding.id)], "text": self._label(finding)},
            **self._about,
            "effectiveDateTime": self._when,
        }
        if finding.presence is Presence.UNKNOWN:
            made["dataAbsentReason"] = _coded(ABSENT, "asked-unknown")
        else:
            made["valueBoolean"] = finding.presence is Presence.PRESENT
        parts = [*_severity(finding), *_grade(finding), *_onset(finding)]
        return {**made, "component": parts} if parts else made

    def _label(self, finding: Finding) -> str:
        try:
            return self._catalogue.label(finding.id, Language.ES)
        except UnknownFindingError:
            return finding.id

    def _coding(self, code: str) -> Json:
        prefix = code.partition(":")[0]
        return {"system": SYSTEMS.get(prefix, f"urn:vereda:{prefix.lower()}"), "code": code}

    def _vitals(self, vitals: VitalSigns) -> Iterator[Json]:
        for vital, measure in MEASURES.items():
            value = getattr(vitals, vital)
            if value is None:
                continue
            yield {
                "resourceType": "Observation",
                "id": f"{self._stored.id}-{vital.replace('_', '-')}",
                "status": "final",
                "category": [_coded(CATEGORY, measure.category)],
                "code": {
                    "coding": [{"system": LOINC, "code": measure.loinc, "display": measure.display}]
                },
                **self._about,
                "effectiveDateTime": self._when,
                "valueQuantity": {
                    "value": value,
                    "unit": measure.unit,
                    "system": UCUM,
                    "code": measure.unit,
                },
            }

    def _device(self, digest: str) -> Json:
        differential = self._stored.differential
        return {
            "resourceType": "Device",
            "id": digest,
            "identifier": [{"system": "urn:vereda:bundle", "value": differential.bundle_digest}],
            "deviceName": [{"name": "Vereda", "type": "user-friendly-name"}],
            "version": [{"value": differential.bundle_version}],
        }

    def _assessment(self, digest: str) -> Json:
        return {
            "resourceType": "RiskAssessment",
            "id": f"{self._stored.id}-list",
            "meta": {"security": [AI_ASSERTED]},
            "identifier": [{"system": "urn:vereda:receipt", "value": self._stored.short_code}],
            "status": "final",
            **self._about,
            "occurrenceDateTime": self._when,
            "performer": _to("Device", digest),
            "prediction": [self._prediction(c) for c in self._stored.differential.candidates],
        }

    def _prediction(self, candidate: Candidate) -> Json:
        """Return one candidate. R4 writes decimals as percentages, 100 at most (ras-2)."""
        return {
            "outcome": self._disease(candidate.disease),
            "probabilityDecimal": round(100 * candidate.probability, 2),
            "rationale": f"{candidate.rank} · {candidate.world.value} · {candidate.band.value}",
        }

    def _disease(self, disease: DiseaseId) -> Json:
        try:
            text = self._catalogue.disease_label(disease, Language.ES)
        except UnknownDiseaseError:
            text = disease
        return {"coding": [self._coding(disease)], "text": text}

    def _provenance(self, digest: str) -> Json:
        return {
            "resourceType": "Provenance",
            "id": f"{self._stored.id}-source",
            "target": [_to("RiskAssessment", f"{self._stored.id}-list")],
            "recorded": self._when,
            "agent": [{"who": _to("Device", digest)}],
            "entity": [
                {
                    "role": "source",
                    "what": {
                        "identifier": {
                            "system": "urn:vereda:receipt-digest",
                            "value": self._stored.receipt_digest,
                        }
                    },
                }
            ],
        }

    def _conclusions(self) -> Iterator[Json]:
        decisions = self._visit.decisions
        if not decisions:
            return
        impression: Json = {
            "resourceType": "ClinicalImpression",
            "id": f"{self._stored.id}-impression",
            "status": "completed",
            **self._about,
            "date": decisions[-1].outcome_at.isoformat(),
            "summary": "; ".join(self._decided(d) for d in decisions),
            "investigation": [
                {
                    "code": {"text": "Vereda"},
                    "item": [_to("RiskAssessment", f"{self._stored.id}-list")],
                }
            ],
        }
        held = [d for d in decisions if d.disease is not None]
        if held:
            impression["finding"] = [{"itemReference": _to("Condition", d.id)} for d in held]
        plans = [{"text": d.plan} for d in decisions if d.plan]
        yield {**impression, "note": plans} if plans else impression
        for decision in held:
            if decision.disease is not None:
                yield self._condition(decision, decision.disease)

    def _condition(self, decision: Feedback, disease: DiseaseId) -> Json:
        return {
            "resourceType": "Condition",
            "id": decision.id,
            "verificationStatus": _coded(VERIFICATION, "provisional"),
            "code": self._disease(disease),
            **self._about,
            "recordedDate": decision.outcome_at.isoformat(),
            "asserter": {"display": self._visit.attended_by},
        }

    def _decided(self, decision: Feedback) -> str:
        said = [decision.verb.value]
        if decision.disease is not None:
            said.append(self._disease(decision.disease)["text"])
        if decision.reason is not None:
            said.append(decision.reason.value)
        return " · ".join(said)


def _to(kind: str, id: str) -> Json:
    return {"reference": f"urn:vereda:{kind}:{id}"}


def _coded(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def _severity(finding: Finding) -> Iterator[Json]:
    if finding.severity is not None:
        term, name = SEVERITY_TERMS[finding.severity]
        coding = {"system": SYSTEMS["HP"], "code": term, "display": name}
        yield {
            "code": {"coding": [{"system": SYSTEMS["HP"], "code": "HP:0012824"}]},
            "valueCodeableConcept": {"coding": [coding]},
        }


def _grade(finding: Finding) -> Iterator[Json]:
    if finding.grade is not None:
        yield {
            "code": {"text": "0-10"},
            "valueQuantity": {"value": finding.grade, "system": UCUM, "code": "{score}"},
        }


def _onset(finding: Finding) -> Iterator[Json]:
    if finding.onset_days is not None:
        yield {
            "code": {"coding": [{"system": SYSTEMS["HP"], "code": "HP:0003674"}]},
            "valueQuantity": {
                "value": finding.onset_days,
                "unit": "d",
                "system": UCUM,
                "code": "d",
            },
        }
