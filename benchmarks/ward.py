"""Published patients through the desktop's services, on an encrypted clinic."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from ddx.domain.case import Case, Sex
from ddx.domain.identifiers import DiseaseId
from ddx.engine import Engine
from ddx.inquiry.interview import with_budget
from ddx.intake.draft import AgeUnit, Draft, DraftFinding
from ddx.terminology.catalogue import Catalogue
from desktop.services.clinic import Clinic
from desktop.services.records import NewPatient
from desktop.services.session import Session
from desktop.services.shelf import DeviceShelf
from training import knowledge
from training.fit.common import split_patients
from training.sources.ddxplus import Patient, Vocabulary, case_of, read_patients
from training.sources.phenopackets import read_phenopackets

PASSPHRASE = "banco de pruebas sin secretos"
RARE_CASES, COMMON_CASES = 40, 400
SEED = 20_261_123


@dataclass(frozen=True, slots=True)
class Labelled:
    """A case and the diseases any of which is right."""

    case: Case
    truths: tuple[DiseaseId, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the clinic answered: 0-based position of the truth (None: not listed), seconds."""

    position: int | None
    seconds: float


@contextmanager
def clinic(folder: Path) -> Iterator[tuple[Clinic, Session]]:
    """Open a fresh encrypted clinic on the default bundle, signed in."""
    made = Clinic(folder, DeviceShelf(folder, Engine.from_artifacts))
    made.create(clinic_name="Banco de pruebas", display_name="Banco", passphrase=PASSPHRASE)
    session = made.sign_in(made.clinicians()[0].id, PASSPHRASE)
    try:
        yield made, session
    finally:
        session.close()


def rare_cases(data: Path, count: int = RARE_CASES, *, unseen: bool = False) -> list[Labelled]:
    """Return published cases that tuned nothing.

    unseen: only those whose paper does not feed the annotations of the same disease; about half
    of their diseases have no annotation at all.
    """
    measured = [
        c
        for c in read_phenopackets(data)
        if (c.published or c.clean) and c.case.present and not (unseen and c.leaked)
    ]
    order = np.random.default_rng(SEED).permutation(len(measured))
    return [Labelled(measured[i].case, measured[i].truths) for i in order[:count]]


def common_cases(data: Path, count: int = COMMON_CASES) -> list[Labelled]:
    """Return DDXPlus patients held out of fitting and calibration, every question answered."""
    patients = read_patients(data)
    held_out = split_patients(patients).test
    order = np.random.default_rng(SEED).permutation(len(held_out))[:count]
    vocabulary = Vocabulary.of(knowledge.findings(), knowledge.diseases())
    return [_labelled(patients[held_out[i]], vocabulary) for i in order]


def visits(cases: Iterable[Labelled]) -> list[Labelled]:
    """Return the same patients with what one visit asks: eight findings seen, six ruled out."""
    rng = np.random.default_rng(SEED)
    return [Labelled(with_budget(c.case, present=8, excluded=6, rng=rng), c.truths) for c in cases]


def _labelled(patient: Patient, vocabulary: Vocabulary) -> Labelled:
    disease = vocabulary.disease_of_condition[patient.condition]
    return Labelled(case_of(patient, vocabulary), (disease,))


def known(case: Case, catalogue: Catalogue) -> Case:
    """Return `case` without terms the bundle's vocabulary lacks (newer HPO, not phenotypes)."""
    return replace(case, findings=tuple(f for f in case.findings if f.id in catalogue))


def see(clinic: Clinic, session: Session, cases: Iterable[Labelled]) -> list[Seen]:
    """Put every case through patient, draft and diagnosis; each is recorded and audited."""
    seen: list[Seen] = []
    for number, labelled in enumerate(cases, start=1):
        patient = session.patients.create(_patient(number, labelled.case))
        opened = session.visits.open_draft(patient.id)
        session.visits.save_draft(opened.id, draft_of(known(labelled.case, clinic.catalogue)))
        started = time.perf_counter()
        record = session.visits.diagnose(opened.id)
        seconds = time.perf_counter() - started
        listed = [c.disease for c in record.differential.candidates]
        right = (i for i, disease in enumerate(listed) if disease in labelled.truths)
        seen.append(Seen(next(right, None), seconds))
    return seen


def draft_of(case: Case) -> Draft:
    """Return the draft a clinician would have typed for `case`."""
    days = "" if case.age_days is None else str(case.age_days)
    return Draft(
        age_text=days or "10000",  # published without an age; an adult of unknown age
        age_unit=AgeUnit.DAYS,
        sex=case.sex,
        findings=tuple(
            DraftFinding(id=f.id, presence=f.presence, grade=f.grade, onset_days=f.onset_days)
            for f in case.findings
        ),
    )


def _patient(number: int, case: Case) -> NewPatient:
    born = date(2026, 11, 23) - timedelta(days=min(case.age_days or 10000, 45_000))
    sex = Sex.FEMALE if case.sex is Sex.UNKNOWN else case.sex
    return NewPatient(
        given_name=f"Paciente {number}", family_name="Prueba", sex=sex, birth_date=born
    )


def recall(seen: Iterable[Seen], first: int) -> float:
    """Return the share of cases whose truth is among the `first` candidates."""
    hits = [s.position is not None and s.position < first for s in seen]
    return sum(hits) / len(hits)
