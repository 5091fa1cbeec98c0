"""The referral letter on screen: typed parts left, the page right, and the ways it leaves."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtPrintSupport import QPrintDialog, QPrinter
from PySide6.QtWidgets import QFileDialog, QPlainTextEdit, QTextEdit, QWidget

from ddx.errors import DdxError
from desktop.presenters.referral import (
    Failed,
    Part,
    PartTyped,
    PrintAsked,
    Printed,
    PrintLetter,
    ReferralState,
    SaveAsked,
    Saved,
    SaveLetter,
    step,
)
from desktop.services.records import Paper, ReferralMedium
from desktop.ui import keys, letter, messages
from desktop.ui.i18n import translate
from desktop.ui.jobs import Jobs
from desktop.ui.labels import Labels
from desktop.ui.screen import Screen, refusal_of
from desktop.ui.widgets import Passing, button, column, label, labelled, message, row, say

if TYPE_CHECKING:  # the store loads after the first paint
    from desktop.services.records import Referral
    from desktop.services.session import Session


PARTS: Final = {Paper.LETTER: tuple(Part), Paper.SUMMARY: (Part.DONE,)}
"""What may be typed on each paper."""


class ReferralFileError(DdxError):
    """The chosen file cannot be written. The audit entry says that it was asked for."""

    code = "referral.file"


class ReferralScreen(Screen):
    """One letter. Nothing typed here is kept: it is on the paper and nowhere else."""

    closed = Signal()
    state: ReferralState

    def __init__(
        self,
        session: "Session",
        labels: Labels,
        jobs: Jobs,
        referral: "Referral",
        paper: Paper = Paper.LETTER,
    ) -> None:
        """Build the screen of one paper: the letter, or the summary."""
        super().__init__(jobs)
        self.reducer, self.state = step, ReferralState()
        self._session, self._labels, self._referral = session, labels, referral
        self.paper = paper
        self._performers = {
            SaveLetter: self._save,
            PrintLetter: lambda _effect: self._print(),
        }
        self.parts = {part: self._field(part) for part in PARTS[paper]}
        self.page = QTextEdit()
        self.page.setReadOnly(True)
        self.page.setStyleSheet("background: white; color: black;")
        self.texts.bind(
            self.page.setAccessibleName, lambda: translate("Referral", "El papel como sale")
        )
        self.told, self.refused = message("done"), message("refusal")
        self._lay_out()
        keys.on(self, keys.SAVE, self._ask_where)
        self._drawn = ""
        self.redraw()

    def _field(self, part: Part) -> QPlainTextEdit:
        made = QPlainTextEdit()
        made.setTabChangesFocus(True)
        made.setFixedHeight(made.fontMetrics().lineSpacing() * (3 if part is Part.TO else 6))
        self.texts.bind(made.setAccessibleName, partial(_name_of, part))
        made.textChanged.connect(lambda: self.dispatch(PartTyped(part, made.toPlainText())))
        return made

    def _lay_out(self) -> None:
        explained = label(
            self.texts,
            lambda: translate(
                "Referral",
                "Lleva el nombre del paciente y lo registrado en esta consulta; sus notas no. "
                "Lo que escriba aquí sale en el papel y no se guarda en Vereda.",
            ),
            "quiet",
        )
        typed = [labelled(self.texts, partial(_name_of, p), f) for p, f in self.parts.items()]
        self.save = button(
            self.texts,
            lambda: translate("Referral", "Guardar como PDF…  {key}").format(
                key=keys.shown(keys.SAVE)
            ),
            self._ask_where,
            "primary",
        )
        self.print = button(
            self.texts, lambda: translate("Referral", "Imprimir…"), self._ask_printer
        )
        close = button(
            self.texts, lambda: translate("Referral", "Cerrar"), self.closed.emit, "plain"
        )
        buttons = row(self.save, self.print, close)
        buttons.addStretch(1)
        left = column(explained, *typed, self.told, self.refused, buttons, gap=10)
        left.addStretch(1)
        both = row(left, column(self.page), gap=18, margin=16)
        both.setStretch(0, 4)
        both.setStretch(1, 7)
        self.setLayout(both)

    @property
    def content(self) -> str:
        """The letter as it would leave now, HTML."""
        state = self.state
        typed = letter.Typed(to=state.to, done=state.done, asked=state.asked)
        return letter.letter(self._referral, typed, self._labels, self.paper)

    def redraw(self) -> None:
        """Draw the page and what became of it."""
        state = self.state
        for part, field in self.parts.items():
            text = getattr(state, part.value)
            if field.toPlainText() != text:
                field.setPlainText(text)
        if self._drawn != (content := self.content):
            self._drawn = content
            page = letter.document(content)
            page.setParent(self.page)
            self.page.setDocument(page)
        for way in (self.save, self.print):
            way.setEnabled(not state.leaving)
        say(self.told, _told(state))
        say(self.refused, messages.refusal(state.refusal))

    # The ways out.

    def _ask_where(self) -> None:
        suggested = Path.home() / f"vereda-{self._referral.visit.short_code}.pdf"
        path, _ = QFileDialog.getSaveFileName(
            self, letter.title_of(self.paper), str(suggested), "PDF (*.pdf)"
        )
        self.dispatch(SaveAsked(path))

    def _ask_printer(self) -> None:
        self._printer = QPrinter(QPrinter.PrinterMode.HighResolution)
        self._printer.setPageLayout(letter.page_layout())
        dialog = QPrintDialog(self._printer, self)
        dialog.accepted.connect(lambda: self.dispatch(PrintAsked()))
        dialog.setModal(True)
        dialog.show()

    def _save(self, effect: SaveLetter) -> None:
        visit, content = self._referral.visit, self.content

        def write() -> str:
            made = letter.pdf(content, visit.short_code)
            self._session.referrals.hand_over(visit.id, ReferralMedium.FILE, self.paper)
            try:
                Path(effect.path).write_bytes(made)
            except OSError as error:
                raise ReferralFileError(type(error).__name__) from error
            return effect.path

        self.ask(write, lambda path: self.dispatch(Saved(path)), self._failed)

    def _print(self) -> None:
        visit, page = self._referral.visit, letter.document(self.content)

        def out(_none: None) -> None:  # once it is in the audit, whether or not the letter is open
            page.print_(self._printer)
            self.dispatch(Printed())

        self.jobs.run(
            lambda: self._session.referrals.hand_over(visit.id, ReferralMedium.PAPER, self.paper),
            out,
            self._failed,
        )

    def _failed(self, error: DdxError) -> None:
        self.dispatch(Failed(refusal_of(error)))


class ReferralDialog(Passing):
    """The letter in front of the visit it is about."""

    def __init__(self, screen: ReferralScreen, parent: QWidget) -> None:
        super().__init__(parent)
        self.shown = screen
        title = letter.title_of(screen.paper)
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        screen.closed.connect(self.accept)
        self.setLayout(column(screen))
        self.resize(1000, 680)


def _name_of(part: Part) -> str:
    return {
        Part.TO: translate("Referral", "Para (centro o especialidad)"),
        Part.DONE: translate("Referral", "Hecho hasta ahora"),
        Part.ASKED: translate("Referral", "Se solicita"),
    }[part]


def _told(state: ReferralState) -> str:
    if state.saved:
        return translate("Referral", "✓ Guardado en {path}").format(path=state.saved)
    return translate("Referral", "✓ Enviado a la impresora") if state.printed else ""
