"""Vital signs: as typed, with their units, and "not measured" as an honest empty field."""

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QLineEdit, QVBoxLayout, QWidget

from desktop.ui.i18n import QT_TRANSLATE_NOOP, translate
from desktop.ui.widgets import Spoken, choice, field, labelled, restyle, spread


@dataclass(frozen=True, slots=True)
class Vital:
    """A field of VitalSigns, its name and its unit (UCUM, as shown)."""

    field: str
    name: str
    unit: str


NUMBERS: Final = (
    Vital("temperature_c", QT_TRANSLATE_NOOP("Vitals", "Temperatura"), "°C"),
    Vital("heart_rate_bpm", QT_TRANSLATE_NOOP("Vitals", "Pulso"), "/min"),
    Vital("respiratory_rate_bpm", QT_TRANSLATE_NOOP("Vitals", "Respiración"), "/min"),
    Vital("spo2_percent", QT_TRANSLATE_NOOP("Vitals", "Saturación"), "%"),
    Vital("systolic_mmhg", QT_TRANSLATE_NOOP("Vitals", "Tensión sistólica"), "mmHg"),
    Vital("diastolic_mmhg", QT_TRANSLATE_NOOP("Vitals", "Tensión diastólica"), "mmHg"),
    Vital("weight_kg", QT_TRANSLATE_NOOP("Vitals", "Peso"), "kg"),
    Vital("glucose_mg_dl", QT_TRANSLATE_NOOP("Vitals", "Glucemia capilar"), "mg/dL"),
)
YES_NO: Final = (
    Vital("on_oxygen", QT_TRANSLATE_NOOP("Vitals", "Con oxígeno"), ""),
    Vital("alert", QT_TRANSLATE_NOOP("Vitals", "Alerta y consciente"), ""),
)
ANSWERS: Final = (
    ("", QT_TRANSLATE_NOOP("Vitals", "Sin dato")),
    ("true", QT_TRANSLATE_NOOP("Vitals", "Sí")),
    ("false", QT_TRANSLATE_NOOP("Vitals", "No")),
)


def name_of(vital: str) -> str:
    """Return the name of a VitalSigns field in the language of the window."""
    source = next((v.name for v in (*NUMBERS, *YES_NO) if v.field == vital), vital)
    return translate("Vitals", source)


class VitalsPanel(Spoken):
    """The fields; `typed(field, text)` reports every change."""

    typed = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.numbers: dict[str, QLineEdit] = {}
        self.answers: dict[str, QComboBox] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(8)
        for place, vital in enumerate((*NUMBERS, *YES_NO)):
            control = self._answer(vital) if vital in YES_NO else self._number(vital)
            grid.addLayout(control, place // 2, place % 2)
        self.redraw()

    def _number(self, vital: Vital) -> QVBoxLayout:
        def name() -> str:
            return f"{translate('Vitals', vital.name)} ({vital.unit})"

        edit = field(self.texts, name)
        edit.setMinimumWidth(40)
        edit.textEdited.connect(lambda text: self.typed.emit(vital.field, text))
        self.numbers[vital.field] = edit
        return labelled(self.texts, name, edit)

    def _answer(self, vital: Vital) -> QVBoxLayout:
        def name() -> str:
            return translate("Vitals", vital.name)

        combo = choice(self.texts, name)
        combo.setMinimumWidth(40)
        for value, _text in ANSWERS:
            combo.addItem("", value)
        combo.activated.connect(lambda i: self.typed.emit(vital.field, combo.itemData(i)))
        self.answers[vital.field] = combo
        return labelled(self.texts, name, spread(combo))

    def redraw(self) -> None:
        """Name the answers in the language of the window."""
        for combo in self.answers.values():
            for i, (_value, text) in enumerate(ANSWERS):
                combo.setItemText(i, translate("Vitals", text))

    def show_values(self, values: dict[str, str], wrong: set[str]) -> None:
        """Show what the draft holds without disturbing the field being typed in."""
        for name, edit in self.numbers.items():
            if edit.text() != values.get(name, "") and not edit.hasFocus():
                edit.setText(values.get(name, ""))
            restyle(edit, "wrong", "true" if name in wrong else "false")
        for name, combo in self.answers.items():
            combo.setCurrentIndex(max(0, combo.findData(values.get(name, ""))))
            restyle(combo, "wrong", "true" if name in wrong else "false")
