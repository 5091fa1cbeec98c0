"""Cases of both worlds as the gate is fitted on them."""

import numpy as np
import pytest

from ddx.domain.case import Case, Sex
from ddx.domain.finding import Finding, Presence
from ddx.engine import Engine
from model_bundles.embedded import open_embedded_bundle
from training.pipelines import worlds
from training.sources.phenopackets import LabelledCase

SHOWN = ("HP:0001945", "HP:0012735", "HP:0002315", "HP:0002014", "HP:0002013", "HP:0012378")
DENIED = ("HP:0002094", "HP:0000988")


@pytest.fixture(scope="module")
def engine():
    return Engine.from_artifacts(open_embedded_bundle())


def case():
    shown = (Finding(id=f, presence=Presence.PRESENT) for f in SHOWN)
    denied = (Finding(id=f, presence=Presence.EXCLUDED) for f in DENIED)
    return Case(age_days=12_000, sex=Sex.FEMALE, findings=(*shown, *denied))


def test_every_case_is_seen_whole_and_with_few_findings(engine):
    published = LabelledCase(id="a", case=case(), truths=())
    seen = worlds.rare_answers(engine, [published] * 20, np.random.default_rng(1))
    assert len(seen) == worlds.VIEWS * 20
    assert {a.present for a in seen[::2]} == {len(SHOWN)}
    assert {a.present for a in seen[1::2]} == {1, 2, 3, 4, 5}


def test_common_visits_hold_findings_without_a_column_that_the_rare_model_reads(
    engine, monkeypatch
):
    monkeypatch.setattr(worlds, "UNREAD_VISITS", 0.4)
    seen = worlds.common_answers(engine, [case()] * 30, np.random.default_rng(1))
    unread = [a for a in seen if a.present_read_by_common < a.present]
    assert 0.25 < len(unread) / len(seen) < 0.55
    assert {a.present - a.present_read_by_common for a in unread} == {1, 2}
    for a in unread:
        assert a.present_read_by_rare_only == a.present - a.present_read_by_common
        assert a.present_read_by_rare == a.present


def test_a_finding_without_a_column_moves_no_common_probability(engine, monkeypatch):
    monkeypatch.setattr(worlds, "UNREAD_VISITS", 1.0)
    monkeypatch.setattr(worlds, "UNREAD_FINDINGS", (len(SHOWN), len(SHOWN) + 1))
    only_denied = [
        a
        for a in worlds.common_answers(engine, [case()] * 20, np.random.default_rng(2))
        if a.excluded_read_by_common == len(DENIED)
    ]
    assert len(only_denied) > 1
    assert {a.present_read_by_common for a in only_denied} == {0}
    for a in only_denied[1:]:
        np.testing.assert_array_equal(a.common, only_denied[0].common)
