"""Centre column of the visit: what must not be missed, the ranked list, what it rests on."""

from collections import Counter
from collections.abc import Callable, Mapping

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from ddx.domain.differential import Alert, Differential, World
from ddx.domain.identifiers import DiseaseId
from ddx.intake.draft import UNDECIDED
from desktop.presenters.likelihood import natural_frequency
from desktop.presenters.moves import Move, moves
from desktop.presenters.visit_state import CandidateSelected, Diagnosis, VisitState
from desktop.ui import keys, words
from desktop.ui.candidate_list import CandidateLine, CandidateList
from desktop.ui.i18n import translate
from desktop.ui.labels import Labels, with_code
from desktop.ui.opinion import OpinionBox
from desktop.ui.trial import TrialBar
from desktop.ui.vitals import name_of
from desktop.ui.widgets import Spoken, clear, column, heading, message, plain_label, say, tall

LEAST_STRIP = 96  # pixels: the title and a sentence, however small the window
STRIP_SHARE = 0.5  # of the column: the list is never pushed out by its alerts


class AlertStrip(QFrame):
    """The strip "No pasar por alto", pinned above the list whatever the ranks say."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("strip")
        inside = QWidget()
        self._lines = QVBoxLayout(inside)
        self._lines.setContentsMargins(12, 8, 12, 8)
        self._lines.setSpacing(4)
        self._labels_shown: list[QLabel] = []
        outer = QVBoxLayout(self)
        outer.setContentsMargins(1, 1, 1, 1)
        self._area = tall(inside)
        self._area.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # to be read aloud, and scrolled
        self._area.setAccessibleName(translate("Differential", "No pasar por alto"))
        outer.addWidget(self._area)
        self.hide()

    def show_alerts(self, alerts: tuple[Alert, ...], labels: Labels) -> None:
        """Draw the rules that fired, urgent ones first; what is there already stays there."""
        ranked = sorted(alerts, key=lambda a: not a.urgent)
        said = [_alert_text(alert, labels) for alert in ranked]
        title = translate("Differential", "No pasar por alto")
        if said and [title, *said] == [label.text() for label in self._labels_shown]:
            return
        clear(self._lines)
        self._labels_shown = []
        self.setVisible(bool(alerts))
        if not alerts:
            return
        heading_of_strip = plain_label("section")
        heading_of_strip.setText(title)
        self._labels_shown.append(heading_of_strip)
        for alert, text in zip(ranked, said, strict=True):
            line = plain_label()
            line.setText(text)
            line.setToolTip(alert.source)
            self._labels_shown.append(line)
        for label in self._labels_shown:
            self._lines.addWidget(label)
        read = ". ".join(label.text() for label in self._labels_shown)
        self.setAccessibleName(read)
        self._area.setAccessibleName(read)

    def fit(self, width: int, most: int) -> None:
        """Take the height the text needs at `width`, at most `most`; the rest scrolls.

        Asks the labels, not their layout: a layout counts a label only once it is on screen.
        """
        margins = self._lines.contentsMargins()
        room = max(1, width - margins.left() - margins.right() - 14)
        text = sum(label.heightForWidth(room) for label in self._labels_shown)
        gaps = self._lines.spacing() * max(0, len(self._labels_shown) - 1)
        needed = text + gaps + margins.top() + margins.bottom() + 6
        self.setFixedHeight(min(needed, max(most, LEAST_STRIP)))


def _blocked_text(differential: Differential) -> str:
    """Return that a stopped model did not answer, empty where all did."""
    if not differential.blocked:
        return ""
    if len(differential.blocked) == len(World):
        return translate(
            "Differential",
            "El modelo está detenido por seguridad: no hay lista. Las alarmas, las reglas y los "
            "registros siguen funcionando.",
        )
    if World.COMMON in differential.blocked:
        return translate(
            "Differential",
            "El modelo de enfermedades frecuentes está detenido por seguridad: la lista solo "
            "tiene raras. Las alarmas y las reglas siguen funcionando.",
        )
    return translate(
        "Differential",
        "El modelo de enfermedades raras está detenido por seguridad: la lista solo tiene "
        "frecuentes. Las alarmas y las reglas siguen funcionando.",
    )


def _alert_text(alert: Alert, labels: Labels) -> str:
    because = ", ".join(_evidence(item, labels) for item in alert.evidence)
    text = labels.alert(alert.code)
    return words.unbroken(f"● {text}" + (f" ({because})" if because else ""))


def _evidence(item: str, labels: Labels) -> str:
    return labels.finding(item) if ":" in item else name_of(item)


class DifferentialColumn(Spoken):
    """The ranked list and everything said about it as a whole."""

    def __init__(
        self, labels: Labels, dispatch: Callable[[object], None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._labels = labels
        self._state: VisitState | None = None
        self._candidates: list[CandidateLine] = []
        self._rules: tuple[Alert, ...] = ()
        self._refit = QTimer(self)  # one, kept: single shots of a screen that goes leave memory
        self._refit.setSingleShot(True)
        self._refit.timeout.connect(self._fit_strip)
        self.strip = AlertStrip()
        self.stale = message("notice")
        self.trial = TrialBar(self.texts, dispatch)
        self.opinion = OpinionBox(labels, dispatch)
        self.thought = message("quiet")
        self.blocked = message("notice")
        self.empty = message("quiet")
        self.list = CandidateList()
        self.texts.bind(
            self.list.setAccessibleName,
            lambda: translate("Differential", "Diagnósticos por probabilidad"),
        )
        self.list.picked.connect(lambda d: dispatch(CandidateSelected(DiseaseId(d))))
        self.outside = message("small")
        self.unused = message("notice")
        self.made = message("small")
        self.box = column(
            heading(
                self.texts,
                lambda: translate("Differential", "Lista de diagnósticos"),
                keys.shown(keys.LIST),
            ),
            self.trial,
            self.stale,
            self.thought,
            self.opinion,
            self.blocked,
            self.empty,
            self.list,
            self.unused,
            self.outside,
            self.made,
        )
        self.box.setStretchFactor(self.list, 1)
        self.list.setMinimumHeight(110)
        self._rest = self.box.count()
        self.box.addStretch(0)
        self.box.setContentsMargins(2, 2, 8, 2)
        inside = QWidget()
        pinned = column(self.strip)
        pinned.setContentsMargins(2, 0, 8, 0)  # as wide as the list below
        outer = column(pinned, tall(inside))
        outer.setStretch(1, 1)
        self.setLayout(outer)
        inside.setLayout(self.box)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the pinned strip its height at the new width."""
        super().resizeEvent(event)
        self._fit_strip()

    def changeEvent(self, event: QEvent) -> None:
        """Give the pinned strip its height in the new type size."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._refit.start()

    def _fit_strip(self) -> None:
        self.strip.fit(self.width() - 10, round(self.height() * STRIP_SHARE))

    def show_state(self, state: VisitState) -> None:
        """Draw `state`."""
        drawn = None if self._state is None else (self._state.shown, self._state.before)
        self._state = state
        made = state.diagnosis
        self.list.setVisible(made is not None)
        self.opinion.show_state(state)
        self.trial.setVisible(state.trial is not None)
        self.box.setStretch(self._rest, 1 if made is None else 0)
        say(self.empty, "" if state.asking_opinion else self._empty_text(state))
        say(self.stale, _stale_text(state))
        say(self.thought, self._thought(state))
        if made is None or state.shown is None:
            return
        if drawn != (state.shown, state.before):
            on_trial = state.tried if state.on_trial else None
            self._draw_answer(
                state.shown,
                made.not_excluded if on_trial is None else on_trial.not_excluded,
                moves(state.before, state.shown),
            )
            self._draw_made(made)
        self.list.show_lines(self._candidates, state.selected)

    def _draw_made(self, made: Diagnosis) -> None:
        text = translate("Differential", "Modelo {version} · {moment} · código {code}")
        say(
            self.made,
            text.format(
                version=made.differential.bundle_version,
                moment=words.moment(made.made_at),
                code=words.whole(made.short_code),
            ),
        )

    def _thought(self, state: VisitState) -> str:
        """Return where the clinician's own diagnosis stands on the recorded list."""
        made = state.diagnosis
        if made is None or not made.opinion:
            return ""
        if made.opinion == UNDECIDED:
            return translate("Differential", "Antes de la lista: sin diagnóstico propio.")
        said = translate("Differential", "Antes de la lista pensó en: {disease}. {place}")
        ranks = {c.disease: c.rank for c in made.differential.candidates}
        rank = ranks.get(DiseaseId(made.opinion))
        place = (
            translate("Differential", "No está en la lista.")
            if rank is None
            else translate("Differential", "Es el puesto {n}.").format(n=rank)
        )
        return said.format(disease=self._labels.disease(made.opinion), place=place)

    def show_rules(self, alerts: tuple[Alert, ...]) -> None:
        """Pin the rules that fire on the findings as they are, before and beside any list."""
        if alerts != self._rules:
            self._rules = alerts
            self._draw_strip()

    def _draw_strip(self) -> None:
        listed = (
            () if self._state is None or self._state.shown is None else self._state.shown.alerts
        )
        told = {alert.code: alert for alert in (*listed, *self._rules)}
        self.strip.show_alerts(tuple(told.values()), self._labels)
        self._fit_strip()
        self._refit.start()  # again, once the labels wear their font

    def _lines(
        self,
        differential: Differential,
        kept: frozenset[DiseaseId] | None,
        moved: Mapping[DiseaseId, Move],
    ) -> list[CandidateLine]:
        """Name the candidates; two of the same name are told apart by their code."""
        names = [self._labels.disease(c.disease) for c in differential.candidates]
        twice = {name for name, count in Counter(names).items() if count > 1}
        return [
            CandidateLine(
                c,
                with_code(name, c.disease) if name in twice else name,
                kept=kept is not None and c.disease in kept,
                move=moved.get(c.disease),
            )
            for c, name in zip(differential.candidates, names, strict=True)
        ]

    def _draw_answer(
        self,
        differential: Differential,
        kept: frozenset[DiseaseId] | None,
        moved: Mapping[DiseaseId, Move],
    ) -> None:
        self._candidates = self._lines(differential, kept, moved)
        self._draw_strip()
        say(self.blocked, _blocked_text(differential))
        outside = translate(
            "Differential", "Puede no ser ninguna de estas: en {frequency} casos así, es otra cosa."
        )
        frequency = words.frequency(natural_frequency(differential.outside_probability))
        unsaid = translate("Differential", "Este modelo no dice qué no se puede descartar.")
        said = outside.format(frequency=frequency)
        say(self.outside, f"{said} {unsaid}" if kept is None else said)
        names = ", ".join(self._labels.finding(f) for f in differential.unused)
        unused = translate(
            "Differential", "El modelo no sabe leer: {names}. Téngalo en cuenta usted."
        )
        say(self.unused, unused.format(names=names) if names else "")

    def _empty_text(self, state: VisitState) -> str:
        if state.diagnosing and state.diagnosis is None:
            return translate("Differential", "Calculando…")
        if state.diagnosis is None:
            return translate(
                "Differential",
                "Anote lo que encuentra y lo que descarta. Con {key} aparece la lista: "
                "una ayuda para pensar; decide usted.",
            ).format(key=keys.shown(keys.DIAGNOSE))
        if not state.diagnosis.differential.candidates:
            return translate(
                "Differential", "Con estos datos no hay candidatos. Añada hallazgos y pulse {key}."
            ).format(key=keys.shown(keys.DIAGNOSE))
        return ""

    def redraw(self) -> None:
        """Draw again in another language."""
        if self._state is not None:
            state, self._state = self._state, None
            self.show_state(state)
            self._draw_strip()


def _stale_text(state: VisitState) -> str:
    if state.trial is not None or not state.stale:
        return ""
    if state.on_trial:
        return translate(
            "Differential",
            "Así queda la lista con los últimos cambios; aún sin registrar. {key} la registra.",
        ).format(key=keys.shown(keys.DIAGNOSE))
    return translate(
        "Differential", "Lista anterior a los últimos cambios. Pulse {key} para actualizarla."
    ).format(key=keys.shown(keys.DIAGNOSE))
