"""The next best question, with one key to answer it, or why to stop asking."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtGui import QResizeEvent

from ddx.domain.finding import Presence
from ddx.domain.identifiers import FindingId
from ddx.intake.draft import Draft
from desktop.presenters.guide import (
    DraftMoved,
    Equipment,
    EquipmentChosen,
    Failed,
    Guided,
    GuideState,
    Look,
    LookDue,
    LookSoon,
    Question,
    answers,
    step,
)
from desktop.ui import keys, messages, words
from desktop.ui.finding_list import FindingLine, FindingList
from desktop.ui.i18n import translate
from desktop.ui.jobs import Jobs, Lane
from desktop.ui.labels import Labels
from desktop.ui.screen import Screen, refusal_of
from desktop.ui.widgets import card, column, heading, message, say

if TYPE_CHECKING:  # the store and the engine load after the first paint
    from desktop.services.session import Session

ROWS_SHOWN: Final = 3  # of a choice; the likeliest come first and the rest scrolls


class GuidePanel(Screen):
    """One question. `looked` follows every answer of the service: the triage may have moved."""

    looked = Signal()
    state: GuideState

    def __init__(
        self,
        jobs: Jobs,
        session: "Session",
        labels: Labels,
        answer: Callable[[tuple[tuple[str, Presence], ...]], object],
    ) -> None:
        super().__init__(jobs)
        self.reducer, self.state = step, GuideState(draft=Draft())
        self._session, self._labels, self._answer_visit = session, labels, answer
        self._answering = self._brief = self._wanted = False
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.timeout.connect(lambda: self.dispatch(LookDue()))
        self._performers = {
            LookSoon: lambda effect: self._pause.start(effect.delay_ms),
            Look: self._look,
        }
        self.question = message("")
        self.list = FindingList()
        self.list.setProperty("look", "bare")
        self.texts.bind(
            self.list.setAccessibleName, lambda: translate("Guide", "Respuestas a la pregunta")
        )
        self.list.marked.connect(self._marked)
        self.list.installEventFilter(self)
        self.how = message("small")
        self.note = message("quiet")
        inside = column(
            heading(
                self.texts,
                lambda: translate("Guide", "Siguiente pregunta"),
                keys.shown(keys.QUESTION),
            ),
            self.question,
            self.list,
            self.how,
            self.note,
            gap=4,
        )
        outer = column(card(inside, 8))
        outer.setContentsMargins(2, 0, 8, 0)  # as wide as what stands above and below
        self.setLayout(outer)
        self.redraw()

    def follow(self, draft: Draft) -> None:
        """Look at what the visit holds now."""
        if draft != self.state.draft:
            self.dispatch(DraftMoved(draft, at_once=self._answering))

    def use(self, equipment: Equipment) -> None:
        """Propose only what this clinic can find out."""
        self.dispatch(EquipmentChosen(equipment))

    def take_focus(self) -> None:
        """Let the keys answer the question."""
        self._wanted = True
        self.redraw()
        self.list.setFocus()

    def be_brief(self, *, brief: bool) -> None:
        """Show no more than the title where room is scarce, until the question is gone to."""
        if brief != self._brief:
            self._brief = brief
            self.redraw()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Fold the question away, where room is scarce, once the keys go elsewhere."""
        if event.type() is QEvent.Type.FocusOut and self._wanted:
            self._wanted = False
            QTimer.singleShot(0, self, self.redraw)
        return super().eventFilter(watched, event)

    def _look(self, effect: Look) -> None:
        visits = self._session.visits
        self.ask(
            lambda: visits.guide(effect.draft, effect.equipment.value),
            lambda guidance: self._seen(Guided(effect.draft, guidance)),
            lambda error: self.dispatch(Failed(refusal_of(error))),
            Lane.LOOKUP,
        )

    def _seen(self, event: Guided) -> None:
        self.dispatch(event)
        self.looked.emit()

    def _marked(self, finding: str, presence: Presence) -> None:
        question = self.state.question
        if question is None:
            return
        self._answering = True
        self._answer_visit(answers(question, presence, FindingId(finding)))
        self._answering = False

    def redraw(self) -> None:
        """Draw the question, or why there is none."""
        question = self.state.question
        had_focus = self.list.hasFocus()
        folded = self._brief and not (self._wanted or had_focus)
        say(self.question, "" if question is None else self._asked(question))
        self.list.show_lines([] if question is None else self._lines(question))
        self.list.setVisible(not folded and (question is not None or had_focus))
        self._fit()
        say(self.how, "" if question is None or folded else _how(question))
        say(self.note, self._note() if question is None else "")
        said = (self.question.text(), self.how.text(), self.note.text())
        self.setAccessibleName(" ".join(text for text in said if text))

    def _fit(self) -> None:
        rows = min(self.list.lines.rowCount(), ROWS_SHOWN)
        self.list.setFixedHeight(sum(map(self.list.sizeHintForRow, range(rows))) + 8)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Measure the answers again: a name may take a second line at the new width."""
        super().resizeEvent(event)
        QTimer.singleShot(0, self, self._fit)

    def _asked(self, question: Question) -> str:
        asked = self._labels.question(question.findings[0])
        means = words.means(question.means)
        return f"{asked} ({means})" if means else asked

    def _lines(self, question: Question) -> list[FindingLine]:
        return [FindingLine(id=f, label=self._labels.finding(f)) for f in question.findings]

    def _note(self) -> str:
        state = self.state
        if state.refusal is not None:
            return messages.refusal(state.refusal)
        if state.seen != state.draft:
            return (
                translate("Guide", "Buscando qué preguntar…") if state.draft.findings else _begin()
            )
        if state.guidance is None or state.guidance.inquiry.stop is None:
            return _begin()
        return words.stop(state.guidance.inquiry.stop)


def _begin() -> str:
    return translate("Guide", "Anote el motivo de consulta: aquí aparece qué preguntar después.")


def _how(question: Question) -> str:
    if len(question.findings) > 1:
        return translate("Guide", "P: solo esta · A: ninguna · U: no se sabe")
    return translate("Guide", "P: sí · A: no · U: no se sabe")
