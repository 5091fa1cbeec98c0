"""Right column of the visit: why this candidate, in sentences; bars second, numbers third."""

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.presenters.visit_state import (
    Action,
    Detail,
    DetailCycled,
    FindingMarked,
    Sentence,
    VisitState,
)
from desktop.presenters.why import Why, why
from desktop.ui import keys, words
from desktop.ui.finding_list import FindingLine, FindingList
from desktop.ui.i18n import translate
from desktop.ui.labels import Labels
from desktop.ui.numbers import NumbersTable
from desktop.ui.theme import colours
from desktop.ui.why_not import WhyNotBox
from desktop.ui.widgets import (
    Spoken,
    button,
    clear,
    column,
    heading,
    label,
    message,
    plain_label,
    say,
)

SHOWN_EXPECTED: Final = 6


class ReasonBar(QWidget):
    """How much one reason counts. share: 0..1 of the strongest one."""

    def __init__(self, share: float, *, speaks_for: bool) -> None:
        super().__init__()
        self._share, self._speaks_for = share, speaks_for
        self.setMinimumHeight(6)
        self.setMaximumHeight(6)

    def sizeHint(self) -> QSize:
        """Return a thin line as wide as there is room."""
        return QSize(120, 6)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the bar."""
        c = colours()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(c.line))
            painter.drawRoundedRect(QRectF(0, 1, self.width(), 4), 2, 2)
            painter.setBrush(QColor(c.accent if self._speaks_for else c.against))
            painter.drawRoundedRect(QRectF(0, 1, max(4.0, self.width() * self._share), 4), 2, 2)


class WhyColumn(Spoken):
    """Reasons of the selected candidate."""

    def __init__(self, labels: Labels, dispatch: Callable[[object], None]) -> None:
        super().__init__()
        self._labels, self._dispatch = labels, dispatch
        self._state: VisitState | None = None
        self.title = plain_label("heading")
        self.subtitle = message("quiet")
        self._for_title = self._heading(lambda: translate("Why", "A favor"), "accent")
        self._against_title = self._heading(lambda: translate("Why", "En contra"), "against")
        self._for, self._against = QVBoxLayout(), QVBoxLayout()
        for side in (self._for, self._against):
            side.setSpacing(10)
        self._nothing_for = message("quiet")
        self._nothing_against = message("quiet")
        self._expected_title = self._heading(
            lambda: translate("Why", "Se esperaría, y no se ha preguntado"), "section"
        )
        self.expected = FindingList()
        self.expected.setProperty("look", "bare")
        self.texts.bind(
            self.expected.setAccessibleName,
            lambda: translate("Why", "Hallazgos esperados que no se han preguntado"),
        )
        self.expected.marked.connect(lambda f, p: dispatch(FindingMarked(f, p)))
        self._unasked = message("small")
        self._actions_title = self._heading(
            lambda: translate("Why", "Qué hacer primero si se sospecha"), "section"
        )
        self._actions = QVBoxLayout()
        self._actions.setSpacing(8)
        self._of_record = message("notice")
        self.more = button(
            self.texts, self._more_title, lambda: dispatch(DetailCycled()), "disclose"
        )
        self.more.setMinimumWidth(40)
        self.numbers = NumbersTable(self.texts, labels)
        self.why_not = WhyNotBox(labels, dispatch)
        self.box = column(
            heading(self.texts, lambda: translate("Why", "Por qué"), keys.shown(keys.WHY)),
            self.title,
            self.subtitle,
            self._of_record,
            self._for_title,
            self._nothing_for,
            self._for,
            self._against_title,
            self._nothing_against,
            self._against,
            self._unasked,
            self.more,
            self.numbers,
            self._actions_title,
            self._actions,
            self._expected_title,
            self.expected,
            self.why_not,
            gap=10,
        )
        self.box.addStretch(1)
        self.setLayout(self.box)

    def _heading(self, text: Callable[[], str], name: str) -> QWidget:
        return label(self.texts, text, name)

    def show_state(self, state: VisitState) -> None:
        """Draw `state`; the reasons are built only when they change."""
        before = self._state
        self._state = state
        if (
            before is None
            or before.explanation is not state.explanation
            or before.selected != state.selected
            or before.detail is not state.detail
        ):
            self._draw_reasons(state)
            self._draw_actions(state)
        self._draw_expected(state)
        of_record = translate("Why", "Razones de la última lista registrada.")
        say(self._of_record, of_record if state.on_trial else "")
        self.why_not.show_state(state)

    def _draw_reasons(self, state: VisitState) -> None:
        clear(self._for)
        clear(self._against)
        shown = state.explanation is not None
        for title in (self._for_title, self._against_title):
            title.setVisible(shown)
        say(self.title, "" if state.selected is None else self._labels.disease(state.selected))
        say(self.subtitle, self._subtitle(state))
        say(self._nothing_for, "")
        say(self._nothing_against, "")
        say(self._unasked, "")
        self.more.setVisible(shown)
        self.more.setText(self._more_title())
        self.numbers.setVisible(shown and state.detail is Detail.NUMBERS)
        if state.explanation is not None:
            self._fill(why(state.sentences))
            if state.detail is Detail.NUMBERS:
                self.numbers.show_explanation(state.explanation)

    def _more_title(self) -> str:
        detail = Detail.SENTENCES if self._state is None else self._state.detail
        said = {
            Detail.SENTENCES: translate("Why", "▸ Con barras  {key}"),
            Detail.BARS: translate("Why", "▸ Con números  {key}"),
            Detail.NUMBERS: translate("Why", "▾ Solo frases  {key}"),
        }[detail]
        return said.format(key=keys.shown(keys.DETAIL))

    def _fill(self, reasons: Why) -> None:
        for side, items in (
            (self._for, reasons.reasons_for),
            (self._against, reasons.reasons_against),
        ):
            for item in items:
                side.addLayout(self._reason(item, reasons))
        nothing_for = translate("Why", "Nada de lo anotado habla a favor.")
        nothing_against = translate("Why", "Nada de lo anotado habla en contra.")
        say(self._nothing_for, "" if reasons.reasons_for else nothing_for)
        say(self._nothing_against, "" if reasons.reasons_against else nothing_against)
        say(self._unasked, " ".join(self._labels.reason(item) for item in reasons.unasked))

    def _reason(self, item: Sentence, reasons: Why) -> QVBoxLayout:
        sentence = plain_label()
        sentence.setText(words.unbroken(self._labels.reason(item)))
        if self._state is None or self._state.detail is Detail.SENTENCES:
            return column(sentence)
        bar = ReasonBar(item.share / reasons.strongest, speaks_for=item in reasons.reasons_for)
        return column(sentence, bar, gap=3)

    def _draw_actions(self, state: VisitState) -> None:
        clear(self._actions)
        actions = state.actions.get(self._labels.language, ())
        self._actions_title.setVisible(bool(actions))
        for action in actions:
            self._actions.addLayout(self._action(action))

    def _action(self, action: Action) -> QVBoxLayout:
        text, source = plain_label(), plain_label("small")
        text.setText(words.unbroken(action.text))
        source.setText(action.guideline.cite())
        return column(text, source, gap=1)

    def _subtitle(self, state: VisitState) -> str:
        if state.diagnosis is None:
            return translate("Why", "Aquí verá qué habla a favor y en contra de cada diagnóstico.")
        if state.selected is not None and state.explanation is None:
            return translate("Why", "Buscando las razones…")
        return ""

    def _draw_expected(self, state: VisitState) -> None:
        entered = {f.id: f.presence for f in state.considered.findings}
        expected = state.explanation.expected[:SHOWN_EXPECTED] if state.explanation else ()
        lines = [
            FindingLine(
                id=finding,
                label=self._labels.finding(finding),
                presence=entered.get(finding),
            )
            for finding in expected
        ]
        self._expected_title.setVisible(bool(lines))
        self.expected.setVisible(bool(lines))
        self.expected.show_lines(lines)
        rows = sum(self.expected.sizeHintForRow(i) for i in range(len(lines)))
        self.expected.setFixedHeight(rows + 8)

    def redraw(self) -> None:
        """Draw again in another language."""
        if self._state is not None:
            state, self._state = self._state, None
            self.show_state(state)
