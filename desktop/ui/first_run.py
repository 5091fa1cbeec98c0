"""First start: the clinic, its first clinician, and the recovery key shown once."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from desktop.presenters.first_run import (
    BackupsRead,
    Continued,
    CreateClinic,
    Created,
    CreationFailed,
    Field,
    FirstRunState,
    KeyNoted,
    LinkChosen,
    LinkSkipped,
    OpenSignIn,
    Stage,
    Submitted,
    step,
)
from desktop.ui import messages
from desktop.ui.i18n import translate
from desktop.ui.jobs import Jobs
from desktop.ui.printing import print_recovery_key
from desktop.ui.screen import Screen, refusal_of
from desktop.ui.widgets import (
    Tick,
    button,
    card,
    column,
    field,
    label,
    labelled,
    message,
    plain_label,
    restyle,
    say,
    tall,
)

if TYPE_CHECKING:  # the store and the engine load after the first paint
    from desktop.services.clinic import Clinic

CARD_MIN_WIDTH, CARD_MAX_WIDTH = 380, 560


def centred(content: QWidget) -> QVBoxLayout:
    """Return `content` in the middle of the screen, scrolling when the text is large."""
    content.setMinimumWidth(CARD_MIN_WIDTH)
    content.setMaximumWidth(CARD_MAX_WIDTH)
    line = QHBoxLayout()
    line.addStretch(1)
    line.addWidget(content, 5)
    line.addStretch(1)
    inside = QWidget()
    box = QVBoxLayout(inside)
    box.addStretch(2)
    box.addLayout(line)
    box.addStretch(3)
    outer = QVBoxLayout()
    outer.setContentsMargins(0, 0, 0, 0)
    outer.addWidget(tall(inside))
    return outer


class FirstRunScreen(Screen):
    """Creates the clinic."""

    finished = Signal()
    demo_wanted = Signal()
    restore_wanted = Signal()
    link_wanted = Signal(str, str)
    """Server and one-time code, to be joined once signed in."""
    state: FirstRunState

    def __init__(self, clinic: "Clinic", jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(jobs, parent)
        self.reducer, self.state, self._clinic = step, FirstRunState(), clinic
        self._performers = {
            CreateClinic: self._create,
            OpenSignIn: self._finish,
        }
        self._form_card, self._key_card = self._form(), self._key_page()
        self._cloud_card = self._cloud_page()
        self._key_card.hide()
        self._cloud_card.hide()
        holder = QWidget()
        holder.setLayout(column(self._form_card, self._key_card, self._cloud_card))
        self.setLayout(centred(holder))
        self.redraw()

    def _form(self) -> QWidget:
        t = self.texts
        self.fields = {
            Field.CLINIC_NAME: field(t, lambda: translate("FirstRun", "Nombre del centro")),
            Field.DISPLAY_NAME: field(t, lambda: translate("FirstRun", "Su nombre")),
            Field.PASSPHRASE: field(t, lambda: translate("FirstRun", "Frase de paso")),
            Field.REPEATED: field(t, lambda: translate("FirstRun", "Repita la frase de paso")),
        }
        for secret in (Field.PASSPHRASE, Field.REPEATED):
            self.fields[secret].setEchoMode(QLineEdit.EchoMode.Password)
        self._issues = {name: message("wrong") for name in Field}
        rows = column(
            label(t, lambda: translate("FirstRun", "Le damos la bienvenida a Vereda"), "title"),
            label(
                t,
                lambda: translate(
                    "FirstRun",
                    "Todo queda cifrado en este equipo y funciona sin conexión.",
                ),
                "quiet",
            ),
            gap=12,
        )
        for name, control in self.fields.items():
            part = labelled(t, control.accessibleName, control)
            part.addWidget(self._issues[name])
            rows.addLayout(part)
            control.returnPressed.connect(self._submit)
        t.say_again()
        self._refusal = message("refusal")
        self.create_clinic = button(
            t, lambda: translate("FirstRun", "Crear el centro"), self._submit, "primary"
        )
        demo = button(
            t,
            lambda: translate("FirstRun", "Probar con el centro de demostración"),
            self.demo_wanted.emit,
        )
        self.restore = button(
            t,
            lambda: translate("FirstRun", "Restaurar una copia de seguridad"),
            self.restore_wanted.emit,
        )
        for last in (self._refusal, self.create_clinic, demo, self.restore):
            rows.addWidget(last)
        return card(rows, 28)

    def _key_page(self) -> QWidget:
        t = self.texts
        self.key = plain_label("key")
        self.key.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.key.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByKeyboard
            | Qt.TextInteractionFlag.TextSelectableByMouse
        )
        t.bind(self.key.setAccessibleName, lambda: translate("FirstRun", "Clave de recuperación"))
        self.print_key = button(
            t,
            lambda: translate("FirstRun", "Imprimir"),
            lambda: print_recovery_key(self, self.state.recovery_key),
        )
        self.noted = Tick()

        def noted() -> str:
            return translate("FirstRun", "La he copiado en papel y la guardo fuera del equipo")

        t.bind(self.noted.setText, noted)
        t.bind(self.noted.setAccessibleName, noted)
        self.noted.toggled.connect(lambda on: self.dispatch(KeyNoted(on)))
        self.go_on = button(
            t,
            lambda: translate("FirstRun", "Continuar"),
            lambda: self.dispatch(Continued()),
            "primary",
        )
        return card(
            column(
                label(t, lambda: translate("FirstRun", "Clave de recuperación"), "title"),
                label(
                    t,
                    lambda: translate(
                        "FirstRun",
                        "Es la única forma de entrar si se olvida la frase de paso. "
                        "Se muestra una sola vez.",
                    ),
                ),
                self.key,
                self.print_key,
                self.noted,
                self.go_on,
                gap=16,
            ),
            28,
        )

    def _cloud_page(self) -> QWidget:
        t = self.texts
        self.cloud_fields = {
            Field.SERVER: field(t, lambda: translate("FirstRun", "Dirección del servidor")),
            Field.CODE: field(t, lambda: translate("FirstRun", "Código de un solo uso")),
        }
        rows = column(
            label(t, lambda: translate("FirstRun", "¿Unir el centro a una nube?"), "title"),
            label(
                t,
                lambda: translate(
                    "FirstRun",
                    "No hace falta para atender. Sirve para recibir modelos nuevos y enviar "
                    "registros sin nombres. Puede hacerlo otro día.",
                ),
                "quiet",
            ),
            gap=12,
        )
        for name, control in self.cloud_fields.items():
            part = labelled(t, control.accessibleName, control)
            part.addWidget(self._issues[name])
            rows.addLayout(part)
            control.returnPressed.connect(self._link)
        self.join = button(
            t, lambda: translate("FirstRun", "Unir al entrar"), self._link, "primary"
        )
        self.skip = button(
            t,
            lambda: translate("FirstRun", "Sin nube por ahora"),
            lambda: self.dispatch(LinkSkipped()),
        )
        for last in (self.join, self.skip):
            rows.addWidget(last)
        return card(rows, 28)

    def _link(self) -> None:
        typed = {name: control.text() for name, control in self.cloud_fields.items()}
        self.dispatch(LinkChosen(typed[Field.SERVER], typed[Field.CODE]))

    def _finish(self, effect: OpenSignIn) -> None:
        if effect.server:
            self.link_wanted.emit(effect.server, effect.code)
        self.finished.emit()

    def enter_screen(self) -> None:
        """Put the cursor in the first field; offer a backup when there is one."""
        self.ask(
            self._clinic.backups,
            lambda found: self.dispatch(BackupsRead(any=bool(found))),
            lambda _error: self.dispatch(BackupsRead(any=False)),
        )
        self.fields[Field.CLINIC_NAME].setFocus()

    def _submit(self) -> None:
        texts = {name: control.text() for name, control in self.fields.items()}
        self.dispatch(
            Submitted(
                clinic_name=texts[Field.CLINIC_NAME],
                display_name=texts[Field.DISPLAY_NAME],
                passphrase=texts[Field.PASSPHRASE],
                repeated=texts[Field.REPEATED],
            )
        )

    def _create(self, effect: CreateClinic) -> None:
        work, course = self.jobs.work(translate("FirstRun", "Creando el centro cifrado…"))
        self.ask(
            lambda: self._clinic.create(
                clinic_name=effect.clinic_name,
                display_name=effect.display_name,
                passphrase=effect.passphrase,
                course=course,
            ),
            lambda key: self.dispatch(Created(key)),
            lambda error: self.dispatch(CreationFailed(refusal_of(error))),
            about=work,
        )

    def redraw(self) -> None:
        """Draw the form, or the key."""
        state = self.state
        creating = state.stage is Stage.CREATING
        self.create_clinic.setEnabled(not creating)
        self.restore.setVisible(state.backups)
        for name, control in {**self.fields, **self.cloud_fields}.items():
            wrong = state.issues.get(name)
            restyle(control, "wrong", "true" if wrong else "false")
            say(self._issues[name], messages.first_run_issue(name, wrong) if wrong else "")
        say(self._refusal, messages.refusal(state.refusal))
        if state.stage is Stage.RECOVERY_KEY:
            for control in self.fields.values():
                control.clear()
            self.key.setText(state.recovery_key)
            self.go_on.setEnabled(state.key_noted)
            if self._key_card.isHidden():
                self._form_card.hide()
                self._key_card.show()
                self.noted.setFocus()
        if state.stage is Stage.CLOUD and self._cloud_card.isHidden():
            self.key.clear()
            self._form_card.hide()
            self._key_card.hide()
            self._cloud_card.show()
            self.cloud_fields[Field.SERVER].setText(self._clinic.suggested_server)
            self.cloud_fields[Field.SERVER].setFocus()
