"""Interviews with the engine that ships: answers from the record, in three orders."""

from dataclasses import replace

import numpy as np
import pytest

from ddx.domain.identifiers import DiseaseId
from ddx.engine import Engine
from ddx.features.encode import EXCLUDED, PRESENT, UNKNOWN, CaseTable, encode
from ddx.inquiry.askable import askable
from ddx.inquiry.effort import FULL
from ddx.terminology.catalogue import FindingKind
from model_bundles.embedded import open_embedded_bundle
from training.evaluate.interview import (
    RARE,
    UNRANKED,
    Trace,
    firsts,
    interview,
    last_figures,
    orders_of,
    share,
    stop_line,
    table,
    to_json,
)
from training.evaluate.panel import Panel

DISEASES = tuple(
    DiseaseId(d)
    for d in ("VD:inguinal-hernia", "VD:influenza", "VD:urti", "VD:dengue", "VD:pneumonia")
)
HERNIA = 0


def silent(_line):
    pass


@pytest.fixture(scope="module")
def panel():
    return Panel(Engine.from_artifacts(open_embedded_bundle()))


@pytest.fixture(scope="module")
def known_diseases(panel):
    return [d for d in DISEASES if d in panel.engine.common.diseases]


def records(panel, diseases, ages, females):
    """Patients with what at least half the training patients of a disease have, no more."""
    usual = panel.bank.frequency[[panel.engine.common.diseases.index(d) for d in diseases]]
    columns = list(panel.engine.common.schema.positions.values())
    presence = np.where(usual[:, columns] >= 0.5, PRESENT, EXCLUDED).astype(np.int8)
    graded = [panel.engine.catalogue.term(f).kind is FindingKind.GRADED for f in panel.findings]
    grade = np.where((presence == PRESENT) & graded, 5.0, np.nan).astype(np.float32)
    return CaseTable(
        age_days=np.array(ages, dtype=np.float64),
        female=np.array(females, dtype=np.float32),
        findings=panel.findings,
        presence=presence,
        grade=grade,
    )


@pytest.fixture(scope="module")
def visits(panel, known_diseases):
    n = len(known_diseases)
    record = records(panel, known_diseases, np.linspace(2000, 30_000, n), np.arange(n) % 2)
    truth = np.array([panel.engine.common.diseases.index(d) for d in known_diseases])
    made = panel.visits(record, truth, np.random.default_rng(2))
    made.opening[HERNIA] = panel.findings.index("VF:pain")
    return made


@pytest.fixture(scope="module")
def orders(panel):
    n = len(panel.engine.common.diseases)
    return orders_of(panel, np.full(n, 1.0 / n))


@pytest.fixture(scope="module")
def adaptive(panel, visits, orders):
    return interview(panel, visits, orders["adaptive"], 8, silent)


def test_a_visit_opens_with_one_symptom_only(panel, visits, adaptive):
    assert ((adaptive.told[0] != UNKNOWN).sum(axis=1) == 1).all()
    said = [panel.engine.catalogue.term(panel.findings[i]) for i in visits.opening]
    assert not any(term.antecedent for term in said)


def test_what_is_told_is_what_the_record_holds(visits, adaptive):
    known = adaptive.told[-1] != UNKNOWN
    np.testing.assert_array_equal(adaptive.told[-1][known], visits.record.presence[known])


def test_only_what_the_record_answers_is_put_when_wanted(panel, visits, orders):
    presence = visits.record.presence.copy()
    presence[:, ::2] = UNKNOWN
    presence[np.arange(len(visits)), visits.opening] = PRESENT
    silent_half = replace(visits, record=replace(visits.record, presence=presence))
    silence = panel.silent(silent_half)
    assert 0 < silence.mean() < 1
    assert not panel.silent(visits).any()
    in_vain = interview(panel, silent_half, orders["adaptive"], 6, silent, ranked=()).told
    told = interview(
        panel, silent_half, orders["adaptive"], 6, silent, ranked=(), answered=True
    ).told
    brought = (told != UNKNOWN).sum(axis=2)
    assert (np.diff(brought, axis=0) > 0).all()
    assert (in_vain[-1] != UNKNOWN).sum() < brought[-1].sum()


@pytest.mark.parametrize("name", ["adaptive", "tree", "random"])
def test_every_question_brings_an_answer_that_was_not_known(panel, visits, orders, name):
    told = interview(panel, visits, orders[name], 8, silent, ranked=()).told
    asked = (told != UNKNOWN).sum(axis=2)
    assert (np.diff(asked, axis=0) > 0).all()


def test_the_questions_are_those_a_device_proposes(panel, visits, orders, adaptive):
    inquirer, catalogue = panel.engine.inquirer, panel.engine.catalogue
    for step in (0, 1, 3, 6):
        known = panel.known(visits, adaptive.told[step], panel.unfit(visits))
        choice = orders["adaptive"].choose(known)
        for i in range(len(visits)):
            case = panel.case(known.table, i)
            row = encode(case, panel.engine.common.schema, catalogue.ontology)
            np.testing.assert_array_equal(row.values, known.rows[i])
            left = {panel.bank.items[at].subject for at in askable(case, row, panel.bank, FULL)}
            open_ = np.flatnonzero(known.open[i])
            assert {panel.bank.items[k].subject for k in open_} == left
            (proposed,) = inquirer.next_questions(case, FULL, limit=1)
            assert panel.bank.items[choice.item[i]].subject == proposed.subject
            assert choice.gain_bits[i] == pytest.approx(proposed.gain_bits, abs=1e-9)


def test_the_first_disease_is_that_of_the_engine(panel, visits, adaptive):
    for step in (1, 8):
        known = panel.known(visits, adaptive.told[step], panel.unfit(visits))
        first, confidence = firsts(panel, known)
        for i in range(len(visits)):
            top = panel.engine.diagnose(panel.case(known.table, i)).candidates[0]
            common = panel.engine.common.diseases
            assert first[i] == (common.index(top.disease) if top.disease in common else RARE)
            assert confidence[i] == pytest.approx(top.probability, abs=1e-9)


def test_asking_finds_the_hernia(adaptive):
    assert not adaptive.right[HERNIA, 0], "pain alone says little"
    assert adaptive.right[HERNIA, -1]
    assert adaptive.confidence[HERNIA, -1] > adaptive.confidence[HERNIA, 0]


def test_a_question_the_record_is_silent_about_is_put_once(panel, visits, orders):
    silent_record = visits.record.presence.copy()
    silent_record[silent_record == EXCLUDED] = UNKNOWN
    visits.record.presence[:], kept = silent_record, visits.record.presence.copy()
    try:
        told = interview(panel, visits, orders["adaptive"], 6, silent, ranked=()).told
    finally:
        visits.record.presence[:] = kept
    assert ((told[-1] == PRESENT).sum(axis=1) > 1).any(), "asked on after an answer was lacking"


def test_the_tree_asks_patients_who_answer_alike_the_same(panel, orders, known_diseases):
    record = records(panel, known_diseases[:1] * 2, [15_000, 20_000], [0, 0])
    twins = panel.visits(record, np.zeros(2, dtype=np.int64), np.random.default_rng(2))
    twins.opening[:] = panel.findings.index("VF:pain")
    told = interview(panel, twins, orders["tree"], 5, silent, ranked=()).told
    np.testing.assert_array_equal(told[:, 0], told[:, 1])


def test_the_stop_rule_never_counts_more_questions_than_were_asked(adaptive):
    assert (adaptive.stopped > 0).any()
    assert (adaptive.stopped <= 8).all()
    at = np.arange(len(adaptive.stopped))
    np.testing.assert_array_equal(adaptive.right_when_stopped, adaptive.right[at, adaptive.stopped])


def test_nothing_is_ranked_where_nobody_asked_for_it(panel, visits, orders):
    trace = interview(panel, visits, orders["random"], 3, silent, ranked=(0, 3))
    assert trace.ranked_after == (0, 3)
    assert (trace.first[:, 1:3] == UNRANKED).all()


def test_a_share_is_the_mean_with_an_interval_around_it():
    values = np.array([True] * 80 + [False] * 20)
    found = share(values)
    assert found.value == pytest.approx(0.8)
    # normal approximation: 0.8 +- 1.96 * sqrt(0.8 * 0.2 / 100) = 0.722 .. 0.878
    assert found.low == pytest.approx(0.722, abs=0.02)
    assert found.high == pytest.approx(0.878, abs=0.02)


def test_the_table_names_every_order_and_the_figures_are_those_of_the_traces():
    trace = Trace(
        told=np.zeros((2, 2, 1), dtype=np.int8),
        first=np.array([[3, 0], [3, RARE]]),
        confidence=np.array([[0.5, 0.9], [0.5, 0.6]]),
        truth=np.array([0, 1]),
        stopped=np.array([1, 0]),
        severe=np.array([True, False]),
    )
    assert trace.right_when_stopped.tolist() == [True, False]
    told = table({"adaptive": trace, "random": trace})
    assert "adaptive" in told
    assert "0.5000" in told
    assert "severe, 1" in told
    assert "0.5000" in stop_line(trace)
    figures = to_json({"adaptive": trace})["adaptive"]
    assert {n: figure["value"] for n, figure in figures["top1"].items()} == {"0": 0.0, "1": 0.5}
    assert figures["questions_when_stopped"]["value"] == 0.5
    last = last_figures(trace)
    assert last["severe_recall"]["value"] == 1.0
    assert last["macro_f1"]["value"] == 0.5  # F1 1 and 0; a rare disease has none of its own
    assert last["ece"]["value"] == pytest.approx((0.1 + 0.6) / 2)
