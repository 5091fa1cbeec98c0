"""The referral letter and the summary as pages: one recorded visit in the window's language.

Black on white whatever the window wears. What people typed is escaped: a name is never markup.
"""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QBuffer, QIODevice, QMarginsF
from PySide6.QtGui import QFont, QPageLayout, QPageSize, QPdfWriter, QTextDocument

from ddx.domain.case import Case, VitalSigns
from ddx.domain.differential import Alert, Candidate, Differential
from ddx.domain.feedback import Feedback
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import DiseaseId
from ddx.intake.draft import UNDECIDED
from desktop.presenters.likelihood import natural_frequency
from desktop.services.records import Paper
from desktop.ui import words
from desktop.ui.i18n import translate
from desktop.ui.labels import Labels
from desktop.ui.patients import full_name
from desktop.ui.vitals import ANSWERS, NUMBERS, YES_NO, name_of

if TYPE_CHECKING:  # the store loads after the first paint
    from desktop.services.records import Referral

SHOWN: Final = 5
"""Candidates on the letter; one that was decided on stands there too, wherever it ranked."""

OWN_CODE: Final = "VD:"
"""Codes of our own list mean nothing outside Vereda and stay out of the letter."""

_PT: Final = 10
_STYLE: Final = (
    "body{color:#000;background:#fff}"
    " p{margin-top:0px;margin-bottom:2px} .title{font-size:15pt;font-weight:bold}"
    " .name{font-size:12pt;font-weight:bold} .small{font-size:8.5pt;color:#333}"
    " .part{font-weight:bold;margin-top:9px;margin-bottom:2px}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What the clinician adds by hand: to whom, what was done, what is asked for."""

    to: str = ""
    done: str = ""
    asked: str = ""


def letter(referral: "Referral", typed: Typed, labels: Labels, paper: Paper = Paper.LETTER) -> str:
    """Return the letter, or the summary, as HTML of the subset that QTextDocument reads."""
    visit = referral.visit
    parts = (
        _head(referral, paper),
        _patient(referral),
        _section(translate("Letter", "Para"), _text(typed.to)),
        _section(translate("Letter", "Se solicita"), _text(typed.asked)),
        _alerts(visit.differential.alerts, labels),
        _findings(visit.case, labels),
        _section(translate("Letter", "Constantes vitales"), _text(_vitals(visit.case.vitals))),
        _section(translate("Letter", "Hecho hasta ahora"), _text(typed.done)),
        _decision(visit.feedback, labels),
        _opinion(visit.opinion, labels) if paper is Paper.SUMMARY else "",
        _plan(visit.feedback),
        _differential(visit.differential, visit.feedback, labels),
        _foot(referral),
    )
    return f"<html><body>{''.join(parts)}</body></html>"


def document(content: str) -> QTextDocument:
    """Return the page for a preview or a printer."""
    page = QTextDocument()
    font = QFont("sans-serif")
    font.setPointSize(_PT)
    page.setDefaultFont(font)
    page.setDefaultStyleSheet(_STYLE)
    page.setDocumentMargin(4)
    page.setHtml(content)
    return page


def pdf(content: str, title: str) -> bytes:
    """Return the letter as a PDF of A4 pages. title: of the file; no name belongs in it."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    writer.setTitle(title)
    writer.setCreator("Vereda")
    writer.setPageLayout(page_layout())
    document(content).print_(writer)
    del writer  # the file is whole once its writer is gone
    buffer.close()
    return bytes(buffer.data().data())


def page_layout() -> QPageLayout:
    """Return A4, upright; QTextDocument leaves two centimetres of its own on each side."""
    return QPageLayout(
        QPageSize(QPageSize.PageSizeId.A4),
        QPageLayout.Orientation.Portrait,
        QMarginsF(),
    )


def title_of(paper: Paper) -> str:
    """Return what the paper is called."""
    if paper is Paper.SUMMARY:
        return translate("Letter", "Resumen de la consulta")
    return translate("Letter", "Carta de derivación")


def _head(referral: "Referral", paper: Paper) -> str:
    title = title_of(paper)
    code = translate("Letter", "Código {code}").format(code=referral.visit.short_code)
    return (
        '<table width="100%"><tr>'
        f"<td><p class='title'>{_said(title)}</p><p>{_said(referral.clinic)}</p></td>"
        f'<td align="right"><p>{_said(words.day(referral.written_on))}</p>'
        f"<p><b>{_said(code)}</b></p></td></tr></table><hr/>"
    )


def _patient(referral: "Referral") -> str:
    patient, case = referral.patient, referral.visit.case
    seen = referral.visit.made_at.astimezone().date()
    facts = [
        words.age_on(patient.birth_date, seen),
        words.sex(case.sex),
        translate("Letter", "nacimiento {date}").format(date=words.day(patient.birth_date)),
    ]
    if referral.national_id:
        facts.append(translate("Letter", "documento {id}").format(id=referral.national_id))
    attended = translate("Letter", "Atención del {moment}, {name}").format(
        moment=words.moment(referral.visit.made_at), name=referral.attended_by
    )
    return (
        f"<p class='name'>{_said(full_name(patient))}</p><p>{_said(' · '.join(facts))}</p>"
        f"<p>{_said(attended)}</p>"
    )


def _alerts(alerts: Sequence[Alert], labels: Labels) -> str:
    if not alerts:
        text = translate("Letter", "Ninguna regla de alarma con lo anotado.")
        return _section(translate("Letter", "Señales de alarma"), _text(text))
    lines = (
        f"<p>● {_said(labels.alert(alert.code))} <span class='small'>({_said(alert.source)})"
        "</span></p>"
        for alert in sorted(alerts, key=lambda a: not a.urgent)
    )
    return _section(translate("Letter", "Señales de alarma"), "".join(lines))


def _findings(case: Case, labels: Labels) -> str:
    asked = tuple(f for f in case.findings if f.presence is Presence.UNKNOWN)
    groups = (
        (translate("Letter", "Presente"), case.present),
        (translate("Letter", "Preguntado y ausente"), case.excluded),
        (translate("Letter", "Preguntado, no se sabe"), asked),
    )
    none = translate("Letter", "nada anotado")
    lines = (
        f"<p><b>{_said(title)}:</b> "
        f"{_said('; '.join(_finding(f, labels) for f in found) or none)}</p>"
        for title, found in groups
        if found or title != groups[2][0]
    )
    return _section(translate("Letter", "Hallazgos"), "".join(lines))


def _finding(finding: Finding, labels: Labels) -> str:
    said = labels.finding(finding.id)
    if finding.grade is not None:
        said += translate("Letter", " ({grade} de 10)").format(grade=f"{finding.grade:g}")
    told = [] if finding.severity is None else [words.severity(finding.severity)]
    if finding.onset_days is not None:
        told.append(words.since(finding.onset_days))
    return f"{said} ({', '.join(told)})" if told else said


def _vitals(vitals: VitalSigns) -> str:
    yes_no = {value: name for value, name in ANSWERS if value}
    said = [
        f"{name_of(vital.field)} {words.quantity(value, vital.unit)}"
        for vital in NUMBERS
        if (value := getattr(vitals, vital.field)) is not None
    ]
    said += [
        f"{name_of(vital.field)}: {translate('Vitals', yes_no[str(value).lower()])}"
        for vital in YES_NO
        if (value := getattr(vitals, vital.field)) is not None
    ]
    return " · ".join(said) or translate("Letter", "Sin constantes tomadas.")


def _decision(decisions: Sequence[Feedback], labels: Labels) -> str:
    title = translate("Letter", "Juicio clínico")
    if not decisions:
        return _section(title, _text(translate("Letter", "Sin decisión registrada todavía.")))
    return _section(title, "".join(_decided(decision, labels) for decision in decisions))


def _opinion(opinion: str, labels: Labels) -> str:
    if not opinion:
        return ""
    if opinion == UNDECIDED:
        return _text(translate("Letter", "Antes de ver la lista: sin diagnóstico propio."))
    said = translate("Letter", "Antes de ver la lista: {disease}.")
    return _text(said.format(disease=_disease(DiseaseId(opinion), labels)))


def _plan(decisions: Sequence[Feedback]) -> str:
    plans = [decision.plan for decision in decisions if decision.plan]
    return _section(translate("Letter", "Plan"), _text("\n".join(plans)))


def _decided(decision: Feedback, labels: Labels) -> str:
    said = words.verb(decision.verb)
    if decision.disease is not None:
        said += f": {_disease(decision.disease, labels)}"
    if decision.reason is not None:
        said += f" ({words.reason(decision.reason)})"
    return _text(said)


def _differential(differential: Differential, decisions: Sequence[Feedback], labels: Labels) -> str:
    decided = {decision.disease for decision in decisions}
    rows = "".join(
        _candidate(c, labels)
        for c in differential.candidates
        if c.rank <= SHOWN or c.disease in decided
    )
    outside = translate("Letter", "Ninguna de las conocidas: {frequency}.").format(
        frequency=words.frequency(natural_frequency(differential.outside_probability))
    )
    warning = translate(
        "Letter",
        "Con lo anotado arriba, cuántos casos así son cada una. Orienta; no confirma ninguna.",
    )
    table = f"<table cellpadding='2' cellspacing='4'>{rows}</table>"
    body = f"<p class='small'>{_said(warning)}</p>{table}{_text(outside)}"
    if differential.unused:
        unread = translate("Letter", "El modelo no leyó: {names}.").format(
            names=", ".join(map(labels.finding, differential.unused))
        )
        body += _text(unread)
    return _section(translate("Letter", "Lista de posibilidades de Vereda"), body)


def _candidate(candidate: Candidate, labels: Labels) -> str:
    frequency = words.frequency(natural_frequency(candidate.probability))
    cells = (
        f"{candidate.rank}.",
        _disease(candidate.disease, labels),
        frequency,
        words.band(candidate.band),
    )
    return f"<tr>{''.join(f'<td>{_said(cell)}</td>' for cell in cells)}</tr>"


def _disease(disease: DiseaseId, labels: Labels) -> str:
    name = labels.disease(disease)
    return name if disease.startswith(OWN_CODE) else f"{name} ({disease})"


def _foot(referral: "Referral") -> str:
    visit = referral.visit
    made = translate(
        "Letter",
        "Vereda, modelo {version}. Código del recibo {code}: con él, el centro que deriva "
        "encuentra la consulta y repite el cálculo.",
    ).format(version=visit.differential.bundle_version, code=visit.short_code)
    sign = translate("Letter", "Firma y sello")
    return (
        f"<br/><p>{_said(referral.signed_by)}, {_said(referral.clinic)}</p>"
        f"<p>{_said(sign)}: ______________________________</p><hr/>"
        f"<p class='small'>{_said(made)}</p>"
    )


def _section(title: str, body: str) -> str:
    return f"<p class='part'>{_said(title)}</p>{body}" if body else ""


def _text(text: str) -> str:
    return "".join(f"<p>{_said(line)}</p>" for line in _lines(text))


def _lines(text: str) -> Iterable[str]:
    return (line for line in text.splitlines() if line.strip())


def _said(text: str) -> str:
    return html.escape(text, quote=False)
