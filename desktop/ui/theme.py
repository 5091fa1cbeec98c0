"""Colours, type and stylesheet, light and dark. Colour appears only where it means something."""

from dataclasses import dataclass
from enum import StrEnum
from string import Template
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

FAMILIES: Final = ("Segoe UI Variable", "Segoe UI", "Inter", "Noto Sans", "DejaVu Sans")
BASE_PX: Final = 14
TEXT_SCALES: Final = (1.0, 1.25, 1.5, 2.0)
MIN_CONTRAST: Final = 4.5  # WCAG 2.2, 1.4.3


class Appearance(StrEnum):
    """Which palette the clinician asked for."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True, kw_only=True)
class Colours:
    """One palette. Every `…_ink` is written on the ground of the same name."""

    ground: str  # behind the cards
    surface: str  # cards, lists, fields
    raised: str  # selected row, hovered button
    line: str
    edge: str  # border of what can be operated, 3:1 on surface (WCAG 1.4.11)
    ink: str
    quiet: str  # secondary text
    accent: str  # what speaks for, what is present, where the focus is
    accent_ink: str
    accent_soft: str
    against: str
    danger: str
    danger_soft: str
    danger_ink: str
    notice_soft: str
    notice_ink: str
    rare: str
    rare_soft: str

    def written_pairs(self) -> tuple[tuple[str, str], ...]:
        """Every (ink, ground) the window writes text with."""
        grounds = (self.ground, self.surface, self.raised)
        inks = (self.ink, self.quiet, self.accent, self.danger, self.against)
        return (
            *((ink, ground) for ink in inks for ground in grounds),
            (self.accent_ink, self.accent),
            (self.ink, self.accent_soft),
            (self.accent, self.accent_soft),
            (self.danger_ink, self.danger_soft),
            (self.notice_ink, self.notice_soft),
            (self.rare, self.rare_soft),
        )


LIGHT: Final = Colours(
    ground="#F4F5F2",
    surface="#FFFFFF",
    raised="#EAF1EE",
    line="#DDE1DC",
    edge="#858F89",
    ink="#1B2320",
    quiet="#545F59",
    accent="#0B6152",
    accent_ink="#FFFFFF",
    accent_soft="#E1EFEA",
    against="#8A4309",
    danger="#A3241A",
    danger_soft="#FBEAE7",
    danger_ink="#7E1B13",
    notice_soft="#FBF2DD",
    notice_ink="#664500",
    rare="#553A94",
    rare_soft="#EFEAF9",
)

DARK: Final = Colours(
    ground="#121614",
    surface="#1A201D",
    raised="#26302B",
    line="#2E3833",
    edge="#7C8982",
    ink="#E7ECE9",
    quiet="#A9B5AF",
    accent="#69CDB5",
    accent_ink="#06241D",
    accent_soft="#1C3B34",
    against="#EDAA70",
    danger="#FF9C90",
    danger_soft="#3E1D19",
    danger_ink="#FFC4BC",
    notice_soft="#382D14",
    notice_ink="#F3D592",
    rare="#CBB8FA",
    rare_soft="#2F2747",
)


def colours_for(appearance: Appearance, app: QApplication) -> Colours:
    """Return the palette asked for; SYSTEM follows the desktop."""
    if appearance is Appearance.SYSTEM:
        dark = app.styleHints().colorScheme() is Qt.ColorScheme.Dark
        return DARK if dark else LIGHT
    return DARK if appearance is Appearance.DARK else LIGHT


_current: list[Colours] = [LIGHT]


def colours() -> Colours:
    """Return the palette in use, for what is painted by hand."""
    return _current[0]


def apply(app: QApplication, palette: Colours, scale: float) -> None:
    """Dress the application. scale: text size, 1.0 is 100 %."""
    _current[0] = palette
    app.setStyle("Fusion")
    font = app.font()
    font.setFamilies([f for f in FAMILIES if QFontDatabase.hasFamily(f)] or [font.family()])
    font.setPixelSize(round(BASE_PX * scale))
    app.setFont(font)
    app.setPalette(_qt_palette(palette))
    app.setStyleSheet(stylesheet(palette, scale))


def contrast(ink: str, ground: str) -> float:
    """Return the contrast ratio 1..21 of two colours. Source: WCAG 2.2, relative luminance."""
    first, second = sorted((_luminance(ink), _luminance(ground)), reverse=True)
    return (first + 0.05) / (second + 0.05)


def _luminance(colour: str) -> float:
    def linear(channel: float) -> float:
        return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4

    value = QColor(colour)
    return (
        0.2126 * linear(value.redF())
        + 0.7152 * linear(value.greenF())
        + 0.0722 * linear(value.blueF())
    )


def _qt_palette(c: Colours) -> QPalette:
    palette = QPalette()
    roles = {
        QPalette.ColorRole.Window: c.ground,
        QPalette.ColorRole.WindowText: c.ink,
        QPalette.ColorRole.Base: c.surface,
        QPalette.ColorRole.AlternateBase: c.raised,
        QPalette.ColorRole.Text: c.ink,
        QPalette.ColorRole.PlaceholderText: c.quiet,
        QPalette.ColorRole.Button: c.surface,
        QPalette.ColorRole.ButtonText: c.ink,
        QPalette.ColorRole.ToolTipBase: c.surface,
        QPalette.ColorRole.ToolTipText: c.ink,
        QPalette.ColorRole.Highlight: c.accent,
        QPalette.ColorRole.HighlightedText: c.accent_ink,
        QPalette.ColorRole.Link: c.accent,
    }
    for role, colour in roles.items():
        palette.setColor(role, QColor(colour))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(c.quiet))
    return palette


def stylesheet(c: Colours, scale: float) -> str:
    """Return the stylesheet of one palette at one text size."""
    sizes = {
        "small": round(12 * scale),
        "base": round(BASE_PX * scale),
        "large": round(17 * scale),
        "title": round(24 * scale),
        "key": round(20 * scale),
        "field": round(20 * scale),
        "status": round(28 * scale),
    }
    names = {name: getattr(c, name) for name in Colours.__slots__}
    return _SHEET.substitute(names, **{key: f"{value}px" for key, value in sizes.items()})


_SHEET: Final = Template("""
* { font-size: $base; }
QMainWindow, QDialog, QWidget#page { background: $ground; color: $ink; }
QLabel { background: transparent; color: $ink; }
QLabel[look="title"] { font-size: $title; font-weight: 600; }
QLabel[look="heading"] { font-size: $large; font-weight: 600; }
QLabel[look="section"] { font-weight: 600; }
QLabel[look="quiet"] { color: $quiet; }
QLabel[look="small"] { color: $quiet; font-size: $small; }
QLabel[look="accent"] { color: $accent; font-weight: 600; }
QLabel[look="against"] { color: $against; font-weight: 600; }
QLabel[look="wrong"] { color: $danger; }
QLabel[look="refusal"] { background: $danger_soft; color: $danger_ink; border-radius: 6px;
  padding: 8px 10px; }
QLabel[look="notice"] { background: $notice_soft; color: $notice_ink; border-radius: 6px;
  padding: 6px 10px; }
QLabel[look="done"] { background: $accent_soft; color: $ink; border-radius: 6px;
  padding: 8px 10px; }
QLabel[look="key"] { font-family: "DejaVu Sans Mono", "Consolas", monospace; font-size: $key;
  background: $surface; border: 1px solid $edge; border-radius: 8px; padding: 14px; }
QLabel[look="code"] { font-family: "DejaVu Sans Mono", "Consolas", monospace; font-size: $title;
  font-weight: 700; background: $surface; border: 1px solid $edge; border-radius: 8px;
  padding: 14px; }
QLabel[look="hint"] { color: $quiet; border: 1px solid $line; border-radius: 4px;
  padding: 0 5px; font-size: $small; }
QLabel[look="cap"] { background: $raised; border: 1px solid $line; border-radius: 4px;
  padding: 2px 8px; font-weight: 600; }
QLabel[look="triage0"] { color: $quiet; }
QLabel[look="triage1"] { background: $danger_soft; color: $danger_ink; font-weight: 700;
  border: 2px solid $danger; border-radius: 6px; padding: 2px 8px; }
QLabel[look="triage2"] { background: $surface; color: $against; font-weight: 700;
  border: 2px solid $against; border-radius: 6px; padding: 2px 8px; }
QLabel[look="triage3"] { background: $notice_soft; color: $notice_ink; font-weight: 600;
  border: 1px solid $notice_ink; border-radius: 6px; padding: 2px 8px; }
QLabel[look="triage4"] { background: $accent_soft; color: $accent; font-weight: 600;
  border: 1px solid $accent; border-radius: 6px; padding: 2px 8px; }
QLabel[look="triage5"] { background: $raised; color: $quiet; font-weight: 600;
  border: 1px solid $edge; border-radius: 6px; padding: 2px 8px; }
QLabel[look="wordmark"] { color: $accent; font-size: $large; font-weight: 700; }

QFrame#card { background: $surface; border: 1px solid $line; border-radius: 10px; }
QFrame#strip { background: $danger_soft; border: 1px solid $danger; border-radius: 8px; }
QLabel[look="busy"] { color: $ink; font-weight: 600; }
QProgressBar { background: $line; border: 0; border-radius: 3px; }
QProgressBar::chunk { background: $accent; border-radius: 3px; }
QFrame#trial { background: $notice_soft; border: 1px solid $notice_ink; border-radius: 8px; }
QFrame#trial QLabel { color: $notice_ink; }
QFrame#strip QLabel { color: $danger_ink; }
QFrame#bar, QFrame#status { background: $surface; border: 0; border-top: 1px solid $line; }
QFrame#top { background: $surface; border: 0; border-bottom: 1px solid $line; }
QFrame#status QPushButton { font-size: $small; min-height: 0; padding: 3px 8px; }
QFrame#status QPushButton:focus { padding: 2px 7px; }
QFrame#status { min-height: $status; }
QFrame#status QLabel { font-size: $small; color: $quiet; }
QFrame#status QLabel[look="attention"] { color: $danger; font-weight: 600; }

QLineEdit, QComboBox { background: $surface; color: $ink; border: 1px solid $edge;
  border-radius: 6px; padding: 6px 8px; min-height: $field;
  selection-background-color: $accent; selection-color: $accent_ink; }
QLineEdit { placeholder-text-color: $quiet; }
QLineEdit:focus, QComboBox:focus { border: 2px solid $accent; padding: 5px 7px; }
QLineEdit[wrong="true"], QComboBox[wrong="true"] { border: 2px solid $danger; padding: 5px 7px; }
QLineEdit[outside="true"] { color: $against; font-weight: 600; }
QLineEdit:disabled, QComboBox:disabled { color: $quiet; background: $ground; }
QComboBox { padding-right: 24px; }
QComboBox:focus { padding-right: 23px; }
QComboBox::drop-down { border: 0; width: 0; }
QComboBox QAbstractItemView { background: $surface; color: $ink; border: 1px solid $edge;
  selection-background-color: $raised; selection-color: $ink; outline: 0; }

QPushButton, QToolButton { background: $surface; color: $ink; border: 1px solid $edge;
  border-radius: 6px; padding: 6px 12px; min-height: $field; }
QPushButton:hover, QToolButton:hover { background: $raised; }
QPushButton:focus, QToolButton:focus { border: 2px solid $accent; padding: 5px 11px; }
QPushButton:checked, QToolButton:checked { background: $accent_soft; border-color: $accent; }
QPushButton:disabled, QToolButton:disabled { color: $quiet; border-color: $line;
  background: $ground; }
QPushButton[look="primary"] { background: $accent; color: $accent_ink; border-color: $accent;
  font-weight: 600; }
QPushButton[look="primary"]:hover { background: $accent; border-color: $ink; }
QPushButton[look="primary"]:focus { border: 2px solid $ink; }
QPushButton[look="primary"]:disabled { background: $raised; color: $quiet; border-color: $line; }
QPushButton[look="plain"], QToolButton[look="plain"] { border-color: transparent;
  background: transparent; color: $ink; padding: 4px 8px; }
QPushButton[look="plain"]:hover, QToolButton[look="plain"]:hover { background: $raised; }
QPushButton[look="plain"]:focus, QToolButton[look="plain"]:focus { border: 2px solid $accent;
  padding: 3px 7px; }
QToolButton::menu-indicator { image: none; }
QPushButton[look="disclose"] { border: 0; background: transparent; text-align: left;
  padding: 4px 2px; font-weight: 600; }
QPushButton[look="disclose"]:focus { border: 2px solid $accent; padding: 2px 0; }

QTextEdit, QPlainTextEdit { background: $surface; color: $ink; border: 1px solid $line;
  border-radius: 8px; padding: 6px; }
QTextEdit:focus, QPlainTextEdit:focus { border: 2px solid $accent; padding: 5px; }
QTableView { background: $surface; color: $ink; border: 1px solid $line; border-radius: 3px;
  outline: 0; selection-background-color: $raised; selection-color: $ink; font-size: $small; }
QTableView::item { padding: 0 8px; }
QTableView:focus { border: 2px solid $accent; }
QHeaderView { background: $surface; border: 0; }
QHeaderView::section { background: $surface; color: $quiet; border: 0; padding: 3px 11px;
  border-bottom: 1px solid $line; font-size: $small; }
QListView { background: $surface; color: $ink; border: 1px solid $line; border-radius: 8px;
  outline: 0; }
QListView:focus { border: 2px solid $accent; }
QListView[look="bare"] { border-color: transparent; background: transparent; }
QListView[look="bare"]:focus { border: 2px solid $accent; }

QCheckBox { spacing: 10px; color: $ink; padding: 3px; border: 2px solid transparent;
  border-radius: 6px; }
QCheckBox:focus { border-color: $accent; }
QCheckBox::indicator { width: 16px; height: 16px; border: 1px solid $edge; border-radius: 4px;
  background: $surface; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent; }
QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; border: 0; }
QScrollArea#tall:focus { border: 2px solid $accent; border-radius: 6px; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 2px; }
QScrollBar::handle:vertical { background: $edge; border-radius: 3px; min-height: 28px; }
QScrollBar::add-line, QScrollBar::sub-line { height: 0; width: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QMenu { background: $surface; color: $ink; border: 1px solid $edge; padding: 4px; }
QMenu::item { padding: 6px 24px 6px 16px; border-radius: 4px; }
QMenu::item:selected { background: $raised; }
QMenu::separator { height: 1px; background: $line; margin: 4px 8px; }
QToolTip { background: $surface; color: $ink; border: 1px solid $edge; padding: 4px 6px; }
""")
