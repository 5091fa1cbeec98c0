"""Vital signs: as typed, with their units, and "not measured" as an honest empty field."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from ddx.intake.draft import Draft
from desktop.ui import words
from desktop.ui.i18n import QT_TRANSLATE_NOOP, translate
from desktop.ui.widgets import (
    Spoken,
    choice,
    column,
    field,
    labelled,
    message,
    plain_label,
    restyle,
    say,
    spread,
)

if TYPE_CHECKING:  # the ontology loads after the first paint
    from ddx.safety.bedside import Bedside, Expected
    from ddx.safety.news2 import News2


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
        self._draft = Draft()
        self.numbers: dict[str, QLineEdit] = {}
        self.captions: dict[str, QLabel] = {}
        self.answers: dict[str, QComboBox] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(8)
        for place, vital in enumerate((*NUMBERS, *YES_NO)):
            control = self._answer(vital) if vital in YES_NO else self._number(vital)
            grid.addLayout(control, place // 2, place % 2)
        self._score = message("small")
        grid.addWidget(self._score, grid.rowCount(), 0, 1, 2)
        self.redraw()

    @property
    def news2(self) -> str:
        """The score so far, empty where it does not speak."""
        score = self._bedside().news2
        return "" if score is None else f"NEWS2 {_total(score)}"

    def _bedside(self) -> "Bedside":
        from ddx.safety.bedside import bedside  # noqa: PLC0415 -- loads the ontology

        return bedside(self._draft)

    def _number(self, vital: Vital) -> QVBoxLayout:
        def name() -> str:
            return f"{translate('Vitals', vital.name)} ({vital.unit})"

        edit = field(self.texts, name)
        edit.setMinimumWidth(40)
        edit.textEdited.connect(lambda text: self.typed.emit(vital.field, text))
        self.numbers[vital.field] = edit
        caption = plain_label("small")
        caption.setBuddy(edit)
        self.captions[vital.field] = caption
        return column(caption, edit, gap=3)

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

    def show_draft(self, draft: Draft) -> None:
        """Say what is expected at the age of `draft`, what is outside of it, and the score."""
        if draft == self._draft:
            return
        self._draft = draft
        self._draw_bedside()

    def _draw_bedside(self) -> None:
        seen = self._bedside()
        for vital in NUMBERS:
            expected = seen.expected.get(vital.field)
            value = getattr(seen.signs, vital.field)
            self._draw_number(vital, expected, value)
        say(self._score, "" if seen.news2 is None else _news2(seen.news2))

    def _draw_number(self, vital: Vital, expected: "Expected | None", value: float | None) -> None:
        """Name one sign with what is expected, and mark a value outside of it."""
        edit = self.numbers[vital.field]
        name = f"{translate('Vitals', vital.name)} ({vital.unit})"
        outside = _outside(expected, value)
        told = "" if expected is None else f" {_range(expected)}"
        self.captions[vital.field].setText(f"{name}{told}{outside}")
        edit.setToolTip("" if expected is None else f"{_range(expected)} · {expected.source}")
        expects = translate("Vitals", "se espera {range}").format(range=told.strip())
        edit.setAccessibleDescription(expects if told else "")
        restyle(edit, "outside", "true" if outside else "false")

    def redraw(self) -> None:
        """Name the answers in the language of the window."""
        self._draw_bedside()
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


def _outside(expected: "Expected | None", value: float | None) -> str:
    """Return an arrow for a value above or below what is expected, empty within it."""
    if expected is None or value is None or expected.holds(value):
        return ""
    return " ▲" if expected.high is not None and value > expected.high else " ▼"


def _range(expected: "Expected") -> str:
    """Return bounds as they are read on a chart: 12–20, ≤ 160, ≥ 92."""
    low, high = expected.low, expected.high
    if low is None:
        return "" if high is None else f"≤ {words.number(high)}"
    if high is None:
        return f"≥ {words.number(low)}"
    return f"{words.number(low)}–{words.number(high)}"


def _total(score: "News2") -> str:
    """Return the points; a lower bound while something is missing."""
    return f"≥ {score.total}" if score.missing else str(score.total)


def _news2(score: "News2") -> str:
    """Return the score with its word and what is missing."""
    from ddx.safety.news2 import EMERGENCY_FROM, RED, URGENT_FROM  # noqa: PLC0415 -- as above

    if score.total >= EMERGENCY_FROM:
        word = translate("Vitals", "respuesta de emergencia")
    elif score.total >= URGENT_FROM:
        word = translate("Vitals", "revisión urgente")
    elif RED in score.points.values():
        word = translate("Vitals", "un signo en rojo: revisar")
    else:
        word = translate("Vitals", "bajo")
    said = translate("Vitals", "NEWS2 {n}: {word}").format(n=_total(score), word=word)
    if not score.missing:
        return said
    names = ", ".join(name_of(sign).lower() for sign in score.missing)
    return said + ". " + translate("Vitals", "Falta: {names}.").format(names=names)
