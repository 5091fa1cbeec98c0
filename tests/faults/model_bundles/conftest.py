"""A publisher and a device."""

import os

import pytest
from support.bundle_workshop import BundleWorkshop


@pytest.fixture(autouse=True)
def _no_waiting_for_the_platter(monkeypatch):
    """A sync shows nothing to the process that asks for it; here it only costs minutes."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture
def workshop(tmp_path):
    return BundleWorkshop(tmp_path / "publisher")


@pytest.fixture
def slots(workshop, tmp_path):
    return workshop.slots(tmp_path / "slots")
