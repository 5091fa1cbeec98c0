"""A field that takes a disease by part of its name, in the language of the window."""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, TypeVar

from PySide6.QtCore import QStringListModel
from PySide6.QtWidgets import QCompleter, QLineEdit

from ddx.domain.identifiers import DiseaseId
from desktop.presenters import decision
from desktop.ui.i18n import Texts, translate
from desktop.ui.labels import Labels, told_apart
from desktop.ui.widgets import Text

T = TypeVar("T")


class Names(NamedTuple):
    """Every disease by name, and (name, plain name) for the search."""

    diseases: dict[str, DiseaseId]
    plain: tuple[tuple[str, str], ...]


_read: dict[str, tuple[object, Names]] = {}
"""By language: the catalogue they were read from, and the names. One catalogue is in use."""


STEP: Final = 256
"""Diseases read in one go, a few milliseconds."""


def read_names(labels: Labels, pause: Callable[[], object] = lambda: None) -> Names:
    """Return the names of the active bundle: some 12,000, read once for each language.

    pause: called between two steps of at most STEP diseases; it may wait.
    """
    language = labels.language
    kept = _read.get(language)
    if kept is not None and kept[0] is labels.catalogue:
        return kept[1]
    named: list[tuple[str, DiseaseId]] = []
    for some in _steps(labels.catalogue.diseases):
        named += labels.names_of(some)
        pause()
    diseases = told_apart(named)
    pause()
    plain: list[tuple[str, str]] = []
    for part in _steps(tuple(diseases)):
        plain += ((name, decision.plain(name)) for name in part)
        pause()
    names = Names(diseases, tuple(plain))
    _read[language] = labels.catalogue, names
    return names


def _steps(whole: tuple[T, ...]) -> Iterator[tuple[T, ...]]:
    return (whole[start : start + STEP] for start in range(0, len(whole), STEP))


class DiseaseField(QLineEdit):
    """Completes names as they are typed, whatever their capitals and accents."""

    def __init__(self, labels: Labels, texts: Texts, name: Text, completions: int) -> None:
        """Return an empty field. name: accessible name. completions: names shown at most."""
        super().__init__()
        self._labels, self._most = labels, completions
        self._known = Names({}, ())
        self._found = QStringListModel(self)
        completer = QCompleter(self._found, self)
        completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        completer.setMaxVisibleItems(completions)
        self.setCompleter(completer)
        texts.bind(self.setAccessibleName, name)
        texts.bind(
            self.setPlaceholderText,
            lambda: translate("DiseaseField", "Escriba y elija de la lista"),
        )
        self.textEdited.connect(self._complete)

    def know(self, names: Names) -> None:
        """Take names that were read beforehand."""
        self._known = names

    def forget(self) -> None:
        """Forget the names: those of another language are read when one is typed."""
        self._known = Names({}, ())

    def read(self) -> None:
        """Read the names now, where they are not known."""
        if not self._known.diseases:
            self._known = read_names(self._labels)

    @property
    def disease(self) -> DiseaseId | None:
        """The disease whose name was typed or chosen, None while the text is no name."""
        wanted, known = decision.plain(self.text().strip()), self._known
        return next((known.diseases[name] for name, p in known.plain if p == wanted), None)

    @property
    def choosing(self) -> bool:
        """Whether the names found are open: Enter takes one of them first."""
        popup = self.completer().popup()
        return popup is not None and popup.isVisible()

    def _complete(self, text: str) -> None:
        self.read()
        self._found.setStringList(list(decision.matching(text, self._known.plain, self._most)))
        self.completer().complete()
