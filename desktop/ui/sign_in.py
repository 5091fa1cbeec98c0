"""Sign-in: who you are, your passphrase, and what to do when it is refused."""

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget

from ddx.domain.identifiers import RecordId
from ddx.errors import DdxError
from desktop.presenters.sign_in import (
    Chosen,
    CliniciansRead,
    OpenPatients,
    Refused,
    SecondPassed,
    SetAside,
    SetAsideAsked,
    SetAsideDone,
    SignedIn,
    SignIn,
    SignInState,
    Submitted,
    WaitOneSecond,
    step,
)
from desktop.ui import messages, words
from desktop.ui.first_run import centred
from desktop.ui.i18n import translate
from desktop.ui.jobs import Jobs
from desktop.ui.screen import Screen, refusal_of
from desktop.ui.widgets import (
    button,
    card,
    choice,
    column,
    field,
    label,
    labelled,
    message,
    restyle,
    say,
)

if TYPE_CHECKING:  # the store and the engine load after the first paint
    from desktop.services.clinic import Clinic
    from desktop.services.session import Session


class SignInScreen(Screen):
    """Opens the store."""

    signed_in = Signal(object)
    state: SignInState

    def __init__(self, clinic: "Clinic", jobs: Jobs, hint: str = "") -> None:
        """Bind the clinic. hint: passphrase of the demonstration clinic, shown on the card."""
        super().__init__(jobs)
        self.reducer, self.state, self._clinic = step, SignInState(), clinic
        self._hint = hint
        self._session: Session | None = None
        self._performers = {
            SignIn: self._sign_in,
            SetAside: lambda _effect: self._move_aside(),
            WaitOneSecond: lambda _effect: self._wait_one_second(),
            OpenPatients: lambda _effect: self._hand_over(),
        }
        self.setLayout(centred(self._card()))
        self.redraw()

    def _card(self) -> QWidget:
        t = self.texts
        self.who: QComboBox = choice(t, lambda: translate("SignIn", "Profesional"))
        self.who.activated.connect(self._choose)
        self.passphrase = field(t, lambda: translate("SignIn", "Frase de paso"))
        self.passphrase.setEchoMode(QLineEdit.EchoMode.Password)
        self.passphrase.returnPressed.connect(self._submit)
        self.demo = message("notice")
        self.refusal = message("refusal")
        self.wait = message("notice")
        self.set_aside = button(
            t,
            lambda: translate("SignIn", "Apartar los datos dañados"),
            lambda: self.dispatch(SetAsideAsked()),
        )
        self.enter = button(t, lambda: translate("SignIn", "Entrar"), self._submit, "primary")
        return card(
            column(
                label(t, lambda: translate("SignIn", "Vereda"), "title"),
                label(
                    t,
                    lambda: translate(
                        "SignIn", "Apoyo al diagnóstico diferencial, también sin conexión."
                    ),
                    "quiet",
                ),
                labelled(t, lambda: translate("SignIn", "Profesional"), self.who),
                labelled(t, lambda: translate("SignIn", "Frase de paso"), self.passphrase),
                self.demo,
                self.refusal,
                self.wait,
                self.set_aside,
                self.enter,
                gap=14,
            ),
            28,
        )

    def enter_screen(self) -> None:
        """Read who may sign in and put the cursor on the passphrase."""
        self.jobs.run(
            self._clinic.clinicians,
            lambda known: self.dispatch(CliniciansRead(known)),
            lambda error: self.dispatch(Refused(refusal_of(error))),
        )
        self.passphrase.setFocus()

    def _choose(self, index: int) -> None:
        self.dispatch(Chosen(RecordId(self.who.itemData(index))))
        self.passphrase.setFocus()

    def _submit(self) -> None:
        self.dispatch(Submitted(self.passphrase.text()))

    def _sign_in(self, effect: SignIn) -> None:
        self.jobs.run(
            lambda: self._clinic.sign_in(effect.clinician, effect.passphrase),
            self._opened,
            self._refused,
        )

    def _opened(self, session: "Session") -> None:
        self._session = session
        self.passphrase.clear()
        self.dispatch(SignedIn())

    def _refused(self, error: DdxError) -> None:
        self.passphrase.clear()
        wait = float(getattr(error, "retry_after_s", 0) or 0)
        self.dispatch(Refused(refusal_of(error), math.ceil(wait)))
        self.passphrase.setFocus()

    def _move_aside(self) -> None:
        self.jobs.run(
            self._clinic.quarantine,
            lambda folder: self.dispatch(SetAsideDone(str(folder))),
            lambda error: self.dispatch(Refused(refusal_of(error))),
        )

    def _wait_one_second(self) -> None:
        QTimer.singleShot(1000, self, lambda: self.dispatch(SecondPassed()))

    def _hand_over(self) -> None:
        session, self._session = self._session, None
        self.signed_in.emit(session)

    def redraw(self) -> None:
        """Draw who may sign in, and why it did not work."""
        state = self.state
        self._draw_clinicians()
        self.enter.setEnabled(state.may_try)
        self.enter.setText(
            translate("SignIn", "Abriendo…") if state.opening else translate("SignIn", "Entrar")
        )
        restyle(self.passphrase, "wrong", "true" if state.refusal else "false")
        say(self.refusal, messages.refusal(state.refusal))
        self.set_aside.setVisible(state.damaged)
        hint = translate("SignIn", "Centro de demostración. Frase de paso: {passphrase}")
        aside = translate(
            "SignIn",
            "Los datos dañados están, enteros, en {folder}. Cierre y vuelva a abrir Vereda.",
        )
        said = hint.format(passphrase=self._hint) if self._hint else ""
        say(self.demo, aside.format(folder=state.set_aside_at) if state.set_aside_at else said)
        waiting = translate("SignIn", "Podrá volver a intentarlo dentro de {n} s.")
        say(self.wait, waiting.format(n=state.retry_after_s) if state.retry_after_s else "")

    def _draw_clinicians(self) -> None:
        shown = [(c.id, f"{c.display_name} · {words.role(c.role)}") for c in self.state.clinicians]
        before = [(self.who.itemData(i), self.who.itemText(i)) for i in range(self.who.count())]
        if shown != before:
            self.who.clear()
            for identifier, text in shown:
                self.who.addItem(text, identifier)
        self.who.setCurrentIndex(self.who.findData(self.state.chosen))
