"""The screen of what left the clinic, letter by letter, and of the audit."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QListWidget, QPlainTextEdit, QSplitter, QWidget

from ddx.domain.identifiers import RecordId
from ddx.domain.lease import Grant, LeaseStanding
from ddx.errors import DdxError
from desktop.presenters.transparency import (
    Chosen,
    ExportAsked,
    ExportAudit,
    Exported,
    Failed,
    Opened,
    ReadSent,
    ReadStanding,
    Retried,
    RetryAsked,
    RetryRecord,
    SentRead,
    SentRow,
    StandingRead,
    TransparencyState,
    Verified,
    VerifyAsked,
    VerifyAudit,
    step,
)
from desktop.ui import files, keys, messages, words
from desktop.ui.i18n import QT_TRANSLATE_NOOP, translate
from desktop.ui.jobs import Jobs
from desktop.ui.screen import Screen, refusal_of
from desktop.ui.widgets import button, card, column, label, message, plain_label, row, say

if TYPE_CHECKING:  # the store loads after the first paint
    from desktop.services.session import Session

SUGGESTED: Final = "vereda-audit.jsonl"
_KINDS: Final = {
    "diagnosis": QT_TRANSLATE_NOOP("Transparency", "Diagnóstico"),
    "model_failure": QT_TRANSLATE_NOOP("Transparency", "Fallo del modelo"),
    "feedback": QT_TRANSLATE_NOOP("Transparency", "Decisión"),
    "audit": QT_TRANSLATE_NOOP("Transparency", "Auditoría"),
    "erasure": QT_TRANSLATE_NOOP("Transparency", "Borrado de un paciente"),
}
_STATES: Final = {
    "pending": QT_TRANSLATE_NOOP("Transparency", "espera"),
    "acknowledged": QT_TRANSLATE_NOOP("Transparency", "llegó"),
    "quarantined": QT_TRANSLATE_NOOP("Transparency", "no salió o no se aceptó"),
}
_REASONS: Final = {
    "record.conflict": QT_TRANSLATE_NOOP(
        "Transparency", "la nube ya tiene otro registro con este número"
    ),
    "record.malformed": QT_TRANSLATE_NOOP("Transparency", "está mal formado"),
    "payload.hash_mismatch": QT_TRANSLATE_NOOP(
        "Transparency", "el contenido no coincide con su huella"
    ),
    "payload.invalid": QT_TRANSLATE_NOOP("Transparency", "un campo no tiene la forma acordada"),
    "payload.too_large": QT_TRANSLATE_NOOP("Transparency", "es demasiado grande"),
    "payload.not_allowed_out": QT_TRANSLATE_NOOP(
        "Transparency", "contiene algo que no puede salir del centro"
    ),
    "audit.broken_chain": QT_TRANSLATE_NOOP("Transparency", "la cadena de auditoría no encaja"),
    "sync.malformed": QT_TRANSLATE_NOOP("Transparency", "la nube no pudo leerlo"),
    "sync.too_large": QT_TRANSLATE_NOOP("Transparency", "es demasiado grande"),
}
_STANDINGS: Final = {
    LeaseStanding.NONE: QT_TRANSLATE_NOOP(
        "Transparency", "Función: {role}. La da este centro; no está unida a la nube."
    ),
    LeaseStanding.VALID: QT_TRANSLATE_NOOP(
        "Transparency", "Función: {role}. La presta la nube; quedan {days} días."
    ),
    LeaseStanding.ENDING: QT_TRANSLATE_NOOP(
        "Transparency",
        "Función: {role}. Quedan {days} días: conéctese y entre en la nube para renovarla.",
    ),
    LeaseStanding.LAPSED: QT_TRANSLATE_NOOP(
        "Transparency",
        "El préstamo de su función venció. Puede seguir atendiendo como {role}; para administrar, "
        "conéctese y entre en la nube.",
    ),
}


class TransparencyScreen(Screen):
    """Lists what left with its payload; verifies and exports the audit for who may."""

    left = Signal()
    state: TransparencyState

    def __init__(self, session: "Session", jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(jobs, parent)
        self._session = session
        self.reducer, self.state = step, TransparencyState(role=session.clinician.role)
        self._performers = {
            ReadSent: lambda _effect: self._read_sent(),
            ReadStanding: lambda _effect: self._read_standing(),
            RetryRecord: self._retry,
            VerifyAudit: lambda _effect: self._verify(),
            ExportAudit: self._export,
        }
        self.list, self.payload = QListWidget(), QPlainTextEdit()
        self.list.setSpacing(3)
        self.payload.setReadOnly(True)
        self.texts.bind(
            self.list.setAccessibleName, lambda: translate("Transparency", "Registros que salen")
        )
        self.texts.bind(
            self.payload.setAccessibleName,
            lambda: translate("Transparency", "Contenido exacto del registro elegido"),
        )
        self.list.currentRowChanged.connect(self._choose)
        self.standing, self.told = plain_label("quiet"), message("quiet")
        self.refused = message("refusal")
        self._lay_out()
        self._drawn: list[str] = []
        self.redraw()

    def _lay_out(self) -> None:
        title = label(
            self.texts, lambda: translate("Transparency", "Lo que sale del centro"), "title"
        )
        title.setWordWrap(False)
        self.explained = label(
            self.texts,
            lambda: translate(
                "Transparency",
                "Sin nombres, documentos ni notas: un seudónimo que solo este centro entiende, la "
                "edad en años y códigos. A la derecha, letra por letra, lo que se envía.",
            ),
            "quiet",
        )
        self.back = button(
            self.texts,
            lambda: translate("Transparency", "Volver a los pacientes"),
            self.left.emit,
            "plain",
        )
        self.verify = button(
            self.texts,
            lambda: translate("Transparency", "Comprobar la auditoría"),
            lambda: self.dispatch(VerifyAsked()),
        )
        self.export = button(
            self.texts,
            lambda: translate("Transparency", "Exportar la auditoría…  {key}").format(
                key=keys.shown(keys.EXPORT)
            ),
            self._ask_where,
        )
        keys.on(self, keys.EXPORT, self._export_by_key)
        self.again = button(
            self.texts,
            lambda: translate("Transparency", "Volver a intentar este registro"),
            lambda: self.dispatch(RetryAsked()),
        )
        head = row(title, gap=16)
        head.addStretch(1)
        for part in (self.again, self.verify, self.export, self.back):
            head.addWidget(part)
        parts = QSplitter()
        parts.addWidget(self.list)
        parts.addWidget(self.payload)
        parts.setSizes([360, 720])
        body = column(head, self.standing, self.explained, self.told, self.refused, gap=10)
        body.addWidget(parts, 1)
        self.setLayout(column(card(body, 20), margin=16))

    def _export_by_key(self) -> None:
        if self.export.isVisible():
            self.export.click()

    def enter_screen(self) -> None:
        """Read what there is to show."""
        self.dispatch(Opened())
        self.list.setFocus()

    def redraw(self) -> None:
        """Draw the state."""
        state = self.state
        self.back.setVisible(state.has_patients)
        for part in (self.list, self.payload, self.explained):
            part.setVisible(state.sees_sent)
        for action in (self.verify, self.export):
            action.setVisible(state.audits)
            action.setEnabled(not state.busy)
        self.again.setVisible(state.can_retry)
        self.again.setEnabled(not state.busy)
        self.standing.setText("" if state.grant is None else _standing(state.grant))
        say(self.told, _told(state))
        say(self.refused, messages.refusal(state.refusal))
        self._draw_rows()
        if self.payload.toPlainText() != state.payload:
            self.payload.setPlainText(state.payload)

    def _draw_rows(self) -> None:
        lines = [_line(one) for one in self.state.rows]
        if self._drawn == lines:
            return
        self._drawn = lines
        self.list.blockSignals(True)
        self.list.clear()
        self.list.addItems(lines)
        self.list.setCurrentRow(self.state.chosen)
        self.list.blockSignals(False)

    def _choose(self, index: int) -> None:
        self.dispatch(Chosen(index))

    def _ask_where(self) -> None:
        title = translate("Transparency", "Exportar la auditoría")
        path, _ = QFileDialog.getSaveFileName(self, title, str(Path.home() / SUGGESTED))
        self.dispatch(ExportAsked(path))

    def _read_sent(self) -> None:
        def read() -> tuple[SentRow, ...]:
            return tuple(
                SentRow(
                    kind=one.kind,
                    created_at=one.created_at,
                    state=one.state,
                    payload=one.payload_json,
                    id=one.id,
                    reason=one.reason,
                )
                for one in self._session.privacy.sent()
            )

        self.ask(read, lambda rows: self.dispatch(SentRead(rows)), self._failed)

    def _read_standing(self) -> None:
        self.ask(
            self._session.identity.standing,
            lambda grant: self.dispatch(StandingRead(grant)),
            self._failed,
        )

    def _retry(self, effect: RetryRecord) -> None:
        self.ask(
            lambda: self._session.sync.retry(RecordId(effect.id)),
            lambda _done: self.dispatch(Retried()),
            self._failed,
        )

    def _verify(self) -> None:
        work, course = self.jobs.work(
            translate("Transparency", "Comprobando la auditoría, entrada por entrada…")
        )
        self.ask(
            lambda: self._session.audit.verify(course),
            lambda entries: self.dispatch(Verified(entries)),
            self._failed,
            about=work,
        )

    def _export(self, effect: ExportAudit) -> None:
        work, course = self.jobs.work(translate("Transparency", "Exportando la auditoría…"))

        def write() -> str:
            return files.write(effect.path, self._session.audit.export(course), course)

        self.ask(write, lambda path: self.dispatch(Exported(path)), self._failed, about=work)

    def _failed(self, error: DdxError) -> None:
        self.dispatch(Failed(refusal_of(error)))


def _line(one: SentRow) -> str:
    kind = translate("Transparency", _KINDS[one.kind]) if one.kind in _KINDS else one.kind
    state = translate("Transparency", _STATES[one.state]) if one.state in _STATES else one.state
    if one.reason:
        known = _REASONS.get(one.reason)
        why = one.reason if known is None else translate("Transparency", known)
        state = f"{state}: {why}"
    return f"{words.moment(one.created_at)}  {kind}, {state}"


def _standing(grant: Grant) -> str:
    text = translate("Transparency", _STANDINGS[grant.standing])
    return text.format(role=words.role(grant.role), days=grant.days_left)


def _told(state: TransparencyState) -> str:
    if state.busy:
        return translate("Transparency", "Leyendo la auditoría…")
    if state.verified is not None:
        said = translate("Transparency", "La auditoría encaja: {entries} entradas.")
        return said.format(entries=state.verified)
    if state.exported:
        said = translate("Transparency", "Exportada en {path}. Compruébela con: {command}")
        return said.format(path=state.exported, command="vereda audit verify")
    return ""
