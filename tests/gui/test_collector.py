"""Cyclic garbage is collected on the GUI thread and nowhere else."""

import gc
import threading

import pytest
from PySide6.QtCore import QObject
from shiboken6 import delete

from desktop.ui.collector import Collector


class Knot:
    """Refers to itself; tells on which thread it was untied."""

    def __init__(self, untied):
        self.itself, self._untied = self, untied

    def __del__(self):
        self._untied.append(threading.current_thread())


def tie(untied, count=2_000):
    for _ in range(count):
        Knot(untied)


@pytest.fixture
def busy():
    return []


@pytest.fixture
def collector(qapp, busy):
    owner = QObject()
    made = Collector(owner, lambda: bool(busy))
    yield made
    delete(owner)
    gc.unfreeze()
    gc.collect()


def test_what_a_worker_leaves_is_collected_on_the_gui_thread(collector, qtbot):
    untied = []
    worker = threading.Thread(target=tie, args=(untied,))
    worker.start()
    worker.join()
    assert untied == []
    qtbot.waitUntil(lambda: len(untied) == 2_000)
    assert set(untied) == {threading.main_thread()}


def test_nothing_is_collected_while_a_bundle_is_loaded(collector, busy):
    untied = []
    busy.append("loading")
    tie(untied)
    collector.look()
    assert untied == []
    busy.clear()
    collector.look()
    assert len(untied) == 2_000


def test_a_few_objects_are_not_worth_a_pass(collector):
    gc.collect()
    untied = []
    tie(untied, count=5)
    collector.look()
    assert untied == []


def test_python_collects_by_itself_again_afterwards(qapp):
    owner = QObject()
    Collector(owner, lambda: False)
    assert not gc.isenabled()
    delete(owner)
    assert gc.isenabled()
    gc.unfreeze()
