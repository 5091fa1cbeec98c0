"""The demonstration clinic: three invented people with findings somebody published."""

import csv
import gzip

import pytest

from desktop.services.demo import PASSPHRASE, create_demo_clinic, demo_cases
from desktop.store.errors import StoreExistsError


def test_the_demonstration_clinic_opens_with_three_visits_ready_to_diagnose(new_clinic):
    clinic = new_clinic()
    demo = create_demo_clinic(clinic)
    session = clinic.sign_in(demo.clinician.id, demo.passphrase)
    patients = session.patients.search()
    assert len(patients) == 3
    assert all("demostración" in patient.family_name for patient in patients)
    for patient in patients:
        draft = session.visits.open_draft(patient.id)
        assert draft.draft.findings
        assert session.visits.check(draft.draft) == ()
        assert session.visits.diagnose(draft.id).differential.candidates
    session.close()


def test_a_real_clinic_is_never_replaced_by_the_demonstration(clinic):
    with pytest.raises(StoreExistsError):
        create_demo_clinic(clinic)
    with pytest.raises(Exception, match="sign-in refused"):
        clinic.sign_in(clinic.clinicians()[0].id, PASSPHRASE)


def test_every_case_names_its_source():
    assert all(case["source"]["pmid"].startswith("PMID:") for case in demo_cases())


@pytest.mark.data
def test_the_rare_cases_say_what_their_publication_says(clinical_data):
    with gzip.open(clinical_data / "phenopackets" / "cases.tsv.gz", "rt") as stream:
        published = list(csv.DictReader(stream, delimiter="\t"))
    for case in demo_cases()[:2]:
        matches = [
            row
            for row in published
            if row["pmid"] == case["source"]["pmid"]
            and row["sex"].lower() == case["sex"]
            and row["age"] == f"P{case['age_years']}Y"
            and set(case["present"]) <= set(row["obs"].split())
            and set(case["excluded"]) <= set(row["exc"].split())
        ]
        assert matches, case["source"]
