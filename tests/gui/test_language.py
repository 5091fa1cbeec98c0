"""Two languages, every text."""

import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QLineEdit, QMenu

import desktop.ui
from desktop.ui.i18n import TRANSLATIONS, Language

UI = Path(desktop.ui.__file__).parent
CATALOGUE = TRANSLATIONS / "vereda_en.ts"


def messages_of(path):
    """(context, source) -> translation element of a Linguist catalogue."""
    return {
        (context.findtext("name"), message.findtext("source")): message.find("translation")
        for context in ET.parse(path).getroot().iter("context")
        for message in context.iter("message")
    }


def tool(name):
    found = shutil.which(name, path=str(Path(sys.executable).parent))
    assert found is not None, f"{name} comes with PySide6-Essentials"
    return found


def placeholders(text):
    return sorted(re.findall(r"{(\w+)}", text))


@pytest.fixture(scope="module")
def extracted(tmp_path_factory):
    """What the sources say, read by Linguist itself."""
    fresh = tmp_path_factory.mktemp("lupdate") / "fresh.ts"
    sources = [str(path) for path in sorted(UI.glob("*.py"))]
    subprocess.run([tool("pyside6-lupdate"), *sources, "-ts", str(fresh)], check=True)
    return messages_of(fresh)


def test_the_catalogue_holds_every_text_of_the_sources_and_no_other(extracted):
    assert set(messages_of(CATALOGUE)) == set(extracted)


def test_every_text_is_translated():
    unfinished = [
        key
        for key, translation in messages_of(CATALOGUE).items()
        if translation.get("type") is not None or not translation.text
    ]
    assert unfinished == []


def test_a_translation_keeps_every_placeholder():
    wrong = [
        source
        for (_, source), translation in messages_of(CATALOGUE).items()
        if placeholders(source) != placeholders(translation.text)
    ]
    assert wrong == []


def test_the_compiled_catalogue_is_the_catalogue(tmp_path):
    compiled = tmp_path / "vereda_en.qm"
    subprocess.run([tool("pyside6-lrelease"), str(CATALOGUE), "-qm", str(compiled)], check=True)
    assert compiled.read_bytes() == (TRANSLATIONS / "vereda_en.qm").read_bytes()


def shown_texts(window):
    """Every text on screen, with what screen readers say."""
    texts = set()
    for widget in window.findChildren(QLabel) + window.findChildren(QAbstractButton):
        texts |= {widget.text(), widget.accessibleName()}
    for edit in window.findChildren(QLineEdit):
        texts |= {edit.placeholderText(), edit.accessibleName()}
    for combo in window.findChildren(QComboBox):
        texts |= {combo.itemText(i) for i in range(combo.count())} | {combo.accessibleName()}
    for menu in window.findChildren(QMenu):
        texts |= {menu.title()} | {action.text() for action in menu.actions()}
    return texts - {""}


def spanish_only():
    """Source texts without placeholders that read differently in English."""
    return {
        source
        for (_, source), translation in messages_of(CATALOGUE).items()
        if "{" not in source and source != translation.text
    }


def test_switching_the_language_leaves_no_spanish_on_the_screen(window, answered, hands):
    assert shown_texts(window) & spanish_only()
    window.choose(replace(window.preferences, language=Language.ENGLISH))
    hands.rest(0.05)
    assert shown_texts(window) & spanish_only() == set()
    texts = shown_texts(window)
    assert "Raises it a lot: cough (present in 80\u00a0% of the patients described)." in texts
    assert answered.differential.list.lines.lines[0].name == "Pneumonia"
    assert answered.entry.entered.lines.lines[0].label == "Fever"


def test_switching_back_restores_the_spanish(window, answered, hands):
    before = shown_texts(window)
    for language in (Language.ENGLISH, Language.SPANISH):
        window.choose(replace(window.preferences, language=language))
        hands.rest(0.05)
    hands.until(lambda: shown_texts(window) == before)


def test_the_choice_of_language_is_kept(window, new_window, tmp_path):
    from desktop.ui.preferences import PreferenceFile

    window.choose(replace(window.preferences, language=Language.ENGLISH))
    assert PreferenceFile(tmp_path).read().language is Language.ENGLISH
