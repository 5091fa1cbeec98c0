"""The disk refuses, or the power goes, at every single step of an update."""

import itertools
import os
import shutil
from pathlib import Path

import pytest
from support.bundle_workshop import small_members

from model_bundles.errors import BundleError, BundleStorageError
from model_bundles.slots import Slots

NEWER = small_members(common=b"newer", meta=b"newer too")


class DiskFault:
    """Lets `allowed` writes, renames and syncs pass, then refuses every one after."""

    def __init__(self, monkeypatch, allowed):
        self.left = allowed
        for owner, name in ((os, "fsync"), (os, "replace"), (Path, "replace"), (shutil, "rmtree")):
            monkeypatch.setattr(owner, name, self.guard(getattr(owner, name)))

    def guard(self, real):
        def step(*args, **kwargs):
            if self.left <= 0:
                raise OSError(28, "No space left on device")
            self.left -= 1
            return real(*args, **kwargs)

        return step


def served(slots):
    return {name: slots.active().read(name) for name in slots.active().members}


def finish(workshop, slots, state):
    """Update once more, unless the switch had already happened."""
    if slots.active().version == "2026.11.1":
        workshop.install(slots, state)


@pytest.fixture
def device(workshop, slots, tmp_path):
    """2026.11.1 is active, 2026.11.2 is offered."""
    workshop.publish("2026.11.1")
    workshop.install(slots, tmp_path / "device")
    workshop.publish("2026.11.2", NEWER)
    return tmp_path


@pytest.mark.slow
def test_a_disk_that_fails_at_any_step_leaves_exactly_one_valid_active_bundle(
    workshop, device, monkeypatch
):
    for allowed in itertools.count():
        here = device / f"try-{allowed}"
        here.mkdir()
        shutil.copytree(device / "device", here / "device", symlinks=True)
        shutil.copytree(device / "slots", here / "slots")
        slots = Slots(here / "slots", workshop.trust)
        with monkeypatch.context() as patch:
            DiskFault(patch, allowed)
            try:
                workshop.install(slots, here / "device")
                finished = True
            except BundleStorageError:
                finished = False
        now = served(Slots(here / "slots", workshop.trust))
        assert now in (small_members(), NEWER)
        if finished:
            assert now == NEWER
            break
        finish(workshop, slots, here / "device")
        assert served(slots) == NEWER
        shutil.rmtree(here)
    assert allowed > 30


def test_staging_again_and_failing_never_leaves_half_a_release_staged(
    workshop, device, monkeypatch
):
    slots = Slots(device / "slots", workshop.trust)
    client = workshop.client(device / "device")
    offer = client.offered()
    for allowed in itertools.count():
        client.fetch(offer, slots)
        with monkeypatch.context() as patch:
            DiskFault(patch, allowed)
            try:
                client.fetch(offer, slots)
                break
            except BundleStorageError:
                staged = Slots(device / "slots", workshop.trust).staged()
        if staged is not None:
            staged.check_every_member()
    assert slots.staged().version == "2026.11.2"


def test_a_rollback_that_fails_at_any_step_leaves_one_of_the_two(workshop, device, monkeypatch):
    slots = Slots(device / "slots", workshop.trust)
    workshop.install(slots, device / "device")
    for allowed in itertools.count():
        with monkeypatch.context() as patch:
            DiskFault(patch, allowed)
            try:
                slots.rollback()
                break
            except BundleStorageError:
                assert served(slots) in (small_members(), NEWER)
        if slots.active().version == "2026.11.1":
            break
    assert served(slots) == small_members()


def test_a_read_only_disk_is_a_storage_error_and_serving_goes_on(workshop, device, monkeypatch):
    slots = Slots(device / "slots", workshop.trust)
    with monkeypatch.context() as patch:
        DiskFault(patch, 0)
        with pytest.raises(BundleError) as refusal:
            workshop.install(slots, device / "device")
        assert refusal.value.retryable
        assert served(slots) == small_members()
