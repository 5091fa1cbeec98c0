"""The map of keys: the one place that names them, read by the shortcuts and by F1."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from desktop.ui.i18n import QT_TRANSLATE_NOOP, translate


@dataclass(frozen=True, slots=True)
class Key:
    """A key and what it does. portable: Qt's portable text."""

    portable: str
    does: str


HELP: Final = Key("F1", QT_TRANSLATE_NOOP("Keys", "Este mapa de teclas"))
FINDINGS: Final = Key("F2", QT_TRANSLATE_NOOP("Keys", "Buscar un hallazgo"))
LIST: Final = Key("F3", QT_TRANSLATE_NOOP("Keys", "Ir a la lista de diagnósticos"))
WHY: Final = Key("F4", QT_TRANSLATE_NOOP("Keys", "Ir al porqué"))
DIAGNOSE: Final = Key("F5", QT_TRANSLATE_NOOP("Keys", "Calcular la lista"))
VITALS: Final = Key("F6", QT_TRANSLATE_NOOP("Keys", "Constantes vitales"))
ENTERED: Final = Key("F7", QT_TRANSLATE_NOOP("Keys", "Ir a los hallazgos anotados"))
QUESTION: Final = Key("F8", QT_TRANSLATE_NOOP("Keys", "Responder la siguiente pregunta"))
WHY_NOT: Final = Key("F10", QT_TRANSLATE_NOOP("Keys", "Preguntar por qué no otra enfermedad"))
SYNC: Final = Key("F9", QT_TRANSLATE_NOOP("Keys", "Sincronizar, o detenerlo"))
TRIAL: Final = Key("F11", QT_TRANSLATE_NOOP("Keys", "¿Y si…? Probar sin anotar"))
KEEP: Final = Key("Ctrl+Return", QT_TRANSLATE_NOOP("Keys", "Anotar lo que se estaba probando"))
DETAIL: Final = Key("Ctrl+D", QT_TRANSLATE_NOOP("Keys", "Más detalle del porqué"))
AGREE: Final = Key("Ctrl+1", QT_TRANSLATE_NOOP("Keys", "De acuerdo con el diagnóstico elegido"))
REFUSE: Final = Key("Ctrl+2", QT_TRANSLATE_NOOP("Keys", "Rechazar la lista"))
ADD: Final = Key("Ctrl+3", QT_TRANSLATE_NOOP("Keys", "Añadir otro diagnóstico"))
CUSTOM: Final = Key("Ctrl+4", QT_TRANSLATE_NOOP("Keys", "Escribir mi propio diagnóstico"))
REFER: Final = Key("Ctrl+P", QT_TRANSLATE_NOOP("Keys", "Carta de derivación"))
SUMMARY: Final = Key("Ctrl+R", QT_TRANSLATE_NOOP("Keys", "Resumen de la consulta"))
HISTORY: Final = Key("Ctrl+H", QT_TRANSLATE_NOOP("Keys", "Historia del paciente"))
SAVE: Final = Key("Ctrl+S", QT_TRANSLATE_NOOP("Keys", "Guardar la carta o el resumen como PDF"))
EXPORT: Final = Key("Ctrl+E", QT_TRANSLATE_NOOP("Keys", "Exportar (historia o auditoría)"))
EXPORT_FHIR: Final = Key("Ctrl+Shift+E", QT_TRANSLATE_NOOP("Keys", "Exportar la historia en FHIR"))
BACK: Final = Key("Esc", QT_TRANSLATE_NOOP("Keys", "Cerrar, o volver a los pacientes"))
NEW_PATIENT: Final = Key("Ctrl+N", QT_TRANSLATE_NOOP("Keys", "Paciente nuevo"))
CANCEL: Final = Key("Esc", QT_TRANSLATE_NOOP("Keys", "Cancelar lo que tarda"))
SETTINGS: Final = Key("F12", QT_TRANSLATE_NOOP("Keys", "Abrir el menú de ajustes"))
LOCK: Final = Key("Ctrl+L", QT_TRANSLATE_NOOP("Keys", "Cerrar la sesión"))
PRESENT: Final = Key("P", QT_TRANSLATE_NOOP("Keys", "Presente (en una lista de hallazgos)"))
ABSENT: Final = Key("A", QT_TRANSLATE_NOOP("Keys", "Ausente: se buscó y no está"))
UNKNOWN: Final = Key("U", QT_TRANSLATE_NOOP("Keys", "No se sabe"))
CYCLE: Final = Key("Space", QT_TRANSLATE_NOOP("Keys", "Pasar al estado siguiente"))
REMOVE: Final = Key("Del", QT_TRANSLATE_NOOP("Keys", "Quitar el hallazgo"))
GRADE: Final = Key("0…9", QT_TRANSLATE_NOOP("Keys", "Intensidad, si el hallazgo la tiene"))
SEVERITY: Final = Key("S", QT_TRANSLATE_NOOP("Keys", "Leve, moderado, grave (si está presente)"))
ONSET: Final = Key("D", QT_TRANSLATE_NOOP("Keys", "Desde hace cuánto"))
TAKE: Final = Key("Return", QT_TRANSLATE_NOOP("Keys", "Presente (desde la búsqueda)"))
TAKE_ABSENT: Final = Key("Shift+Return", QT_TRANSLATE_NOOP("Keys", "Ausente (desde la búsqueda)"))

SECTIONS: Final[tuple[tuple[str, tuple[Key, ...]], ...]] = (
    (
        QT_TRANSLATE_NOOP("Keys", "Moverse"),
        (
            HELP,
            FINDINGS,
            LIST,
            WHY,
            VITALS,
            ENTERED,
            QUESTION,
            WHY_NOT,
            HISTORY,
            NEW_PATIENT,
            CANCEL,
            BACK,
            SYNC,
            SETTINGS,
            LOCK,
        ),
    ),
    (
        QT_TRANSLATE_NOOP("Keys", "Hallazgos"),
        (TAKE, TAKE_ABSENT, PRESENT, ABSENT, UNKNOWN, CYCLE, GRADE, SEVERITY, ONSET, REMOVE),
    ),
    (
        QT_TRANSLATE_NOOP("Keys", "Diagnóstico y decisión"),
        (
            DIAGNOSE,
            TRIAL,
            KEEP,
            DETAIL,
            AGREE,
            REFUSE,
            ADD,
            CUSTOM,
            REFER,
            SUMMARY,
            SAVE,
            EXPORT,
            EXPORT_FHIR,
        ),
    ),
)


def does(key: Key) -> str:
    """Return what a key does, in the language of the window."""
    return translate("Keys", key.does)


def section(title: str) -> str:
    """Return the title of a section of the map."""
    return translate("Keys", title)


def shown(key: Key) -> str:
    """Return the key as printed on a keyboard of the language of the window."""
    printed = {
        "Return": translate("Keys", "Intro"),
        "Shift": translate("Keys", "Mayús"),
        "Space": translate("Keys", "Espacio"),
        "Del": translate("Keys", "Supr"),
    }
    return "+".join(printed.get(part, part) for part in key.portable.split("+"))


def on(widget: QWidget, key: Key, action: Callable[[], object]) -> QShortcut:
    """Run `action` when `key` is pressed anywhere in the window, while `widget` is shown."""
    sequence = QKeySequence(key.portable, QKeySequence.SequenceFormat.PortableText)
    shortcut = QShortcut(sequence, widget)
    shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
    shortcut.activated.connect(action)
    return shortcut
