"""Every error has words that say what to do next."""

import importlib
import pkgutil

import pytest

import desktop
import model_bundles
import sync_service.client
from ddx.errors import DdxError
from ddx.intake import issues
from ddx.safety.messages import MESSAGES
from ddx.safety.rules import RULES
from desktop.presenters.reducer import Refusal
from desktop.ui import messages

COMMANDS = "desktop.commands"  # says its own errors, on a terminal
OTHER = (
    "__main__",
    ".authoring",
    ".migrations.",
    "desktop.commands",
)  # never imported by the window
ROOMS = (desktop, model_bundles, sync_service.client)


def every_error(root=DdxError):
    for kind in root.__subclasses__():
        yield kind
        yield from every_error(kind)


@pytest.fixture(scope="module")
def codes():
    for room in ROOMS:
        for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            if not any(part in module.name for part in OTHER):
                importlib.import_module(module.name)
    here = ("ddx", "desktop", "model_bundles", "sync_service")
    kinds = (e for e in every_error() if e.__module__.startswith(here))
    return {e.code for e in kinds if not e.__module__.startswith(COMMANDS)}


def test_every_error_a_clinician_can_meet_has_words(codes):
    generic = messages.refusal(Refusal("no.such.code")).replace("no.such.code", "{}")
    wordless = [c for c in codes if messages.refusal(Refusal(c)) == generic.format(c)]
    assert wordless == []


def test_an_unknown_code_is_shown_with_a_sentence():
    said = messages.refusal(Refusal("disk.melted"))
    assert "disk.melted" in said
    assert "soporte" in said


def test_every_issue_of_a_draft_has_words():
    documented = {
        word.strip(",:")
        for word in issues.__doc__.replace(",", " ").split()
        if word.startswith(("age.", "finding.", "findings.", "vital."))
    }
    assert len(documented) > 15
    assert documented - set(messages._ISSUES) == set()


def test_every_red_flag_has_words():
    assert {rule.code for rule in RULES} <= set(MESSAGES)
