"""One diagnosed case as text for a terminal."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ddx.assessment import Assessment
from ddx.domain.differential import Differential
from ddx.domain.explanation import Explanation
from ddx.domain.finding import Presence
from ddx.domain.identifiers import DiseaseId, FindingId
from ddx.explain.narrate import say_why_not, tell
from ddx.explain.why_not import WhyNot
from ddx.inquiry.stop import Proposal
from ddx.intake.issues import CaseIssue
from ddx.safety.messages import ALL_MESSAGES
from ddx.safety.recommend import Recommendation
from ddx.safety.triage import Triage
from ddx.terminology.catalogue import Catalogue, Language
from desktop.commands import words
from desktop.commands.playing import Played
from desktop.commands.words import say

NAME_WIDTH: Final = 46
NO_SEVERITY: Final = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the engine said of one case. explanation, actions: of the first candidate."""

    played: Played
    assessed: Assessment
    explanation: Explanation | None
    actions: tuple[Recommendation, ...]
    why_not: WhyNot | None = None
    warnings: tuple[CaseIssue, ...] = ()


def report(answer: Answer, catalogue: Catalogue, language: Language, limit: int) -> str:
    """Return the whole answer: how soon and red flags, the list and why, then what to ask."""
    made = answer.assessed.differential
    parts = (
        _triage(answer.assessed.triage, language),
        _flags(made, language),
        _interview(answer.played, catalogue, language),
        _table(answer.assessed, catalogue, language, limit),
        _unread(answer, catalogue, language),
        _why(answer, catalogue, language),
        _actions(answer.actions, language),
        _next(answer.assessed.inquiry, catalogue, language),
        f"{say('model', language)} {made.bundle_version} "
        f"{made.bundle_digest[:12]}. {say('support', language)}",
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def _triage(triage: Triage, language: Language) -> str:
    level = ALL_MESSAGES[f"triage.level_{triage.level.value}"][language]
    missing = ALL_MESSAGES["triage.missing"][language] if triage.missing else ""
    return f"{say('triage', language, level=triage.level.value)}: {level} {missing}".rstrip()


def _interview(played: Played, catalogue: Catalogue, language: Language) -> str:
    """Return the questions that were put and what the record answered."""
    if played.opening is None:
        return ""
    opening = catalogue.label(played.opening, language)
    lines = [say("played", language, opening=opening, n=len(played.asked))]
    for findings in played.asked:
        question = catalogue.question(findings[0], language)
        lines.append(f"  {question}  {_answered(played, findings, catalogue, language)}")
    return "\n".join(lines)


def _answered(
    played: Played, findings: Sequence[FindingId], catalogue: Catalogue, language: Language
) -> str:
    states = {finding: played.case.presence_of(finding) for finding in findings}
    found = [f for f, state in states.items() if state is Presence.PRESENT]
    if found:
        return ", ".join(catalogue.label(finding, language) for finding in found)
    known = Presence.EXCLUDED in states.values()
    return say("no" if known else "not_in_record", language)


def _why(answer: Answer, catalogue: Catalogue, language: Language) -> str:
    """Return the reasons of the first candidate and why another does not stand as high."""
    lines = []
    if answer.explanation is not None:
        name = catalogue.disease_label(answer.explanation.disease, language)
        lines.append(say("why", language, disease=name))
        lines.append("  " + tell(answer.explanation, answer.played.case, catalogue, language))
    if answer.why_not is not None:
        lines.append(say_why_not(answer.why_not, catalogue, language))
    return "\n".join(lines)


def _actions(actions: Sequence[Recommendation], language: Language) -> str:
    if not actions:
        return ""
    lines = [say("first_actions", language)]
    for action in actions:
        lines.append(f"  - {action.text}")
        lines.append(f"      {action.guideline.cite()}")
    return "\n".join(lines)


def _flags(differential: Differential, language: Language) -> str:
    if not differential.alerts:
        return say("no_red_flags", language)
    lines = [say("red_flags", language)]
    for raised in differential.alerts:
        urgent = f"[{say('urgent', language)}] " if raised.urgent else ""
        lines.append(f"  ! {urgent}{words.alert(raised, language)}")
        lines.append(f"      {raised.source}")
    return "\n".join(lines)


def _table(assessed: Assessment, catalogue: Catalogue, language: Language, limit: int) -> str:
    differential, kept = assessed.differential, assessed.not_excluded
    heads = (say(k, language) for k in ("rank", "disease", "likelihood", "severity", "source"))
    lines = ["{:<5}{:<48}{:<24}{:<11}{}".format(*heads)]
    for c in differential.candidates[:limit]:
        name = catalogue.disease_label(c.disease, language)
        short = name if len(name) <= NAME_WIDTH else name[: NAME_WIDTH - 1] + "…"
        likelihood = f"{c.probability:6.3f} {say(c.band, language, words.BANDS)}"
        severity = NO_SEVERITY if c.severity is None else str(c.severity)
        world = say(c.world, language, words.WORLDS)
        lines.append(
            f"{c.rank:<5}{short:<48}{likelihood:<24}{severity:<11}{world}"
            f"{_mark(c.disease, kept, language)}"
        )
    lines.append(f"{'':<5}{say('outside', language):<48}{differential.outside_probability:6.3f}")
    lines += ["", say(differential.common_fit.fit, language, words.FITS)]
    return "\n".join(lines)


def _mark(disease: DiseaseId, kept: frozenset[DiseaseId] | None, language: Language) -> str:
    return f"  {say('not_excluded', language)}" if kept and disease in kept else ""


def _unread(answer: Answer, catalogue: Catalogue, language: Language) -> str:
    """Return what no model could read and what is doubtful; never hidden."""
    lines = [
        f"{say('unused', language)}: {catalogue.label(finding, language)} ({finding})"
        for finding in answer.assessed.differential.unused
    ]
    lines += [
        f"{say('look_again', language)}: {words.issue(warning, catalogue, language)}"
        for warning in answer.warnings
    ]
    return "\n".join(lines)


def _next(inquiry: Proposal, catalogue: Catalogue, language: Language) -> str:
    if inquiry.stop is not None:
        return say(inquiry.stop, language, words.STOPS)
    if not inquiry.questions:
        return ""
    lines = [say("ask_next", language)]
    for question in inquiry.questions:
        bits = say("bits", language, bits=f"{question.gain_bits:.2f}")
        means = say(question.means, language, words.MEANS)
        lines.append(f"  {catalogue.question(question.findings[0], language)}")
        lines.append(f"      {means}; {bits}; {question.subject}")
    return "\n".join(lines)
