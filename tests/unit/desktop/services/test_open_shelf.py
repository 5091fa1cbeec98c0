"""One builder for the shelf of a real device, whoever opens it."""

import sys

import pytest

from desktop.frozen import self_test_command
from desktop.services import open_shelf as builder
from desktop.settings import Settings
from desktop.terminal import bundle, sync


def test_the_shelf_of_a_device_serves_what_shipped_and_tries_releases_elsewhere(tmp_path):
    shelf = builder.open_shelf(tmp_path, Settings())
    assert shelf.status.source == "default"
    assert shelf.refused == ()
    assert tuple(shelf._trial.command) == self_test_command()


def test_a_frozen_sync_service_lets_the_application_beside_it_try_a_release(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "vereda-sync.exe"))
    assert self_test_command() == (str(tmp_path / "vereda.exe"), "self-test")


@pytest.mark.parametrize(
    "open_with",
    [
        lambda folder: bundle._open_clinic(folder)._shelf,
        lambda folder: sync._real_shelf(folder, Settings()),
    ],
    ids=["vereda bundle", "vereda-sync"],
)
def test_every_command_opens_its_shelf_there(tmp_path, monkeypatch, open_with):
    opened = []

    def record(folder, settings):
        opened.append((folder, settings))
        return opened

    monkeypatch.setattr(builder, "open_shelf", record)
    assert open_with(tmp_path) is opened
    assert opened == [(tmp_path, Settings())]
