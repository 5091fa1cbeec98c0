"""A newer bundle comes down over real HTTP: offered, resumed, verified, tested, activated."""

import hashlib
import logging

import httpx
import pytest
from support.bundle_workshop import BundleWorkshop, small_members
from support.cloud_server import cloud_in_thread

from ddx.domain.course import Course
from model_bundles.errors import SelfTestFailedError
from sync_service.client.transport import make_client
from sync_service.client.updates import Updater, UpdateReport, UpdateResult, bundle_client


@pytest.fixture
def workshop(tmp_path):
    shop = BundleWorkshop(tmp_path / "publisher")
    shop.publish("2026.11.1")
    return shop


@pytest.fixture
def cloud(tmp_path, workshop):
    root = tmp_path / "root.json"
    root.write_bytes(workshop.trust.root)
    with cloud_in_thread(tmp_path / "cloud", repository=workshop.repository, root=root) as running:
        yield running


@pytest.fixture
def slots(workshop, tmp_path):
    return workshop.slots(tmp_path / "device" / "slots")


@pytest.fixture
def http(cloud):
    with make_client(cloud.url) as client:
        yield client


@pytest.fixture
def updater(cloud, workshop, slots, tmp_path, http):
    def build(self_test=lambda bundle: bundle.check_every_member(), url=cloud.url):
        client = bundle_client(http, url, workshop.trust, tmp_path / "device" / "state")
        return Updater(client, slots, self_test)

    return build


def test_an_offered_bundle_is_installed_and_then_up_to_date(updater, slots):
    progress = []
    report = updater().run(Course(lambda received, total: progress.append((received, total))))
    assert report == UpdateReport(result=UpdateResult.ACTIVATED, version="2026.11.1")
    assert slots.active().version == "2026.11.1"
    received, total = [told for told in progress if told[1]][-1]
    assert received == total > 0
    assert updater().run().result is UpdateResult.UP_TO_DATE


def test_a_second_release_replaces_the_first_which_stays_for_rollback(updater, workshop, slots):
    updater().run()
    workshop.publish("2026.11.2")
    assert updater().run().version == "2026.11.2"
    assert slots.previous().version == "2026.11.1"


def test_a_bundle_that_fails_its_self_test_does_not_serve_and_is_not_tried_again(
    updater, workshop, slots
):
    updater().run()
    workshop.publish("2026.11.2")

    def fails(bundle):
        raise SelfTestFailedError(3, "rank 1 differs")

    report = updater(fails).run()
    assert report == UpdateReport(
        result=UpdateResult.REFUSED, version="2026.11.2", code="bundle.self_test_failed"
    )
    assert slots.active().version == "2026.11.1"
    assert updater().run().result is UpdateResult.UP_TO_DATE


def test_a_tampered_target_is_refused_and_the_active_bundle_stays(updater, workshop, slots):
    updater().run()
    workshop.publish("2026.11.2", small_members(common=b"another model" * 99))
    workshop.tamper("targets/2026.11.2/models/*common.onnx*")
    report = updater().run()
    assert report.result is UpdateResult.REFUSED
    assert report.code == "bundle.tampered"
    assert slots.active().version == "2026.11.1"


def test_without_a_server_the_clinic_is_offline_and_goes_on(updater, slots):
    updater().run()
    report = updater(url="http://127.0.0.1:9").run()
    assert report.result is UpdateResult.OFFLINE
    assert slots.active().version == "2026.11.1"


def test_the_offer_is_summarised_and_follows_a_new_release(cloud, workshop):
    offer = httpx.get(f"{cloud.url}/bundles/offer").json()
    assert (offer["version"], offer["channel"]) == ("2026.11.1", "stable")
    assert offer["digest"] == workshop.opened().digest
    workshop.publish("2026.11.2")
    assert httpx.get(f"{cloud.url}/bundles/offer").json()["version"] == "2026.11.2"


def test_files_carry_an_etag_and_can_be_asked_for_in_parts(cloud, workshop):
    path = workshop.find("targets/2026.11.1/models/*common.onnx*")
    url = f"{cloud.url}/bundles/{path.relative_to(workshop.repository)}"
    whole = httpx.get(url)
    etag = whole.headers["ETag"]
    assert hashlib.sha256(whole.content).digest() == hashlib.sha256(path.read_bytes()).digest()
    part = httpx.get(url, headers={"Range": "bytes=5-", "If-Range": etag})
    assert (part.status_code, part.content) == (206, whole.content[5:])
    assert httpx.get(url, headers={"If-None-Match": etag}).status_code == 304
    changed = httpx.get(url, headers={"Range": "bytes=5-", "If-Range": '"other"'})
    assert changed.status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "metadata/99.root.json",
        "metadata/../../root.json",
        "targets/%2e%2e/%2e%2e/root.json",
        "targets/..%2f..%2froot.json",
        "metadata/",
    ],
)
def test_what_is_not_in_the_repository_is_not_there(cloud, path):
    answer = httpx.get(f"{cloud.url}/bundles/{path}")
    assert answer.status_code == 404
    assert answer.json()["code"] == "http.404"


def test_a_cloud_without_a_repository_still_syncs_and_says_it_offers_nothing(tmp_path, caplog):
    caplog.set_level(logging.CRITICAL)
    with cloud_in_thread(tmp_path / "cloud", repository=tmp_path / "nowhere") as cloud:
        assert httpx.get(f"{cloud.url}/bundles/offer").status_code == 503
        assert httpx.get(f"{cloud.url}/bundles/metadata/1.root.json").status_code == 404
        ready = httpx.get(f"{cloud.url}/ready")
        assert ready.status_code == 503
        assert (ready.json()["database"], ready.json()["engine"]) == ("ready", "registry.missing")
        assert cloud.code()


class Counting(httpx.BaseTransport):
    """Counts requests and bytes of bodies as they come off the wire, error bodies too."""

    def __init__(self):
        self.inner = httpx.HTTPTransport()
        self.paths, self.body = [], 0

    def handle_request(self, request):
        response = self.inner.handle_request(request)
        content = b"".join(response.stream)
        self.paths.append(request.url.path)
        self.body += len(content)
        return httpx.Response(
            response.status_code, headers=response.headers, stream=httpx.ByteStream(content)
        )


def test_looking_for_a_bundle_when_there_is_none_costs_two_requests_and_a_kilobyte(
    cloud, workshop, slots, tmp_path, record_property
):
    counting = Counting()
    with httpx.Client(transport=counting, base_url=cloud.url) as http:
        client = bundle_client(http, cloud.url, workshop.trust, tmp_path / "device" / "state")
        updater = Updater(client, slots, lambda bundle: bundle.check_every_member())
        assert updater.run().result is UpdateResult.ACTIVATED
        counting.paths, counting.body = [], 0
        assert updater.run().result is UpdateResult.UP_TO_DATE
    record_property("body_bytes", counting.body)
    names = [path.rpartition("/")[2] for path in counting.paths]
    assert names == ["2.root.json", "timestamp.json"]
    assert counting.body <= 1024
