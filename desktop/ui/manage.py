"""Managing the centre: clinicians, backups, the check of the data, a new key."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QWidget

from ddx.domain.course import Course
from ddx.domain.roles import Role
from ddx.errors import DdxError
from desktop.presenters.manage import (
    Act,
    BackUp,
    BackupAsked,
    BackupsRead,
    Check,
    CheckAsked,
    Done,
    Entered,
    Failed,
    Finished,
    Form,
    FormAsked,
    FormSubmitted,
    KeyChanged,
    KeyNoted,
    ManageState,
    Member,
    MembersRead,
    OpenSignIn,
    Read,
    step,
)
from desktop.ui import keys, messages, words
from desktop.ui.i18n import QT_TRANSLATE_NOOP, Texts, translate
from desktop.ui.jobs import Jobs, Work
from desktop.ui.printing import print_recovery_key
from desktop.ui.screen import Screen, refusal_of
from desktop.ui.widgets import (
    button,
    card,
    choice,
    clear,
    column,
    field,
    label,
    labelled,
    message,
    plain_label,
    row,
    say,
    tall,
)

if TYPE_CHECKING:  # the store and the engine load after the first paint
    from desktop.services.clinic import Clinic
    from desktop.services.session import Session

_TITLES: Final = {
    Form.ADD: QT_TRANSLATE_NOOP("Manage", "Añadir un profesional"),
    Form.RESET: QT_TRANSLATE_NOOP("Manage", "Frase de paso nueva para {name}"),
    Form.REMOVE: QT_TRANSLATE_NOOP("Manage", "Quitar el acceso a {name}"),
    Form.NEW_KEY: QT_TRANSLATE_NOOP("Manage", "Cambiar la clave de los datos"),
}
_SAYS: Final = {
    Form.ADD: QT_TRANSLATE_NOOP(
        "Manage", "Dígale la frase en persona; podrá pedirle otra cuando quiera."
    ),
    Form.RESET: QT_TRANSLATE_NOOP("Manage", "La frase de antes deja de abrir."),
    Form.REMOVE: QT_TRANSLATE_NOOP(
        "Manage",
        "Ya no podrá entrar. Lo que registró se conserva. Si pudo copiar archivos de este equipo, "
        "cambie después la clave de los datos.",
    ),
    Form.NEW_KEY: QT_TRANSLATE_NOOP(
        "Manage",
        "Todo se cifra de nuevo y su sesión termina. La clave de recuperación de antes deja de "
        "valer y los demás profesionales necesitarán una frase nueva.",
    ),
}
_DONE: Final = {
    Done.ADDED: QT_TRANSLATE_NOOP("Manage", "Añadido: ya puede entrar."),
    Done.RESET: QT_TRANSLATE_NOOP("Manage", "La frase de paso nueva ya vale."),
    Done.REMOVED: QT_TRANSLATE_NOOP("Manage", "Acceso quitado."),
    Done.BACKED_UP: QT_TRANSLATE_NOOP(
        "Manage", "Copia hecha y comprobada. Guarde otra fuera de este equipo."
    ),
    Done.CHECKED: QT_TRANSLATE_NOOP("Manage", "Se ha leído todo: los datos están bien."),
}


class ManageScreen(Screen):
    """What a responsible clinician does for the centre."""

    left = Signal()
    ended = Signal()
    """The data are under a new key: the session is over, its store is closed."""
    state: ManageState

    def __init__(
        self, clinic: "Clinic", session: "Session", jobs: Jobs, parent: QWidget | None = None
    ) -> None:
        super().__init__(jobs, parent)
        self.reducer, self.state = step, ManageState()
        self._clinic, self._session = clinic, session
        self._pressed: QWidget | None = None
        self._performers = {
            Read: lambda _effect: self._read(),
            Act: self._act,
            BackUp: lambda _effect: self._back_up(),
            Check: lambda _effect: self._check(),
            OpenSignIn: lambda _effect: self.ended.emit(),
        }
        self._build()
        keys.on(self, keys.BACK, self._back)
        self.redraw()

    def _build(self) -> None:
        t = self.texts
        listed = QWidget()
        self.people = QGridLayout(listed)
        self.people.setContentsMargins(0, 0, 0, 0)
        self.people.setHorizontalSpacing(12)
        self.people.setVerticalSpacing(6)
        self.people.setColumnStretch(0, 1)
        self.refusal, self.done = message("refusal"), message("notice")
        self.backups = plain_label("quiet")
        add = self._asks(lambda: translate("Manage", "Añadir un profesional"), Form.ADD)
        self.new_key = self._asks(
            lambda: translate("Manage", "Cambiar la clave de los datos"), Form.NEW_KEY
        )
        self.back_up = button(
            t,
            lambda: translate("Manage", "Hacer una copia ahora"),
            lambda: self.dispatch(BackupAsked()),
        )
        self.check = button(
            t,
            lambda: translate("Manage", "Comprobar los datos"),
            lambda: self.dispatch(CheckAsked()),
        )
        back = button(t, lambda: translate("Manage", "Volver a los pacientes"), self._back)
        people = column(
            label(t, lambda: translate("Manage", "Quién puede entrar"), "heading"),
            listed,
            self._left(add),
            gap=10,
        )
        data = column(
            label(t, lambda: translate("Manage", "Los datos"), "heading"),
            self.backups,
            *(self._left(part) for part in (self.back_up, self.check, self.new_key)),
            gap=8,
        )
        self._left_side = column(
            label(t, lambda: translate("Manage", "Gestión del centro"), "title"),
            self.done,
            card(people, 18),
            card(data, 18),
            self._left(back),
            gap=14,
        )
        self._left_side.addStretch(1)
        inside = QWidget()
        inside.setLayout(self._left_side)
        self._list = tall(inside)
        self.form = self._form()
        self._key = self._key_page()
        page = QHBoxLayout(self)
        page.setContentsMargins(28, 20, 28, 16)
        page.setSpacing(20)
        page.addWidget(self._list, 3)
        page.addWidget(self.form, 2)
        page.addWidget(self._key, 3, Qt.AlignmentFlag.AlignTop)

    @staticmethod
    def _left(*parts: QWidget) -> QHBoxLayout:
        line = row(*parts)
        line.addStretch(1)
        return line

    def _asks(self, text: Callable[[], str], form: Form) -> QWidget:
        return button(self.texts, text, lambda: self.dispatch(FormAsked(form)))

    def _form(self) -> QWidget:
        t = self.texts
        self.form_title, self.form_says = plain_label("heading"), plain_label("quiet")
        self.name = field(t, lambda: translate("Manage", "Nombre"))
        self.role = choice(t, lambda: translate("Manage", "Función"))
        self.passphrase = self._secret(lambda: translate("Manage", "Frase de paso nueva"))
        self.own = self._secret(lambda: translate("Manage", "Su propia frase de paso"))
        self.confirm = button(t, lambda: translate("Manage", "Confirmar"), self._submit, "primary")
        cancel = button(
            t,
            lambda: translate("Manage", "Cancelar"),
            lambda: self.dispatch(FormAsked(Form.NONE)),
        )
        rows = column(self.form_title, self.form_says, self.refusal, gap=10)
        self._asked = {}
        for control in (self.name, self.role, self.passphrase, self.own):
            part = QWidget()
            part.setLayout(labelled(t, control.accessibleName, control))
            part.layout().setContentsMargins(0, 0, 0, 0)  # type: ignore[union-attr]
            self._asked[control] = part
            rows.addWidget(part)
        self.name.returnPressed.connect(self._submit)
        t.say_again()
        rows.addStretch(1)
        rows.setContentsMargins(2, 2, 8, 2)
        inside = QWidget()
        inside.setLayout(rows)
        self.area = tall(inside)
        buttons = column(self.confirm, cancel, gap=8)
        buttons.setContentsMargins(2, 0, 8, 0)  # as wide as the fields above
        made = card(column(self.area, buttons), 18)
        made.setMinimumWidth(300)
        made.setMaximumWidth(440)
        return made

    def _secret(self, name: Callable[[], str]) -> QLineEdit:
        made = field(self.texts, name)
        made.setEchoMode(QLineEdit.EchoMode.Password)
        made.returnPressed.connect(self._submit)
        return made

    def _key_page(self) -> QWidget:
        t = self.texts
        self.key = plain_label("key")
        self.key.setAlignment(Qt.AlignmentFlag.AlignCenter)
        t.bind(self.key.setAccessibleName, lambda: translate("Manage", "Clave de recuperación"))
        says = label(
            t,
            lambda: translate(
                "Manage",
                "Los datos están bajo una clave nueva. Esta es la clave de recuperación desde "
                "ahora; se muestra una sola vez y la de antes ya no vale.",
            ),
        )
        self.noted = button(
            t,
            lambda: translate("Manage", "La he copiado: ir a la entrada"),
            lambda: self.dispatch(KeyNoted()),
            "primary",
        )
        printed = button(
            t,
            lambda: translate("Manage", "Imprimir"),
            lambda: print_recovery_key(self, self.state.recovery_key),
        )
        title = label(t, lambda: translate("Manage", "Clave de recuperación"), "title")
        made = card(column(title, says, self.key, printed, self.noted, gap=14), 24)
        made.hide()
        return made

    def enter_screen(self) -> None:
        """Read what is shown."""
        self.dispatch(Entered())
        self.back_up.setFocus()

    def _back(self) -> None:
        if self.state.recovery_key or self.state.busy:
            return
        if self.state.form is not Form.NONE:
            self.dispatch(FormAsked(Form.NONE))
        else:
            self.left.emit()

    def _submit(self) -> None:
        self.dispatch(
            FormSubmitted(
                own=self.own.text(),
                display_name=self.name.text(),
                role=Role(self.role.currentData() or Role.MEDICO_GENERAL),
                passphrase=self.passphrase.text(),
            )
        )

    # Effects.

    def _failed(self, error: DdxError) -> None:
        self.own.clear()
        self.dispatch(Failed(refusal_of(error)))

    def _read(self) -> None:
        session = self._session
        self.ask(
            session.staff.members, lambda found: self.dispatch(MembersRead(found)), self._failed
        )
        self.ask(
            session.keeping.backups,
            lambda made: self.dispatch(BackupsRead(made[0].made_at if made else None)),
            self._failed,
        )

    def _act(self, effect: Act) -> None:
        form, who, staff = effect.submitted, effect.clinician, self._session.staff
        about = Work(translate("Manage", "Cerrando el acceso con la frase de paso…"))
        if effect.form is Form.NEW_KEY:
            self._change_key(form.own)
        elif effect.form is Form.ADD:
            self._run(
                partial(staff.add, form.own, form.display_name, form.role, form.passphrase),
                Done.ADDED,
                about,
            )
        elif who is not None and effect.form is Form.RESET:
            self._run(partial(staff.reset, form.own, who, form.passphrase), Done.RESET, about)
        elif who is not None:
            self._run(partial(staff.remove, form.own, who), Done.REMOVED, about)

    def _run(self, do: Callable[[], object], done: Done, about: Work) -> None:
        self.ask(do, lambda _none: self.dispatch(Finished(done)), self._failed, about=about)

    def _run_course(self, do: Callable[[Course], object], done: Done, title: str) -> None:
        work, course = self.jobs.work(title)
        self._run(lambda: do(course), done, work)

    def _change_key(self, own: str) -> None:
        session, clinic = self._session, self._clinic
        person = session.clinician.id
        work, course = self.jobs.work(translate("Manage", "Cifrando todo con una clave nueva…"))

        def change() -> str:
            session.staff.prove(own)  # before the session ends for nothing
            course.at()
            session.close()
            return clinic.change_data_key(person, own, course)

        self.ask(change, lambda key: self.dispatch(KeyChanged(key)), self._not_changed, about=work)

    def _not_changed(self, error: DdxError) -> None:
        self._failed(error)
        if self._session.closed:
            self.ended.emit()  # the key of before stands; whoever goes on signs in again

    def _back_up(self) -> None:
        self._run_course(
            self._session.keeping.back_up,
            Done.BACKED_UP,
            translate("Manage", "Haciendo y comprobando la copia…"),
        )

    def _check(self) -> None:
        self._run_course(
            self._session.keeping.check,
            Done.CHECKED,
            translate("Manage", "Comprobando los datos, página por página…"),
        )

    # Drawing.

    def changeEvent(self, event: QEvent) -> None:
        """Name the roles again when the language changes."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self._say_roles()

    def redraw(self) -> None:
        """Draw the lists and the form."""
        state = self.state
        self._draw_people()
        last = state.last_backup_at
        none_yet = translate("Manage", "Todavía no hay ninguna copia de seguridad.")
        made = translate("Manage", "Última copia: {when}. Se hace una cada día al entrar.")
        self.backups.setText(none_yet if last is None else made.format(when=words.moment(last)))
        buttons = (self.back_up, self.check, self.new_key, self.confirm)
        if state.busy and self._pressed is None:  # the keys come back to where they were
            self._pressed = next((part for part in buttons if part.hasFocus()), self.back_up)
        for control in buttons:
            control.setEnabled(not state.busy)
        if not state.busy and self._pressed is not None:
            self._pressed.setFocus()
            self._pressed = None
        say(self.done, translate("Manage", _DONE[state.done]) if state.done else "")
        self._draw_form()
        changed = bool(state.recovery_key)
        self.key.setText(state.recovery_key)
        self._list.setVisible(not changed)
        self._key.setVisible(changed)

    def _draw_people(self) -> None:
        shown = (self.state.members, translate("Manage", "Quitar"))
        if getattr(self, "_drawn", None) == shown:
            return
        self._drawn = shown
        clear(self.people)
        for line, person in enumerate(self.state.members):
            name = plain_label()
            name.setText(_described(person))
            self.people.addWidget(name, line, 0)
            for place, (text, form) in enumerate(
                ((_reset_text, Form.RESET), (_remove_text, Form.REMOVE)), start=1
            ):
                if person.is_self and form is Form.REMOVE:
                    continue
                self.people.addWidget(self._person_button(person, text, form), line, place)

    def _person_button(self, person: Member, text: Callable[[], str], form: Form) -> QWidget:
        # Texts of its own: the button goes when the list is drawn again, in any language.
        made = button(Texts(), text, lambda: self.dispatch(FormAsked(form, person.id)), "plain")
        made.setAccessibleName(f"{text()}: {person.display_name}")
        return made

    def _draw_form(self) -> None:
        state = self.state
        opened = state.form is not Form.NONE
        opening = opened and self.form.isHidden()
        if opening:
            for control in (self.name, self.passphrase, self.own):
                control.clear()
            self.role.clear()
            self._say_roles()
        self.form.setVisible(opened)
        say(self.refusal, messages.refusal(state.refusal))
        if state.refusal is not None:
            self.area.ensureWidgetVisible(self.refusal)
        if state.refusal is not None and not opened:
            say(self.done, messages.refusal(state.refusal))
        if not opened:
            return
        person = next((m.display_name for m in state.members if m.id == state.chosen), "")
        self.form_title.setText(translate("Manage", _TITLES[state.form]).format(name=person))
        self.form_says.setText(translate("Manage", _SAYS[state.form]))
        self._asked[self.name].setVisible(state.form is Form.ADD)
        self._asked[self.role].setVisible(state.form is Form.ADD)
        self._asked[self.passphrase].setVisible(state.form in (Form.ADD, Form.RESET))
        if opening:
            first = {Form.ADD: self.name, Form.RESET: self.passphrase}
            first.get(state.form, self.own).setFocus()

    def _say_roles(self) -> None:
        chosen = self.role.currentData() or Role.MEDICO_GENERAL.value
        self.role.clear()
        for value in Role:
            self.role.addItem(words.role(value), value.value)
        self.role.setCurrentIndex(self.role.findData(chosen))


def _reset_text() -> str:
    return translate("Manage", "Frase nueva")


def _remove_text() -> str:
    return translate("Manage", "Quitar")


def _described(person: Member) -> str:
    said = f"{person.display_name} · {words.role(person.role)}"
    if person.is_self:
        return translate("Manage", "{who} · usted").format(who=said)
    if not person.has_key:
        return translate("Manage", "{who} · necesita una frase nueva").format(who=said)
    return said
