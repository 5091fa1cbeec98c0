"""The visit, on one screen: findings left, differential centre, reasons right, decision below."""

from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QApplication,
    QButtonGroup,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ddx.domain.feedback import Verb
from ddx.errors import DdxError
from ddx.intake.issues import DraftRefusedError
from desktop.presenters.patients import Patient
from desktop.presenters.visit import step
from desktop.presenters.visit_state import (
    AskWhyNot,
    DecisionCancelled,
    DecisionRecorded,
    DecisionStarted,
    DetailCycled,
    Diagnose,
    DiagnoseAsked,
    Diagnosed,
    DraftChecked,
    DraftNotOpened,
    DraftOpened,
    DraftRefused,
    DraftSaved,
    Entered,
    Explain,
    Explained,
    Failed,
    FindingsMarked,
    Hit,
    HitsFound,
    LeaveAsked,
    OpenDraft,
    OpenPatients,
    OpinionCancelled,
    RecordDecision,
    ReferralAsked,
    SaveDraft,
    SaveDue,
    SaveFailed,
    SaveSoon,
    SearchFindings,
    Trial,
    TrialDropped,
    TrialKept,
    TrialStarted,
    Tried,
    TryDraft,
    VisitState,
    WhyNot,
    WhyNotTold,
    WriteReferral,
)
from desktop.services.records import Paper
from desktop.ui import keys, messages
from desktop.ui.decision import VERB_KEYS, DecisionBar
from desktop.ui.differential import DifferentialColumn
from desktop.ui.disease_field import Names, read_names
from desktop.ui.entry import EntryColumn
from desktop.ui.guide import GuidePanel
from desktop.ui.history import HistoryDialog, HistoryScreen
from desktop.ui.i18n import translate
from desktop.ui.jobs import Jobs, Lane, Work
from desktop.ui.labels import Labels
from desktop.ui.patients import full_name, last_visit, particulars
from desktop.ui.referral import ReferralDialog, ReferralScreen
from desktop.ui.screen import Screen, refusal_of
from desktop.ui.theme import BASE_PX
from desktop.ui.why import WhyColumn
from desktop.ui.widgets import (
    MEASURED_BY_MS,
    OneLine,
    button,
    card,
    column,
    look,
    message,
    row,
    say,
    tall,
)

if TYPE_CHECKING:  # the store and the engine load after the first paint
    from desktop.services.clinic import Clinic
    from desktop.services.records import Referral
    from desktop.services.session import Session

HITS = 12
ROOMY_FROM = 74  # as below: from here on the six verbs fit with their keys
NAME_LETTERS = 24  # of a patient's name, before anything else in the header
NARROW_BELOW = 62  # widths of a character box: under this, one column at a time

LOW_BELOW = 37  # heights of a line: under this, a question is folded until it is gone to


class Leaving(StrEnum):
    """Where to after the visit."""

    PATIENTS = "patients"
    CLOUD = "cloud"
    SIGN_IN = "sign_in"
    MANAGE = "manage"
    SETTINGS = "settings"
    COUNTS = "counts"
    NOWHERE = "nowhere"


class VisitScreen(Screen):
    """One visit of one patient."""

    left = Signal(str)
    recorded = Signal()
    state: VisitState

    def __init__(
        self,
        clinic: "Clinic",
        session: "Session",
        labels: Labels,
        jobs: Jobs,
        parent: QWidget | None = None,
    ) -> None:
        """Bind the parts; `build_more` makes the screen and `begin` gives it a patient.

        parent: where it will be shown; what is dressed under another one is dressed again when
        it moves.
        """
        super().__init__(jobs, parent)
        self.reducer = step
        self._clinic, self._session, self.labels = clinic, session, labels
        self._purpose = Leaving.PATIENTS
        self._autosave = QTimer(self)
        self._autosave.setSingleShot(True)
        self._autosave.timeout.connect(lambda: self.dispatch(SaveDue()))
        self._restyled = QTimer(self)
        self._restyled.setSingleShot(True)
        self._restyled.timeout.connect(lambda: self._show_column(self._column_in_use()))
        self._performers = {
            OpenDraft: self._open_draft,
            SearchFindings: self._search,
            SaveSoon: lambda effect: self._autosave.start(effect.delay_ms),
            SaveDraft: self._save,
            Diagnose: self._diagnose,
            TryDraft: self._try,
            Explain: self._explain,
            AskWhyNot: self._ask_why_not,
            RecordDecision: self._record,
            WriteReferral: self._write_referral,
            OpenPatients: lambda _effect: self.left.emit(self._purpose),
        }
        self._to_build = [
            self._lay_out,
            self._make_entry,
            self._make_guide,
            self._make_differential,
            self._make_why,
            self._place_why,
            self._make_decision,
        ]

    def build_more(self) -> bool:
        """Make one more part; return whether there is another one to make."""
        if self._to_build:
            self._to_build.pop(0)()
        return bool(self._to_build)

    @property
    def is_of_active_model(self) -> bool:
        """Whether its words are those of the model in use."""
        return self.labels.catalogue is self._clinic.catalogue

    @property
    def _begun(self) -> bool:
        return not self._to_build and hasattr(self, "state")

    def begin(self, patient: Patient, *, commit_first: bool) -> None:
        """Make what is left to make, and show a visit of `patient`.

        commit_first: ask for the clinician's own diagnosis before the list.
        """
        while self.build_more():
            pass
        self.state = VisitState(patient=patient, commit_first=commit_first)
        self._bind_keys()
        self.redraw()

    # The parts.

    def _make_entry(self) -> None:
        self.entry = EntryColumn(self.labels, self.dispatch, self)
        self._add_column(self.entry, 10)

    def _make_guide(self) -> None:
        self.guide = GuidePanel(
            self.jobs,
            self._session,
            self.labels,
            lambda states: self.dispatch(FindingsMarked(states)),
        )
        self.guide.looked.connect(self._draw_triage)
        self.entry.hold(self.guide, self.guide.list)

    def _make_differential(self) -> None:
        self.differential = DifferentialColumn(self.labels, self.dispatch, self)
        self._add_column(self.differential, 12)

    def _make_why(self) -> None:
        self.why = WhyColumn(self.labels, self.dispatch)
        self.why.box.setContentsMargins(16, 14, 16, 14)

    def _place_why(self) -> None:
        holder = column()
        self._add_column(card(holder, 2), 10)
        self._why_area = tall(self.why)
        self._why_area.read(self.texts, lambda: translate("Why", "Por qué"))
        holder.addWidget(self._why_area)

    def _make_decision(self) -> None:
        self.decision = DecisionBar(self.labels, self.dispatch, self)
        self._page.addWidget(self.decision)

    def _add_column(self, area: QWidget, share: int) -> None:
        self.columns.append(area)
        self._body.addWidget(area, share)

    def _lay_out(self) -> None:
        """Lay out what holds the parts; each comes to its place while it is still empty."""
        self.columns: list[QWidget] = []
        self._body = QHBoxLayout()
        self._body.setSpacing(22)
        self.refusal = message("refusal")
        self._page = QVBoxLayout(self)
        self._page.setContentsMargins(0, 0, 0, 0)
        self._page.setSpacing(0)
        inner = QVBoxLayout()
        inner.setContentsMargins(20, 10, 12, 10)
        inner.setSpacing(10)
        inner.addLayout(self._header())
        inner.addWidget(self.refusal)
        inner.addWidget(self._switcher())
        inner.addLayout(self._body, 1)
        self._page.addLayout(inner, 1)

    def _header(self) -> QHBoxLayout:
        t = self.texts
        self.back = button(
            t,
            self._back_text,
            self.leave,
            "plain",
        )
        t.bind(self.back.setAccessibleName, lambda: translate("Visit", "Volver a los pacientes"))
        self.name, self.about = OneLine("heading", least=NAME_LETTERS), OneLine("quiet")
        self.saved = OneLine("small")
        self.triage = OneLine("triage0", inset=8)
        header = row(self.back, self.name, self.triage, self.about, gap=14)
        header.addStretch(1)
        header.addWidget(self.saved)
        return header

    def _back_text(self) -> str:
        if self._begun and self._narrow:
            return f"‹  {keys.shown(keys.BACK)}"
        return translate("Visit", "‹ Pacientes  {key}").format(key=keys.shown(keys.BACK))

    def _switcher(self) -> QWidget:
        """Return the keys that choose the column when only one fits."""
        t = self.texts
        self.switcher = QWidget()
        self._tabs = QButtonGroup(self)
        titles = (
            lambda: translate("Visit", "Hallazgos  {key}").format(key=keys.shown(keys.FINDINGS)),
            lambda: translate("Visit", "Lista  {key}").format(key=keys.shown(keys.LIST)),
            lambda: translate("Visit", "Por qué  {key}").format(key=keys.shown(keys.WHY)),
        )
        tabs: list[QPushButton] = []
        for place, title in enumerate(titles):
            tab = button(t, title, partial(self._show_column, place))
            tab.setCheckable(True)
            self._tabs.addButton(tab, place)
            tabs.append(tab)
        tabs[0].setChecked(True)
        self.switcher.setLayout(row(*tabs))
        return self.switcher

    def _bind_keys(self) -> None:
        keys.on(self, keys.FINDINGS, lambda: self._go(0, self.entry.search))
        keys.on(self, keys.ENTERED, lambda: self._go(0, self.entry.entered))
        keys.on(self, keys.LIST, lambda: self._go(1, self.differential.list))
        keys.on(self, keys.WHY, lambda: self._go(2, self._why_focus()))
        keys.on(self, keys.QUESTION, self._go_to_question)
        keys.on(self, keys.WHY_NOT, self._go_to_why_not)
        keys.on(self, keys.VITALS, self._go_to_vitals)
        keys.on(self, keys.DIAGNOSE, self._ask)
        keys.on(self, keys.TRIAL, self._toggle_trial)
        keys.on(self, keys.KEEP, lambda: self.dispatch(TrialKept()))
        keys.on(self, keys.DETAIL, lambda: self.dispatch(DetailCycled()))
        keys.on(self, keys.HISTORY, self.show_history)
        keys.on(self, keys.REFER, lambda: self.dispatch(ReferralAsked()))
        keys.on(self, keys.SUMMARY, lambda: self.dispatch(ReferralAsked(summary=True)))
        keys.on(self, keys.BACK, self._escape)
        for verb, key in VERB_KEYS.items():
            keys.on(self, key, partial(self._decide, verb))

    # Moving about.

    @property
    def _narrow(self) -> bool:
        return self.width() < NARROW_BELOW * max(self.fontMetrics().height(), BASE_PX) * 0.9

    @property
    def _tight(self) -> bool:
        return self.width() < ROOMY_FROM * max(self.fontMetrics().height(), BASE_PX) * 0.9

    @property
    def _low(self) -> bool:
        return self.height() < LOW_BELOW * max(self.fontMetrics().height(), BASE_PX)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show three columns, or one with a switcher when the text is large."""
        super().resizeEvent(event)
        if self._begun:
            self._show_column(self._column_in_use())

    def changeEvent(self, event: QEvent) -> None:
        """Decide again how many columns fit when the type size changes."""
        super().changeEvent(event)
        if self._begun and event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._restyled.start()

    def _column_in_use(self) -> int:
        focus = QApplication.focusWidget()
        inside = (i for i, c in enumerate(self.columns) if focus and c.isAncestorOf(focus))
        return next(inside, self._tabs.checkedId())

    def _show_column(self, place: int) -> None:
        narrow = self._narrow
        self.switcher.setVisible(narrow)
        self._tabs.button(place).setChecked(True)
        for i, area in enumerate(self.columns):
            area.setVisible(not narrow or i == place)
        self.decision.setVisible(not narrow or place > 0)
        self.decision.be_brief(brief=narrow or self._tight)
        self.about.setVisible(not narrow)
        self.back.setText(self._back_text())
        self.saved.setVisible(not narrow or bool(self.state.unsaved or self.state.save_refusal))
        self.guide.be_brief(brief=narrow or self._low or not self.entry.vitals.isHidden())
        self._draw_triage()

    def _go(self, place: int, target: QWidget) -> None:
        self._show_column(place)
        target.setFocus()
        if place == 0:
            self.entry.area.ensureWidgetVisible(target)

    def _why_focus(self) -> QWidget:
        return self.why.expected if self.why.expected.isVisibleTo(self) else self.columns[2]

    def _go_to_question(self) -> None:
        self._show_column(0)
        self.guide.take_focus()

    def _go_to_why_not(self) -> None:
        self._go(2, self.why.why_not.disease)
        self._show_why_not()

    def _show_why_not(self) -> None:
        show = partial(self._why_area.ensureWidgetVisible, self.why.why_not.last, 0, 12)
        QTimer.singleShot(MEASURED_BY_MS, self, show)

    def _go_to_vitals(self) -> None:
        self.entry.toggle_vitals()
        self._show_column(0)

    def _ask(self) -> None:
        self.dispatch(DiagnoseAsked())
        if self._narrow:
            self._show_column(1)

    def _decide(self, verb: Verb) -> None:
        self.dispatch(DecisionStarted(verb))

    def _escape(self) -> None:
        if self.state.decision.verb is not None:
            self.dispatch(DecisionCancelled())
            self.differential.list.setFocus()
        elif self.state.asking_opinion:
            self.dispatch(OpinionCancelled())
            self.entry.search.setFocus()
        elif self.entry.close_onset():
            return
        elif self.state.trial is not None:
            self.dispatch(TrialDropped())
        elif not self.entry.clear_search():
            self.leave()

    def _toggle_trial(self) -> None:
        if self.state.trial is not None:
            self.dispatch(TrialDropped())
            return
        self.dispatch(TrialStarted())
        if self.state.diagnosis is not None:
            self._go(0, self.entry.entered)

    def show_history(self) -> None:
        """Show the visits of this patient in front of this one."""
        screen = HistoryScreen(self._session, self.labels, self.jobs, self.state.patient)
        self.history = HistoryDialog(screen, self)
        self.history.open()
        screen.enter_screen()

    def leave(self, purpose: Leaving = Leaving.PATIENTS) -> None:
        """Emit `left(purpose)` once everything typed is on disk."""
        self._purpose = purpose
        self.dispatch(LeaveAsked())

    def enter_screen(self) -> None:
        """Open the draft and put the cursor in the search."""
        self.dispatch(Entered())
        self.entry.search.setFocus()
        self.ask(lambda: read_names(self.labels), self._know, self._failed, Lane.LOOKUP)

    def _know(self, names: Names) -> None:
        self.decision.know(names)
        self.why.why_not.know(names)
        self.differential.opinion.know(names)

    # Effects.

    def _failed(self, error: DdxError) -> None:
        self.dispatch(Failed(refusal_of(error)))

    def _open_draft(self, effect: OpenDraft) -> None:
        self.ask(
            lambda: self._session.visits.open_draft(effect.patient),
            lambda record: self.dispatch(DraftOpened(record.id, record.draft)),
            lambda error: self.dispatch(DraftNotOpened(refusal_of(error))),
        )

    def _search(self, effect: SearchFindings) -> None:
        language = self.labels.language
        self.ask(
            lambda: self._clinic.search.search(effect.text, language, HITS),
            lambda hits: self.dispatch(
                HitsFound(effect.text, tuple(Hit(hit.id, hit.matched) for hit in hits))
            ),
            self._failed,
            Lane.LOOKUP,
        )

    def _save(self, effect: SaveDraft) -> None:
        visits = self._session.visits
        self.ask(
            lambda: visits.save_draft(effect.draft_id, effect.draft),
            lambda _none: self.dispatch(DraftSaved(effect.revision)),
            lambda error: self.dispatch(SaveFailed(refusal_of(error))),
        )
        self.ask(
            lambda: visits.check(effect.draft),
            lambda issues: self.dispatch(DraftChecked(effect.revision, tuple(issues))),
            self._failed,
        )

    def _diagnose(self, effect: Diagnose) -> None:
        self.ask(
            lambda: self._session.visits.diagnose(effect.draft_id),
            lambda made: self._diagnosed(Diagnosed(effect.revision, made)),
            self._refused,
            about=Work(translate("Visit", "Calculando la lista…")),
        )

    def _diagnosed(self, event: Diagnosed) -> None:
        self.dispatch(event)
        if not self.guide.list.hasFocus():  # who is answering questions goes on answering
            self.differential.list.setFocus()
        self.recorded.emit()

    def _refused(self, error: DdxError) -> None:
        if isinstance(error, DraftRefusedError):
            self.dispatch(DraftRefused(tuple(error.issues)))
        else:
            self._failed(error)

    def _try(self, effect: TryDraft) -> None:
        def preview() -> Trial | None:
            outdated = effect.draft != self.state.considered  # typed on since: nobody waits for it
            return None if outdated else self._session.visits.preview(effect.draft)

        self.ask(
            preview,
            lambda told: self.dispatch(Tried(effect.draft, told)),
            self._failed,
            Lane.TRIAL,
        )

    def _explain(self, effect: Explain) -> None:
        self.ask(
            lambda: self._session.visits.account(effect.diagnosis, effect.disease),
            lambda told: self.dispatch(Explained(told.explanation, told.sentences, told.actions)),
            self._failed,
        )

    def _ask_why_not(self, effect: AskWhyNot) -> None:
        work, course = self.jobs.work(translate("Visit", "Buscando el cambio más pequeño…"))
        self.ask(
            lambda: self._session.visits.why_not(
                effect.diagnosis, effect.disease, course.may_go_on
            ),
            self._why_not_told,
            self._failed,
            about=work,
        )

    def _why_not_told(self, told: WhyNot) -> None:
        self.dispatch(WhyNotTold(told))
        self._show_why_not()

    def _record(self, effect: RecordDecision) -> None:
        self.ask(
            lambda: self._session.decisions.record(
                effect.diagnosis,
                effect.verb,
                effect.disease,
                effect.reason,
                effect.note,
                plan=effect.plan,
            ),
            self._decided,
            self._failed,
        )

    def _write_referral(self, effect: WriteReferral) -> None:
        self.ask(
            lambda: self._session.referrals.read(effect.diagnosis),
            lambda referral: self._show_paper(referral, summary=effect.summary),
            self._failed,
        )

    def _show_paper(self, referral: "Referral", *, summary: bool) -> None:
        kind = Paper.SUMMARY if summary else Paper.LETTER
        screen = ReferralScreen(self._session, self.labels, self.jobs, referral, kind)
        self.letter = ReferralDialog(screen, self)
        self.letter.open()

    def _decided(self, feedback: object) -> None:
        self.dispatch(DecisionRecorded(feedback))  # type: ignore[arg-type]
        self.differential.list.setFocus()
        self.recorded.emit()

    # Drawing.

    def redraw(self) -> None:
        """Draw every part; there is nothing to draw before `begin`."""
        if not self._begun:
            return
        state = self.state
        self.name.setText(full_name(state.patient))
        about, least = particulars(state.patient), particulars(state.patient, born=False)
        if state.diagnosis is None:
            self.about.setText(f"{about} · {last_visit(state.patient)}", about, least)
        else:
            self.about.setText(about, least)
        self.saved.setText(_saved_text(state))
        say(self.refusal, messages.refusal(state.save_refusal or state.refusal))
        self.entry.show_state(state)
        self.differential.show_state(state)
        self.why.show_state(state)
        self.decision.show_state(state)
        self.guide.follow(state.draft)
        self._draw_triage()

    def _draw_triage(self) -> None:
        guidance = self.guide.state.guidance
        self.differential.show_rules(() if guidance is None else guidance.alerts)
        if guidance is None:
            self.triage.setText(translate("Visit", "Triaje: sin datos todavía"))
            look(self.triage, "triage0")
            return
        triage = guidance.triage
        level = triage.level.value
        said = self.labels.alert(f"triage.level_{level}").rstrip(".")
        text = translate("Visit", "Triaje {n} · {said}")
        self.triage.setText(
            text.format(n=level, said=said), text.format(n=level, said=said.split(":")[0])
        )
        look(self.triage, f"triage{level}")
        self.triage.setMinimumWidth(0 if self._narrow else self.triage.sizeHint().width())
        reasons = [self.labels.alert(reason.code) for reason in triage.reasons]
        if triage.missing:
            reasons.append(self.labels.alert("triage.missing"))
        self.triage.setToolTip("\n".join(reasons))
        self.triage.setAccessibleName(" ".join((f"{self.triage.text()}.", *reasons)))


def _saved_text(state: VisitState) -> str:
    if state.save_refusal is not None:
        return translate("Visit", "Sin guardar: se reintenta")
    if state.saving:
        return translate("Visit", "Guardando…")
    if state.unsaved:
        return translate("Visit", "Escribiendo…")
    if state.diagnosis is not None and not state.stale:
        return translate("Visit", "Guardada")
    if state.restored:
        return translate("Visit", "Borrador recuperado")
    return translate("Visit", "Guardado") if state.revision else ""
