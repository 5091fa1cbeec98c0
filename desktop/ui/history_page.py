"""One visit, or what changed between two, as a page to read."""

import html
from collections.abc import Iterable
from typing import Final

from ddx.domain.feedback import Feedback
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import DiseaseId
from ddx.intake.draft import UNDECIDED
from desktop.presenters.history import Answer, Comparison, HistoryState, Measurement
from desktop.presenters.likelihood import natural_frequency
from desktop.presenters.visit_state import Diagnosis
from desktop.ui import words
from desktop.ui.i18n import translate
from desktop.ui.labels import Labels
from desktop.ui.vitals import NUMBERS, name_of

SHOWN: Final = 5
APART: Final = "margin-top:10px;margin-bottom:2px"
TIGHT: Final = "margin-top:0px;margin-bottom:2px"
_UNITS: Final = {vital.field: vital.unit for vital in NUMBERS}


def page(state: HistoryState, labels: Labels) -> str:
    """Return the page of what is chosen, as HTML; empty while nothing is."""
    if (comparison := state.comparison) is not None and state.beside != state.chosen:
        return _comparison(comparison, labels)
    visit = state.visit(state.chosen)
    return "" if visit is None else _visit(visit, labels)


def conclusion(visit: Diagnosis, labels: Labels) -> str:
    """Return what a visit came to in a few words: the last decision, else the first candidate."""
    if visit.feedback:
        return decision(visit.feedback[-1], labels)
    first = visit.differential.candidates[:1]
    if not first:
        return translate("History", "sin candidatos")
    said = translate("History", "sin decidir; primero de la lista: {disease}")
    return said.format(disease=labels.disease(first[0].disease))


def decision(made: Feedback, labels: Labels) -> str:
    """Return one decision in words."""
    said = words.verb(made.verb)
    if made.disease is not None:
        said += f": {labels.disease(made.disease)}"
    return said if made.reason is None else f"{said} ({words.reason(made.reason)})"


def _visit(visit: Diagnosis, labels: Labels) -> str:
    case = visit.case
    groups = (
        (translate("History", "Presente"), case.present),
        (translate("History", "Ausente"), case.excluded),
    )
    findings = [
        _named(title, "; ".join(finding(f, labels) for f in found) or "—")
        for title, found in groups
    ]
    measured = [
        f"{name_of(v.field)} {words.quantity(value, v.unit)}"
        for v in NUMBERS
        if (value := getattr(case.vitals, v.field)) is not None
    ]
    decided = [decision(f, labels) for f in visit.feedback]
    notes = [_named(translate("History", "Nota"), f.note) for f in visit.feedback if f.note]
    plans = [_named(translate("History", "Plan"), f.plan) for f in visit.feedback if f.plan]
    made_by = translate("History", "Modelo {version} · código {code}").format(
        version=visit.differential.bundle_version, code=visit.short_code
    )
    return "".join(
        (
            f"<h3>{_said(words.moment(visit.made_at))}</h3>",
            _section(translate("History", "Hallazgos"), findings),
            _section(translate("History", "Constantes vitales"), [_said(" · ".join(measured))])
            if measured
            else "",
            _section(translate("History", "Decisión"), [*map(_said, decided), *notes, *plans])
            if decided
            else "",
            _opinion(visit, labels),
            _section(translate("History", "Lista"), _candidates(visit, labels)),
            f"<p style='{APART}'>{_said(made_by)}</p>",
        )
    )


def _opinion(visit: Diagnosis, labels: Labels) -> str:
    if not visit.opinion:
        return ""
    said = (
        translate("History", "sin diagnóstico propio")
        if visit.opinion == UNDECIDED
        else labels.disease(DiseaseId(visit.opinion))
    )
    return _section(translate("History", "Antes de la lista pensó en"), [_said(said)])


def _candidates(visit: Diagnosis, labels: Labels) -> list[str]:
    return [
        _said(
            f"{c.rank}. {labels.disease(c.disease)}: {words.band(c.band).lower()}, "
            f"{words.frequency(natural_frequency(c.probability))}"
        )
        for c in visit.differential.candidates[:SHOWN]
    ]


def _comparison(found: Comparison, labels: Labels) -> str:
    title = translate("History", "De {before} a {after}").format(
        before=words.moment(found.earlier.made_at), after=words.moment(found.later.made_at)
    )
    moved = [
        _said(
            f"{c.rank}. {labels.disease(c.disease)}: {words.band(c.band).lower()}"
            + (f" · {words.move(found.moved[c.disease])}" if c.disease in found.moved else "")
        )
        for c in found.later.differential.candidates[:SHOWN]
    ]
    same = translate("History", "Nada cambió.")
    return "".join(
        (
            f"<h3>{_said(title)}</h3>",
            _section(
                translate("History", "Hallazgos que cambiaron"),
                [_changed(a, labels) for a in found.answers] or [_said(same)],
            ),
            _section(
                translate("History", "Constantes vitales que cambiaron"),
                [_measured(m) for m in found.measurements] or [_said(same)],
            ),
            _section(translate("History", "La lista, y cómo se movió"), moved),
            _section(
                translate("History", "Decisiones"),
                [
                    _named(words.moment(v.made_at), conclusion(v, labels))
                    for v in (found.earlier, found.later)
                ],
            ),
        )
    )


def _changed(answer: Answer, labels: Labels) -> str:
    sides = (_state(answer.before), _state(answer.after))
    return _named(labels.finding(answer.finding), " → ".join(sides))


def _state(side: Finding | None) -> str:
    if side is None or side.presence is Presence.UNKNOWN:
        return translate("History", "sin preguntar")
    said = words.presence(side.presence).lower()
    return " ".join((said, *_qualities(side)))


def finding(found: Finding, labels: Labels) -> str:
    """Return a finding with its intensity, severity and onset."""
    told = _qualities(found)
    said = labels.finding(found.id)
    return f"{said} ({', '.join(told)})" if told else said


def _qualities(found: Finding) -> list[str]:
    told = [] if found.grade is None else [f"{found.grade:g}/10"]
    if found.severity is not None:
        told.append(words.severity(found.severity))
    if found.onset_days is not None:
        told.append(words.since(found.onset_days))
    return told


def _measured(pair: Measurement) -> str:
    values = (_value(pair.vital, side) for side in (pair.before, pair.after))
    return _named(name_of(pair.vital), " → ".join(values))


def _value(vital: str, value: float | bool | None) -> str:
    if value is None:
        return translate("History", "sin medir")
    if isinstance(value, bool):
        return translate("Vitals", "Sí") if value else translate("Vitals", "No")
    return f"{words.number(value)} {_UNITS[vital]}"


def _named(title: str, text: str) -> str:
    return f"{_said(title)}: {_said(text)}"


def _section(title: str, lines: Iterable[str]) -> str:
    body = "".join(f"<p style='{TIGHT}'>{line}</p>" for line in lines)
    return f"<p style='{APART}'><b>{_said(title)}</b></p>{body}"


def _said(text: str) -> str:
    return html.escape(text, quote=False)
