"""The guide for IT tells what the model and the installers hold."""

import re
from pathlib import Path

import pytest

from desktop.settings import declared
from installers.windows.properties import SECURE

GUIDE = (Path(__file__).resolve().parents[3] / "docs" / "guide" / "it.md").read_text("utf-8")


@pytest.mark.parametrize("key", sorted(declared()))
def test_every_setting_is_in_the_guide_with_its_range(key):
    (row,) = re.findall(rf"^\| `{key}` \| (.*) \|", GUIDE, re.MULTILINE)
    kind, policy = declared()[key][1:]
    if kind is int:
        assert row.startswith(f"{policy.low} to {policy.high}")


@pytest.mark.parametrize("name", SECURE)
def test_every_property_of_the_msi_is_in_the_guide(name):
    assert f"`{name}" in GUIDE
