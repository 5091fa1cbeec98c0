"""The visits of one patient: a line of time left, one of them or two compared right."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QSize, Qt, Signal
from PySide6.QtGui import QFont, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFileDialog,
    QListView,
    QPushButton,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTextEdit,
    QWidget,
)

from ddx.errors import DdxError
from desktop.presenters.history import (
    BesideMarked,
    Entered,
    ExportAsked,
    Exported,
    Failed,
    HistoryRead,
    HistoryState,
    ReadHistory,
    VisitChosen,
    WriteExport,
    step,
)
from desktop.presenters.patients import Patient
from desktop.presenters.visit_state import Diagnosis
from desktop.ui import files, history_page, keys, messages, paint, words
from desktop.ui.finding_list import LINE, Index
from desktop.ui.i18n import translate
from desktop.ui.jobs import Jobs
from desktop.ui.labels import Labels
from desktop.ui.patients import full_name
from desktop.ui.screen import Screen, refusal_of
from desktop.ui.theme import colours
from desktop.ui.widgets import OneLine, Passing, button, column, label, message, row, say

if TYPE_CHECKING:  # the store loads after the first paint
    from desktop.services.session import Session

ONE_LINE = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class VisitModel(QAbstractListModel):
    """The visits, newest first."""

    def __init__(self, labels: Labels, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._labels = labels
        self.visits: tuple[Diagnosis, ...] = ()
        self.beside: str | None = None

    def show(self, visits: Sequence[Diagnosis], beside: str | None) -> None:
        """Show other visits, or another mark."""
        if tuple(visits) != self.visits:
            self.beginResetModel()
            self.visits = tuple(visits)
            self.endResetModel()
        if beside != self.beside:
            self.beside = beside
            self.dataChanged.emit(self.index(0), self.index(max(0, len(self.visits) - 1)))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 -- Qt's own default
        """Return how many visits there are."""
        return 0 if parent.isValid() else len(self.visits)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return one visit: its two lines, or as a screen reader says it."""
        visit = self.visits[index.row()]
        when, what = words.moment(visit.made_at), history_page.conclusion(visit, self._labels)
        marked = visit.id == self.beside
        if role == LINE:
            return when, what, marked
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return f"{when} · {what}"
        if role == Qt.ItemDataRole.AccessibleTextRole:
            said = f"{when}. {what}"
            return f"{said}. {translate('History', 'se compara')}" if marked else said
        return None


class VisitDelegate(QStyledItemDelegate):
    """Draws when, and what was concluded, on a line of time."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw the row."""
        when, what, marked = index.data(LINE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint.row_ground(painter, option)
        box = option.rect
        paint.moment_on_line(painter, box, marked=marked)
        text = box.adjusted(34, 6, -10, -6)
        half = text.height() // 2
        top, under = text.adjusted(0, 0, 0, -half), text.adjusted(0, half, 0, 0)
        bold = paint.sized(option.font, 1.0, QFont.Weight.DemiBold)
        paint.write(painter, top, when, bold, colours().ink, flags=ONE_LINE)
        small = paint.sized(option.font, 0.9)
        paint.write(painter, under, what, small, colours().quiet, flags=ONE_LINE)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002 -- Qt's signature
        """Return the height of two lines of text."""
        return QSize(0, round(option.font.pixelSize() * 3.0) + 12)


class VisitList(QListView):
    """The line of time; C marks the visit that the others are compared with."""

    picked = Signal(str)
    marked = Signal()

    def __init__(self, labels: Labels) -> None:
        super().__init__()
        self.lines = VisitModel(labels, self)
        self.setModel(self.lines)
        self.setItemDelegate(VisitDelegate(self))
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)

    def show_state(self, state: HistoryState) -> None:
        """Show the visits with the chosen one current."""
        self.lines.show(state.visits, state.beside)
        row = next((i for i, v in enumerate(state.visits) if v.id == state.chosen), -1)
        if row >= 0 and row != self.currentIndex().row():
            self.setCurrentIndex(self.lines.index(row))

    def currentChanged(self, current: Index, previous: Index) -> None:
        """Report the visit under the cursor."""
        super().currentChanged(current, previous)
        if current.isValid():
            self.picked.emit(self.lines.visits[current.row()].id)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Mark with C."""
        if event.key() == Qt.Key.Key_C and not event.modifiers():
            self.marked.emit()
        else:
            super().keyPressEvent(event)


class HistoryScreen(Screen):
    """Everything recorded of one patient."""

    closed = Signal()
    state: HistoryState

    def __init__(self, session: "Session", labels: Labels, jobs: Jobs, patient: Patient) -> None:
        super().__init__(jobs)
        self.reducer, self.state = step, HistoryState(patient=patient)
        self._session, self._labels = session, labels
        self._performers = {ReadHistory: self._read, WriteExport: self._export}
        self.list = VisitList(labels)
        self.texts.bind(
            self.list.setAccessibleName, lambda: translate("History", "Consultas del paciente")
        )
        self.list.picked.connect(self._pick)
        self.list.marked.connect(lambda: self.dispatch(BesideMarked()))
        self.page = QTextEdit()
        self.page.setReadOnly(True)
        self.page.setTabChangesFocus(True)
        self.texts.bind(
            self.page.setAccessibleName, lambda: translate("History", "La consulta elegida")
        )
        self.name = OneLine("title")
        self.empty, self.told, self.refused = message("quiet"), message("done"), message("refusal")
        self._lay_out()
        self.redraw()

    def _lay_out(self) -> None:
        t = self.texts
        self.mark = button(t, self._mark_title, lambda: self.dispatch(BesideMarked()))
        self.phenopacket = self._exporter(
            "phenopacket",
            lambda: translate("History", "Exportar fenopaquete…  {key}").format(
                key=keys.shown(keys.EXPORT)
            ),
        )
        self.fhir = self._exporter(
            "fhir",
            lambda: translate("History", "Exportar FHIR…  {key}").format(
                key=keys.shown(keys.EXPORT_FHIR)
            ),
        )
        keys.on(self, keys.EXPORT, self.phenopacket.click)
        keys.on(self, keys.EXPORT_FHIR, self.fhir.click)
        close = button(t, lambda: translate("History", "Cerrar"), self.closed.emit, "plain")
        how = label(
            t,
            lambda: translate("History", "↑ ↓ cambia de consulta · C la deja para comparar"),
            "small",
        )
        left = column(self.list, self.empty, how, self.mark, gap=8)
        left.setStretch(0, 1)
        body = row(left, column(self.page), gap=16)
        body.setStretch(0, 4)
        body.setStretch(1, 7)
        buttons = row(self.phenopacket, self.fhir)
        buttons.addStretch(1)
        buttons.addWidget(close)
        self.setLayout(column(self.name, body, self.told, self.refused, buttons, gap=10, margin=16))

    def _exporter(self, kind: str, text: Callable[[], str]) -> QPushButton:
        return button(self.texts, text, lambda: self._ask_where(kind))

    def _mark_title(self) -> str:
        if self.state.beside is not None and self.state.beside == self.state.chosen:
            return translate("History", "Dejar de comparar con esta  C")
        return translate("History", "Comparar las demás con esta  C")

    def enter_screen(self) -> None:
        """Read the visits."""
        self.dispatch(Entered())
        self.list.setFocus()

    def _pick(self, id: str) -> None:
        found = next((v.id for v in self.state.visits if v.id == id), None)
        if found is not None and found != self.state.chosen:
            self.dispatch(VisitChosen(found))

    def redraw(self) -> None:
        """Draw the line of time and the page."""
        state = self.state
        self.name.setText(full_name(state.patient))
        self.list.show_state(state)
        self.list.setVisible(bool(state.visits))
        nothing = translate("History", "Todavía no hay consultas registradas.")
        say(self.empty, "" if state.visits or state.loading else nothing)
        self.mark.setText(self._mark_title())
        self.mark.setVisible(len(state.visits) > 1)
        for way in (self.phenopacket, self.fhir):
            way.setEnabled(state.chosen is not None and not state.leaving)
        self.page.setHtml(history_page.page(state, self._labels))
        saved = translate("History", "✓ Exportado en {path}. Lleva datos del paciente: cuídelo.")
        say(self.told, saved.format(path=state.saved) if state.saved else "")
        say(self.refused, messages.refusal(state.refusal))

    def _ask_where(self, kind: str) -> None:
        visit = self.state.visit(self.state.chosen)
        if visit is None:
            return
        suggested = Path.home() / f"vereda-{visit.short_code}.{kind}.json"
        path, _ = QFileDialog.getSaveFileName(
            self, translate("History", "Exportar"), str(suggested), "JSON (*.json)"
        )
        self.dispatch(ExportAsked(kind, path))

    def _read(self, effect: ReadHistory) -> None:
        work, course = self.jobs.work(translate("History", "Leyendo la historia…"))
        self.ask(
            lambda: self._session.visits.history(effect.patient, course),
            self._show_visits,
            self._failed,
            about=work,
        )

    def _show_visits(self, visits: Sequence[Diagnosis]) -> None:
        self.dispatch(HistoryRead(visits))
        self.list.setFocus()

    def _export(self, effect: WriteExport) -> None:
        exports, patient = self._session.exports, self.state.patient.id
        work, course = self.jobs.work(translate("History", "Exportando…"))

        def write() -> str:
            content = (
                exports.fhir(patient, course)
                if effect.kind == "fhir"
                else exports.phenopacket(effect.visit, course)
            )
            return files.write(effect.path, content, course)

        self.ask(write, lambda path: self.dispatch(Exported(path)), self._failed, about=work)

    def _failed(self, error: DdxError) -> None:
        self.dispatch(Failed(refusal_of(error)))


class HistoryDialog(Passing):
    """The history in front of whatever it was asked from."""

    def __init__(self, screen: HistoryScreen, parent: QWidget) -> None:
        super().__init__(parent)
        self.shown = screen
        title = translate("History", "Historia del paciente")
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        screen.closed.connect(self.accept)
        self.setLayout(column(screen))
        self.resize(980, 580)
