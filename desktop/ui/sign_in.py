"""Sign-in: who you are, your passphrase, and what to do when it is refused."""

import math
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QBoxLayout, QComboBox, QLineEdit, QPushButton, QWidget
from shiboken6 import isValid

from ddx.domain.identifiers import RecordId
from ddx.errors import DdxError
from desktop.presenters.reducer import Refusal
from desktop.presenters.sign_in import (
    BackupsRead,
    Chosen,
    CliniciansRead,
    Mode,
    ModeChosen,
    OpenPatients,
    ReadAgain,
    Recover,
    RecoverySubmitted,
    Refused,
    Restore,
    RestoreDone,
    RestoreSubmitted,
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
    Text,
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
    from desktop.services.records import RestoreReport
    from desktop.services.session import Session


class SignInScreen(Screen):
    """Opens the store."""

    signed_in = Signal(object)
    state: SignInState

    def __init__(
        self,
        clinic: "Clinic",
        jobs: Jobs,
        parent: QWidget | None = None,
        *,
        hint: str = "",
        locked: bool = False,
    ) -> None:
        """Bind the clinic. hint: passphrase of the demonstration clinic, shown on the card.

        locked: say that the session ended because nobody touched the computer.
        """
        super().__init__(jobs, parent)
        self.reducer, self.state, self._clinic = step, SignInState(), clinic
        self._hint, self._locked = hint, locked
        self._session: Session | None = None
        self._performers = {
            SignIn: self._sign_in,
            Recover: self._recover,
            Restore: self._restore,
            ReadAgain: lambda _effect: self.enter_screen(),
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
        self.forgot = self._mode_button(
            lambda: translate("SignIn", "He olvidado mi frase de paso"), Mode.RECOVERY
        )
        self.restore = self._mode_button(
            lambda: translate("SignIn", "Restaurar una copia de seguridad"), Mode.RESTORE
        )
        self.back = self._mode_button(lambda: translate("SignIn", "Volver"), Mode.PASSPHRASE)
        self._who = self._part(labelled(t, lambda: translate("SignIn", "Profesional"), self.who))
        self._modes = {
            Mode.PASSPHRASE: self._part(
                labelled(t, lambda: translate("SignIn", "Frase de paso"), self.passphrase)
            ),
            Mode.RECOVERY: self._recovery_part(),
            Mode.RESTORE: self._restore_part(),
        }
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
                self._who,
                *self._modes.values(),
                self.demo,
                self.refusal,
                self.wait,
                self.enter,
                self.set_aside,
                self.forgot,
                self.restore,
                self.back,
                gap=12,
            ),
            28,
        )

    def _mode_button(self, text: Text, mode: Mode) -> QPushButton:
        return button(self.texts, text, lambda: self._change_to(mode), "plain")

    @staticmethod
    def _part(layout: QBoxLayout) -> QWidget:
        part = QWidget()
        layout.setContentsMargins(0, 0, 0, 0)
        part.setLayout(layout)
        return part

    def _secret(self, name: Text, *, hidden: bool = True) -> QLineEdit:
        made = field(self.texts, name)
        if hidden:
            made.setEchoMode(QLineEdit.EchoMode.Password)
        made.returnPressed.connect(self._submit)
        return made

    def _recovery_part(self) -> QWidget:
        t = self.texts
        self.recovery_key = self._secret(
            lambda: translate("SignIn", "Clave de recuperación"), hidden=False
        )
        self.recovery_key.setPlaceholderText("ABCD7-…")
        self.new = self._secret(lambda: translate("SignIn", "Frase de paso nueva"))
        self.repeated = self._secret(lambda: translate("SignIn", "Repita la frase de paso"))
        rows = column(gap=10)
        for control in (self.recovery_key, self.new, self.repeated):
            rows.addLayout(labelled(t, control.accessibleName, control))
        t.say_again()
        return self._part(rows)

    def _restore_part(self) -> QWidget:
        t = self.texts
        self.backup = choice(t, lambda: translate("SignIn", "Copia de seguridad"))
        self.secret = self._secret(
            lambda: translate("SignIn", "Frase de paso o clave de recuperación de ese día")
        )
        says = label(
            t,
            lambda: translate(
                "SignIn",
                "La copia se comprueba antes de usarla. Los datos de ahora se apartan enteros.",
            ),
            "quiet",
        )
        rows = column(says, gap=10)
        for control in (self.backup, self.secret):
            rows.addLayout(labelled(t, control.accessibleName, control))
        t.say_again()
        return self._part(rows)

    def enter_screen(self) -> None:
        """Read who may sign in and put the cursor on the passphrase."""
        self.ask(
            self._clinic.clinicians,
            lambda known: self.dispatch(CliniciansRead(known)),
            lambda error: self.dispatch(Refused(refusal_of(error))),
        )
        self.ask(
            self._clinic.backups,
            lambda found: self.dispatch(BackupsRead(found)),
            lambda error: self.dispatch(Refused(refusal_of(error))),
        )
        self.passphrase.setFocus()

    def show_restore(self) -> None:
        """Ask for a backup at once: there is nobody to sign in."""
        self._change_to(Mode.RESTORE)

    def _change_to(self, mode: Mode) -> None:
        for control in (self.passphrase, self.recovery_key, self.new, self.repeated, self.secret):
            control.clear()
        self.dispatch(ModeChosen(mode))
        {
            Mode.PASSPHRASE: self.passphrase,
            Mode.RECOVERY: self.recovery_key,
            Mode.RESTORE: self.secret,
        }[mode].setFocus()

    def _choose(self, index: int) -> None:
        self.dispatch(Chosen(RecordId(self.who.itemData(index))))
        self.passphrase.setFocus()

    def _submit(self) -> None:
        if self.state.mode is Mode.RECOVERY:
            self.dispatch(
                RecoverySubmitted(
                    recovery_key=self.recovery_key.text(),
                    passphrase=self.new.text(),
                    repeated=self.repeated.text(),
                )
            )
        elif self.state.mode is Mode.RESTORE:
            self.dispatch(
                RestoreSubmitted(Path(str(self.backup.currentData())), self.secret.text())
            )
        else:
            self.dispatch(Submitted(self.passphrase.text()))

    def _recover(self, effect: Recover) -> None:
        self.jobs.run(
            lambda: self._clinic.recover(effect.recovery_key, effect.clinician, effect.passphrase),
            self._opened,
            self.while_here(self._refused),
        )

    def _restore(self, effect: Restore) -> None:
        work, course = self.jobs.work(
            translate("SignIn", "Comprobando la copia y poniéndola en su sitio…")
        )
        self.ask(
            lambda: self._clinic.restore(effect.backup, effect.secret, course),
            self._restored,
            self._refused,
            about=work,
        )

    def _restored(self, report: "RestoreReport") -> None:
        self.secret.clear()
        aside = "" if report.aside is None else str(report.aside)
        self.dispatch(RestoreDone(report.made_at, aside))

    def _sign_in(self, effect: SignIn) -> None:
        self.jobs.run(
            lambda: self._clinic.sign_in(effect.clinician, effect.passphrase),
            self._opened,
            self.while_here(self._refused),
        )

    def _opened(self, session: "Session") -> None:
        if not isValid(self):  # nobody would close it
            session.close()
            return
        self._session = session
        self.passphrase.clear()
        self.dispatch(SignedIn())

    def _refused(self, error: DdxError) -> None:
        self.passphrase.clear()
        self.secret.clear()
        wait = float(getattr(error, "retry_after_s", 0) or 0)
        groups = ", ".join(map(str, getattr(error, "groups", ())))
        self.dispatch(Refused(Refusal(error.code, groups), math.ceil(wait)))
        if self.state.mode is Mode.PASSPHRASE:
            self.passphrase.setFocus()

    def _move_aside(self) -> None:
        self.ask(
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
        for mode, part in self._modes.items():
            part.setVisible(mode is state.mode)
        plain = state.mode is Mode.PASSPHRASE
        self._who.setVisible(state.mode is not Mode.RESTORE)
        self.forgot.setVisible(plain and bool(state.clinicians))
        self.restore.setVisible(plain and bool(state.backups))
        self.back.setVisible(not plain)
        self.enter.setEnabled(state.may_try)
        self.enter.setText(self._verb())
        restyle(self.passphrase, "wrong", "true" if state.refusal else "false")
        say(self.refusal, messages.refusal(state.refusal))
        self.set_aside.setVisible(state.damaged and plain)
        say(self.demo, self._notice())
        self._draw_backups()
        waiting = translate("SignIn", "Podrá volver a intentarlo dentro de {n} s.")
        say(self.wait, waiting.format(n=state.retry_after_s) if state.retry_after_s else "")

    def _verb(self) -> str:
        if self.state.opening:
            if self.state.mode is Mode.RESTORE:
                return translate("SignIn", "Comprobando la copia…")
            return translate("SignIn", "Abriendo…")
        if self.state.mode is Mode.RESTORE:
            return translate("SignIn", "Restaurar esta copia")
        return translate("SignIn", "Entrar")

    def _notice(self) -> str:
        state = self.state
        if state.restored_from is not None:
            restored = translate("SignIn", "Se ha restaurado la copia del {when}.")
            kept = translate("SignIn", "Los datos de antes están, enteros, en {folder}.")
            said = [restored.format(when=words.moment(state.restored_from))]
            said += [kept.format(folder=state.set_aside_at)] if state.set_aside_at else []
            return " ".join(said)
        if state.set_aside_at:
            aside = translate(
                "SignIn",
                "Los datos dañados están, enteros, en {folder}. Restaure una copia, o cierre y "
                "vuelva a abrir Vereda.",
            )
            return aside.format(folder=state.set_aside_at)
        if self._locked:
            return translate("SignIn", "Sesión cerrada por inactividad. Lo escrito está guardado.")
        hint = translate("SignIn", "Centro de demostración. Frase de paso: {passphrase}")
        return hint.format(passphrase=self._hint) if self._hint else ""

    def _draw_backups(self) -> None:
        shown = [
            (str(b.folder), " · ".join(filter(None, (words.moment(b.made_at), b.clinic))))
            for b in self.state.backups
        ]
        count = self.backup.count()
        before = [(self.backup.itemData(i), self.backup.itemText(i)) for i in range(count)]
        if shown != before:
            self.backup.clear()
            for folder, text in shown:
                self.backup.addItem(text, folder)

    def _draw_clinicians(self) -> None:
        shown = [(c.id, f"{c.display_name} · {words.role(c.role)}") for c in self.state.clinicians]
        before = [(self.who.itemData(i), self.who.itemText(i)) for i in range(self.who.count())]
        if shown != before:
            self.who.clear()
            for identifier, text in shown:
                self.who.addItem(text, identifier)
        self.who.setCurrentIndex(self.who.findData(self.state.chosen))
