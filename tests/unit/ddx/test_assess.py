"""What the engine that ships says beside the list: what to ask, what stays open, why not."""

import dataclasses

import pytest

from ddx.domain.case import Case, Sex, VitalSigns
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import DiseaseId, FindingId
from ddx.engine import Engine
from ddx.errors import ModelError, UnknownDiseaseError
from ddx.explain.why_not import Outcome, answered
from ddx.inference.conformal import (
    COMMON_CONFORMAL,
    ConformalSets,
    EvidenceBand,
    drawn,
    scores,
)
from ddx.inquiry.effort import RURAL_POST, WORDS_ONLY, Means
from ddx.inquiry.stop import StopReason
from ddx.safety.triage import Level
from ddx.terminology.catalogue import Language
from model_bundles.embedded import open_embedded_bundle

FEVER, COUGH = FindingId("HP:0001945"), FindingId("HP:0012735")
APPENDICITIS, PNEUMONIA = DiseaseId("VD:appendicitis"), DiseaseId("VD:pneumonia")
NOWHERE = DiseaseId("VD:no-such-disease")


class WithSets:
    """The bundle that ships and conformal sets of its own."""

    def __init__(self, bundle, sets):
        self.bundle, self.sets = bundle, sets
        self.version, self.digest = bundle.version, bundle.digest

    def read(self, name):
        if name == COMMON_CONFORMAL:
            if self.sets is None:
                raise ModelError(f"no member {name}")
            return self.sets.to_json()
        return self.bundle.read(name)


def sets_at(threshold, bundle):
    """Return sets of one band and one group over the diseases of the bundle."""
    diseases = Engine.from_artifacts(bundle).common.diseases
    band = EvidenceBand(present_to=None, excluded_to=None, thresholds=(threshold,), cases=(100,))
    return ConformalSets(coverage=0.9, groups=(0,) * len(diseases), bands=(band,))


@pytest.fixture(scope="module")
def bundle():
    return open_embedded_bundle()


@pytest.fixture(scope="module")
def engine(bundle):
    return Engine.from_artifacts(WithSets(bundle, sets_at(0.98, bundle)))


@pytest.fixture(scope="module")
def without_sets(bundle):
    return Engine.from_artifacts(WithSets(bundle, None))


def case_of(*present, excluded=(), **given):
    states = [(f, Presence.PRESENT) for f in present] + [(f, Presence.EXCLUDED) for f in excluded]
    findings = tuple(Finding(id=f, presence=state) for f, state in states)
    return Case(**({"age_days": 12_000, "sex": Sex.FEMALE, "findings": findings} | given))


def test_what_cannot_be_set_aside_is_what_ranks_within_the_threshold(engine):
    case = case_of(FEVER, COUGH)
    row, _ = engine.read(case)
    found = scores(engine.common.probabilities(row), drawn(engine.feature_digest(case)))
    kept = engine.assess(case).not_excluded
    within = zip(engine.common.diseases, found <= 0.98, strict=True)
    assert kept == {disease for disease, inside in within if inside}
    assert 1 < len(kept) < len(found)


def test_a_bundle_without_sets_says_nothing_rather_than_that_all_can_be_set_aside(without_sets):
    assessed = without_sets.assess(case_of(FEVER))
    assert assessed.not_excluded is None
    assert assessed.triage == without_sets.triage(case_of(FEVER))


def test_a_case_the_common_model_cannot_read_has_no_set(engine):
    assert engine.assess(case_of(FindingId("HP:0001166"))).not_excluded is None


def test_a_grave_disease_that_cannot_be_set_aside_makes_it_urgent(engine):
    case = case_of(FindingId("HP:0002094"))  # dyspnoea
    assessed = engine.assess(case)
    grave = {
        c.disease
        for c in assessed.differential.candidates
        if c.disease in assessed.not_excluded and c.severity in (1, 2)
    }
    assert grave
    named = {d for reason in assessed.triage.reasons for d in reason.evidence}
    assert named == grave
    assert assessed.triage.level <= Level.URGENT < engine.triage(case).level


def test_an_assessment_is_the_list_and_the_questions_on_their_own(engine):
    case = case_of(FEVER, vitals=VitalSigns(spo2_percent=84))
    assessed = engine.assess(case, limit=4, questions=2)
    whole = engine.diagnose(case)
    assert assessed.differential == dataclasses.replace(whole, candidates=whole.candidates[:4])
    assert assessed.inquiry == engine.next_questions(case, limit=2)
    assert len(assessed.inquiry.questions) == 2
    assert assessed.triage.level is Level.IMMEDIATE


def test_questions_need_no_more_than_the_clinic_has(engine):
    case = case_of(FEVER)
    means = {q.means for q in engine.next_questions(case, WORDS_ONLY, 200).questions}
    assert means <= {Means.QUESTION, Means.EXAMINATION}
    assert means < {q.means for q in engine.next_questions(case, RURAL_POST, 200).questions}


def test_a_question_nobody_could_answer_is_not_put_again(engine):
    case = case_of(FEVER)
    (first, *_) = engine.next_questions(case).questions
    shrugged = Finding(id=first.findings[0], presence=Presence.UNKNOWN)
    after = dataclasses.replace(case, findings=(*case.findings, shrugged))
    again = engine.next_questions(after, limit=200).questions
    assert first.subject not in {q.subject for q in again}
    assert engine.diagnose(after) == engine.diagnose(case)


def test_when_all_is_asked_there_is_a_reason_to_stop(engine):
    nothing = tuple(f for f in engine.common.schema.findings if f != COUGH)
    proposal = engine.next_questions(case_of(COUGH, excluded=nothing))
    assert (proposal.questions, proposal.stop) == ((), StopReason.NOTHING_LEFT)


@pytest.mark.parametrize("disease", [APPENDICITIS, DiseaseId("OMIM:154700")])
def test_the_change_told_does_bring_the_disease_to_the_first_three(engine, disease):
    case = case_of(FEVER, COUGH)
    told = engine.why_not(case, disease)
    assert told.outcome is Outcome.REACHED
    assert not told.before.on_top
    after = engine.diagnose(answered(case, told.changes))
    assert disease in [c.disease for c in after.candidates[:3]]


def test_a_clock_that_ran_out_stops_the_search(engine):
    told = engine.why_not(case_of(FEVER, COUGH), APPENDICITIS, may_go_on=lambda: False)
    assert (told.outcome, told.calls) == (Outcome.STOPPED, 1)


def test_why_not_of_a_disease_nobody_knows_is_refused(engine):
    with pytest.raises(UnknownDiseaseError):
        engine.why_not(case_of(FEVER), NOWHERE)


def test_actions_come_with_their_guideline_in_the_language_asked(engine):
    spanish, english = (engine.recommendations(PNEUMONIA, language) for language in Language)
    assert len(spanish) == len(english) > 0
    assert all(s.text != e.text for s, e in zip(spanish, english, strict=True))
    assert all(str(action.guideline.year) in action.guideline.cite() for action in spanish)
    assert engine.recommendations(NOWHERE) == ()


def test_an_explanation_is_the_same_with_the_ranking_made_before_and_without(engine):
    case = case_of("HP:0001250", "HP:0001263", "HP:0000252", excluded=("HP:0001945",))
    assessed = engine.assess(case)
    told = [candidate.disease for candidate in assessed.differential.candidates[:8]]
    assert engine.explain_several(case, told, assessed.reading) == engine.explain_several(
        case, told
    )


def test_the_common_model_is_asked_once_for_list_set_and_questions(engine, monkeypatch):
    model, asked = type(engine.common), []
    of_row = model.answer
    monkeypatch.setattr(model, "answer", lambda self, row: asked.append(row) or of_row(self, row))
    engine.assess(case_of("HP:0001945", "HP:0012735"))
    assert len(asked) == 1
