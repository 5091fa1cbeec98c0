"""One diagnosed case as text for a terminal."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ddx.domain.case import Case
from ddx.domain.differential import Differential
from ddx.inquiry.inquirer import Question
from ddx.intake.issues import CaseIssue
from ddx.terminology.catalogue import Catalogue, Language
from desktop.commands import words
from desktop.commands.words import say

NAME_WIDTH: Final = 46
NO_SEVERITY: Final = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the engine said of one case. questions: none when it is time to stop asking."""

    case: Case
    differential: Differential
    questions: tuple[Question, ...]
    warnings: tuple[CaseIssue, ...] = ()


def report(answer: Answer, catalogue: Catalogue, language: Language, limit: int) -> str:
    """Return the whole answer: red flags first, then the list, then what to ask."""
    parts = (
        _flags(answer.differential, language),
        _table(answer.differential, catalogue, language, limit),
        _unread(answer, catalogue, language),
        _next(answer.questions, catalogue, language),
        f"{say('model', language)} {answer.differential.bundle_version} "
        f"{answer.differential.bundle_digest[:12]}. {say('support', language)}",
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def _flags(differential: Differential, language: Language) -> str:
    if not differential.alerts:
        return say("no_red_flags", language)
    lines = [say("red_flags", language)]
    for raised in differential.alerts:
        urgent = f"[{say('urgent', language)}] " if raised.urgent else ""
        lines.append(f"  ! {urgent}{words.alert(raised, language)}")
        lines.append(f"      {raised.source}")
    return "\n".join(lines)


def _table(differential: Differential, catalogue: Catalogue, language: Language, limit: int) -> str:
    heads = (say(k, language) for k in ("rank", "disease", "likelihood", "severity", "source"))
    lines = ["{:<5}{:<48}{:<24}{:<11}{}".format(*heads)]
    for c in differential.candidates[:limit]:
        name = catalogue.disease_label(c.disease, language)
        short = name if len(name) <= NAME_WIDTH else name[: NAME_WIDTH - 1] + "…"
        likelihood = f"{c.probability:6.3f} {say(c.band, language, words.BANDS)}"
        severity = NO_SEVERITY if c.severity is None else str(c.severity)
        world = say(c.world, language, words.WORLDS)
        lines.append(f"{c.rank:<5}{short:<48}{likelihood:<24}{severity:<11}{world}")
    lines.append(f"{'':<5}{say('outside', language):<48}{differential.outside_probability:6.3f}")
    lines += ["", say(differential.common_fit.fit, language, words.FITS)]
    return "\n".join(lines)


def _unread(answer: Answer, catalogue: Catalogue, language: Language) -> str:
    """Return what no model could read and what is doubtful; never hidden."""
    lines = [
        f"{say('unused', language)}: {catalogue.label(finding, language)} ({finding})"
        for finding in answer.differential.unused
    ]
    lines += [
        f"{say('look_again', language)}: {words.issue(warning, catalogue, language)}"
        for warning in answer.warnings
    ]
    return "\n".join(lines)


def _next(questions: Sequence[Question], catalogue: Catalogue, language: Language) -> str:
    if not questions:
        return say("nothing_to_ask", language)
    lines = [say("ask_next", language)]
    for question in questions:
        bits = say("bits", language, bits=f"{question.gain_bits:.2f}")
        means = say(question.means, language, words.MEANS)
        lines.append(f"  {catalogue.question(question.findings[0], language)}")
        lines.append(f"      {means}; {bits}; {question.subject}")
    return "\n".join(lines)
