"""Languages of the window: source texts are Spanish, the rest are Qt Linguist translations."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QObject, QTranslator

TRANSLATIONS: Final = Path(__file__).resolve().parent


class Language(StrEnum):
    """Languages the window speaks."""

    SPANISH = "es"
    ENGLISH = "en"


def translate(context: str, text: str) -> str:
    """Return the Spanish source `text` in the language of the window.

    Both arguments are literals wherever this is called: `pyside6-lupdate` reads them.
    """
    return QCoreApplication.translate(context, text)


def QT_TRANSLATE_NOOP(_context: str, text: str) -> str:
    """Return `text` as it is and mark it for `pyside6-lupdate`; `translate` it when shown."""
    return text


def system_language() -> Language:
    """Return English on an English system, Spanish on every other."""
    english = QLocale.system().language() is QLocale.Language.English
    return Language.ENGLISH if english else Language.SPANISH


class Translators(QObject):
    """The translators installed in the application; `speak` swaps them."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._installed: list[QTranslator] = []
        self.language = Language.SPANISH

    def speak(self, language: Language) -> None:
        """Switch the window to `language`; Qt sends LanguageChange to every widget."""
        for translator in self._installed:
            QCoreApplication.removeTranslator(translator)
        self._installed.clear()
        self.language = language
        QLocale.setDefault(QLocale(language.value))
        self._install(Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)), "qtbase")
        if language is not Language.SPANISH:
            self._install(TRANSLATIONS, "vereda")

    def _install(self, folder: Path, catalogue: str) -> None:
        translator = QTranslator(self)
        if translator.load(f"{catalogue}_{self.language.value}", str(folder)):
            QCoreApplication.installTranslator(translator)
            self._installed.append(translator)


@dataclass(slots=True)
class Texts:
    """The texts of one widget: said once when bound, said again when the language changes."""

    _bound: list[tuple[Callable[[str], object], Callable[[], str]]] = field(default_factory=list)

    def bind(self, put: Callable[[str], object], text: Callable[[], str]) -> None:
        """Put `text()` now and after every change of language."""
        self._bound.append((put, text))
        put(text())

    def say_again(self) -> None:
        """Put every text in the current language."""
        for put, text in self._bound:
            put(text())
