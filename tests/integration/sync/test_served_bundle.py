"""The cloud with the bundle that ships: it answers as the engine does, and a device installs it."""

import logging

import pytest
from support.cloud_server import Clinic, cloud_in_thread, wait_until
from support.sync_records import PSEUDONYM, a_known_case, a_visit

from cloud_api.app import default_engine
from ddx.domain.wire import case_to_json, differential_to_json
from ddx.engine import Engine
from model_bundles import selftest
from model_bundles.embedded import embedded_trust, open_embedded_bundle
from model_bundles.slots import Slots
from sync_service.client.updates import Updater, UpdateResult, bundle_client


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    with cloud_in_thread(tmp_path_factory.mktemp("cloud"), open_engine=default_engine) as running:
        wait_until(lambda: running.app.state.diagnosis.state != "loading", 60)
        yield running


def test_the_cloud_answers_as_the_engine_of_the_same_bundle(cloud):
    clinic, case = Clinic(cloud.url).enrol(cloud.code()), a_known_case()
    answer = clinic.ask("/predict", {"case": case_to_json(case), "limit": 20})
    bundle = open_embedded_bundle()
    own = Engine.from_artifacts(bundle).diagnose(case, 20)
    assert answer.json()["differential"] == differential_to_json(own)
    assert answer.json()["bundle_digest"] == bundle.digest


def test_a_device_installs_the_served_bundle_after_its_golden_cases(cloud, tmp_path):
    slots = Slots(tmp_path / "slots", embedded_trust())
    clinic = Clinic(cloud.url)
    client = bundle_client(clinic.http, cloud.url, embedded_trust(), tmp_path / "state")
    updater = Updater(client, slots, lambda b: selftest.run(b, Engine.from_artifacts))
    report = updater.run()
    assert report.result is UpdateResult.ACTIVATED
    assert slots.active().digest == open_embedded_bundle().digest


def test_nothing_of_a_patient_is_logged_on_either_side(cloud, caplog):
    with caplog.at_level(logging.DEBUG):
        clinic = Clinic(cloud.url).enrol(cloud.code())
        case = case_to_json(a_known_case())
        clinic.ask("/predict", {"case": case})
        clinic.ask("/predict", {"case": case | {"sex": "banana"}})
        visit, _ = a_visit()
        for kind, payload in visit:
            clinic.outbox.add(payload, kind)
        clinic.outbox.add(visit[0][1] | {"name": "Zenobia Quispe"})
        clinic.push()
        assert clinic.outbox.counts().acknowledged == 3
    assert caplog.text
    for secret in (PSEUDONYM, case["findings"][0]["id"], "OMIM:", "Zenobia", "banana", "38.5"):
        assert secret not in caplog.text
