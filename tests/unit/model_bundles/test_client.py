import functools
import http.server
import threading
from datetime import UTC, datetime, timedelta

import pytest
from support.bundle_workshop import BundleWorkshop, small_members
from tuf.ngclient import Urllib3Fetcher

from model_bundles import files
from model_bundles.client import BundleClient, Offer
from model_bundles.errors import (
    BundleBusyError,
    BundleExpiredError,
    BundleMalformedError,
    BundleOfflineError,
    BundleRollbackError,
    BundleTamperedError,
    BundleWithdrawnError,
)
from model_bundles.local import LOCAL, LocalFetcher, RepositoryLocation


@pytest.fixture
def fetcher(workshop):
    return workshop.fetcher()


@pytest.fixture
def client(workshop, fetcher, tmp_path):
    return workshop.client(tmp_path / "device", fetcher=fetcher)


def test_an_empty_repository_offers_nothing(client):
    assert client.offered() is None


def test_the_offer_names_release_and_bytes(workshop, client):
    built = workshop.publish("2026.11.1")
    assert client.offered() == Offer("2026.11.1", built.digest, built.stored_bytes)


def test_a_channel_offers_only_its_own_release(workshop, client, tmp_path):
    workshop.publish("2026.11.1")
    workshop.publish("2026.11.2", channel="beta")
    beta = workshop.client(tmp_path / "beta", channel="beta")
    assert (client.offered().version, beta.offered().version) == ("2026.11.1", "2026.11.2")


def test_what_is_fetched_is_what_was_published(workshop, client, slots):
    members = small_members(common=bytes(range(256)) * 100)
    workshop.publish("2026.11.1", members)
    bundle = client.fetch(client.offered(), slots)
    assert {name: bundle.read(name) for name in bundle.members} == members


def test_no_change_costs_two_requests_and_less_than_a_kilobyte(workshop, client, slots, fetcher):
    workshop.publish("2026.11.1")
    client.fetch(client.offered(slots), slots)
    slots.activate()
    fetcher.requests.clear()
    fetcher.received = 0
    assert client.offered(slots) is None
    assert [url.rpartition("/")[2] for url in fetcher.requests] == ["2.root.json", "timestamp.json"]
    assert fetcher.received < 1024


def test_unchanged_members_are_not_fetched_again(workshop, client, slots, fetcher):
    workshop.publish("2026.11.1", small_members(common=bytes(range(256)) * 400))
    client.fetch(client.offered(), slots)
    slots.activate()
    workshop.publish("2026.11.2", small_members(common=bytes(range(256)) * 400, meta=b"new"))
    offer = client.offered(slots)
    fetcher.requests.clear()
    fetcher.received = 0
    client.fetch(offer, slots)
    targets = [url for url in fetcher.requests if "/targets/" in url]
    assert [url.split(".", 3)[-1] for url in targets if "meta" in url] == ["meta.json.zst"]
    assert len(targets) == 2
    assert offer.download_bytes < 4096
    assert fetcher.received <= offer.download_bytes + 1024


def test_progress_ends_at_the_bytes_announced(workshop, client, slots):
    workshop.publish("2026.11.1")
    offer, seen = client.offered(), []
    client.fetch(offer, slots, lambda done, total: seen.append((done, total)))
    assert seen[-1] == (offer.download_bytes, offer.download_bytes)
    assert seen == sorted(seen)


def test_a_clinician_who_cancels_loses_nothing(workshop, client, slots):
    workshop.publish("2026.11.1")

    class CancelledError(Exception):
        pass

    def cancel(done, total):
        raise CancelledError

    with pytest.raises(CancelledError):
        client.fetch(client.offered(), slots, cancel)
    assert slots.staged() is None
    assert client.fetch(client.offered(), slots).version == "2026.11.1"


def test_a_broken_link_resumes_with_the_members_it_has(workshop, client, slots, fetcher):
    members = {name: raw + bytes(range(256)) for name, raw in small_members().items()}
    workshop.publish("2026.11.1", members)
    offer = client.offered(slots)
    fetcher.received, fetcher.break_after = 0, offer.download_bytes // 2
    with pytest.raises(BundleOfflineError) as broken:
        client.fetch(offer, slots)
    assert broken.value.retryable
    fetcher.break_after = None
    assert 0 < client.offered(slots).download_bytes < offer.download_bytes
    assert client.fetch(offer, slots).version == "2026.11.1"


def test_no_link_is_offline_and_retryable(workshop, client, fetcher):
    workshop.publish()
    fetcher.offline = True
    with pytest.raises(BundleOfflineError):
        client.offered()


def test_an_expired_repository_installs_nothing_and_the_active_bundle_serves(
    workshop, client, slots
):
    workshop.publish("2026.11.1")
    workshop.install(slots)
    workshop.publish("2026.11.2")
    offer = client.offered(slots)
    workshop.expire()
    with pytest.raises(BundleExpiredError):
        client.fetch(offer, slots)
    with pytest.raises(BundleExpiredError):
        client.offered()
    assert slots.active().version == "2026.11.1"
    workshop.renew()
    assert client.fetch(client.offered(), slots).version == "2026.11.2"


def test_expired_models_role_installs_nothing(tmp_path):
    workshop = BundleWorkshop(tmp_path)
    workshop.publish(at=datetime.now(UTC) - timedelta(days=500))
    workshop.renew()
    with pytest.raises(BundleExpiredError):
        workshop.client(tmp_path / "device").offered()


def test_a_device_with_another_root_refuses_the_repository(workshop, tmp_path):
    workshop.publish()
    stranger = BundleWorkshop(tmp_path / "stranger")
    client = workshop.client(tmp_path / "device", trust=stranger.trust)
    with pytest.raises(BundleTamperedError):
        client.offered()


def test_a_forged_local_root_is_not_a_way_in(workshop, tmp_path):
    stranger = BundleWorkshop(tmp_path / "stranger")
    stranger.publish("2099.1.1")
    state = tmp_path / "device"
    assert stranger.client(state).offered().version == "2099.1.1"
    workshop.publish("2026.11.1")
    with pytest.raises(BundleTamperedError):
        BundleClient(workshop.trust, state, LOCAL, stranger.fetcher()).offered()


def test_an_old_repository_replayed_is_refused(workshop, client):
    workshop.publish("2026.11.1")
    kept = workshop.keep()
    workshop.publish("2026.11.2")
    client.offered()
    workshop.replay(kept)
    with pytest.raises(BundleRollbackError):
        client.offered()


def test_an_offer_that_is_withdrawn_is_said_to_be(workshop, client, slots):
    workshop.publish("2026.11.1")
    client.offered()
    with pytest.raises(BundleWithdrawnError):
        client.fetch(Offer("2026.11.1", "0" * 64, 0), slots)
    with pytest.raises(BundleWithdrawnError):
        client.fetch(Offer("2026.12.1", "0" * 64, 0), slots)


def test_two_processes_do_not_update_at_once(workshop, client, tmp_path, monkeypatch):
    workshop.publish()
    patient = files.process_lock
    monkeypatch.setattr(files, "process_lock", functools.partial(patient, patience_s=0.1))
    with patient(tmp_path / "device" / "client.lock"), pytest.raises(BundleBusyError):
        client.offered()
    assert client.offered() is not None


def test_endless_data_is_cut_off(workshop, client):
    workshop.publish()
    timestamp = workshop.find("metadata/timestamp.json")
    timestamp.write_bytes(b" " * 100_000)
    with pytest.raises(BundleTamperedError, match="more bytes"):
        client.offered()


def test_an_odd_channel_is_refused_before_any_request(workshop, tmp_path):
    with pytest.raises(BundleMalformedError):
        workshop.client(tmp_path / "device", channel="../stable")


def test_the_local_fetcher_stays_inside_its_folder(workshop, tmp_path):
    (tmp_path / "secret.json").write_text("{}")
    fetcher = LocalFetcher(workshop.repository)
    for address in ("metadata/../../../secret.json", "metadata/%2e%2e/%2e%2e/%2e%2e/secret.json"):
        with pytest.raises(Exception, match="no such file"):
            list(fetcher.fetch(f"repository:///{address}"))
    with pytest.raises(Exception, match="not an address"):
        list(fetcher.fetch((tmp_path / "secret.json").as_uri()))


@pytest.fixture
def web(workshop):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Quiet, directory=str(workshop.repository))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_same_client_installs_over_http(workshop, web, slots, tmp_path):
    built = workshop.publish("2026.11.1")
    location = RepositoryLocation(f"{web}/metadata/", f"{web}/targets/")
    client = BundleClient(workshop.trust, tmp_path / "device", location, Urllib3Fetcher())
    client.fetch(client.offered(), slots)
    assert slots.activate().digest == built.digest
