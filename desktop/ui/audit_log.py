"""The audit, entry by entry, for who may read it."""

import json
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPlainTextEdit, QSplitter, QWidget

from ddx.domain.audit import AuditAction, AuditEntry
from ddx.errors import DdxError
from desktop.presenters.audit_log import (
    AuditLogState,
    Entered,
    EntriesRead,
    EntryChosen,
    Failed,
    Narrowed,
    ReadEntries,
    step,
)
from desktop.ui import keys, messages, words
from desktop.ui.i18n import QT_TRANSLATE_NOOP, translate
from desktop.ui.jobs import Jobs
from desktop.ui.screen import Screen, refusal_of
from desktop.ui.table import TextTable
from desktop.ui.widgets import button, card, choice, column, field, label, message, row, say

if TYPE_CHECKING:  # the store loads after the first paint
    from desktop.services.session import Session

_ACTIONS: Final = {
    AuditAction.CLINIC_CREATED: QT_TRANSLATE_NOOP("AuditLog", "Centro creado"),
    AuditAction.SIGN_IN: QT_TRANSLATE_NOOP("AuditLog", "Entrada"),
    AuditAction.SIGN_IN_REFUSED: QT_TRANSLATE_NOOP("AuditLog", "Entrada rechazada"),
    AuditAction.SIGN_OUT: QT_TRANSLATE_NOOP("AuditLog", "Salida"),
    AuditAction.PATIENT_CREATED: QT_TRANSLATE_NOOP("AuditLog", "Paciente registrado"),
    AuditAction.PATIENT_VIEWED: QT_TRANSLATE_NOOP("AuditLog", "Paciente consultado"),
    AuditAction.DIAGNOSED: QT_TRANSLATE_NOOP("AuditLog", "Lista calculada"),
    AuditAction.EXPLAINED: QT_TRANSLATE_NOOP("AuditLog", "Porqué consultado"),
    AuditAction.DECIDED: QT_TRANSLATE_NOOP("AuditLog", "Decisión"),
    AuditAction.EXPORTED: QT_TRANSLATE_NOOP("AuditLog", "Exportación"),
    AuditAction.SETTING_CHANGED: QT_TRANSLATE_NOOP("AuditLog", "Ajuste cambiado"),
    AuditAction.SYNCED: QT_TRANSLATE_NOOP("AuditLog", "Sincronización"),
    AuditAction.BUNDLE_ACTIVATED: QT_TRANSLATE_NOOP("AuditLog", "Modelo activado"),
    AuditAction.BUNDLE_REFUSED: QT_TRANSLATE_NOOP("AuditLog", "Modelo rechazado"),
    AuditAction.EPOCH_OPENED: QT_TRANSLATE_NOOP("AuditLog", "Época abierta"),
    AuditAction.PATIENT_ERASED: QT_TRANSLATE_NOOP("AuditLog", "Paciente borrado"),
    AuditAction.CLOUD_SIGN_IN: QT_TRANSLATE_NOOP("AuditLog", "Entrada en la nube"),
    AuditAction.CLOUD_SIGN_IN_REFUSED: QT_TRANSLATE_NOOP(
        "AuditLog", "Entrada en la nube rechazada"
    ),
    AuditAction.ROLE_LEASED: QT_TRANSLATE_NOOP("AuditLog", "Función prestada"),
    AuditAction.RECORDS_LISTED: QT_TRANSLATE_NOOP("AuditLog", "Lista de registros vista"),
    AuditAction.STORE_CHECKED: QT_TRANSLATE_NOOP("AuditLog", "Datos comprobados"),
    AuditAction.STORE_QUARANTINED: QT_TRANSLATE_NOOP("AuditLog", "Datos dañados apartados"),
    AuditAction.APPLICATION_UPDATE: QT_TRANSLATE_NOOP("AuditLog", "Versión de la aplicación"),
    AuditAction.AUDIT_RETIRED: QT_TRANSLATE_NOOP("AuditLog", "Auditoría antigua retirada"),
}


def action(value: AuditAction) -> str:
    """Return what was done in words; a newer action by its code."""
    source = _ACTIONS.get(value)
    return value.value if source is None else translate("AuditLog", source)


class AuditLogScreen(Screen):
    """The entries left, all of one right."""

    left = Signal()
    state: AuditLogState

    def __init__(self, session: "Session", jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(jobs, parent)
        self.reducer, self.state, self._session = step, AuditLogState(), session
        self._performers = {ReadEntries: lambda _effect: self._read()}
        t = self.texts
        self.action = choice(t, lambda: translate("AuditLog", "Qué se hizo"))
        self.action.addItem("", "")
        for value in AuditAction:
            self.action.addItem("", value.value)
        self.action.activated.connect(lambda _index: self._narrow())
        self.text = field(
            t,
            lambda: translate("AuditLog", "Buscar en la auditoría"),
            lambda: translate("AuditLog", "Número, persona, registro o código"),
        )
        self.text.textEdited.connect(lambda _text: self._narrow())
        self.table = TextTable(
            t,
            lambda: translate("AuditLog", "Entradas de la auditoría"),
            (
                lambda: translate("AuditLog", "N.º"),
                lambda: translate("AuditLog", "Cuándo"),
                lambda: translate("AuditLog", "Qué"),
                lambda: translate("AuditLog", "Sobre"),
            ),
        )
        self.table.picked.connect(self._pick)
        self.detail = QPlainTextEdit()
        self.detail.setReadOnly(True)
        self.detail.setTabChangesFocus(True)
        t.bind(
            self.detail.setAccessibleName,
            lambda: translate("AuditLog", "Todo lo escrito en la entrada elegida"),
        )
        self.counted, self.refused = message("quiet"), message("refusal")
        self._lay_out()
        keys.on(self, keys.BACK, self.left.emit)
        self.redraw()

    def _lay_out(self) -> None:
        back = button(self.texts, lambda: translate("AuditLog", "Volver"), self.left.emit, "plain")
        head = row(label(self.texts, lambda: translate("AuditLog", "Auditoría"), "title"), gap=16)
        head.addStretch(1)
        head.addWidget(back)
        narrow = row(self.action, self.text, self.counted, gap=10)
        narrow.setStretch(1, 1)
        parts = QSplitter()
        parts.addWidget(self.table)
        parts.addWidget(self.detail)
        parts.setSizes([720, 400])
        body = column(head, narrow, self.refused, gap=10)
        body.addWidget(parts, 1)
        self.setLayout(column(card(body, 20), margin=16))

    def enter_screen(self) -> None:
        """Read the chain and put the cursor in the search."""
        self.dispatch(Entered())
        self.text.setFocus()

    def _read(self) -> None:
        work, course = self.jobs.work(translate("AuditLog", "Leyendo la auditoría…"))
        self.ask(
            lambda: self._session.audit.entries(course=course),
            lambda entries: self.dispatch(EntriesRead(entries)),
            self._failed,
            about=work,
        )

    def _failed(self, error: DdxError) -> None:
        self.dispatch(Failed(refusal_of(error)))

    def _narrow(self) -> None:
        chosen = self.action.currentData()
        self.dispatch(Narrowed(AuditAction(chosen) if chosen else None, self.text.text()))

    def _pick(self, place: int) -> None:
        shown = self.state.shown
        if place < len(shown) and shown[place].sequence != self.state.chosen:
            self.dispatch(EntryChosen(shown[place].sequence))

    def redraw(self) -> None:
        """Draw the entries and the chosen one."""
        state = self.state
        self.action.setItemText(0, translate("AuditLog", "Todo"))
        for place, value in enumerate(AuditAction, start=1):
            self.action.setItemText(place, action(value))
        shown = state.shown
        self.table.show_rows([_row(entry) for entry in shown])
        counted = translate("AuditLog", "{n} de {all} entradas")
        reading = translate("AuditLog", "Leyendo la auditoría…")
        said = counted.format(n=len(shown), all=len(state.entries))
        say(self.counted, reading if state.loading else said)
        say(self.refused, messages.refusal(state.refusal))
        text = "" if state.entry is None else _all_of(state.entry)
        if self.detail.toPlainText() != text:
            self.detail.setPlainText(text)


def _row(entry: AuditEntry) -> tuple[str, ...]:
    return (str(entry.sequence), words.moment(entry.at), action(entry.action), entry.subject)


def _all_of(entry: AuditEntry) -> str:
    told = {
        "sequence": entry.sequence,
        "at": entry.at.isoformat(),
        "actor": entry.actor,
        "action": entry.action.value,
        "subject": entry.subject,
        "detail": dict(entry.detail),
        "previous": entry.previous,
        "hash": entry.hash,
    }
    return json.dumps(told, ensure_ascii=False, indent=1)
