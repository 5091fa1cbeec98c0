"""The rows of the differential: measured once, and again when something about them changes."""

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

from ddx.domain.differential import Band, Candidate, World
from ddx.domain.identifiers import DiseaseId
from desktop.ui import candidate_list
from desktop.ui.candidate_list import CandidateLine, CandidateList
from desktop.ui.i18n import Language, Translators

LONG = "Fiebre hemorrágica con síndrome renal por hantavirus de Puumala en el embarazo tardío"


def line(rank, name="Dengue", probability=0.3, **more):
    candidate = Candidate(
        rank=rank,
        disease=DiseaseId(f"VD:{rank}"),
        probability=probability,
        band=Band.POSSIBLE,
        world=World.COMMON,
    )
    return CandidateLine(candidate, name, **more)


@pytest.fixture
def measured(monkeypatch):
    """The names measured so far."""
    names, measure = [], candidate_list.paint.wrapped_height
    monkeypatch.setattr(
        candidate_list.paint,
        "wrapped_height",
        lambda text, *rest: names.append(text) or measure(text, *rest),
    )
    return names


@pytest.fixture
def shown(qtbot):
    made = CandidateList()
    qtbot.addWidget(made)
    font = made.font()
    font.setPixelSize(14)
    made.setFont(font)
    made.resize(330, 500)
    made.show()
    made.show_lines([line(1), line(2, "Malaria"), line(3, LONG)], None)
    qtbot.wait(20)
    return made


def heights(shown):
    return [shown.visualRect(shown.lines.index(i)).height() for i in range(shown.lines.rowCount())]


def test_a_row_is_measured_once_however_often_the_list_is_laid_out(shown, measured):
    for _ in range(3):
        shown.doItemsLayout()
        shown.viewport().repaint()
    assert measured == []
    shown.show_lines([line(1, "Zika"), line(2, "Malaria")], None)
    for _ in range(3):
        shown.doItemsLayout()
        shown.viewport().repaint()
    assert sorted(measured) == ["Malaria", "Zika"]


def test_a_longer_name_and_a_narrower_list_make_a_row_higher(shown, qtbot):
    one, _, two = heights(shown)
    assert two > one
    shown.show_lines([line(1, LONG), line(2, "Malaria"), line(3)], None)
    qtbot.waitUntil(lambda: heights(shown) == [two, one, one])
    shown.resize(200, 500)
    qtbot.waitUntil(lambda: heights(shown)[1] > one)  # what stands beside the bar goes below it


def test_larger_text_makes_every_row_higher(shown, qtbot):
    before, font = heights(shown), shown.font()
    font.setPixelSize(font.pixelSize() * 2)
    shown.setFont(font)
    qtbot.waitUntil(lambda: all(b > a for a, b in zip(before, heights(shown), strict=True)))


def test_another_language_is_measured_and_drawn_in_its_own_words(shown, measured, qapp):
    translators = Translators(qapp)
    delegate = shown.itemDelegate()

    def said():
        row = delegate._measure(shown.lines.lines[0], 0, 330, shown.font())
        return " ".join(piece.text for piece, _ in row.under)

    try:
        spanish = said()
        translators.speak(Language.ENGLISH)
        QApplication.sendEvent(shown, QEvent(QEvent.Type.LanguageChange))
        assert said() != spanish
    finally:
        translators.speak(Language.SPANISH)
    assert measured
