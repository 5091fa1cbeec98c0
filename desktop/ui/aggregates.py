"""What the clinic did, in counts: for who is responsible for it, with no patient in sight."""

from collections.abc import Callable, Iterable
from datetime import date
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ddx.domain.feedback import OverrideReason, Verb
from ddx.errors import DdxError
from desktop.presenters.reading import Arrived, Entered, Failed, Read, ReadingState, step
from desktop.services.records import Aggregates, Count
from desktop.ui import keys, messages, words
from desktop.ui.i18n import translate
from desktop.ui.jobs import Jobs
from desktop.ui.labels import Labels
from desktop.ui.screen import Screen, refusal_of
from desktop.ui.table import TextTable
from desktop.ui.widgets import Text, button, column, label, message, row, say, tall

if TYPE_CHECKING:  # the store loads after the first paint
    from desktop.services.session import Session


class AggregatesScreen(Screen):
    """Counts of the last three months."""

    left = Signal()
    state: ReadingState

    def __init__(
        self, session: "Session", labels: Labels, jobs: Jobs, parent: QWidget | None = None
    ) -> None:
        super().__init__(jobs, parent)
        self.reducer, self.state = step, ReadingState()
        self._session, self._labels = session, labels
        self._performers = {Read: lambda _effect: self._read()}
        self.about, self.refused = message("quiet"), message("refusal")
        self._inside = self._lay_out()
        self.weeks = self._table(lambda: translate("Aggregates", "Consultas por semana"))
        self.verbs = self._table(lambda: translate("Aggregates", "Qué se decidió"))
        self.reasons = self._table(lambda: translate("Aggregates", "Por qué no se siguió la lista"))
        self.diseases = self._table(lambda: translate("Aggregates", "Diagnósticos decididos"))
        self.alerts = self._table(lambda: translate("Aggregates", "Señales de alarma"))
        columns = (
            column(self.weeks, self.verbs, self.reasons, gap=14),
            column(self.diseases, self.alerts, gap=14),
        )
        self._inside.setLayout(row(*columns, gap=18))
        keys.on(self, keys.BACK, self.left.emit)
        self.redraw()

    def _table(self, name: Text) -> TextTable:
        titles = name, lambda: translate("Aggregates", "Cuántas veces")
        table = TextTable(self.texts, name, titles, self._inside)
        table.setMinimumHeight(150)
        table.give_room_to(0)
        return table

    def _lay_out(self) -> QWidget:
        """Lay out the page; return what holds the tables, which come to their place at once."""
        back = button(
            self.texts, lambda: translate("Aggregates", "Volver"), self.left.emit, "plain"
        )
        title = label(self.texts, lambda: translate("Aggregates", "El centro en números"), "title")
        title.setWordWrap(False)
        head: QHBoxLayout = row(title)
        head.addStretch(1)
        head.addWidget(back)
        page: QVBoxLayout = column(head, self.about, self.refused, gap=10, margin=20)
        self.setLayout(page)
        inside = QWidget()
        page.addWidget(tall(inside), 1)
        return inside

    def enter_screen(self) -> None:
        """Read the counts."""
        self.dispatch(Entered())
        self.weeks.setFocus()

    def _read(self) -> None:
        work, course = self.jobs.work(translate("Aggregates", "Contando…"))
        self.ask(
            lambda: self._session.aggregates.read(course=course),
            lambda counts: self.dispatch(Arrived(counts)),
            self._failed,
            about=work,
        )

    def _failed(self, error: DdxError) -> None:
        self.dispatch(Failed(refusal_of(error)))

    def redraw(self) -> None:
        """Draw the counts."""
        say(self.refused, messages.refusal(self.state.refusal))
        counts = self.state.content
        if not isinstance(counts, Aggregates):
            say(self.about, translate("Aggregates", "Contando…"))
            return
        about = translate(
            "Aggregates",
            "Desde el {day}. Ningún paciente aparece aquí, y lo que pasó menos de {n} veces no se "
            "dice: en un pueblo pequeño se sabría quién es.",
        )
        say(self.about, about.format(day=words.day(counts.since), n=counts.smallest))
        self._fill(self.weeks, counts.weeks, _week)
        self._fill(self.verbs, counts.verbs, lambda code: words.verb(Verb(code)))
        self._fill(
            self.reasons,
            counts.reasons,
            lambda code: words.reason(OverrideReason(code)),
        )
        self._fill(self.diseases, counts.diseases, self._labels.disease)
        self._fill(self.alerts, counts.alerts, self._labels.alert)

    def _fill(self, table: TextTable, counts: Iterable[Count], name: Callable[[str], str]) -> None:
        few = translate("Aggregates", "pocas, no se dice")
        rows = [(name(c.name), few if c.count is None else str(c.count)) for c in counts]
        nothing = translate("Aggregates", "Nada todavía")
        table.show_rows(rows or [(nothing, "")])


def _week(monday: str) -> str:
    return translate("Aggregates", "Semana del {day}").format(
        day=words.day(date.fromisoformat(monday))
    )
