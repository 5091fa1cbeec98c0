"""The shelf leaves a release that fails where it stands, and works without a stopped model."""

import json
from shutil import copytree
from typing import ClassVar

import pytest
from support.bundle_workshop import BundleWorkshop
from support.tiny_engine import TinyEngine, tiny_members
from unit.model_bundles.test_orders_here import NOW

from ddx.domain.case import Case, Sex
from ddx.errors import CaseError, ModelError
from desktop.services.floors import StoreFloors
from desktop.services.shelf import DeviceShelf
from model_bundles.floors import FileFloors, JoinedFloors
from model_bundles.health import MAX_FAILURES, MAX_LOADS
from model_bundles.orders import Block, Orders, write_orders
from model_bundles.slots import Slots
from model_bundles.verify import open_verified

CASE = Case(age_days=365, sex=Sex.FEMALE, findings=())


@pytest.fixture
def workshop(tmp_path):
    workshop = BundleWorkshop(tmp_path / "publisher")
    workshop.publish("2026.11.1", tiny_members())
    return workshop


@pytest.fixture
def shipped(workshop, tmp_path):
    folder = copytree(workshop.repository, tmp_path / "shipped")
    return lambda: open_verified(folder, workshop.trust)


@pytest.fixture
def slots(tmp_path, workshop):
    return Slots(tmp_path / "bundles", workshop.trust)


@pytest.fixture
def installed(workshop, slots, shipped):
    """2026.11.2 and then 2026.11.3 were installed."""
    for number in (2, 3):
        workshop.publish(
            f"2026.11.{number}", tiny_members() | {"card/model_card.json": b"%d" % number}
        )
        workshop.install(slots)
    return slots


class Fragile(TinyEngine):
    """Raises what is planted for a version when it is loaded or asked."""

    on_load: ClassVar[dict] = {}
    on_ask: ClassVar[dict] = {}

    @classmethod
    def from_artifacts(cls, artifacts):
        if artifacts.version in cls.on_load:
            raise cls.on_load[artifacts.version]
        return cls(artifacts=artifacts)

    def diagnose(self, case, limit=50):
        if self.version in self.on_ask and case.age_days != 365:
            raise self.on_ask[self.version]
        return super().diagnose(case, limit)


@pytest.fixture
def fragile():
    return type("Planted", (Fragile,), {"on_load": {}, "on_ask": {}})


@pytest.fixture
def opened(tmp_path, workshop, shipped, fragile):
    def build():
        return DeviceShelf(
            tmp_path, fragile.from_artifacts, trust=workshop.trust, open_embedded=shipped
        )

    return build


def test_a_sound_release_serves_and_nothing_is_counted(installed, opened):
    found = opened()
    assert (found.status.version, found.status.reverted, found.refused) == ("2026.11.3", False, ())
    assert found.engine.diagnose(CASE).bundle_version == "2026.11.3"
    assert installed.health(installed.active_release()).loads == 0


@pytest.mark.parametrize("error", [ModelError("x"), MemoryError(), RuntimeError("of a library")])
def test_a_release_that_cannot_be_loaded_is_left_for_the_one_before(
    installed, opened, fragile, error
):
    fragile.on_load["2026.11.3"] = error
    found = opened()
    assert (found.status.version, found.status.reverted) == ("2026.11.2", True)
    assert found.refused == ("bundle.reverted",)
    assert installed.active_release().version == "2026.11.2"
    fragile.on_load.clear()
    assert opened().status.version == "2026.11.2"


def test_a_golden_case_that_differs_at_start_is_left_at_once(
    installed, opened, fragile, monkeypatch
):
    right = fragile._weight
    monkeypatch.setattr(fragile, "diagnose", wrong_for("2026.11.3", fragile.diagnose))
    found = opened()
    assert (found.status.version, found.refused) == ("2026.11.2", ("bundle.self_test_failed",))
    assert right is fragile._weight


def wrong_for(version, diagnose):
    def wrong(self, case, limit=50):
        made = diagnose(self, case, limit)
        if self.version == version:
            return type(made)(**{**_fields(made), "candidates": made.candidates[::-1]})
        return made

    return wrong


def _fields(made):
    return {name: getattr(made, name) for name in made.__dataclass_fields__}


def test_a_release_that_ended_the_process_while_loading_is_not_loaded_a_third_time(
    installed, opened, fragile
):
    class PowerCutError(BaseException):
        pass

    fragile.on_load["2026.11.3"] = PowerCutError()
    for _ in range(MAX_LOADS):
        with pytest.raises(PowerCutError):
            opened()
    assert opened().status.version == "2026.11.2"


def test_diagnoses_that_fail_in_a_row_are_reverted_while_the_clinic_works(
    installed, opened, fragile
):
    found = opened()
    fragile.on_ask["2026.11.3"] = RuntimeError("of a library")
    other = Case(age_days=400, sex=Sex.FEMALE, findings=())
    for _ in range(MAX_FAILURES):
        with pytest.raises(RuntimeError):
            found.engine.diagnose(other)
    assert found.status.version == "2026.11.2"
    assert found.engine.diagnose(other).bundle_version == "2026.11.2"


def test_failures_with_answers_between_them_are_not_in_a_row(installed, opened, fragile):
    found = opened()
    fragile.on_ask["2026.11.3"] = ModelError("now and then")
    other = Case(age_days=400, sex=Sex.FEMALE, findings=())
    for _ in range(MAX_FAILURES + 1):
        with pytest.raises(ModelError):
            found.engine.diagnose(other)
        found.engine.diagnose(CASE)
    assert found.status.version == "2026.11.3"


def test_a_case_that_is_wrong_itself_is_no_failure_of_the_release(installed, opened, fragile):
    found = opened()
    fragile.on_ask["2026.11.3"] = CaseError("not a case")
    other = Case(age_days=400, sex=Sex.FEMALE, findings=())
    for _ in range(MAX_FAILURES + 1):
        with pytest.raises(CaseError):
            found.engine.diagnose(other)
    assert found.status.version == "2026.11.3"


def test_where_every_installed_release_fails_what_ships_serves(installed, opened, fragile):
    fragile.on_load.update({f"2026.11.{n}": ModelError("x") for n in (2, 3)})
    found = opened()
    assert (found.status.version, found.status.source) == ("2026.11.1", "default")
    assert installed.active_release() is None


def test_what_ships_and_is_wrong_here_serves_its_vocabulary_without_models(
    workshop, tmp_path, fragile, opened, monkeypatch
):
    monkeypatch.setattr(fragile, "diagnose", wrong_for("2026.11.1", fragile.diagnose))
    found = opened()
    assert found.status.blocked == ("common", "rare")
    assert found.engine.diagnose(CASE).candidates == ()
    assert found.engine.catalogue.label("HP:0001945")


def test_a_stopped_model_does_not_answer_and_the_differential_says_so(slots, opened, workshop):
    shipped = workshop.writer.release("2026.11.1")
    slots.take_orders(
        Orders(number=1, issued_at=NOW, blocks=(Block(release=shipped, model="rare"),))
    )
    found = opened()
    made = found.engine.diagnose(CASE)
    assert (found.status.blocked, made.blocked) == (("rare",), ("rare",))
    assert {c.world for c in made.candidates} == {"common"}


def test_the_floors_of_the_files_reach_the_store_and_come_back_from_it(
    clinic, session, installed, opened, tmp_path
):
    """Also the first start after an update of the application: the store held no floors."""
    kept = StoreFloors(session._desk.store)
    assert kept.read() == {}
    found = opened()
    found.remember(kept)
    assert kept.read()["bundle"] == (2026, 11, 3)
    path = tmp_path / "bundles" / "floors.json"
    path.write_bytes(b"cut short")
    found.remember(kept)
    assert FileFloors(path).read()["bundle"] == (2026, 11, 3)
    path.unlink()
    found.remember(kept)
    assert FileFloors(path).read()["bundle"] == (2026, 11, 3)


@pytest.fixture
def stopped(clinic, session, workshop, slots, tmp_path):
    """The shipped release's rare model was stopped, while the store was open."""
    kept = StoreFloors(session._desk.store)
    floors = JoinedFloors(FileFloors(tmp_path / "bundles" / "floors.json"), kept)
    shipped = workshop.writer.release("2026.11.1")
    block = Block(release=shipped, model="rare")
    Slots(tmp_path / "bundles", workshop.trust, floors, kept).take_orders(
        Orders(number=5, issued_at=NOW, blocks=(block,))
    )
    return kept


def deleted(folder):
    (folder / "orders.json").unlink()
    (folder / "floors.json").unlink()


def older(folder):
    deleted(folder)
    (folder / "orders.json").write_bytes(write_orders(Orders(number=4, issued_at=NOW)))


def forged(folder):
    (folder / "orders.json").write_bytes(write_orders(Orders(number=99, issued_at=NOW)))


def unreadable(folder):
    (folder / "orders.json").write_bytes(b"cut")


@pytest.mark.parametrize("harm", [deleted, older, forged, unreadable])
def test_what_was_stopped_is_stopped_again_at_sign_in_whatever_the_files_say(
    stopped, opened, tmp_path, harm
):
    harm(tmp_path / "bundles")
    found = opened()
    assert found.status.blocked == ()
    found.remember(stopped)
    assert found.status.blocked == ("rare",)
    assert {c.world for c in found.engine.diagnose(CASE).candidates} == {"common"}
    again = opened()
    assert (again.status.blocked, again.refused) == (("rare",), ())


def test_orders_as_they_should_be_load_nothing_anew(stopped, opened):
    found = opened()
    engine = found.engine
    found.remember(stopped)
    assert found.engine is engine


def test_forged_orders_do_not_keep_real_ones_out(stopped, workshop, slots, tmp_path):
    """Whoever can change the file names a number no real orders reach for years."""
    forged(tmp_path / "bundles")
    floors = JoinedFloors(FileFloors(tmp_path / "bundles" / "floors.json"), stopped)
    real = Orders(number=6, issued_at=NOW)
    known = Slots(tmp_path / "bundles", workshop.trust, floors, stopped)
    known.take_orders(real)
    assert (known.orders(), stopped.orders()) == (real, write_orders(real))


@pytest.mark.parametrize("number", [5, 99])
def test_a_store_from_before_it_kept_orders_learns_them_at_the_next_contact(
    session, workshop, slots, tmp_path, number
):
    """number: of those in the file; the floors in the store vouch for 5 and no more."""
    slots.take_orders(Orders(number=5, issued_at=NOW))
    kept = StoreFloors(session._desk.store)
    floors = JoinedFloors(FileFloors(tmp_path / "bundles" / "floors.json"), kept)
    floors.heal()
    file = tmp_path / "bundles" / "orders.json"
    file.write_bytes(write_orders(Orders(number=number, issued_at=NOW)))
    known = Slots(tmp_path / "bundles", workshop.trust, floors, kept)
    assert (known.recall_orders(), kept.orders()) == (False, None)
    read = Orders(number=5, issued_at=NOW)
    known.take_orders(read)
    assert (known.orders(), kept.orders()) == (read, write_orders(read))


def test_a_store_with_damaged_floors_is_said_to_have_them(session):
    with session._desk.store.write() as unit:
        unit.settings.put("bundles.floors", json.dumps([1]))
    from model_bundles.errors import BundleStateError

    with pytest.raises(BundleStateError):
        StoreFloors(session._desk.store).read()
