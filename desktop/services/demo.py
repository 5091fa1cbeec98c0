"""The demonstration clinic: encrypted like any other, with three invented people in it.

Their findings are facts from published case descriptions; `demo_cases.json` names the source
of each. The passphrase is public: nobody real belongs in this clinic.
"""

import json
from dataclasses import dataclass, field, replace
from datetime import date
from importlib.resources import files
from typing import Any, Final

from ddx.domain.case import Sex
from ddx.domain.finding import Presence
from ddx.domain.identifiers import finding_id
from ddx.intake.draft import Draft, DraftFinding
from desktop.services.clinic import Clinic
from desktop.services.records import ClinicianCard, NewPatient
from desktop.services.session import Session

CLINIC_NAME: Final = "Centro de salud de demostración"
CLINICIAN_NAME: Final = "Dra. Demostración"
PASSPHRASE: Final = "demostración sin secretos"  # noqa: S105 -- public on purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoClinic:
    """How to enter the demonstration clinic that was just created."""

    clinician: ClinicianCard
    passphrase: str
    recovery_key: str = field(repr=False)


def create_demo_clinic(clinic: Clinic) -> DemoClinic:
    """Create the demonstration clinic with its three unfinished visits.

    Raises:
        StoreExistsError: there is a clinic already; it is not touched.
    """
    recovery_key = clinic.create(
        clinic_name=CLINIC_NAME, display_name=CLINICIAN_NAME, passphrase=PASSPHRASE
    )
    (clinician,) = clinic.clinicians()
    session = clinic.sign_in(clinician.id, PASSPHRASE)
    try:
        for described in demo_cases():
            _admit(session, described, date.today())  # noqa: DTZ011 -- ages are local
    finally:
        session.close()
    return DemoClinic(clinician=clinician, passphrase=PASSPHRASE, recovery_key=recovery_key)


def demo_cases() -> list[dict[str, Any]]:
    """Return the described people: name, sex, age, findings present and excluded, source."""
    text = files("desktop.services").joinpath("demo_cases.json").read_text(encoding="utf-8")
    patients: list[dict[str, Any]] = json.loads(text)["patients"]
    return patients


def _admit(session: Session, described: dict[str, Any], today: date) -> None:
    born = today.replace(year=today.year - described["age_years"], day=1)
    patient = session.patients.create(
        NewPatient(
            given_name=described["given_name"],
            family_name=described["family_name"],
            sex=Sex(described["sex"]),
            birth_date=born,
        )
    )
    opened = session.visits.open_draft(patient.id)
    session.visits.save_draft(opened.id, _with_findings(opened.draft, described))


def _with_findings(draft: Draft, described: dict[str, Any]) -> Draft:
    lines = [
        DraftFinding(id=finding_id(text), presence=presence)
        for presence, key in ((Presence.PRESENT, "present"), (Presence.EXCLUDED, "excluded"))
        for text in described[key]
    ]
    return replace(draft, findings=tuple(lines))
