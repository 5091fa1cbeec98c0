"""Left column of the visit: age and sex, search as you type, what was entered, vital signs."""

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ddx.domain.case import Sex
from ddx.domain.finding import Presence
from ddx.intake.draft import AgeUnit
from ddx.intake.issues import Level
from desktop.presenters import entry
from desktop.presenters.visit_state import (
    AgeTyped,
    DiagnoseAsked,
    FindingCycled,
    FindingGraded,
    FindingMarked,
    FindingRemoved,
    FindingWeighed,
    OnsetTyped,
    SearchTyped,
    SexChosen,
    VisitState,
    VitalTyped,
)
from desktop.ui import keys, messages, words
from desktop.ui.finding_list import FindingLine, FindingList
from desktop.ui.i18n import translate
from desktop.ui.labels import Labels
from desktop.ui.onset import OnsetRow
from desktop.ui.vitals import VitalsPanel
from desktop.ui.widgets import (
    MEASURED_BY_MS,
    Spoken,
    button,
    choice,
    column,
    field,
    heading,
    label,
    labelled,
    message,
    restyle,
    row,
    say,
    tall,
)

Dispatch = Callable[[object], None]


class EntryColumn(Spoken):
    """Everything the clinician enters."""

    def __init__(self, labels: Labels, dispatch: Dispatch, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._labels, self._dispatch = labels, dispatch
        self._state: VisitState | None = None
        self._build_patient()
        self._build_search()
        self._build_entered()
        self._build_vitals()
        self.issues = message("refusal")
        self.diagnose = button(
            self.texts,
            lambda: translate("Visit", "Calcular la lista  {key}").format(
                key=keys.shown(keys.DIAGNOSE)
            ),
            lambda: dispatch(DiagnoseAsked()),
            "primary",
        )
        parts = column(
            self._patient_row,
            self.search,
            self.hits,
            self.how,
            self.no_hits,
            self.vitals_toggle,
            self.vitals,
            self._entered_heading,
            self.nothing,
            self.entered,
            self.onset,
            gap=8,
        )
        parts.setContentsMargins(2, 2, 8, 2)
        inside = QWidget()
        self.area = tall(inside)
        self._box = column(self.area, gap=8)
        self._box.setStretch(0, 1)
        self.setLayout(self._box)
        inside.setLayout(parts)
        footer = column(self.issues, self.diagnose, gap=8)
        footer.setContentsMargins(2, 0, 8, 2)
        self._box.addLayout(footer)

    def hold(self, guide: QWidget, answers: QWidget) -> None:
        """Keep `guide` between what was entered and the key that calculates, for Tab too.

        answers: the control of `guide`.
        """
        self._box.insertWidget(1, guide)
        self.setTabOrder(answers, self.diagnose)

    def _build_patient(self) -> None:
        t = self.texts
        self.age = field(t, lambda: translate("Visit", "Edad"))
        self.age_unit = choice(t, lambda: translate("Visit", "Unidad de la edad"))
        self.sex = choice(t, lambda: translate("Visit", "Sexo"))
        for unit in AgeUnit:
            self.age_unit.addItem("", unit.value)
        for value in Sex:
            self.sex.addItem("", value.value)
        self.age.textEdited.connect(lambda _text: self._send_age())
        self.age_unit.activated.connect(lambda _index: self._send_age())
        self.sex.activated.connect(
            lambda index: self._dispatch(SexChosen(Sex(self.sex.itemData(index))))
        )
        age = labelled(t, lambda: translate("Visit", "Edad"), self.age)
        units = labelled(t, lambda: " ", self.age_unit)
        sex = labelled(t, lambda: translate("Visit", "Sexo"), self.sex)
        self._patient_row = row(age, units, sex)
        for place, share in enumerate((2, 3, 4)):
            self._patient_row.setStretch(place, share)
        for control in (self.age, self.age_unit, self.sex):
            control.setMinimumWidth(40)

    def _build_search(self) -> None:
        t = self.texts
        self.search = field(
            t,
            lambda: translate("Visit", "Buscar un hallazgo"),
            lambda: translate("Visit", "Buscar un hallazgo  {key}").format(
                key=keys.shown(keys.FINDINGS)
            ),
        )
        self.search.textEdited.connect(lambda text: self._dispatch(SearchTyped(text)))
        self.search.installEventFilter(self)
        self.hits = FindingList(led=True)
        t.bind(self.hits.setAccessibleName, lambda: translate("Visit", "Resultados de la búsqueda"))
        self.hits.marked.connect(self._mark)
        self.hits.setMinimumHeight(150)
        self.no_hits = message("quiet")
        self.how = label(
            t,
            lambda: translate("Visit", "{take}: presente · {absent}: ausente · ↓ y P, A, U").format(
                take=keys.shown(keys.TAKE), absent=keys.shown(keys.TAKE_ABSENT)
            ),
            "small",
        )

    def _build_entered(self) -> None:
        t = self.texts
        self._entered_heading = heading(
            t, lambda: translate("Visit", "Hallazgos anotados"), keys.shown(keys.ENTERED)
        )
        self.nothing = label(
            t,
            lambda: translate(
                "Visit",
                "Escriba un síntoma o signo. Intro lo anota como presente; "
                "Mayús+Intro, como ausente.",
            ),
            "quiet",
        )
        self.entered = FindingList()
        self.entered.setMinimumHeight(96)
        self.entered.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        t.bind(self.entered.setAccessibleName, lambda: translate("Visit", "Hallazgos anotados"))
        self.entered.marked.connect(lambda f, p: self._dispatch(FindingMarked(f, p)))
        self.entered.cycled.connect(lambda f: self._dispatch(FindingCycled(f)))
        self.entered.removed.connect(self._remove)
        self.entered.weighed.connect(lambda f: self._dispatch(FindingWeighed(f)))
        self.entered.dated.connect(self._ask_onset)
        self.onset = OnsetRow()
        self.onset.told.connect(self._take_onset)
        self.entered.graded.connect(lambda f, g: self._dispatch(FindingGraded(f, float(g))))

    def _build_vitals(self) -> None:
        self.vitals = VitalsPanel()
        self.vitals.hide()
        self.vitals_toggle = button(self.texts, self._vitals_title, self.toggle_vitals, "disclose")
        self.vitals_toggle.setMinimumWidth(40)
        self.vitals.typed.connect(lambda name, text: self._dispatch(VitalTyped(name, text)))

    def _vitals_title(self) -> str:
        taken = len(self._state.considered.vitals) if self._state else 0
        arrow = "▾" if self._state is not None and not self.vitals.isHidden() else "▸"
        title = translate("Visit", "{arrow} Constantes ({n})  {key}").format(
            arrow=arrow, n=taken, key=keys.shown(keys.VITALS)
        )
        score = self.vitals.news2
        return f"{title} · {score}" if score and self.vitals.isHidden() else title

    def toggle_vitals(self) -> None:
        """Open the vital signs and go to the first, or close them."""
        self.vitals.setVisible(self.vitals.isHidden())
        self.vitals_toggle.setText(self._vitals_title())
        if not self.vitals.isHidden():
            first = next(iter(self.vitals.numbers.values()))
            first.setFocus()
            QTimer.singleShot(0, self, lambda: self.area.ensureWidgetVisible(self.vitals))

    def _ask_onset(self, finding: str) -> None:
        line = self.entered.current()
        if line is not None:
            self.onset.ask(finding, self._labels.finding(finding), line.onset_days)
            QTimer.singleShot(
                MEASURED_BY_MS, self, lambda: self.area.ensureWidgetVisible(self.onset, 0, 12)
            )

    def _take_onset(self, finding: str, days: int | None) -> None:
        self._dispatch(OnsetTyped(finding, days))
        self.entered.setFocus()

    def close_onset(self) -> bool:
        """Close the question of when a finding began; return whether it was open."""
        if self.onset.isHidden():
            return False
        self.onset.hide()
        self.entered.setFocus()
        return True

    def _send_age(self) -> None:
        self._dispatch(AgeTyped(self.age.text(), AgeUnit(self.age_unit.currentData())))

    def _mark(self, finding: str, presence: Presence) -> None:
        self._dispatch(FindingMarked(finding, presence))
        self.search.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrows walk the results and Enter takes one while the cursor stays in the search."""
        if not isinstance(event, QKeyEvent) or event.type() is not QEvent.Type.KeyPress:
            return super().eventFilter(watched, event)
        key = Qt.Key(event.key())
        if key in (Qt.Key.Key_Down, Qt.Key.Key_Up) and not self.hits.isHidden():
            self._walk(down=key is Qt.Key.Key_Down)
            return True
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            self._take(Presence.EXCLUDED if shift else Presence.PRESENT)
            return True
        return super().eventFilter(watched, event)

    def clear_search(self) -> bool:
        """Empty the search; return whether there was something in it."""
        if not self.search.text():
            return False
        self._dispatch(SearchTyped(""))
        self.search.setFocus()
        return True

    def _walk(self, *, down: bool) -> None:
        if down:
            self.hits.setFocus()
            return
        self.hits.move(-1)

    def _take(self, presence: Presence) -> None:
        line = self.hits.current()
        state = self._state
        current = state is not None and state.hits_for == self.search.text()
        if line is not None and current:
            self._mark(line.id, presence)

    def show_state(self, state: VisitState) -> None:
        """Draw `state`."""
        self._state = state
        self._draw_patient(state)
        self._draw_search(state)
        self._draw_entered(state)
        wrong = {issue.field for issue in state.issues if issue.level is Level.ERROR}
        restyle(self.age, "wrong", "true" if "age" in wrong else "false")
        self.vitals.show_values(dict(state.considered.vitals), wrong)
        self.vitals.show_draft(state.considered)
        self.vitals_toggle.setText(self._vitals_title())
        say(self.issues, "\n".join(messages.issue(i, self._labels) for i in state.issues))
        serious = any(issue.level is Level.ERROR for issue in state.issues)
        restyle(self.issues, "look", "refusal" if serious else "notice")
        self.diagnose.setEnabled(not state.diagnosing)

    def _draw_patient(self, state: VisitState) -> None:
        if self.age.text() != state.considered.age_text:
            self.age.setText(state.considered.age_text)
        for i, unit in enumerate(AgeUnit):
            self.age_unit.setItemText(i, words.age_unit(unit))
        for i, value in enumerate(Sex):
            self.sex.setItemText(i, words.sex(value))
        self.age_unit.setCurrentIndex(self.age_unit.findData(state.considered.age_unit.value))
        self.sex.setCurrentIndex(self.sex.findData(state.considered.sex.value))

    def _draw_search(self, state: VisitState) -> None:
        if self.search.text() != state.search_text:
            self.search.setText(state.search_text)
        self.hits.show_lines([self._line(state, h.finding, h.matched) for h in state.hits])
        self.hits.setVisible(bool(state.hits))
        self.how.setVisible(bool(state.hits))
        searched = bool(state.search_text.strip()) and state.hits_for == state.search_text
        nothing = translate("Visit", "Ningún hallazgo con «{text}». Pruebe con otra palabra.")
        say(
            self.no_hits,
            nothing.format(text=state.search_text) if searched and not state.hits else "",
        )

    def _draw_entered(self, state: VisitState) -> None:
        searching = bool(state.hits)
        self.nothing.setVisible(not state.considered.findings and not searching)
        self.entered.setVisible(bool(state.considered.findings) or not searching)
        self.entered.show_lines(self._entered_lines(state))

    def _entered_lines(self, state: VisitState) -> list[FindingLine]:
        """Return a line per finding; what a choice ruled out together stands on one line."""
        lines = []
        told: set[str] = set()
        for finding in state.considered.findings:
            if finding.id in told:
                continue
            others = self._ruled_out_with(state, finding.id)
            line = self._line(state, finding.id)
            if others:
                told.update(others)
                more = translate("Visit", "{finding} y {n} más de la misma pregunta")
                line = replace(line, label=more.format(finding=line.label, n=len(others)))
            lines.append(line)
        return lines

    def _ruled_out_with(self, state: VisitState, finding: str) -> tuple[str, ...]:
        """Return the other absent values of the same choice; none unless `finding` is one."""
        group = self._labels.group(finding)
        line = entry.find(state.considered, finding)
        if not group or line is None or line.presence is not Presence.EXCLUDED:
            return ()
        return tuple(
            f.id
            for f in state.considered.findings
            if f.presence is Presence.EXCLUDED
            and f.id != finding
            and self._labels.group(f.id) == group
        )

    def _remove(self, finding: str) -> None:
        others = () if self._state is None else self._ruled_out_with(self._state, finding)
        self._dispatch(FindingRemoved(finding, others))

    def _line(self, state: VisitState, finding: str, matched: str = "") -> FindingLine:
        entered = entry.find(state.considered, finding)
        label = self._labels.finding(finding)
        if matched and matched.casefold() != label.casefold():
            label = f"{label} · {matched}"
        return FindingLine(
            id=finding,
            label=label,
            presence=None if entered is None else entered.presence,
            graded=self._labels.graded(finding),
            grade=None if entered is None else entered.grade,
            severity=None if entered is None else entered.severity,
            onset_days=None if entered is None else entered.onset_days,
        )

    def redraw(self) -> None:
        """Draw again in another language."""
        if self._state is not None:
            self.show_state(self._state)
