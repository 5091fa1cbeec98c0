"""What the use cases ask of an engine, the real one and both that stand in for it in tests do."""

import pytest
from support.tiny_engine import TinyEngine
from support.ward_engine import WardEngine

from ddx.engine import Engine
from desktop.services.engines import DiagnosticEngine
from model_bundles.embedded import open_embedded_bundle

ASKED = {name for name in vars(DiagnosticEngine) if not name.startswith("_")}


def shipped():
    return Engine.from_artifacts(open_embedded_bundle())


@pytest.mark.parametrize("made", [shipped, TinyEngine, WardEngine])
def test_an_engine_does_all_that_is_asked_of_it(made):
    engine = made()
    assert {name for name in ASKED if not hasattr(engine, name)} == set()


def test_more_than_a_few_things_are_asked():
    assert {"diagnose", "explain", "search", "warm"} <= ASKED
