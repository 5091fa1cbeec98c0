"""The patient list, and the form for a new one."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QListView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from ddx.domain.case import Sex
from ddx.domain.course import Course
from ddx.domain.roles import Permission, may
from ddx.errors import DdxError
from desktop.presenters.patients import (
    Entered,
    EraseAsked,
    EraseConfirmed,
    ErasePatient,
    Failed,
    FindPatients,
    FormIssue,
    FormOpened,
    FormRefused,
    FormSubmitted,
    OpenVisit,
    Patient,
    PatientErased,
    PatientPicked,
    PatientRegistered,
    PatientsFound,
    PatientsState,
    RegisterPatient,
    SearchTyped,
    parse_day,
    step,
)
from desktop.services.records import NewPatient
from desktop.ui import keys, messages, paint, words
from desktop.ui.finding_list import LINE, Index
from desktop.ui.i18n import translate
from desktop.ui.jobs import Jobs
from desktop.ui.screen import Screen, refusal_of
from desktop.ui.theme import colours
from desktop.ui.widgets import (
    button,
    card,
    choice,
    column,
    field,
    label,
    labelled,
    message,
    plain_label,
    restyle,
    row,
    say,
    tall,
)

if TYPE_CHECKING:  # the store and the engine load after the first paint
    from desktop.services.session import Session

ONE_LINE = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


def full_name(patient: Patient) -> str:
    """Return family name first, as lists are read in a waiting room."""
    return f"{patient.family_name}, {patient.given_name}".strip(", ")


def particulars(patient: Patient, *, born: bool = True) -> str:
    """Return sex, age and, unless there is no room, date of birth on one line."""
    today = datetime.now(UTC).astimezone().date()
    age = words.age_on(patient.birth_date, today)
    said = f"{words.sex(patient.sex)} · {age}"
    return f"{said} · {words.day(patient.birth_date)}" if born else said


def last_visit(patient: Patient) -> str:
    """Return when the patient was last seen."""
    if patient.last_visit_at is None:
        return translate("Patients", "Sin consultas")
    when = words.day(patient.last_visit_at.astimezone().date())
    return translate("Patients", "Última consulta {date}").format(date=when)


class PatientModel(QAbstractListModel):
    """The patients found."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.patients: tuple[Patient, ...] = ()

    def show(self, patients: Sequence[Patient]) -> None:
        """Show another list."""
        self.beginResetModel()
        self.patients = tuple(patients)
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 -- Qt's own default
        """Return how many patients there are."""
        return 0 if parent.isValid() else len(self.patients)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return one patient: itself, its name, or as a screen reader says it."""
        patient = self.patients[index.row()]
        if role == LINE:
            return patient
        if role == Qt.ItemDataRole.DisplayRole:
            return full_name(patient)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ". ".join((full_name(patient), particulars(patient), last_visit(patient)))
        return None


class PatientDelegate(QStyledItemDelegate):
    """Draws name and particulars, and the last visit at the right."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw the row."""
        patient: Patient = index.data(LINE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint.row_ground(painter, option)
        c, box = colours(), option.rect.adjusted(18, 8, -16, -8)
        small = paint.sized(option.font, 0.9)
        visit = last_visit(patient)
        visit_width = QFontMetrics(small).horizontalAdvance(visit) + 6
        half = box.height() // 2
        name = QRect(box.left(), box.top(), box.width() - visit_width - 12, half)
        bold = paint.sized(option.font, 1.07, QFont.Weight.DemiBold)
        shown = QFontMetrics(bold).elidedText(
            full_name(patient), Qt.TextElideMode.ElideRight, name.width()
        )
        paint.write(painter, name, shown, bold, c.ink, flags=ONE_LINE)
        under = QRect(box.left(), box.top() + half, box.width(), half)
        paint.write(painter, under, particulars(patient), small, c.quiet, flags=ONE_LINE)
        at = QRect(box.right() - visit_width, box.top(), visit_width, half)
        paint.write(painter, at, visit, small, c.quiet, flags=RIGHT)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002 -- Qt's signature
        """Return the height of two lines of text."""
        return QSize(0, round(option.font.pixelSize() * 3.2) + 16)


class PatientList(QListView):
    """The list; Enter opens."""

    opened = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.lines = PatientModel(self)
        self.setModel(self.lines)
        self.setItemDelegate(PatientDelegate(self))
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.doubleClicked.connect(lambda _index: self.open_current())

    def current(self) -> Patient | None:
        """Return the patient under the cursor."""
        index = self.currentIndex()
        return self.lines.patients[index.row()] if index.isValid() else None

    def open_current(self) -> None:
        """Report the patient under the cursor."""
        if (patient := self.current()) is not None:
            self.opened.emit(patient)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open with Enter."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.open_current()
        else:
            super().keyPressEvent(event)


class PatientForm(QFrame):
    """The new patient's fields."""

    def __init__(self, screen: "PatientsScreen") -> None:
        super().__init__(screen)
        t = screen.texts
        self.given = field(t, lambda: translate("Patients", "Nombre"))
        self.family = field(t, lambda: translate("Patients", "Apellidos"))
        self.born = field(
            t,
            lambda: translate("Patients", "Fecha de nacimiento"),
            lambda: translate("Patients", "día/mes/año"),
        )
        self.sex = choice(t, lambda: translate("Patients", "Sexo"))
        self.national_id = field(t, lambda: translate("Patients", "Documento (opcional)"))
        self.checked = {
            "given_name": self.given,
            "family_name": self.family,
            "birth_date": self.born,
            "national_id": self.national_id,
        }
        self.issues = message("refusal")
        self.save = button(
            t, lambda: translate("Patients", "Guardar y abrir"), self._submit, "primary"
        )
        cancel = button(
            t,
            lambda: translate("Patients", "Cancelar"),
            lambda: screen.dispatch(FormOpened(open=False)),
        )
        self._screen = screen
        title = label(t, lambda: translate("Patients", "Paciente nuevo"), "heading")
        rows = column(title, self.issues, gap=12)
        for control in (self.given, self.family, self.born, self.sex, self.national_id):
            rows.addLayout(labelled(t, control.accessibleName, control))
        for edit in (self.given, self.family, self.born, self.national_id):
            edit.returnPressed.connect(self._submit)
        rows.addStretch(1)
        rows.setContentsMargins(2, 2, 8, 2)
        inside = QWidget()
        self.area = tall(inside)
        parts = column(self.area)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(card(parts, 18))
        inside.setLayout(rows)
        buttons = column(self.save, cancel, gap=8)
        buttons.setContentsMargins(2, 0, 8, 0)  # as wide as the fields above
        parts.addLayout(buttons)
        self.say_sexes()

    def say_sexes(self) -> None:
        """Name the choices in the language of the window."""
        chosen = self.sex.currentData() or Sex.UNKNOWN.value
        self.sex.clear()
        for value in Sex:
            self.sex.addItem(words.sex(value), value.value)
        self.sex.setCurrentIndex(self.sex.findData(chosen))

    def empty(self) -> None:
        """Start with a blank form."""
        for edit in (self.given, self.family, self.born, self.national_id):
            edit.clear()
        self.sex.setCurrentIndex(self.sex.findData(Sex.UNKNOWN.value))
        self.given.setFocus()

    def _submit(self) -> None:
        self._screen.dispatch(
            FormSubmitted(
                given_name=self.given.text(),
                family_name=self.family.text(),
                sex=Sex(self.sex.currentData()),
                birth_date=parse_day(self.born.text()),
                national_id=self.national_id.text(),
            )
        )


class PatientsScreen(Screen):
    """Find a patient, or register one."""

    patient_opened = Signal(object)
    history_wanted = Signal(object)
    state: PatientsState

    def __init__(self, session: "Session", jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(jobs, parent)
        self.reducer, self.state, self._session = step, PatientsState(), session
        self._looking: Course | None = None
        self._performers = {
            FindPatients: self._find,
            RegisterPatient: self._register,
            OpenVisit: lambda effect: self.patient_opened.emit(effect.patient),
            ErasePatient: self._erase,
        }
        self._build()
        keys.on(self, keys.NEW_PATIENT, lambda: self.dispatch(FormOpened(open=True)))
        keys.on(self, keys.HISTORY, self._show_history)
        keys.on(self, keys.BACK, self._back)
        self.redraw()

    def _build(self) -> None:
        t = self.texts
        self.search = field(
            t,
            lambda: translate("Patients", "Buscar paciente"),
            lambda: translate("Patients", "Nombre, documento, hallazgo, diagnóstico o código"),
        )
        self.search.textEdited.connect(lambda text: self.dispatch(SearchTyped(text)))
        self.search.returnPressed.connect(self._open_first)
        self.search.installEventFilter(self)
        new = button(
            t,
            lambda: translate("Patients", "Paciente nuevo  {key}").format(
                key=keys.shown(keys.NEW_PATIENT)
            ),
            lambda: self.dispatch(FormOpened(open=True)),
        )
        self.past = button(
            t,
            lambda: translate("Patients", "Historia  {key}").format(key=keys.shown(keys.HISTORY)),
            self._show_history,
        )
        self.list = PatientList()
        t.bind(self.list.setAccessibleName, lambda: translate("Patients", "Pacientes"))
        self.list.opened.connect(lambda patient: self.dispatch(PatientPicked(patient)))
        self.empty = message("quiet")
        self.refusal = message("refusal")
        self._build_erasing()
        left = column(
            label(t, lambda: translate("Patients", "Pacientes"), "title"),
            row(self.search, new, self.past, self.erase),
            self.asked,
            self.erased,
            self.refusal,
            self.empty,
            self.list,
            gap=12,
        )
        page = QHBoxLayout(self)
        page.setContentsMargins(28, 20, 28, 16)
        page.setSpacing(20)
        page.addLayout(left, 3)
        self.form = PatientForm(self)
        self.form.setMinimumWidth(300)
        self.form.setMaximumWidth(420)
        page.addWidget(self.form, 2)

    def _build_erasing(self) -> None:
        t = self.texts
        self.erase = button(
            t,
            lambda: translate("Patients", "Borrar…"),
            lambda: self.dispatch(EraseAsked(self.list.current())),
            "plain",
        )
        t.bind(
            self.erase.setAccessibleName,
            lambda: translate("Patients", "Borrar al paciente elegido"),
        )
        if not may(self._session.clinician.role, Permission.ERASE_PATIENT):
            self.erase.hide()
        self.question = plain_label()
        self.confirm = button(
            t,
            lambda: translate("Patients", "Borrar para siempre"),
            lambda: self.dispatch(EraseConfirmed()),
        )
        self.keep = button(
            t,
            lambda: translate("Patients", "No borrar"),
            lambda: self.dispatch(EraseAsked(None)),
            "primary",
        )
        buttons = row(self.keep, self.confirm)
        buttons.addStretch(1)
        self.asked = card(column(self.question, buttons, gap=10), 14)
        self.asked.hide()
        self.erased = message("done")
        self.erased.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)

    def eventFilter(self, watched: QObject, event: object) -> bool:
        """Let the arrow keys of the search field walk the list."""
        if isinstance(event, QKeyEvent) and event.type() is QKeyEvent.Type.KeyPress:
            steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()), 0)
            count = self.list.lines.rowCount()
            if steps and count:
                line = (self.list.currentIndex().row() + steps) % count
                self.list.setCurrentIndex(self.list.lines.index(line))
                return True
        return super().eventFilter(watched, event)  # type: ignore[arg-type]

    def enter_screen(self) -> None:
        """Read the list and put the cursor in the search."""
        self.dispatch(Entered())
        self.search.setFocus()

    def _back(self) -> None:
        self.dispatch(EraseAsked(None))
        self.dispatch(FormOpened(open=False))

    def _show_history(self) -> None:
        if (patient := self.list.current()) is not None:
            self.history_wanted.emit(patient)

    def _open_first(self) -> None:
        self.list.open_current()

    def _find(self, effect: FindPatients) -> None:
        if self._looking is not None:
            self._looking.stop()  # what was typed before is looked for no longer
        work, course = self.jobs.work(translate("Patients", "Buscando entre los pacientes…"))
        self._looking = course

        def failed(error: DdxError) -> None:
            if course is self._looking:
                self._failed(error)

        self.ask(
            lambda: self._session.patients.search(effect.text, course=course),
            lambda found: self.dispatch(PatientsFound(effect.text, found)),
            failed,
            about=work,
        )

    def _register(self, effect: RegisterPatient) -> None:
        form = effect.form
        if form.birth_date is None:  # the presenter asked for it again
            return
        new = NewPatient(
            given_name=form.given_name.strip(),
            family_name=form.family_name.strip(),
            sex=form.sex,
            birth_date=form.birth_date,
            national_id=form.national_id.strip(),
        )
        self.ask(
            lambda: self._session.patients.create(new),
            lambda made: self.dispatch(PatientRegistered(made)),
            self._failed,
        )

    def _erase(self, effect: ErasePatient) -> None:
        self.ask(
            lambda: self._session.privacy.erase(effect.patient),
            lambda proof: self.dispatch(PatientErased(proof)),
            self._failed,
        )

    def _failed(self, error: DdxError) -> None:
        from desktop.services.errors import NewPatientRefusedError  # noqa: PLC0415 -- numpy

        if isinstance(error, NewPatientRefusedError):
            found = tuple(FormIssue(issue.field, issue.code) for issue in error.issues)
            self.dispatch(FormRefused(found))
        else:
            self.dispatch(Failed(refusal_of(error)))

    def changeEvent(self, event: QEvent) -> None:
        """Name the choices again when the language changes."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self.form.say_sexes()

    def redraw(self) -> None:
        """Draw the list and the form."""
        state = self.state
        if self.list.lines.patients != state.patients:
            self.list.lines.show(state.patients)
        if state.patients and not self.list.currentIndex().isValid():
            self.list.setCurrentIndex(self.list.lines.index(0))
        nobody = translate("Patients", "Nadie coincide. Ctrl+N registra un paciente nuevo.")
        say(self.empty, nobody if not state.patients and not state.loading else "")
        say(self.refusal, messages.refusal(state.refusal))
        self._draw_erasing()
        self._draw_form()

    def _draw_erasing(self) -> None:
        state = self.state
        self.erase.setEnabled(bool(state.patients) and state.leaving is None)
        self.asked.setVisible(state.leaving is not None)
        if state.leaving is not None:
            asked = translate(
                "Patients",
                "¿Borrar a {name}? Se van sus datos, borradores, consultas y decisiones, y se "
                "pide a la nube que borre lo suyo. No se puede deshacer. Queda una prueba sin su "
                "nombre.",
            )
            self.question.setText(asked.format(name=full_name(state.leaving)))
        for part in (self.confirm, self.keep):
            part.setEnabled(not state.erasing)
        proof = state.erased
        said = translate("Patients", "✓ Borrado. Seudónimo {pseudonym}. Prueba {proof}")
        told = said.format(pseudonym=proof.pseudonym, proof=proof.proof) if proof else ""
        say(self.erased, told)

    def _draw_form(self) -> None:
        state, form = self.state, self.form
        if state.form and form.isHidden():
            form.show()
            form.empty()
        elif not state.form and not form.isHidden():
            form.hide()
            self.search.setFocus()
        form.save.setEnabled(not state.registering)
        say(form.issues, "\n".join(messages.form_issue(issue) for issue in state.issues))
        if state.issues:
            form.area.ensureWidgetVisible(form.issues)
        wrong = {issue.field for issue in state.issues}
        for name, control in form.checked.items():
            restyle(control, "wrong", "true" if name in wrong else "false")
