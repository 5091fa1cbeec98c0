"""The engine on the bundle that ships: one calibrated list, honest reasons, nothing hidden."""

import pytest

from ddx.domain.case import Case, Sex, VitalSigns
from ddx.domain.differential import World
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import DiseaseId, FindingId
from ddx.domain.wire import differential_from_json, differential_to_json
from ddx.engine import Engine
from ddx.errors import ModelBlockedError, UnknownDiseaseError
from ddx.inference.common import CommonModel
from model_bundles.embedded import open_embedded_bundle

COUGH = FindingId("HP:0012735")
FEVER = FindingId("HP:0001945")
MARFAN = DiseaseId("OMIM:154700")
MARFAN_SIGNS = tuple(
    FindingId(i) for i in ("HP:0001083", "HP:0001166", "HP:0002616", "HP:0000767", "HP:0001519")
)
EVERYTHING = 100_000


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine.from_artifacts(open_embedded_bundle())


def case_of(present=(), excluded=(), unknown=(), **given) -> Case:
    states = (
        (present, Presence.PRESENT),
        (excluded, Presence.EXCLUDED),
        (unknown, Presence.UNKNOWN),
    )
    findings = tuple(
        Finding(id=finding, presence=state) for ids, state in states for finding in ids
    )
    return Case(**({"age_days": 9_000, "sex": Sex.MALE} | given), findings=findings)


def test_probabilities_of_both_worlds_and_of_neither_sum_to_one(engine):
    for case in (case_of((FEVER, COUGH)), case_of(MARFAN_SIGNS), case_of((FEVER, *MARFAN_SIGNS))):
        answer = engine.diagnose(case, limit=EVERYTHING)
        total = sum(c.probability for c in answer.candidates) + answer.outside_probability
        assert total == pytest.approx(1.0, abs=1e-9)


def test_a_textbook_rare_case_stands_first_and_says_it_is_rare(engine):
    answer = engine.diagnose(case_of(MARFAN_SIGNS))
    names = [engine.catalogue.disease_label(c.disease) for c in answer.candidates[:3]]
    assert any("Marfan" in name for name in names)
    assert answer.candidates[0].world is World.RARE


def test_ranks_follow_probabilities_without_gaps_or_repeats(engine):
    answer = engine.diagnose(case_of((FEVER, COUGH)))
    probabilities = [c.probability for c in answer.candidates]
    assert [c.rank for c in answer.candidates] == list(range(1, len(probabilities) + 1))
    assert probabilities == sorted(probabilities, reverse=True)
    assert len({c.disease for c in answer.candidates}) == len(probabilities)


def test_a_finding_nobody_asked_about_changes_nothing_and_an_absent_one_does(engine):
    asked = engine.diagnose(case_of((FEVER,)))
    not_asked = engine.diagnose(case_of((FEVER,), unknown=(COUGH,)))
    absent = engine.diagnose(case_of((FEVER,), excluded=(COUGH,)))
    assert not_asked == asked
    assert absent.candidates != asked.candidates


def test_the_same_case_gives_the_same_answer_and_digest_in_any_order_of_entry(engine):
    one, other = case_of((FEVER, COUGH)), case_of((COUGH, FEVER))
    assert engine.diagnose(one) == engine.diagnose(other)
    assert engine.feature_digest(one) == engine.feature_digest(other)
    assert engine.feature_digest(one) != engine.feature_digest(case_of((FEVER,)))


@pytest.mark.parametrize("present", [(FEVER, COUGH), MARFAN_SIGNS])
def test_reasons_add_up_to_the_margin(engine, present):
    case = case_of(present)
    first = engine.diagnose(case).candidates[0].disease
    explanation = engine.explain(case, first)
    total = explanation.base + sum(c.weight for c in explanation.contributions)
    assert total == pytest.approx(explanation.margin, abs=1e-4)
    assert explanation.contributions


def test_reasons_of_a_common_disease_add_up_to_what_onnxruntime_computes(engine):
    case = case_of((FEVER, COUGH))
    row, _ = engine.read(case)
    margins = engine.common.margins(row)
    for at, disease in enumerate(engine.common.diseases):
        assert engine.explain(case, disease).margin == pytest.approx(margins[at], abs=1e-4)


def test_a_disease_far_down_the_list_can_still_be_explained(engine):
    explanation = engine.explain(case_of((FEVER, COUGH)), MARFAN)
    assert explanation.world is World.RARE
    assert explanation.margin < 0
    assert FEVER in {c.subject for c in explanation.speaks_against}
    assert explanation.expected


def test_an_unheard_of_disease_is_named_in_the_error(engine):
    with pytest.raises(UnknownDiseaseError, match="VD:unheard-of"):
        engine.explain(case_of((FEVER,)), DiseaseId("VD:unheard-of"))


def test_a_finding_no_model_reads_is_shown_not_hidden(engine):
    onset = FindingId("HP:0003577")  # "Congenital onset": an HPO term that is no phenotype
    answer = engine.diagnose(case_of((FEVER, onset)))
    assert answer.unused == (onset,)


def test_nothing_readable_is_answered_with_nothing_known(engine):
    answer = engine.diagnose(case_of((FindingId("HP:0003577"),)))
    assert answer.candidates == ()
    assert answer.outside_probability == 1.0


def test_a_rule_fires_whatever_the_probabilities_say(engine):
    quiet = engine.diagnose(case_of((COUGH,)))
    breathless = engine.diagnose(
        case_of(
            (COUGH,),
            vitals=VitalSigns(respiratory_rate_bpm=30, spo2_percent=85, systolic_mmhg=85),
        )
    )
    assert breathless.candidates == quiet.candidates
    assert any(alert.urgent for alert in breathless.alerts)
    assert not any(alert.urgent for alert in quiet.alerts)


@pytest.mark.parametrize(
    ("stopped", "left"), [("common", World.RARE), ("rare", World.COMMON)], ids=["common", "rare"]
)
def test_a_stopped_model_is_not_asked_and_the_other_one_answers(engine, stopped, left, monkeypatch):
    def must_not_run(*_, **__):
        raise AssertionError(f"{stopped} was asked")

    working = engine.without({stopped, "a model of tomorrow"})
    with monkeypatch.context() as patch:
        owner, asked = (
            (engine.rare, "retrieve") if stopped == "rare" else (CommonModel, "probabilities")
        )
        patch.setattr(owner, asked, must_not_run)
        answer = working.diagnose(case_of((FEVER, COUGH)), limit=EVERYTHING)
    assert answer.blocked == (World(stopped),)
    assert {c.world for c in answer.candidates} == {left}
    total = sum(c.probability for c in answer.candidates) + answer.outside_probability
    assert total == pytest.approx(1.0, abs=1e-9)
    assert engine.diagnose(case_of((FEVER, COUGH))).blocked == ()


def test_without_any_model_rules_triage_search_and_vocabulary_go_on(engine):
    working = engine.without({"common", "rare"})
    case = case_of((FEVER, COUGH), vitals=VitalSigns(spo2_percent=84))
    whole, said = engine.assess(case), working.assess(case)
    assert said.differential.candidates == ()
    assert said.differential.outside_probability == 1.0
    assert said.differential.alerts == whole.differential.alerts != ()
    assert said.triage.level == whole.triage.level
    assert (said.not_excluded, said.inquiry.questions) == (None, ())
    assert working.search is engine.search
    with pytest.raises(ModelBlockedError):
        working.explain(case, MARFAN)


def test_what_a_stopped_model_left_out_survives_the_record(engine):
    made = engine.without({"rare"}).diagnose(case_of((FEVER,)))
    assert differential_from_json(differential_to_json(made)) == made
    assert "blocked" not in differential_to_json(engine.diagnose(case_of((FEVER,))))


def test_a_warm_engine_has_nothing_left_to_make_and_answers_as_a_cold_one(engine):
    made, pauses = Engine.from_artifacts(open_embedded_bundle()), []
    made.warm(lambda: pauses.append(None))
    lazy = {"_shown", "_often_shown"} & vars(made.rare.index).keys()
    assert lazy == {"_shown", "_often_shown"}
    assert "drawn" in vars(made.inquirer.bank)
    assert len(pauses) > 10  # the vocabulary, too, is read in short steps
    case = case_of((FEVER, *MARFAN_SIGNS))
    assert made.assess(case) == engine.assess(case)
