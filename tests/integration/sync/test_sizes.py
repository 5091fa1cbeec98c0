"""What a visit costs on the wire."""

import logging
import random

import httpx
from support.cloud_server import Clinic, cloud_in_thread
from support.sync_records import a_visit

log = logging.getLogger(__name__)

VISITS = 50
BAR_BYTES = 2048  # issue bar: diagnosis, feedback and audit of one visit in a batch of 50


def test_a_visit_costs_less_than_two_kilobytes_up_and_down(tmp_path, record_property):
    dice, last = random.Random(3), None
    sent = received = 0

    def count(response):
        nonlocal sent, received
        sent += len(response.request.content)
        received += int(response.headers["Content-Length"])

    with cloud_in_thread(tmp_path / "cloud") as cloud:
        clinic = Clinic(cloud.url).enrol(cloud.code())
        clinic.http.event_hooks = {"response": [count]}
        for _ in range(VISITS):
            events, last = a_visit(dice, last)
            for kind, payload in events:
                clinic.outbox.add(payload, kind)
        clinic.push()
        stored = httpx.get(f"{cloud.url}/ready").json()["stored_events"]
    assert stored == 3 * VISITS
    record_property("bytes_up_per_visit", sent / VISITS)
    record_property("bytes_down_per_visit", received / VISITS)
    log.info("one visit: %.0f bytes up, %.0f bytes down", sent / VISITS, received / VISITS)
    assert sent / VISITS <= BAR_BYTES
    assert received / VISITS <= BAR_BYTES / 4
