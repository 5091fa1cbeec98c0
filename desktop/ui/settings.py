"""Settings: what this window may choose, and what is in force on this machine and who set it."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QWidget

from ddx.errors import DdxError
from desktop.presenters.guide import Equipment
from desktop.presenters.reading import Arrived, Entered, Failed, Read, ReadingState, step
from desktop.services.records import Origin, SettingRow
from desktop.ui import keys, messages, words
from desktop.ui.i18n import QT_TRANSLATE_NOOP, Language, translate
from desktop.ui.jobs import Jobs
from desktop.ui.preferences import Preferences
from desktop.ui.screen import Screen, refusal_of
from desktop.ui.table import TextTable
from desktop.ui.theme import TEXT_SCALES, Appearance
from desktop.ui.widgets import (
    Text,
    Tick,
    button,
    card,
    choice,
    column,
    label,
    labelled,
    message,
    row,
    say,
)

if TYPE_CHECKING:  # the store loads after the first paint
    from desktop.services.session import Session

Choices = tuple[tuple[Any, Text], ...]

LANGUAGES: Final[Choices] = (
    (Language.SPANISH, lambda: "Español"),
    (Language.ENGLISH, lambda: "English"),
)
APPEARANCES: Final[Choices] = (
    (Appearance.SYSTEM, lambda: translate("Window", "Como el sistema")),
    (Appearance.LIGHT, lambda: translate("Window", "Claro")),
    (Appearance.DARK, lambda: translate("Window", "Oscuro")),
)


def _percent(scale: float) -> str:
    return f"{scale:.0%}".replace("%", translate("Settings", " %"))


SCALES: Final[Choices] = tuple((scale, partial(_percent, scale)) for scale in TEXT_SCALES)
EQUIPMENT: Final[Choices] = tuple((kind, partial(words.equipment, kind)) for kind in Equipment)

_NAMES: Final = {
    "SyncUrl": QT_TRANSLATE_NOOP("Settings", "Servidor de sincronización"),
    "TenantId": QT_TRANSLATE_NOOP("Settings", "Organización en la nube"),
    "ClientId": QT_TRANSLATE_NOOP("Settings", "Aplicación en la nube"),
    "SiteId": QT_TRANSLATE_NOOP("Settings", "Código del centro"),
    "AutoUpdateEnabled": QT_TRANSLATE_NOOP("Settings", "Actualizar el modelo solo"),
    "UpdateChannel": QT_TRANSLATE_NOOP("Settings", "Canal de modelos"),
    "MaxModelAgeDays": QT_TRANSLATE_NOOP("Settings", "Avisar de un modelo viejo (días)"),
    "ProxyMode": QT_TRANSLATE_NOOP("Settings", "Cómo se sale a la red"),
    "ProxyUrl": QT_TRANSLATE_NOOP("Settings", "Intermediario de red"),
    "CaBundlePath": QT_TRANSLATE_NOOP("Settings", "Certificados propios"),
    "MeteredPolicy": QT_TRANSLATE_NOOP("Settings", "Qué viaja cuando se pagan los datos"),
    "DailyByteBudget": QT_TRANSLATE_NOOP(
        "Settings", "Bytes al día por enlace de pago (0: sin límite)"
    ),
    "IdleLockMinutes": QT_TRANSLATE_NOOP("Settings", "Cerrar la sesión sin uso (minutos)"),
    "BackupFolder": QT_TRANSLATE_NOOP("Settings", "Carpeta de copias de seguridad"),
    "BackupsKept": QT_TRANSLATE_NOOP("Settings", "Copias que se guardan"),
    "AllowUsbExport": QT_TRANSLATE_NOOP("Settings", "Sacar registros en memoria USB"),
    "LogLevel": QT_TRANSLATE_NOOP("Settings", "Detalle del registro técnico"),
    "AuditRetentionDays": QT_TRANSLATE_NOOP("Settings", "Guardar la auditoría (días)"),
    "CommitFirstMode": QT_TRANSLATE_NOOP("Settings", "Primero el diagnóstico propio"),
}
_VALUES: Final = {
    "True": QT_TRANSLATE_NOOP("Settings", "Sí"),
    "False": QT_TRANSLATE_NOOP("Settings", "No"),
    "system": QT_TRANSLATE_NOOP("Settings", "como el sistema"),
    "none": QT_TRANSLATE_NOOP("Settings", "directa"),
    "manual": QT_TRANSLATE_NOOP("Settings", "por el intermediario"),
    "allow": QT_TRANSLATE_NOOP("Settings", "todo"),
    "records_only": QT_TRANSLATE_NOOP("Settings", "solo registros"),
    "nothing": QT_TRANSLATE_NOOP("Settings", "nada"),
    "stable": QT_TRANSLATE_NOOP("Settings", "estable"),
    "error": QT_TRANSLATE_NOOP("Settings", "solo errores"),
    "warning": QT_TRANSLATE_NOOP("Settings", "avisos"),
    "info": QT_TRANSLATE_NOOP("Settings", "normal"),
    "debug": QT_TRANSLATE_NOOP("Settings", "todo el detalle"),
}
_ORIGINS: Final = {
    Origin.DEFAULT: QT_TRANSLATE_NOOP("Settings", "De fábrica"),
    Origin.FILE: QT_TRANSLATE_NOOP("Settings", "Este equipo"),
    Origin.ORGANISATION: QT_TRANSLATE_NOOP("Settings", "Su organización"),
}


class SettingsScreen(Screen):
    """Left what may be chosen, right what is in force. `chosen` carries other preferences."""

    left = Signal()
    chosen = Signal(object)
    state: ReadingState

    def __init__(
        self,
        session: "Session",
        jobs: Jobs,
        preferences: Callable[[], Preferences],
        parent: QWidget | None = None,
        *,
        commit_first_fixed: bool | None,
    ) -> None:
        """Build the screen. commit_first_fixed: what was set for this machine; None: a choice."""
        super().__init__(jobs, parent)
        self.reducer, self.state, self._session = step, ReadingState(), session
        self._preferences, self._fixed = preferences, commit_first_fixed
        self._choices: dict[str, QComboBox] = {}
        self._performers = {Read: lambda _effect: self._read()}
        t = self.texts
        self.language = self._choice(lambda: translate("Window", "Idioma"), LANGUAGES, "language")
        self.appearance = self._choice(
            lambda: translate("Window", "Aspecto"), APPEARANCES, "appearance"
        )
        self.scale = self._choice(
            lambda: translate("Window", "Tamaño del texto"), SCALES, "text_scale"
        )
        self.equipment = self._choice(
            lambda: translate("Window", "Equipo del centro"), EQUIPMENT, "equipment"
        )
        self.first = Tick()
        for put in (self.first.setText, self.first.setAccessibleName):
            t.bind(put, self._first_text)
        fixed = commit_first_fixed
        self.first.setChecked(self._preferences().commit_first if fixed is None else fixed)
        self.first.setEnabled(fixed is None)
        self.first.toggled.connect(
            lambda on: self.chosen.emit(replace(self._preferences(), commit_first=on))
        )
        self.table = TextTable(
            t,
            lambda: translate("Settings", "Ajustes en vigor"),
            (
                lambda: translate("Settings", "Ajuste"),
                lambda: translate("Settings", "Valor"),
                lambda: translate("Settings", "Quién lo puso"),
            ),
        )
        self.refused = message("refusal")
        self._lay_out()
        keys.on(self, keys.BACK, self.left.emit)
        self.redraw()

    def _first_text(self) -> str:
        said = translate("Settings", "Pedir mi diagnóstico antes de mostrar la lista")
        if self._fixed is None:
            return said
        return f"{said} · " + translate("Settings", "lo fijó su organización")

    def _choice(self, name: Text, options: Choices, preference: str) -> QComboBox:
        made = self._choices[preference] = choice(self.texts, name)
        for value, text in options:
            made.addItem(text(), value)
        now = getattr(self._preferences(), preference)
        made.setCurrentIndex(next(i for i, (value, _) in enumerate(options) if value == now))

        def say_options(_name: str) -> None:
            for place, (_value, text) in enumerate(options):
                made.setItemText(place, text())

        self.texts.bind(say_options, name)
        made.activated.connect(
            lambda index: self.chosen.emit(
                replace(self._preferences(), **{preference: options[index][0]})
            )
        )
        return made

    def _lay_out(self) -> None:
        t = self.texts
        back = button(t, lambda: translate("Settings", "Volver"), self.left.emit, "plain")
        head = row(label(t, lambda: translate("Settings", "Ajustes"), "title"))
        head.addStretch(1)
        head.addWidget(back)
        controls = (self.language, self.appearance, self.scale, self.equipment)
        mine = column(
            label(t, lambda: translate("Settings", "Esta ventana"), "section"),
            *(labelled(t, control.accessibleName, control) for control in controls),
            self.first,
            gap=12,
        )
        mine.addStretch(1)
        machine = column(
            label(t, lambda: translate("Settings", "Este equipo"), "section"),
            label(
                t,
                lambda: translate(
                    "Settings",
                    "Los cambia quien administra el equipo. Lo que dice «bloqueado» lo fijó su "
                    "organización y aquí nadie puede cambiarlo.",
                ),
                "quiet",
            ),
            self.refused,
            gap=10,
        )
        machine.addWidget(self.table, 1)
        both = row(card(mine, 18), card(machine, 18), gap=16)
        both.setStretch(0, 3)
        both.setStretch(1, 6)
        page = column(head, gap=12, margin=18)
        page.addLayout(both, 1)
        self.setLayout(page)

    def enter_screen(self) -> None:
        """Read what is in force."""
        self.dispatch(Entered())
        self.language.setFocus()

    def _read(self) -> None:
        self.ask(
            self._session.preferences.rows,
            lambda rows: self.dispatch(Arrived(rows)),
            self._failed,
        )

    def _failed(self, error: DdxError) -> None:
        self.dispatch(Failed(refusal_of(error)))

    def redraw(self) -> None:
        """Draw what is in force."""
        for preference, control in self._choices.items():  # the menu may have changed them
            now = control.findData(getattr(self._preferences(), preference))
            control.setCurrentIndex(now)
        say(self.refused, messages.refusal(self.state.refusal))
        content = self.state.content
        if isinstance(content, tuple):
            self.table.show_rows(tuple(_rows(content)))


def _rows(settings: Iterable[SettingRow]) -> Iterable[tuple[str, str, str]]:
    for one in settings:
        source = _NAMES.get(one.key)
        name = one.key if source is None else translate("Settings", source)
        origin = translate("Settings", _ORIGINS[one.origin])
        locked = translate("Settings", "bloqueado: {origin}").format(origin=origin.lower())
        yield name, _value(one.value), locked if one.locked else origin


def _value(value: str) -> str:
    """Return a value in words; addresses, numbers and names stay as they are."""
    source = _VALUES.get(value)
    if source is not None:
        return translate("Settings", source)
    return value or translate("Settings", "sin poner")
