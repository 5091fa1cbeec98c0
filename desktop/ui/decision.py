"""Bottom bar of the visit: agree, refuse, add, or another diagnosis, with a coded reason."""

from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import QStringListModel
from PySide6.QtWidgets import QCompleter, QFrame, QWidget

from ddx.domain.feedback import Feedback, OverrideReason, Verb
from ddx.domain.identifiers import DiseaseId
from desktop.presenters import decision
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


class Names(NamedTuple):
    """Every disease by name, and (name, plain name) for the search."""

    diseases: dict[str, DiseaseId]
    plain: tuple[tuple[str, str], ...]


def read_names(labels: Labels) -> Names:
    """Return the names of the active bundle: some 12,000, worth a worker thread."""
    diseases = labels.diseases()
    return Names(diseases, tuple((name, decision.plain(name)) for name in diseases))


class DecisionBar(Spoken):
    """The four verbs, and the form of the one that was pressed."""

    def __init__(self, labels: Labels, dispatch: Callable[[object], None]) -> None:
        super().__init__()
        self._labels, self._dispatch = labels, dispatch
        self._state: VisitState | None = None
        self._known = Names({}, ())
        self._drawing = False
        self._brief = False
        self.recorded = message("done")
        self.verbs = QWidget()
        self.buttons = {verb: self._verb_button(verb) for verb in Verb}
        self.refer = self._keyed(self._refer_text, keys.REFER, lambda: dispatch(ReferralAsked()))
        self.verbs.setLayout(row(*self.buttons.values(), self.refer, gap=10))
        self.form = self._form()
        frame = QFrame()
        frame.setObjectName("bar")
        box = column(self.recorded, self.verbs, self.form, gap=8)
        box.setContentsMargins(20, 10, 20, 10)
        frame.setLayout(box)
        outer = column(frame)
        self.setLayout(outer)

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

    def _refer_text(self) -> str:
        if self._brief:
            return translate("Decision", "Carta")
        return translate("Decision", "Derivar…")

    def be_brief(self, *, brief: bool) -> None:
        """Leave the keys out of the buttons where room is scarce."""
        if brief != self._brief:
            self._brief = brief
            self.texts.say_again()

    def _form(self) -> QWidget:
        t: Texts = self.texts
        self.what = plain_label("section")
        self.disease = field(
            t,
            lambda: translate("Decision", "Diagnóstico"),
            lambda: translate("Decision", "Escriba y elija de la lista"),
        )
        self._completions = QStringListModel(self)
        self._completer = completer = QCompleter(self._completions, self)
        completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        completer.setMaxVisibleItems(COMPLETIONS)
        self.disease.setCompleter(completer)
        self.reason = choice(t, lambda: translate("Decision", "Motivo"))
        self.note = field(t, lambda: translate("Decision", "Nota (opcional, no sale del equipo)"))
        self._disease_box = QWidget()
        self._disease_box.setLayout(labelled(t, self.disease.accessibleName, self.disease))
        self._reason_box = QWidget()
        self._reason_box.setLayout(labelled(t, self.reason.accessibleName, self.reason))
        note_box = QWidget()
        note_box.setLayout(labelled(t, self.note.accessibleName, self.note))
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
        self.disease.textEdited.connect(self._complete)
        self.disease.textChanged.connect(lambda _text: self._edited())
        self.reason.currentIndexChanged.connect(lambda _index: self._edited())
        self.note.textChanged.connect(lambda _text: self._edited())
        for edit in (self.disease, self.note):
            edit.returnPressed.connect(self._enter)
        fields = row(self._disease_box, self._reason_box, note_box, gap=12)
        fields.setStretch(0, 3)
        fields.setStretch(1, 2)
        fields.setStretch(2, 3)
        buttons = row(self.confirm, cancel)
        buttons.addStretch(1)
        form = QWidget()
        form.setLayout(column(self.what, fields, self.missing, buttons))
        form.hide()
        return form

    def know(self, names: Names) -> None:
        """Take names that were read beforehand."""
        self._known = names

    def _complete(self, text: str) -> None:
        self._completions.setStringList(decision.matching(text, self._known.plain, COMPLETIONS))
        self._completer.complete()

    def _enter(self) -> None:
        popup = self._completer.popup()
        if popup is None or not popup.isVisible():  # Enter takes a name first, then confirms
            self._dispatch(DecisionConfirmed())

    def _disease_typed(self) -> DiseaseId | None:
        """Return the disease whose name was typed or chosen, whatever its capitals and accents."""
        wanted = decision.plain(self.disease.text().strip())
        known = self._known
        return next((known.diseases[name] for name, p in known.plain if p == wanted), None)

    def _edited(self) -> None:
        if self._drawing or self._state is None or self._state.decision.verb is None:
            return
        verb = self._state.decision.verb
        typed = self._disease_typed()
        chosen = self.reason.currentData()
        self._dispatch(
            DecisionEdited(
                disease=self._state.decision.disease if verb is Verb.AGREE else typed,
                reason=OverrideReason(chosen) if chosen else None,
                note=self.note.text(),
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
        ready = state.diagnosis is not None and not state.stale
        for made in (*self.buttons.values(), self.refer):
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
        self.what.setText(self._what(state, verb))
        self._disease_box.setVisible(verb in (Verb.ADD, Verb.CUSTOM))
        self._reason_box.setVisible(verb is not Verb.AGREE)
        first = {Verb.AGREE: self.note, Verb.REFUSE: self.reason}.get(verb, self.disease)
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
        if not self._known.diseases:  # forgotten when the language changes
            self._known = read_names(self._labels)

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
        self._known = Names({}, ())
        if self._state is not None:
            state, self._state = self._state, None
            self.show_state(state)
