"""One case, answered in full: what a client may show without asking again."""

from collections.abc import Sequence
from typing import Protocol

from cloud_api.diagnose.schemas import (
    CandidateMessage,
    Confidence,
    Language,
    PredictRequest,
    PredictResponse,
    QuestionMessage,
    RecommendationMessage,
    RedFlag,
    TriageMessage,
    TriageReason,
)
from ddx.assessment import Assessment
from ddx.domain.case import Case
from ddx.domain.differential import Alert, Candidate
from ddx.domain.explanation import Explanation
from ddx.domain.identifiers import DiseaseId
from ddx.domain.wire import differential_to_json
from ddx.errors import UnknownDiseaseError
from ddx.explain.narrate import narrate, say
from ddx.inquiry.effort import FULL, RURAL_POST, WORDS_ONLY, Equipment
from ddx.inquiry.inquirer import Question
from ddx.reading import Reading
from ddx.safety.messages import ALL_MESSAGES
from ddx.safety.recommend import Recommendation
from ddx.safety.triage import Triage
from ddx.terminology.catalogue import Catalogue
from ddx.terminology.catalogue import Language as Spoken

EQUIPMENT = {"words": WORDS_ONLY, "rural": RURAL_POST, "full": FULL}


class Answering(Protocol):
    """What an answer needs of `ddx.engine.Engine`."""

    @property
    def catalogue(self) -> Catalogue:
        """Names and questions of the bundle."""

    def assess(self, case: Case, *, equipment: Equipment, questions: int, limit: int) -> Assessment:
        """Return the differential, the triage, what stays open and what to ask next."""

    def explain_several(
        self, case: Case, diseases: Sequence[DiseaseId], reading: Reading | None = None
    ) -> Sequence[Explanation]:
        """Return why each disease stands where it stands, in order."""

    def recommendations(self, disease: DiseaseId, language: str) -> Sequence[Recommendation]:
        """Return what to do first when a disease is suspected."""


def answer(engine: Answering, case: Case, asked: PredictRequest) -> PredictResponse:
    """Return everything there is to say of `case` in the language asked for."""
    equipment = EQUIPMENT[asked.equipment]
    said = engine.assess(case, equipment=equipment, questions=1, limit=asked.limit)
    made = said.differential
    told = [candidate.disease for candidate in made.candidates if candidate.rank <= asked.explained]
    explained = dict(zip(told, engine.explain_several(case, told, said.reading), strict=True))
    questions = said.inquiry.questions
    stop = said.inquiry.stop
    return PredictResponse(
        differential=differential_to_json(made),
        candidates=tuple(
            _candidate(
                engine,
                candidate,
                said.not_excluded,
                _sentences(engine, explained.get(candidate.disease), case, asked.language),
                asked.language,
            )
            for candidate in made.candidates
        ),
        red_flags=tuple(_red_flag(alert, asked.language) for alert in made.alerts),
        triage=_triage(said.triage, asked.language),
        next_question=(
            _question(questions[0], engine.catalogue, asked.language) if questions else None
        ),
        stop_asking=None if stop is None else stop.value,
        bundle_version=made.bundle_version,
        bundle_digest=made.bundle_digest,
    )


def _candidate(
    engine: Answering,
    candidate: Candidate,
    not_excluded: frozenset[DiseaseId] | None,
    explanation: tuple[str, ...] | None,
    language: Language,
) -> CandidateMessage:
    """Return one candidate as answered; first actions where there is an explanation."""
    disease = candidate.disease
    actions = () if explanation is None else engine.recommendations(disease, language)
    return CandidateMessage(
        rank=candidate.rank,
        disease=disease,
        name=_name(disease, engine.catalogue, language),
        world=candidate.world.value,
        severity=candidate.severity,
        confidence=Confidence(probability=candidate.probability, band=candidate.band.value),
        not_excluded=None if not_excluded is None else disease in not_excluded,
        explanation=explanation,
        recommendations=tuple(
            RecommendationMessage(
                kind=action.kind.value, text=action.text, guideline=action.guideline.cite()
            )
            for action in actions
        ),
    )


def _sentences(
    engine: Answering, explanation: Explanation | None, case: Case, language: Language
) -> tuple[str, ...] | None:
    if explanation is None:
        return None
    catalogue, spoken = engine.catalogue, Spoken(language)
    return tuple(
        say(sentence, catalogue, spoken) for sentence in narrate(explanation, case, catalogue)
    )


def _name(disease: DiseaseId, catalogue: Catalogue, language: Language) -> str:
    try:
        return catalogue.disease_label(disease, language)
    except UnknownDiseaseError:
        return disease


def _text(code: str, language: Language) -> str:
    said = ALL_MESSAGES.get(code)
    return code if said is None else said[Spoken(language)]


def _red_flag(alert: Alert, language: Language) -> RedFlag:
    return RedFlag(
        code=alert.code,
        urgent=alert.urgent,
        text=_text(alert.code, language),
        evidence=alert.evidence,
        source=alert.source,
    )


def _triage(triage: Triage, language: Language) -> TriageMessage:
    return TriageMessage(
        level=triage.level.value,
        text=_text(f"triage.level_{triage.level.value}", language),
        reasons=tuple(
            TriageReason(
                code=reason.code,
                level=reason.level.value,
                text=_text(reason.code, language),
                evidence=reason.evidence,
                source=reason.source,
            )
            for reason in triage.reasons
        ),
        missing_vital_signs=triage.missing,
    )


def _question(question: Question, catalogue: Catalogue, language: Language) -> QuestionMessage:
    return QuestionMessage(
        subject=question.subject,
        text=catalogue.question(question.findings[0], language),
        findings=question.findings,
        means=question.means.value,
        gain_bits=question.gain_bits,
    )
