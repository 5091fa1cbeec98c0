"""The decision on a recorded differential: agree, refuse, add or replace, with a coded reason."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from ddx.domain.feedback import Feedback, OverrideReason, Verb
from ddx.domain.identifiers import DiseaseId

_PLAIN: Final = str.maketrans("áàâäéèêëíìîïóòôöúùûüñç", "aaaaeeeeiiiioooouuuunc")


class Missing(StrEnum):
    """What a decision still lacks."""

    REASON = "reason"
    DISEASE = "disease"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionForm:
    """verb: None while nobody is deciding. missing: shown after an incomplete confirm."""

    verb: Verb | None = None
    disease: DiseaseId | None = None
    reason: OverrideReason | None = None
    note: str = ""
    plan: str = ""
    missing: frozenset[Missing] = frozenset()
    recording: bool = False
    recorded: tuple[Feedback, ...] = ()


def start(form: DecisionForm, verb: Verb, proposed: DiseaseId | None) -> DecisionForm:
    """Return the form opened for `verb`; agreeing is about the proposed candidate."""
    disease = proposed if verb is Verb.AGREE else None
    return DecisionForm(verb=verb, disease=disease, recorded=form.recorded)


def missing(form: DecisionForm) -> frozenset[Missing]:
    """Return what `ddx.domain.feedback.Feedback` would refuse, all at once."""
    wants = set()
    if form.verb is not Verb.AGREE and form.reason is None:
        wants.add(Missing.REASON)
    if form.verb is not Verb.REFUSE and form.disease is None:
        wants.add(Missing.DISEASE)
    return frozenset(wants)


def confirm(form: DecisionForm) -> tuple[DecisionForm, bool]:
    """Return the form and whether it may be recorded now."""
    if form.verb is None or form.recording:
        return form, False
    wants = missing(form)
    return replace(form, missing=wants, recording=not wants), not wants


def recorded(form: DecisionForm, feedback: Feedback) -> DecisionForm:
    """Return the closed form with one more recorded decision."""
    return DecisionForm(recorded=(*form.recorded, feedback))


def plain(name: str) -> str:
    """Return `name` in lower case and without the accents a tired hand leaves out."""
    return name.casefold().translate(_PLAIN)


def matching(text: str, names: Iterable[tuple[str, str]], limit: int) -> tuple[str, ...]:
    """Return the names that hold `text`, those that begin with it first, then the shorter.

    names: (name, plain name). Nothing for a text of blanks.
    """
    wanted = plain(text.strip())
    if not wanted:
        return ()
    found = [(not p.startswith(wanted), len(p), name) for name, p in names if wanted in p]
    return tuple(name for _, _, name in sorted(found)[:limit])
