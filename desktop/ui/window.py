"""The main window: one screen at a time, what is always visible above and below it."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QTimer, Signal
from PySide6.QtGui import QAction, QActionGroup, QCloseEvent, QPaintEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QMainWindow,
    QMenu,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ddx.domain.roles import Permission, may
from ddx.errors import DdxError
from desktop.presenters.patients import Patient
from desktop.presenters.reducer import Refusal
from desktop.presenters.sign_in import DAMAGED
from desktop.thrift import give_back
from desktop.ui import keys, messages, theme
from desktop.ui.aggregates import AggregatesScreen
from desktop.ui.audit_log import AuditLogScreen
from desktop.ui.busy import BusyNote
from desktop.ui.cloud import CloudScreen
from desktop.ui.disease_field import read_names
from desktop.ui.first_run import FirstRunScreen, centred
from desktop.ui.history import HistoryDialog, HistoryScreen
from desktop.ui.i18n import Texts, Translators, translate
from desktop.ui.idle import IdleWatch
from desktop.ui.jobs import Jobs, Lane, Work
from desktop.ui.key_map import KeyMap
from desktop.ui.labels import Labels
from desktop.ui.manage import ManageScreen
from desktop.ui.patients import PatientsScreen
from desktop.ui.preferences import PreferenceFile, Preferences
from desktop.ui.settings import (
    APPEARANCES,
    EQUIPMENT,
    LANGUAGES,
    SCALES,
    Choices,
    SettingsScreen,
)
from desktop.ui.sign_in import SignInScreen
from desktop.ui.status import StatusBar
from desktop.ui.transparency import TransparencyScreen
from desktop.ui.visit import Leaving, VisitScreen
from desktop.ui.visit_ahead import VisitAhead
from desktop.ui.widgets import OneLine, Text, button, card, column, let_go, plain_label, row, say

if TYPE_CHECKING:  # the store and the engine load after the first paint
    from desktop.services.clinic import Clinic
    from desktop.services.session import Session

SMALLEST = (1024, 600)
FIRST_SIZE = (1280, 800)
UPKEEP_AFTER_MS = 30_000
"""From the sign-in to the daily backup and the weekly check: the first patient comes first."""


class MainWindow(QMainWindow):
    """Opening, first run, sign-in, patients, visit."""

    ready = Signal()
    demo_wanted = Signal()

    def __init__(self, file: PreferenceFile, translators: Translators, jobs: Jobs) -> None:
        super().__init__()
        self._file, self._translators, self.jobs = file, translators, jobs
        self.preferences: Preferences = file.read()
        self._clinic: Clinic | None = None
        self._session: Session | None = None
        self._hint = ""
        self._close_asked = False
        self._locked = False
        self._link: tuple[str, str] | None = None
        self._commit_first: bool | None = None
        self.visit_ahead = VisitAhead(self)
        self.idle = IdleWatch(self)
        self.idle.idle.connect(self.lock_idle)
        self._after_paint: list[Callable[[], None]] = []
        self.texts = Texts()
        self.stack = QStackedWidget()
        self.busy = BusyNote(jobs, self.stack)
        self.status = StatusBar(jobs)
        self._opening = self._opening_page()
        self.stack.addWidget(self._opening)
        body = QWidget()
        body.setObjectName("page")
        box = QVBoxLayout(body)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(self._top())
        box.addWidget(self.stack, 1)
        box.addWidget(self.status)
        self.setCentralWidget(body)
        self.texts.bind(self.setWindowTitle, lambda: translate("Window", "Vereda"))
        self.setMinimumSize(*SMALLEST)
        self.resize(*FIRST_SIZE)
        keys.on(self, keys.HELP, self.show_keys)
        keys.on(self, keys.SETTINGS, self.show_menu)
        keys.on(self, keys.SYNC, self.status.synchronise)
        keys.on(self, keys.LOCK, self.sign_out)
        self._app().styleHints().colorSchemeChanged.connect(lambda _scheme: self._dress())
        self.choose(self.preferences)

    # What is always visible.

    def _opening_page(self) -> QWidget:
        page = QWidget()
        page.setObjectName("page")
        self._opening_title = plain_label("title")
        self._opening_text = plain_label("quiet")
        self._opening_refusal = plain_label("refusal")
        self._opening_refusal.hide()
        self.texts.bind(self._opening_title.setText, lambda: translate("Window", "Vereda"))
        self.texts.bind(
            self._opening_text.setText, lambda: translate("Window", "Abriendo el centro…")
        )
        holder = card(
            column(self._opening_title, self._opening_text, self._opening_refusal, gap=12), 28
        )
        page.setLayout(centred(holder))
        return page

    def _top(self) -> QFrame:
        self._wordmark = plain_label("wordmark")
        self._wordmark.setText("Vereda")
        self._who = OneLine("quiet")
        self.settings = QToolButton()
        self.settings.setProperty("look", "plain")
        self.settings.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.settings.setMenu(self._menu())
        for put in (self.settings.setText, self.settings.setAccessibleName):
            self.texts.bind(
                put,
                lambda: translate("Window", "Ajustes ▾  {key}").format(
                    key=keys.shown(keys.SETTINGS)
                ),
            )
        self.help = button(
            self.texts,
            lambda: translate("Window", "Teclas  {key}").format(key=keys.shown(keys.HELP)),
            self.show_keys,
            "plain",
        )
        self.lock = button(
            self.texts,
            lambda: translate("Window", "Cerrar sesión"),
            self.sign_out,
            "plain",
        )
        line = row(self._wordmark, self._who, gap=16)
        line.addStretch(1)
        for part in (self.help, self.settings, self.lock):
            line.addWidget(part)
        line.setContentsMargins(20, 5, 12, 5)
        frame = QFrame()
        frame.setObjectName("top")
        frame.setLayout(line)
        self.lock.hide()
        return frame

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        for title, options, preference in (
            (lambda: translate("Window", "Idioma"), LANGUAGES, "language"),
            (lambda: translate("Window", "Aspecto"), APPEARANCES, "appearance"),
            (lambda: translate("Window", "Tamaño del texto"), SCALES, "text_scale"),
            (lambda: translate("Window", "Equipo del centro"), EQUIPMENT, "equipment"),
        ):
            self._choices(menu, title, options, preference)
        self.all_settings = self._action(
            menu, lambda: translate("Window", "Todos los ajustes…"), self.show_settings
        )
        menu.addSeparator()
        self.transparency = self._action(
            menu, lambda: translate("Window", "Lo que sale del centro…"), self.show_transparency
        )
        self.audit = self._action(menu, lambda: translate("Window", "Auditoría…"), self.show_audit)
        self.counts = self._action(
            menu, lambda: translate("Window", "El centro en números…"), self.show_counts
        )
        self.manage = self._action(
            menu, lambda: translate("Window", "Gestión del centro"), self.show_manage
        )
        self.cloud = self._action(
            menu, lambda: translate("Window", "Cuenta en la nube…"), self.show_cloud
        )
        self.stick = self._action(
            menu,
            lambda: translate("Window", "Actualizar desde una memoria USB…"),
            self.status.update_from_stick,
        )
        return menu

    def _action(self, menu: QMenu, text: Text, chosen: Callable[[], object]) -> QAction:
        """Return a line of the menu, hidden until somebody signs in who may use it."""
        action = menu.addAction("")
        self.texts.bind(action.setText, text)
        action.triggered.connect(lambda _on: chosen())
        action.setVisible(False)
        return action

    def _choices(self, menu: QMenu, title: Text, options: Choices, preference: str) -> None:
        sub = menu.addMenu("")
        self.texts.bind(sub.setTitle, title)
        group = QActionGroup(sub)
        for value, text in options:
            action = sub.addAction("")
            action.setCheckable(True)
            action.setChecked(value == getattr(self.preferences, preference))
            self.texts.bind(action.setText, text)
            action.triggered.connect(
                lambda _on, value=value: self.choose(
                    replace(self.preferences, **{preference: value})
                )
            )
            group.addAction(action)
        sub.aboutToShow.connect(
            lambda: self._tick(group, options, getattr(self.preferences, preference))
        )

    @staticmethod
    def _tick(group: QActionGroup, options: Choices, chosen: object) -> None:
        for action, (value, _text) in zip(group.actions(), options, strict=True):
            action.setChecked(value == chosen)

    def choose(self, preferences: Preferences) -> None:
        """Take and keep another language, appearance, text size or equipment."""
        if preferences.language is not self._translators.language or not self._dressed():
            self._translators.speak(preferences.language)
        self.preferences = preferences
        self._file.write(preferences)
        self._dress()
        shown = self.screen_shown
        if isinstance(shown, VisitScreen):
            shown.guide.use(preferences.equipment)

    def _dressed(self) -> bool:
        return bool(self._app().styleSheet())

    def _dress(self) -> None:
        app = self._app()
        palette = theme.colours_for(self.preferences.appearance, app)
        theme.apply(app, palette, self.preferences.text_scale)
        self.update()

    @staticmethod
    def _app() -> QApplication:
        app = QApplication.instance()
        if not isinstance(app, QApplication):
            raise TypeError("the window needs a QApplication")
        return app

    def changeEvent(self, event: QEvent) -> None:
        """Say every text again when the language changes."""
        if event.type() is QEvent.Type.LanguageChange:
            self.texts.say_again()
            self._draw_who()
        super().changeEvent(event)

    def show_menu(self) -> None:
        """Open the menu of settings with its first line chosen, for the arrows to go on."""
        menu = self.settings.menu()
        menu.popup(self.settings.mapToGlobal(self.settings.rect().bottomLeft()))
        menu.setActiveAction(menu.actions()[0])

    def show_keys(self) -> None:
        """Show the map of keys."""
        self.key_map = KeyMap(self)
        self.key_map.open()

    # From one screen to the next.

    @property
    def screen_shown(self) -> QWidget:
        """The screen in front."""
        return self.stack.currentWidget() or self._opening

    def attach(self, clinic: "Clinic", *, set_up: bool, hint: str = "") -> None:
        """Go on from the opening page. hint: passphrase of the demonstration clinic."""
        self._clinic, self._hint = clinic, hint
        if set_up:
            self.show_sign_in()
        else:
            first = FirstRunScreen(clinic, self.jobs, self.stack)
            first.demo_wanted.connect(self._open_demo)
            first.finished.connect(self.show_sign_in)
            first.link_wanted.connect(self._link_once_signed_in)
            first.restore_wanted.connect(self._show_restore)
            self._show(first)
            first.enter_screen()
        self.ready.emit()

    def after_first_paint(self, action: Callable[[], None]) -> None:
        """Run `action` once the window has been drawn."""
        self._after_paint.append(action)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw; then let what waits for the first drawing begin."""
        super().paintEvent(event)
        waiting, self._after_paint = self._after_paint, []
        for action in waiting:
            QTimer.singleShot(0, self, action)

    def _open_demo(self) -> None:
        self._show(self._opening, keep=True)
        self.demo_wanted.emit()

    @property
    def opening_refusal(self) -> str:
        """What the opening page says went wrong, empty while nothing did."""
        return self._opening_refusal.text()

    def cannot_open(self, code: str) -> None:
        """Say on the opening page why there is no clinic to sign in to."""
        self._opening_text.hide()
        say(self._opening_refusal, messages.refusal(Refusal(code)))

    def show_sign_in(self) -> None:
        """Show who may sign in."""
        if self._clinic is None:
            return
        screen = SignInScreen(
            self._clinic, self.jobs, self.stack, hint=self._hint, locked=self._locked
        )
        self._locked = False
        screen.signed_in.connect(self._signed_in)
        self._show(screen)
        screen.enter_screen()

    def _link_once_signed_in(self, server: str, code: str) -> None:
        self._link = (server, code)

    def _show_restore(self) -> None:
        self.show_sign_in()
        shown = self.screen_shown
        if isinstance(shown, SignInScreen):
            shown.show_restore()

    def _signed_in(self, session: "Session") -> None:
        """Show what the person works on; what a session has read beside it comes after."""
        self._session = session
        self.idle.watch(session.idle_lock_minutes)
        self._draw_who()
        self._open_ways(session)
        self._show_first()
        QTimer.singleShot(0, self, lambda: self._settle_in(session))
        QTimer.singleShot(UPKEEP_AFTER_MS, self, lambda: self._keep_up(session))

    def _open_ways(self, session: "Session") -> None:
        """Show the ways the role has."""
        role = session.clinician.role
        self.lock.show()
        self.manage.setVisible(session.manages)
        self.cloud.setVisible(True)
        self.stick.setVisible(may(role, Permission.DIAGNOSE))
        self.all_settings.setVisible(True)
        self.transparency.setVisible(
            may(role, Permission.VIEW_SENT) or may(role, Permission.READ_AUDIT)
        )
        self.audit.setVisible(may(role, Permission.READ_AUDIT))
        self.counts.setVisible(may(role, Permission.VIEW_AGGREGATES))

    def _settle_in(self, session: "Session") -> None:
        if session is not self._session:
            return
        self._warm_up()
        self.status.follow(session)
        self.jobs.run(
            lambda: session.preferences.commit_first, self._know_commit_first, lambda _error: None
        )
        if self._link is not None:
            self.status.link(*self._link)
            self._link = None

    def _know_commit_first(self, fixed: bool | None) -> None:
        self._commit_first = fixed

    @property
    def _own_first(self) -> bool:
        fixed = self._commit_first
        return self.preferences.commit_first if fixed is None else fixed

    def _show_first(self) -> None:
        """Show what the signed-in person works on: patients, or the audit."""
        if self._session is None:
            return
        if may(self._session.clinician.role, Permission.VIEW_PATIENT):
            self.show_patients()
        else:
            self.show_transparency()

    def _keep_up(self, session: "Session") -> None:
        """Make the daily backup and the weekly check, behind whatever goes on."""
        if session is self._session:
            work, course = self.jobs.work(
                translate("Window", "Cuidando los datos: comprobación y copia del día…"), quiet=True
            )
            self.jobs.run(
                lambda: session.keeping.upkeep(course),
                lambda _none: None,
                lambda error: self._upkeep_failed(session, error),
                Lane.NETWORK,
                work,
            )

    def _upkeep_failed(self, session: "Session", error: DdxError) -> None:
        # A backup that did not fit shows as an old date where backups are managed; damage does
        # not wait: the sign-in reads the file again, says so, and offers the backups.
        if session is self._session and error.code == DAMAGED:
            self.sign_out()

    def lock_idle(self) -> None:
        """End the session because nobody touched the computer; what was typed is saved first."""
        if self._session is None:
            return
        self._locked = True
        dialog = QApplication.activeModalWidget()
        if dialog is not None:
            dialog.close()
        self.sign_out()

    def show_manage(self) -> None:
        """Show clinicians and backups to whoever manages them; an open visit is saved first."""
        shown = self.screen_shown
        if isinstance(shown, VisitScreen):
            shown.leave(Leaving.MANAGE)
        elif self._session is not None and self._clinic is not None and self._session.manages:
            screen = ManageScreen(self._clinic, self._session, self.jobs, self.stack)
            screen.left.connect(self.show_patients)
            screen.ended.connect(self._end_session)
            self._show(screen)
            screen.enter_screen()

    def _warm_up(self) -> None:
        """Read what is made on first use, the search index and the names too, before it is needed.

        Step by step, and the window goes first. What is searched meanwhile waits for the rest.
        """
        if (clinic := self._clinic) is None:
            return

        def read() -> None:
            clinic.warm(self.jobs.let_window_go_first)
            labels = Labels(clinic.catalogue, self._translators)
            read_names(labels, self.jobs.let_window_go_first)
            give_back()

        # An error here meets the first real search, and is told there.
        self.jobs.run(
            read, lambda _none: None, lambda _error: None, Lane.LOOKUP, Work(awaited=False)
        )

    def show_patients(self) -> None:
        """Show the patient list."""
        if self._session is None:
            return
        screen = PatientsScreen(self._session, self.jobs, self.stack)
        screen.patient_opened.connect(self.show_visit)
        screen.history_wanted.connect(self.show_history)
        self._show(screen)
        screen.enter_screen()
        if self._clinic is not None and may(self._session.clinician.role, Permission.DIAGNOSE):
            self.visit_ahead.begin(self._unmade_visit(self._clinic, self._session))

    def show_transparency(self) -> None:
        """Show what left the clinic, and the audit; an open visit is left first, by its own way."""
        if self._session is None or isinstance(self.screen_shown, VisitScreen):
            return
        screen = TransparencyScreen(self._session, self.jobs, self.stack)
        screen.left.connect(self.show_patients)
        self._show(screen)
        screen.enter_screen()

    def show_cloud(self) -> None:
        """Show the cloud account of who is signed in; an open visit is saved first."""
        shown = self.screen_shown
        if isinstance(shown, VisitScreen):
            shown.leave(Leaving.CLOUD)
        elif self._session is not None and not isinstance(shown, CloudScreen):
            screen = CloudScreen(self._session, self.jobs, self.stack)
            screen.left.connect(self._show_first)
            self._show(screen)
            screen.enter_screen()

    def show_settings(self) -> None:
        """Show the settings; an open visit is saved first."""
        if self._left_for(Leaving.SETTINGS) or self._session is None:
            return
        screen = SettingsScreen(
            self._session,
            self.jobs,
            lambda: self.preferences,
            self.stack,
            commit_first_fixed=self._commit_first,
        )
        screen.chosen.connect(self.choose)
        screen.left.connect(self._show_first)
        self._show(screen)
        screen.enter_screen()

    def show_counts(self) -> None:
        """Show the clinic in counts; an open visit is saved first."""
        if self._left_for(Leaving.COUNTS) or self._session is None or self._clinic is None:
            return
        labels = Labels(self._clinic.catalogue, self._translators)
        screen = AggregatesScreen(self._session, labels, self.jobs, self.stack)
        screen.left.connect(self._show_first)
        self._show(screen)
        screen.enter_screen()

    def show_audit(self) -> None:
        """Show the audit, entry by entry."""
        if self._session is None or isinstance(self.screen_shown, VisitScreen):
            return
        screen = AuditLogScreen(self._session, self.jobs, self.stack)
        screen.left.connect(self._show_first)
        self._show(screen)
        screen.enter_screen()

    def show_history(self, patient: Patient) -> None:
        """Show the visits of `patient` in front of the list."""
        if self._session is None or self._clinic is None:
            return
        labels = Labels(self._clinic.catalogue, self._translators)
        screen = HistoryScreen(self._session, labels, self.jobs, patient)
        self.history = HistoryDialog(screen, self)
        self.history.open()
        screen.enter_screen()

    def _left_for(self, purpose: Leaving) -> bool:
        """Leave an open visit for `purpose`; return whether there was one."""
        shown = self.screen_shown
        if isinstance(shown, VisitScreen):
            shown.leave(purpose)
            return True
        return False

    def show_visit(self, patient: Patient) -> None:
        """Show the visit of `patient`."""
        if self._session is None or self._clinic is None:
            return
        self.visit_ahead.take(
            self._unmade_visit(self._clinic, self._session),
            partial(self._show_made_visit, patient),
        )

    def _unmade_visit(self, clinic: "Clinic", session: "Session") -> Callable[[], VisitScreen]:
        def unmade() -> VisitScreen:
            labels = Labels(clinic.catalogue, self._translators)
            return VisitScreen(clinic, session, labels, self.jobs, self.stack)

        return unmade

    def _show_made_visit(self, patient: Patient, screen: VisitScreen) -> None:
        screen.begin(patient, commit_first=self._own_first)
        screen.guide.use(self.preferences.equipment)
        screen.left.connect(self._left_visit)
        screen.recorded.connect(self.status.read)
        self._show(screen)
        screen.enter_screen()

    def _left_visit(self, purpose: str) -> None:
        self.jobs.run(give_back, lambda _none: None, lambda _error: None, Lane.LOOKUP)
        {
            Leaving.PATIENTS: self.show_patients,
            Leaving.SIGN_IN: self._end_session,
            Leaving.MANAGE: self._after_visit(self.show_manage),
            Leaving.CLOUD: self._after_visit(self.show_cloud),
            Leaving.SETTINGS: self._after_visit(self.show_settings),
            Leaving.COUNTS: self._after_visit(self.show_counts),
            Leaving.NOWHERE: self.close,
        }[Leaving(purpose)]()

    def _after_visit(self, show: Callable[[], None]) -> Callable[[], None]:
        def go_on() -> None:
            self.show_patients()
            show()

        return go_on

    def sign_out(self) -> None:
        """Lock the store, after an open visit is on disk."""
        shown = self.screen_shown
        if isinstance(shown, VisitScreen):
            shown.leave(Leaving.SIGN_IN)
        elif self._session is not None:
            self._end_session()

    def _end_session(self) -> None:
        session, self._session = self._session, None
        if session is None:
            return
        self.idle.rest()
        self.jobs.stop_all()  # nobody waits for it, and the next step closes the store
        self.visit_ahead.forget()
        self.lock.hide()
        for action in (
            self.all_settings,
            self.transparency,
            self.audit,
            self.counts,
            self.manage,
            self.cloud,
            self.stick,
        ):
            action.setVisible(False)
        self.status.follow(None)
        self._draw_who()
        self._show(self._opening, keep=True)
        self.jobs.run(
            session.close,
            lambda _none: self.show_sign_in(),
            lambda _error: self.show_sign_in(),
        )

    def _draw_who(self) -> None:
        session = self._session
        self._who.setText("" if session is None else session.clinician.display_name)

    def _show(self, screen: QWidget, *, keep: bool = False) -> None:
        before = self.screen_shown
        self.visit_ahead.nobody_waits()
        if isinstance(before, CloudScreen):
            before.leave_screen()
        if not keep:
            self.stack.addWidget(screen)
        self.stack.setCurrentWidget(screen)
        if before is not self._opening and before is not screen:
            self.stack.removeWidget(before)
            let_go(before)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Close once everything typed is on disk; after a failed save, the second try closes."""
        shown = self.screen_shown
        if isinstance(shown, VisitScreen) and shown.state.unsaved:
            gives_up = self._close_asked and shown.state.save_refusal is not None
            if not gives_up:
                self._close_asked = True
                event.ignore()
                shown.leave(Leaving.NOWHERE)
                return
        self.idle.rest()
        if self._session is not None:
            session, self._session = self._session, None
            self.jobs.stop_all()
            self.jobs.run(session.close, lambda _none: None, lambda _error: None)
        self.jobs.drain()
        event.accept()
