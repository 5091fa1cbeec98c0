"""An interview with the engine that ships: answers from the record, in three orders."""

import numpy as np
import pytest

from ddx.domain.case import Case, Sex
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import DiseaseId
from ddx.engine import Engine
from ddx.inquiry.inquirer import Inquirer
from ddx.terminology.catalogue import FindingKind
from model_bundles.embedded import open_embedded_bundle
from training.evaluate.interview import (
    Trace,
    Visit,
    interview,
    orders_of,
    share,
    stop_line,
    table,
    to_json,
)

HERNIA = DiseaseId("VD:inguinal-hernia")
SITE = "VF:pain-site.testicle-right"


@pytest.fixture(scope="module")
def bundle():
    return open_embedded_bundle()


@pytest.fixture(scope="module")
def engine(bundle):
    return Engine.from_artifacts(bundle)


@pytest.fixture(scope="module")
def inquirer(bundle, engine):
    return Inquirer.from_artifacts(bundle, engine.catalogue, engine.common)


@pytest.fixture(scope="module")
def orders(engine, inquirer):
    prior = np.full(len(engine.common.diseases), 1.0 / len(engine.common.diseases))
    return orders_of(engine, inquirer, prior, ("adaptive", "tree", "random"))


@pytest.fixture(scope="module")
def visit(engine, inquirer):
    """A man with what at least half the training patients with a hernia have, and nothing else."""
    usual = inquirer.bank.frequency[engine.common.diseases.index(HERNIA)]
    record = tuple(
        _finding(f, present=usual[column] >= 0.5, engine=engine)
        for f, column in engine.common.schema.positions.items()
    )
    case = Case(age_days=15_000, sex=Sex.MALE, findings=record)
    return Visit(record=case, opening="VF:pain", disease=HERNIA)


def _finding(finding, *, present, engine):
    if not present:
        return Finding(id=finding, presence=Presence.EXCLUDED)
    graded = engine.catalogue.term(finding).kind is FindingKind.GRADED
    return Finding(id=finding, presence=Presence.PRESENT, grade=5.0 if graded else None)


def test_a_visit_opens_with_its_complaint_only(visit):
    assert [f.id for f in visit.opened.findings] == ["VF:pain"]


def test_an_answer_adds_what_the_record_holds_and_repeats_nothing(visit):
    asked = ("VF:pain", SITE, "VF:pain-site.forehead")
    case = visit.answered(visit.opened, asked)
    assert {f.id for f in case.present} == {"VF:pain", SITE}
    assert {f.id for f in case.excluded} == {"VF:pain-site.forehead"}


def test_asking_where_it_hurts_finds_the_hernia(engine, orders, visit):
    trace = interview(engine, [visit], orders["adaptive"], 6, lambda _line: None)
    assert not trace.right[0, 0], "pain alone says little"
    assert trace.right[0, -1]
    assert trace.confidence[0, -1] > trace.confidence[0, 0]


@pytest.mark.parametrize("name", ["adaptive", "tree", "random"])
def test_no_order_asks_what_the_case_already_answers(orders, visit, name):
    case, asked = visit.opened, []
    for _ in range(8):
        choice = orders[name].choose(case)
        fresh = set(choice.findings) - {f.id for f in case.findings}
        assert fresh, "every question must bring an answer"
        asked.append(choice.findings)
        case = visit.answered(case, choice.findings)
    assert len(set(asked)) == 8


def test_the_tree_asks_patients_who_answer_alike_the_same(orders, visit, engine):
    other = Visit(
        record=Case(age_days=30_000, sex=Sex.MALE, findings=visit.record.findings),
        opening="VF:pain",
        disease=HERNIA,
    )
    assert orders["tree"].choose(visit.opened) == orders["tree"].choose(other.opened)


def test_the_stop_rule_never_counts_more_questions_than_were_asked(engine, orders, visit):
    trace = interview(engine, [visit], orders["adaptive"], 12, lambda _line: None)
    assert 0 < trace.stopped[0] <= 12
    assert trace.right_when_stopped[0] == trace.right[0, trace.stopped[0]]


def test_a_share_is_the_mean_with_an_interval_around_it():
    values = np.array([True] * 80 + [False] * 20)
    found = share(values)
    assert found.value == pytest.approx(0.8)
    # normal approximation: 0.8 +- 1.96 * sqrt(0.8 * 0.2 / 100) = 0.722 .. 0.878
    assert found.low == pytest.approx(0.722, abs=0.02)
    assert found.high == pytest.approx(0.878, abs=0.02)


def test_the_table_names_every_order_and_the_figures_are_those_of_the_traces():
    trace = Trace(
        right=np.array([[False, True], [False, False]]),
        confidence=np.zeros((2, 2)),
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
    assert [n["value"] for n in figures["top1"]] == [0.0, 0.5]
    assert figures["questions_when_stopped"]["value"] == 0.5
