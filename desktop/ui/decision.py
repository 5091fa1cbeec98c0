"""Bottom bar of the visit: agree, refuse, add, or another diagnosis, with a coded reason."""

from collections.abc import Callable

from PySide6.QtWidgets import QFrame, QWidget

from ddx.domain.feedback import Feedback, OverrideReason, Verb
from desktop.presenters.decision import Missing
from desktop.presenters.visit_state import (
    DecisionCancelled,
    DecisionConfirmed,
    DecisionEdited,
    DecisionStarted,
    ReferralAsked,
    VisitState,
)
from desktop.ui import keys, words
from desktop.ui.disease_field import DiseaseField, Names
from desktop.ui.i18n import Texts, translate
from desktop.ui.labels import Labels
from desktop.ui.widgets import (
    Spoken,
    Text,
    button,
    choice,
    column,
    field,
    labelled,
    message,
    plain_label,
    restyle,
    row,
    say,
)

VERB_KEYS = {
    Verb.AGREE: keys.AGREE,
    Verb.REFUSE: keys.REFUSE,
    Verb.ADD: keys.ADD,
    Verb.CUSTOM: keys.CUSTOM,
}
COMPLETIONS = 12


class DecisionBar(Spoken):
    """The four verbs, and the form of the one that was pressed."""

    def __init__(
        self, labels: Labels, dispatch: Callable[[object], None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._labels, self._dispatch = labels, dispatch
        self._state: VisitState | None = None
        self._drawing = False
        self._brief = False
        frame = QFrame()
        frame.setObjectName("bar")
        self.setLayout(column(frame))
        self.recorded = message("done")
        self.verbs = QWidget()
        self.buttons = {verb: self._verb_button(verb) for verb in Verb}
        self.refer = self._keyed(
            lambda: translate("Decision", "Derivar…"), keys.REFER, lambda: dispatch(ReferralAsked())
        )
        self.summary = self._keyed(
            lambda: translate("Decision", "Resumen…"),
            keys.SUMMARY,
            lambda: dispatch(ReferralAsked(summary=True)),
        )
        self.verbs.setLayout(row(*self.buttons.values(), self.refer, self.summary, gap=10))
        self.form = self._form()
        box = column(self.recorded, self.verbs, self.form, gap=8)
        box.setContentsMargins(20, 10, 20, 10)
        frame.setLayout(box)

    def _verb_button(self, verb: Verb) -> QWidget:
        look = "primary" if verb is Verb.AGREE else ""
        return self._keyed(
            lambda: words.verb(verb),
            VERB_KEYS[verb],
            lambda: self._dispatch(DecisionStarted(verb)),
            look,
        )

    def _keyed(
        self, name: Text, key: keys.Key, pressed: Callable[[], object], look: str = ""
    ) -> QWidget:
        def text() -> str:
            return name() if self._brief else f"{name()}  {keys.shown(key)}"

        return button(self.texts, text, pressed, look)

    def be_brief(self, *, brief: bool) -> None:
        """Leave the keys out of the buttons where room is scarce."""
        if brief != self._brief:
            self._brief = brief
            self.texts.say_again()

    def _form(self) -> QWidget:
        t: Texts = self.texts
        self.what = plain_label("section")
        self.disease = DiseaseField(
            self._labels, t, lambda: translate("Decision", "Diagnóstico"), COMPLETIONS
        )
        self.reason = choice(t, lambda: translate("Decision", "Motivo"))
        self.note = field(t, lambda: translate("Decision", "Nota (opcional, no sale del equipo)"))
        self.plan = field(t, lambda: translate("Decision", "Plan (sale en el resumen y la carta)"))
        self._disease_box = QWidget()
        self._disease_box.setLayout(labelled(t, self.disease.accessibleName, self.disease))
        self._reason_box = QWidget()
        self._reason_box.setLayout(labelled(t, self.reason.accessibleName, self.reason))
        note_box = QWidget()
        note_box.setLayout(labelled(t, self.note.accessibleName, self.note))
        plan_box = QWidget()
        plan_box.setLayout(labelled(t, self.plan.accessibleName, self.plan))
        self.missing = message("refusal")
        self.confirm = button(
            t,
            lambda: translate("Decision", "Guardar la decisión"),
            lambda: self._dispatch(DecisionConfirmed()),
            "primary",
        )
        cancel = button(
            t,
            lambda: translate("Decision", "Cancelar  {key}").format(key=keys.shown(keys.BACK)),
            lambda: self._dispatch(DecisionCancelled()),
        )
        self.disease.textChanged.connect(lambda _text: self._edited())
        self.reason.currentIndexChanged.connect(lambda _index: self._edited())
        self.note.textChanged.connect(lambda _text: self._edited())
        self.plan.textChanged.connect(lambda _text: self._edited())
        for edit in (self.disease, self.note, self.plan):
            edit.returnPressed.connect(self._enter)
        fields = row(self._disease_box, self._reason_box, note_box, plan_box, gap=12)
        fields.setStretch(0, 3)
        fields.setStretch(1, 2)
        fields.setStretch(2, 3)
        fields.setStretch(3, 3)
        buttons = row(self.confirm, cancel)
        buttons.addStretch(1)
        form = QWidget()
        form.setLayout(column(self.what, fields, self.missing, buttons))
        form.hide()
        return form

    def know(self, names: Names) -> None:
        """Take names that were read beforehand."""
        self.disease.know(names)

    def _enter(self) -> None:
        if not self.disease.choosing:  # Enter takes a name first, then confirms
            self._dispatch(DecisionConfirmed())

    def _edited(self) -> None:
        if self._drawing or self._state is None or self._state.decision.verb is None:
            return
        verb = self._state.decision.verb
        typed = self.disease.disease
        chosen = self.reason.currentData()
        self._dispatch(
            DecisionEdited(
                disease=self._state.decision.disease if verb is Verb.AGREE else typed,
                reason=OverrideReason(chosen) if chosen else None,
                note=self.note.text(),
                plan=self.plan.text(),
            )
        )

    def show_state(self, state: VisitState) -> None:
        """Draw `state`."""
        before = self._state
        self._state = state
        self._drawing = True
        opened = before is None or before.decision.verb is not state.decision.verb
        verb = state.decision.verb
        self.verbs.setVisible(verb is None)
        self.form.setVisible(verb is not None)
        ready = state.diagnosis is not None and not state.stale and state.trial is None
        for made in (*self.buttons.values(), self.refer, self.summary):
            made.setEnabled(ready)
        if verb is not None and opened:
            self._open(state, verb)
        self._draw_missing(state)
        self._draw_recorded(state)
        self._drawing = False

    def _open(self, state: VisitState, verb: Verb) -> None:
        self._fill_reasons()
        self._fill_diseases(verb)
        self.disease.clear()
        self.note.clear()
        self.plan.clear()
        self.what.setText(self._what(state, verb))
        self._disease_box.setVisible(verb in (Verb.ADD, Verb.CUSTOM))
        self._reason_box.setVisible(verb is not Verb.AGREE)
        first = {Verb.AGREE: self.plan, Verb.REFUSE: self.reason}.get(verb, self.disease)
        first.setFocus()

    def _what(self, state: VisitState, verb: Verb) -> str:
        if verb is Verb.AGREE and state.decision.disease is not None:
            agreed = translate("Decision", "De acuerdo con: {disease}. Intro lo guarda.")
            return agreed.format(disease=self._labels.disease(state.decision.disease))
        return words.verb(verb)

    def _fill_reasons(self) -> None:
        self.reason.clear()
        self.reason.addItem(translate("Decision", "Elija un motivo"), "")
        for value in OverrideReason:
            self.reason.addItem(words.reason(value), value.value)

    def _fill_diseases(self, verb: Verb) -> None:
        if verb not in (Verb.ADD, Verb.CUSTOM):
            return
        self.disease.read()  # forgotten when the language changes

    def _draw_missing(self, state: VisitState) -> None:
        lacks = state.decision.missing
        lines = []
        if Missing.DISEASE in lacks:
            lines.append(
                translate("Decision", "Elija el diagnóstico de la lista que aparece al escribir.")
            )
        if Missing.REASON in lacks:
            lines.append(translate("Decision", "Elija un motivo: ayuda a corregir el modelo."))
        say(self.missing, "\n".join(lines))
        restyle(self.disease, "wrong", "true" if Missing.DISEASE in lacks else "false")
        restyle(self.reason, "wrong", "true" if Missing.REASON in lacks else "false")
        self.confirm.setEnabled(not state.decision.recording)

    def _draw_recorded(self, state: VisitState) -> None:
        recorded = state.decision.recorded
        if not recorded or state.stale or state.decision.verb is not None:
            say(self.recorded, "")
            return
        say(self.recorded, self._recorded_text(recorded[-1], state))

    def _recorded_text(self, feedback: Feedback, state: VisitState) -> str:
        said = words.verb(feedback.verb)
        if feedback.disease is not None:
            said += f": {self._labels.disease(feedback.disease)}"
        saved = translate("Decision", "✓ Decisión guardada. {said} · código {code}")
        code = "" if state.diagnosis is None else state.diagnosis.short_code
        return saved.format(said=said, code=code)

    def redraw(self) -> None:
        """Draw again in another language."""
        self.disease.forget()
        if self._state is not None:
            state, self._state = self._state, None
            self.show_state(state)
