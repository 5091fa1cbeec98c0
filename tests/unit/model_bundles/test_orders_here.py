"""The safety role's orders and the cohorts of a rollout, on the device."""

from datetime import UTC, datetime, timedelta

import pytest
from support.bundle_workshop import small_members

from model_bundles.client import BundleClient, Device
from model_bundles.embedded import Origin, serving_bundle
from model_bundles.errors import (
    BundleBlockedError,
    BundleExpiredError,
    BundleRollbackError,
    BundleStateError,
)
from model_bundles.floors import FileFloors
from model_bundles.local import LOCAL
from model_bundles.orders import Block, Downgrade, Orders
from model_bundles.rollout import Rollout, cohort
from model_bundles.verify import open_verified
from sync_service.client.updates import Updater, UpdateResult

NOW = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.fixture
def shipped(workshop):
    """2026.11.1, as it came with the application."""
    workshop.publish("2026.11.1")
    folder = workshop.keep()
    return lambda: open_verified(folder, workshop.trust)


@pytest.fixture
def fetcher(workshop):
    return workshop.fetcher()


@pytest.fixture
def client(workshop, fetcher, tmp_path):
    return workshop.client(tmp_path / "device", fetcher=fetcher)


@pytest.fixture
def update(client, slots, shipped):
    """Update as the application does, told what serves now."""

    def run():
        serving = serving_bundle(slots, shipped)
        tested = lambda bundle: bundle.check_every_member()  # noqa: E731
        updater = Updater(client, slots, tested, serving=serving.bundle.release, shipped=shipped())
        return updater.run()

    return run


def serves(slots, shipped):
    serving = serving_bundle(slots, shipped)
    return serving.bundle.version, serving.origin, set(serving.blocked)


def order(workshop, number=1, blocks=(), downgrades=()):
    workshop.writer.order(
        Orders(number=number, issued_at=NOW, blocks=tuple(blocks), downgrades=tuple(downgrades))
    )


def release(workshop, version):
    return workshop.writer.release(version)


def test_a_stopped_model_is_known_at_the_first_contact_and_costs_no_bundle(
    workshop, slots, shipped, update, fetcher
):
    update()
    order(workshop, blocks=[Block(release=release(workshop, "2026.11.1"), model="rare")])
    fetcher.requests.clear()
    report = update()
    assert (report.result, report.orders) == (UpdateResult.UP_TO_DATE, 1)
    assert serves(slots, shipped) == ("2026.11.1", Origin.EMBEDDED, {"rare"})
    assert [u for u in fetcher.requests if "/targets/" in u and "safety" not in u] == []


def test_orders_hold_without_a_link_and_after_a_restart(workshop, slots, shipped, update, tmp_path):
    order(workshop, blocks=[Block(release=release(workshop, "2026.11.1"), model="common")])
    update()
    again = workshop.slots(tmp_path / "slots")
    assert serves(again, shipped)[2] == {"common"}


def test_a_stopped_release_gives_way_to_the_one_before_it(workshop, slots, shipped, update):
    for number in (2, 3):
        workshop.publish(f"2026.11.{number}")
        update()
    order(workshop, blocks=[Block(release=release(workshop, "2026.11.3"))])
    update()
    assert serves(slots, shipped)[:2] == ("2026.11.2", Origin.PREVIOUS)


def test_where_all_is_stopped_the_vocabulary_serves_without_models(
    workshop, slots, shipped, update
):
    order(workshop, blocks=[Block(release=release(workshop, "2026.11.1"))])
    update()
    assert serves(slots, shipped) == ("2026.11.1", Origin.EMBEDDED, {"common", "rare"})


def test_a_stopped_release_is_not_installed(workshop, slots, shipped, update, client):
    offer = workshop.publish("2026.11.2")
    seen = client.offered()
    order(workshop, blocks=[Block(release=offer.release)])
    assert update().result is UpdateResult.UP_TO_DATE
    with pytest.raises(BundleBlockedError):
        client.fetch(seen, slots)
    assert slots.active() is None


def test_a_block_that_is_lifted_lets_the_model_answer_again(workshop, slots, shipped, update):
    order(workshop, blocks=[Block(release=release(workshop, "2026.11.1"), model="rare")])
    update()
    order(workshop, number=2)
    update()
    assert serves(slots, shipped)[2] == set()


def test_a_device_is_sent_back_to_the_previous_release_without_a_download(
    workshop, slots, shipped, update, fetcher
):
    for number in (2, 3):
        workshop.publish(f"2026.11.{number}")
        update()
    back = Downgrade(release=release(workshop, "2026.11.3"), to=release(workshop, "2026.11.2"))
    order(workshop, downgrades=[back])
    fetcher.requests.clear()
    report = update()
    assert (report.result, report.version) == (UpdateResult.SENT_BACK, "2026.11.2")
    assert serves(slots, shipped)[0] == "2026.11.2"
    assert not any("/targets/2026" in url for url in fetcher.requests)
    assert update().result is UpdateResult.UP_TO_DATE  # the channel still offers what it left


def test_a_device_is_sent_back_to_a_release_it_fetches_below_its_floor(
    workshop, slots, shipped, update
):
    for number in (2, 3, 4):
        workshop.publish(f"2026.11.{number}", small_members(common=b"%d" % number * 50))
        update()
    back = Downgrade(release=release(workshop, "2026.11.4"), to=release(workshop, "2026.11.2"))
    order(workshop, downgrades=[back])
    assert update().result is UpdateResult.SENT_BACK
    assert slots.active().read("models/common.onnx") == b"2" * 50
    workshop.publish("2026.11.5")
    assert update().version == "2026.11.5"


def test_a_device_is_sent_back_from_what_ships_to_an_older_release(
    workshop, slots, tmp_path, client
):
    workshop.publish("2026.11.1")
    workshop.publish("2026.11.2")
    folder = workshop.keep()
    ships = lambda: open_verified(folder, workshop.trust)  # noqa: E731
    back = Downgrade(release=release(workshop, "2026.11.2"), to=release(workshop, "2026.11.1"))
    order(workshop, downgrades=[back])
    serving = serving_bundle(slots, ships).bundle.release
    updater = Updater(client, slots, lambda b: None, serving=serving, shipped=ships())
    assert updater.run().result is UpdateResult.SENT_BACK
    assert serves(slots, ships)[:2] == ("2026.11.1", Origin.ACTIVE)


def test_a_channel_alone_still_cannot_send_a_device_back(workshop, slots, shipped, update):
    workshop.publish("2026.11.2")
    update()
    workshop.offer_older("2026.11.1")
    assert update().code == "bundle.rollback"
    assert serves(slots, shipped)[0] == "2026.11.2"


def test_orders_that_were_deleted_here_are_missed_and_come_back(
    workshop, slots, shipped, update, tmp_path
):
    order(workshop, blocks=[Block(release=release(workshop, "2026.11.1"), model="rare")])
    update()
    (tmp_path / "slots" / "orders.json").unlink()
    serving = serving_bundle(slots, shipped)
    assert [type(error) for error in serving.refused] == [BundleStateError]
    update()
    assert serves(slots, shipped)[2] == {"rare"}


def test_older_orders_are_not_taken_over_newer_ones(workshop, slots):
    newer = Orders(number=5, issued_at=NOW)
    slots.take_orders(newer)
    slots.take_orders(Orders(number=4, issued_at=NOW))
    assert slots.orders() == newer


def test_older_orders_are_refused_where_the_newer_ones_are_lost(slots, tmp_path):
    slots.take_orders(Orders(number=5, issued_at=NOW))
    (tmp_path / "slots" / "orders.json").unlink()
    with pytest.raises(BundleRollbackError):
        slots.take_orders(Orders(number=4, issued_at=NOW))


def device_in(share_from, share_to, salt):
    """Return a device whose cohort lies in [from, to)."""
    names = (f"device-{n}" for n in range(10_000))
    return next(name for name in names if share_from <= cohort(name, salt) < share_to)


@pytest.fixture
def offered(workshop, tmp_path, slots):
    def ask(device, site=None):
        client = BundleClient(
            workshop.trust,
            tmp_path / f"state-{device}",
            LOCAL,
            workshop.fetcher(),
            device=None if device is None else Device(device, site),
        )
        found = client.offered(slots)
        return None if found is None else found.version

    return ask


def test_a_rollout_reaches_devices_by_stage_and_the_others_keep_what_they_have(
    workshop, shipped, offered
):
    salt = "2026.11.2"
    early, late = device_in(0, 1000, salt), device_in(2500, 5000, salt)
    workshop.publish("2026.11.2", rollout=Rollout(basis_points=1000, salt=salt))
    assert (offered(early), offered(late), offered(None)) == ("2026.11.2", None, None)
    workshop.writer.offer("2026.11.2", rollout=Rollout(basis_points=5000, salt=salt))
    assert (offered(early), offered(late), offered(None)) == ("2026.11.2", "2026.11.2", None)
    workshop.writer.offer("2026.11.2", rollout=Rollout(basis_points=10_000, salt=salt))
    assert offered(None) == "2026.11.2"


def test_a_rollout_of_one_site_reaches_that_site(workshop, shipped, offered):
    rollout = Rollout(basis_points=10_000, salt="s", sites=frozenset({"puno-3"}))
    workshop.publish("2026.11.2", rollout=rollout)
    assert offered("device-1", "puno-3") == "2026.11.2"
    assert (offered("device-2", "puno-4"), offered("device-3")) == (None, None)


def test_whoever_is_outside_the_cohort_is_offered_the_release_before(workshop, shipped, offered):
    before = workshop.publish("2026.11.2").release
    rollout = Rollout(basis_points=0, salt="s", before=before)
    workshop.publish("2026.11.3", rollout=rollout)
    assert offered("device-1") == "2026.11.2"


def test_a_device_that_took_a_release_keeps_it_when_the_stage_goes_down(
    workshop, slots, shipped, offered, client
):
    before = workshop.publish("2026.11.2").release
    workshop.publish("2026.11.3")
    client.fetch(client.offered(slots), slots)
    slots.activate()
    workshop.writer.offer("2026.11.3", rollout=Rollout(basis_points=0, salt="s", before=before))
    assert offered("device-1") is None
    assert slots.active().version == "2026.11.3"
    workshop.publish("2026.11.4", rollout=Rollout(basis_points=0, salt="t", before=before))
    assert offered("device-1") is None


def clocked(workshop, tmp_path, now, **more):
    from model_bundles.clock import TrustedClock

    floors = FileFloors(tmp_path / "device" / "floors.json")
    clock = TrustedClock(floors, now=lambda: now, **more)
    return BundleClient(
        workshop.trust, tmp_path / "device", LOCAL, workshop.fetcher(), floors=floors, clock=clock
    )


def test_a_clock_set_back_does_not_make_an_expired_repository_fresh(workshop, tmp_path):
    now = datetime.now(UTC)
    workshop.publish("2026.11.1", at=now - timedelta(days=30))
    kept = workshop.keep()
    workshop.renew()
    assert clocked(workshop, tmp_path, now).offered() is not None
    workshop.replay(kept)
    for folder in (tmp_path / "device" / "metadata",):
        for path in folder.glob("*.json"):
            path.unlink()
    back = clocked(workshop, tmp_path, now - timedelta(days=29))
    assert back.clock.behind() > timedelta(days=28)
    with pytest.raises(BundleExpiredError):
        back.offered()


def test_a_clock_before_the_application_was_built_counts_from_there(workshop, tmp_path):
    now = datetime.now(UTC)
    workshop.publish("2026.11.1", at=now - timedelta(days=30))
    client = clocked(workshop, tmp_path, now - timedelta(days=29), built_at=now)
    with pytest.raises(BundleExpiredError):
        client.offered()
    assert clocked(workshop, tmp_path, now - timedelta(days=29)).offered() is not None


def test_a_clock_that_once_ran_ahead_is_not_believed_past_what_was_signed(workshop, tmp_path):
    now = datetime.now(UTC)
    workshop.publish("2026.11.1")
    assert clocked(workshop, tmp_path, now + timedelta(days=2)).offered() is not None
    with pytest.raises(BundleExpiredError):
        clocked(workshop, tmp_path, now + timedelta(days=900)).offered()
    workshop.renew()
    assert clocked(workshop, tmp_path, now).offered() is not None
