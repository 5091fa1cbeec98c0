"""The shelf that loads behind the window."""

import gc
import threading

import pytest

from desktop.app import LoadingShelf
from model_bundles.errors import BundleError


class LoadedShelf:
    engine = "engine"


@pytest.fixture(autouse=True)
def _thaw():
    yield
    gc.unfreeze()


def test_it_says_that_it_loads_until_it_has_loaded():
    may_end = threading.Event()
    shelf = LoadingShelf(lambda: may_end.wait(30) and LoadedShelf())
    assert not shelf.loading
    shelf.start()
    assert shelf.loading
    may_end.set()
    assert shelf.engine == "engine"
    assert not shelf.loading


def test_no_pass_of_the_collector_walks_again_what_was_loaded():
    shelf = LoadingShelf(LoadedShelf)
    gc.unfreeze()
    assert shelf.engine == "engine"
    assert gc.get_freeze_count() > 0


def test_a_bundle_that_cannot_be_used_is_told_to_whoever_asks():
    def load():
        raise BundleError("nothing verifies")

    shelf = LoadingShelf(load)
    with pytest.raises(BundleError):
        _ = shelf.engine
    assert not shelf.loading
