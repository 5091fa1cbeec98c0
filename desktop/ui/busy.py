"""What takes longer than a moment, in words, with a way to end it early where there is one."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QProgressBar, QWidget

from desktop.ui import keys
from desktop.ui.i18n import translate
from desktop.ui.jobs import Jobs, Work
from desktop.ui.widgets import OneLine, Spoken, button, card, column, row

LIFTED = 12  # pixels above the lower edge of what it stands on


class BusyNote(Spoken):
    """Floats over the lower edge of `over`, so that nothing on the screen moves."""

    def __init__(self, jobs: Jobs, over: QWidget) -> None:
        super().__init__(over)
        self._over = over
        self._works: list[Work] = []
        self.title = OneLine("busy")
        self.bar = QProgressBar()
        self.bar.setRange(0, 0)
        self.bar.setTextVisible(False)
        self.bar.setFixedSize(90, 6)
        self.bar.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.cancel = button(
            self.texts,
            lambda: translate("Busy", "Cancelar  {key}").format(key=keys.shown(keys.CANCEL)),
            self.stop,
        )
        self.setLayout(column(card(row(self.bar, self.title, self.cancel, gap=12), 10)))
        self.texts.bind(self.bar.setAccessibleName, lambda: translate("Busy", "Trabajando"))
        jobs.slow.connect(self._begin)
        jobs.ended.connect(self._end)
        over.installEventFilter(self)
        self.hide()

    def _begin(self, work: Work) -> None:
        self._works.append(work)
        self.redraw()

    def _end(self, work: Work) -> None:
        if work in self._works:
            self._works.remove(work)
            self.redraw()

    def stop(self) -> None:
        """Ask what is shown to end early."""
        if self._works and (stop := self._works[-1].stop) is not None:
            stop.set()
            self.cancel.setEnabled(False)

    def redraw(self) -> None:
        """Show the work begun last, or nothing."""
        self.setVisible(bool(self._works))
        if not self._works:
            return
        work = self._works[-1]
        self.title.setText(work.title or translate("Busy", "Trabajando…"))
        self.setAccessibleName(self.title.text())
        self.cancel.setVisible(work.stop is not None)
        self.cancel.setEnabled(work.stop is not None and not work.stop.is_set())
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay at the lower edge when the window changes its size."""
        if event.type() is QEvent.Type.Resize and self.isVisible():
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        self.adjustSize()
        x = (self._over.width() - self.width()) // 2
        self.move(max(0, x), self._over.height() - self.height() - LIFTED)
        self.raise_()
