"""The bar that is always there: sync, model and clock, in words."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFileDialog, QFrame

from ddx.domain.course import Course, StoppedError
from ddx.domain.roles import Permission, may
from ddx.errors import DdxError
from desktop.presenters.freshness import (
    Downloading,
    Failed,
    FreshnessState,
    LinkAsked,
    LinkClinic,
    LinkFailed,
    ModelRead,
    ReadModel,
    ReadSync,
    RunSync,
    SyncAsked,
    SyncDone,
    SyncDue,
    SyncRead,
    SyncStanding,
    SyncStopped,
    Tick,
    Tone,
    UpdateDone,
    UpdateModel,
    model_age,
    step,
)
from desktop.ui import keys, messages, words
from desktop.ui.i18n import translate
from desktop.ui.jobs import Jobs, Lane, Work
from desktop.ui.screen import Screen, refusal_of
from desktop.ui.widgets import OneLine, button, column, look, row

if TYPE_CHECKING:  # the store and the engine load after the first paint
    from desktop.services.records import UpdateOutcome
    from desktop.services.session import Session

READ_EVERY_MS = 15_000
PUSH_EVERY_MS = 300_000  # as `vereda-sync` does (sync_service.client.schedule)
PUSH_AGAIN_MS = 40_000  # while the link is gone (sync_service.client.machine)
CLOCK_EVERY_MS = 5_000


class StatusBar(Screen):
    """Freshness of what the clinician relies on."""

    state: FreshnessState

    def __init__(self, jobs: Jobs) -> None:
        super().__init__(jobs)
        self._downloading: Work | None = None
        self._asked: tuple[Course, ...] = ()
        self._quiet: Work | None = None
        """What goes on by itself and takes long: told in this bar, ended with its key."""
        jobs.slow.connect(self._grown_slow)
        jobs.moved.connect(self._moved)
        jobs.ended.connect(self._over)
        self.reducer, self.state = step, FreshnessState()
        self._session: Session | None = None
        self._performers = {
            ReadSync: lambda _effect: self._read_sync(),
            ReadModel: lambda _effect: self._read_model(),
            RunSync: self._run_sync,
            UpdateModel: lambda _effect: self._update(),
            LinkClinic: self._link,
        }
        self.sync, self.model, self.clock = (OneLine("small") for _ in range(3))
        self.now = button(
            self.texts,
            self._now_text,
            self.synchronise,
            "plain",
        )
        line = row(self.sync, self.now, gap=14)
        line.addStretch(1)
        line.addWidget(self.model)
        line.addWidget(self.clock)
        line.setContentsMargins(20, 2, 20, 2)
        frame = QFrame()
        frame.setObjectName("status")
        frame.setLayout(line)
        self.setLayout(column(frame))
        self._reader = self._timer(READ_EVERY_MS, self.read)
        self._pusher = self._timer(PUSH_EVERY_MS, lambda: self.dispatch(SyncDue()))
        self._retrier = self._timer(PUSH_AGAIN_MS, lambda: self.dispatch(SyncDue(again=True)))
        self._ticker = self._timer(CLOCK_EVERY_MS, self._draw_clock)
        self.redraw()

    def _timer(self, every_ms: int, action: object) -> QTimer:
        timer = QTimer(self)
        timer.setInterval(every_ms)
        timer.timeout.connect(action)
        timer.start()
        return timer

    def follow(self, session: "Session | None") -> None:
        """Report on `session`, or on nothing while nobody is signed in."""
        self._session = session
        self.state = FreshnessState()
        self.redraw()
        self.read()

    def read(self) -> None:
        """Read both standings again."""
        if self._session is not None:
            self.dispatch(Tick())

    def synchronise(self) -> None:
        """Push what waits, then look for a newer model; or end what goes on by itself."""
        if self._quiet is not None and self._quiet.course is not None:
            self._quiet.course.stop()
            self.redraw()
        elif self._session is not None:
            self.dispatch(SyncAsked())

    def _now_text(self) -> str:
        ends = translate("Status", "Detener  {key}")
        sends = translate("Status", "Sincronizar  {key}")
        text = sends if self._quiet is None else ends
        return text.format(key=keys.shown(keys.SYNC))

    def _grown_slow(self, work: Work) -> None:
        if work.quiet:
            self._quiet = work
            self.redraw()

    def _moved(self, work: Work) -> None:
        if work is self._downloading:
            self.dispatch(Downloading(work.done, work.total))
        if work is self._quiet:
            self.redraw()

    def _over(self, work: Work) -> None:
        if work is self._quiet:
            self._quiet = None
            self.redraw()

    def _failed(self, error: object) -> None:
        self.dispatch(Failed(refusal_of(error)))  # type: ignore[arg-type]

    def _read_sync(self) -> None:
        if (session := self._session) is not None:
            self.ask(session.sync.status, lambda s: self._told(session, SyncRead(s)), self._failed)

    def _read_model(self) -> None:
        if (session := self._session) is not None:
            self.ask(
                lambda: ModelRead(session.models.status(), session.application.status().ready),
                lambda read: self._told(session, read),
                self._failed,
            )

    def _told(self, session: "Session", event: SyncRead | ModelRead) -> None:
        """Take an answer, unless it is of a session that has ended since."""
        if session is self._session:
            self.dispatch(event)

    def _run_sync(self, effect: RunSync) -> None:
        if (session := self._session) is not None:
            work, course = self.jobs.work(
                translate("Status", "Enviando lo pendiente…"), quiet=not effect.asked
            )
            self._asked = (course,)
            self.ask(
                lambda: session.sync.run_once(course),
                lambda s: self.dispatch(SyncDone(s)),
                self._not_synced,
                Lane.NETWORK,
                work,
            )

    def _not_synced(self, error: DdxError) -> None:
        if not isinstance(error, StoppedError):
            self._failed(error)
            return
        for course in self._asked:  # who ends the sending wants no download after it
            course.stop()
        self.dispatch(SyncStopped())

    def _update(self) -> None:
        if (session := self._session) is not None:
            work, course = self.jobs.work(translate("Status", "Buscando un modelo más nuevo…"))
            self._downloading, self._asked = work, (*self._asked, course)
            self.ask(
                lambda: session.models.update(course),
                self._updated,
                self._failed,
                Lane.NETWORK,
                work,
            )

    def _updated(self, outcome: "UpdateOutcome") -> None:
        stopped = outcome.code == StoppedError.code
        self.dispatch(UpdateDone("stopped" if stopped else outcome.result, outcome.clock_behind_s))

    def link(self, server: str, code: str) -> None:
        """Join the clinic to a server with a one-time code."""
        if self._session is not None:
            self.dispatch(LinkAsked(server, code))

    def _link(self, effect: LinkClinic) -> None:
        if (session := self._session) is not None:
            self.ask(
                lambda: session.sync.link(effect.server, effect.code),
                lambda standing: self.dispatch(SyncDone(standing)),
                lambda error: self.dispatch(LinkFailed(refusal_of(error))),
                Lane.NETWORK,
                Work(
                    translate("Status", "Uniendo el centro a la nube: es un envío y no se corta…")
                ),
            )

    def update_from_stick(self) -> None:
        """Ask where the stick is, and install what it brings as an update from the server is."""
        title = translate("Status", "Elija la memoria USB con el modelo")
        folder = QFileDialog.getExistingDirectory(self, title)
        if folder and (session := self._session) is not None:
            work, course = self.jobs.work(
                translate("Status", "Leyendo el modelo de la memoria USB…")
            )
            self._downloading = work
            self.ask(
                lambda: session.models.update_from(Path(folder), course),
                self._updated,
                self._failed,
                Lane.NETWORK,
                work,
            )

    def redraw(self) -> None:
        """Draw the words."""
        state = self.state
        self.sync.setText(_sync_text(state) if self._quiet is None else _quiet_text(self._quiet))
        refused = state.sync is not None and state.sync.quarantined > 0
        alarmed = state.sync is not None and bool(state.sync.audit_alarm)
        wanting = refused or alarmed or state.refusal or state.link_refusal
        look(self.sync, "attention" if wanting else "small")
        session = self._session
        self.now.setVisible(
            session is not None and may(session.clinician.role, Permission.DIAGNOSE)
        )
        self.now.setText(self._now_text())
        self.now.setAccessibleName(self.now.text())
        quiet = None if self._quiet is None else self._quiet.course
        self.now.setEnabled(not state.syncing if quiet is None else quiet.may_stop)
        self._draw_model(state)
        self._draw_clock()

    def _draw_model(self, state: FreshnessState) -> None:
        if state.model is None:
            self.model.setText("")
            return
        age = model_age(state.model, datetime.now(UTC))
        text = translate("Status", "Modelo {version} · de hace {n} días")
        if age.days == 0:
            text = translate("Status", "Modelo {version} · de hoy")
        self.model.setText(
            text.format(version=state.model.version, n=age.days) + _update_text(state)
        )
        wanting = bool(state.model.blocked) or age.tone is Tone.ATTENTION
        look(self.model, "attention" if wanting else "small")

    def _draw_clock(self) -> None:
        self.clock.setText(words.moment(datetime.now(UTC)))


def _quiet_text(work: Work) -> str:
    if work.course is not None and not work.course.may_go_on():
        return translate("Status", "Deteniendo…")
    if not work.total:
        return work.title
    return f"{work.title} {min(100, 100 * work.done // work.total)} %"


def _update_text(state: FreshnessState) -> str:
    if state.percent is not None:
        told = [translate("Status", "descargando: {n} %").format(n=state.percent)]
    else:
        told = [said] if (said := _update_results().get(state.update)) else []
    model = state.model
    if model is not None and model.blocked:
        told.append(
            translate("Status", "detenido por seguridad: solo reglas y registros")
            if len(model.blocked) > 1
            else translate("Status", "un modelo está detenido por seguridad")
        )
    if model is not None and model.reverted:
        told.append(translate("Status", "uno más nuevo falló aquí; sigue este"))
    if state.application:
        told.append(
            translate("Status", "Vereda {version} lista para instalar").format(
                version=state.application
            )
        )
    if state.clock_behind_s:
        told.append(translate("Status", "el reloj de este equipo va atrasado"))
    return "".join(f" · {said}" for said in told)


def _update_results() -> dict[str, str]:
    return {
        "activated": translate("Status", "recién actualizado"),
        "sent_back": translate("Status", "se volvió a este por orden de seguridad"),
        "postponed": translate("Status", "hay uno más nuevo; esperará a otro día o a otra red"),
        "stopped": translate("Status", "descarga detenida; lo recibido se conserva"),
        "refused": translate("Status", "el modelo recibido no pasó la verificación; sigue este"),
    }


def _sync_text(state: FreshnessState) -> str:
    if state.refusal is not None:
        return translate("Status", "No se pudo leer el estado (código {code})").format(
            code=state.refusal.code
        )
    if state.link_refusal is not None:
        return translate("Status", "El centro no se unió a la nube. {why}").format(
            why=messages.refusal(state.link_refusal)
        )
    if state.sync is None:
        return translate("Status", "Sin sesión: los datos están cerrados y cifrados")
    words_now = _phase_text(state, state.sync)
    if state.sync.quarantined:
        apart = translate("Status", "rechazados por la nube: {n}").format(n=state.sync.quarantined)
        words_now += f" · {apart}"
    alarm = _alarms().get(state.sync.audit_alarm)
    return words_now if alarm is None else f"{words_now} · {alarm}"


def _alarms() -> dict[str, str]:
    return {
        "fork": translate(
            "Status", "la nube conocía otra historia de este equipo: avise a quien audita"
        ),
        "restored_backup": translate(
            "Status", "se restauró una copia: la nube conoce lo que falta; avise a quien audita"
        ),
        "server_key": translate(
            "Status", "la nube firma con otra clave: avise a quien la administra"
        ),
    }


def _phase_text(state: FreshnessState, sync: SyncStanding) -> str:
    waiting = translate("Status", "Pendientes: {n}").format(n=sync.pending)
    if state.syncing or sync.phase == "pushing":
        return f"{waiting} · " + translate("Status", "enviando…")
    if sync.phase == "refused":
        refused = translate("Status", "la nube no acepta este equipo (código {code})")
        return f"{waiting} · {refused.format(code=sync.code)}"
    phases = {
        "not_linked": translate("Status", "solo en este equipo, sin nube"),
        "waiting": translate("Status", "esperando para reintentar"),
        "offline": translate("Status", "sin conexión: todo queda guardado aquí"),
        "held": translate("Status", "la conexión se paga por datos: espera según lo acordado"),
    }
    said = phases.get(str(sync.phase))
    if said is not None:
        return f"{waiting} · {said}"
    if sync.pending:
        return f"{waiting} · " + translate("Status", "por sincronizar")
    if sync.last_contact_at is None:
        return f"{waiting} · " + translate("Status", "aún sin contacto con la nube")
    return translate("Status", "Sincronizado {moment}").format(
        moment=words.moment(sync.last_contact_at)
    )
