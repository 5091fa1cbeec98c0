"""What takes longer than a moment: in words, how far it is, and a key to end it."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QApplication, QProgressBar, QWidget

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
        self._listens = False
        self.title = OneLine("busy")
        self.bar = QProgressBar()
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
        jobs.moved.connect(self._move)
        jobs.ended.connect(self._end)
        over.installEventFilter(self)
        self.hide()

    def _begin(self, work: Work) -> None:
        if not work.quiet:
            self._works.append(work)
            self.redraw()

    def _move(self, work: Work) -> None:
        if work is self._shown:
            self.redraw()

    def _end(self, work: Work) -> None:
        if work in self._works:
            self._works.remove(work)
            self.redraw()

    @property
    def _shown(self) -> Work | None:
        """What can be ended before what only waits behind it; the one begun last among equals."""
        ranked = sorted(self._works, key=lambda w: (w.course is not None, bool(w.title)))
        return ranked[-1] if ranked else None

    @property
    def can_stop(self) -> bool:
        """Whether what is shown can still be ended."""
        course = None if self._shown is None else self._shown.course
        return course is not None and course.may_stop

    def stop(self) -> None:
        """Ask what is shown to end early."""
        if self._shown is not None and self._shown.course is not None:
            self._shown.course.stop()
            self.redraw()

    def redraw(self) -> None:
        """Show what takes long, or nothing."""
        self._listen(to_keys=bool(self._works))
        self.setVisible(bool(self._works))
        if (work := self._shown) is None:
            self.title.setText("")  # of another language, perhaps, when it comes back
            return
        self.title.setText(_said(work))
        self.setAccessibleName(self.title.text())
        self.bar.setRange(0, 100 if work.total else 0)
        self.bar.setValue(_percent(work))
        self.cancel.setVisible(self.can_stop)
        self._place()

    def _listen(self, *, to_keys: bool) -> None:
        """See every key of the application while something is shown, and none otherwise."""
        app = QApplication.instance()
        if app is not None and to_keys != self._listens:
            self._listens = to_keys
            (app.installEventFilter if to_keys else app.removeEventFilter)(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take Esc before what it closes; stay at the lower edge when the window grows."""
        if watched is self._over:
            if event.type() is QEvent.Type.Resize and self.isVisible():
                self._place()
        elif isinstance(event, QKeyEvent) and self._ends(event):
            if event.type() is QEvent.Type.ShortcutOverride:
                event.accept()  # a key press, then, and no shortcut
            elif event.type() is QEvent.Type.KeyPress:
                if (popup := QApplication.activePopupWidget()) is not None:
                    popup.hide()
                self.stop()
            return True
        return super().eventFilter(watched, event)

    def _ends(self, event: QKeyEvent) -> bool:
        wanted = event.type() in {QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress}
        plain = event.key() == Qt.Key.Key_Escape and not event.modifiers()
        if not (wanted and plain and self.can_stop):
            return False
        popup = QApplication.activePopupWidget()  # a menu closes first; a list of names does not
        return popup is None or isinstance(popup, QAbstractItemView)

    def _place(self) -> None:
        self.adjustSize()
        x = (self._over.width() - self.width()) // 2
        self.move(max(0, x), self._over.height() - self.height() - LIFTED)
        self.raise_()


def _percent(work: Work) -> int:
    return min(100, 100 * work.done // work.total) if work.total else 0


def _said(work: Work) -> str:
    course = work.course
    if course is not None and course.in_last_step:
        return translate("Busy", "Terminando: este paso es corto y no se corta…")
    if course is not None and not course.may_go_on():
        return translate("Busy", "Cancelando: termina lo que no puede quedar a medias…")
    said = work.title or translate("Busy", "Trabajando…")
    if not work.total:
        return said
    return translate("Busy", "{what} {n} %").format(what=said, n=_percent(work))
