"""One demonstration case through the real window, without a display: pictures and a table.

The tour presses what a clinician would press; nothing here reaches around the screens.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from PySide6.QtCore import QElapsedTimer, QEventLoop, QTimer
from PySide6.QtWidgets import QWidget

from ddx.domain.finding import Presence
from desktop.presenters.likelihood import natural_frequency
from desktop.presenters.visit_state import FindingMarked
from desktop.presenters.why import why
from desktop.ui import messages, words
from desktop.ui.i18n import translate
from desktop.ui.patients import PatientsScreen
from desktop.ui.sign_in import SignInScreen
from desktop.ui.visit import VisitScreen
from desktop.ui.why import SHOWN_EXPECTED
from desktop.ui.window import MainWindow

PATIENCE_MS: Final = 60_000
SHOWN: Final = 10
S = TypeVar("S", bound=QWidget)


class TourError(Exception):
    """The tour could not go on; the text says where it stopped."""


class Tour:
    """Walks through sign-in, patients and one visit."""

    def __init__(self, window: MainWindow, pictures: Path) -> None:
        self._window, self._pictures = window, pictures
        self._taken: list[Path] = []

    def walk(self, passphrase: str, case: Mapping[str, Any]) -> str:
        """Return the differential and its reasons as a table. Raises TourError."""
        self._pictures.mkdir(parents=True, exist_ok=True)
        self._sign_in(passphrase)
        visit = self._open_visit(case["family_name"])
        self._fill(visit, case)
        visit.entry.diagnose.click()
        self._wait("diagnosis", lambda: visit.state.explanation or visit.state.refusal)
        if visit.state.explanation is None:
            raise TourError(messages.refusal(visit.state.refusal))
        self._picture("visit")
        self._window.show_keys()
        self._picture("keys", self._window.key_map)
        self._window.key_map.accept()
        return self._table(visit)

    def _sign_in(self, passphrase: str) -> None:
        screen = self._screen(SignInScreen, "sign-in")
        self._wait("clinicians", lambda: screen.state.clinicians)
        self._picture("sign_in")
        screen.passphrase.setText(passphrase)
        screen.enter.click()
        self._wait("session", lambda: screen.state.refusal or self._window.screen_shown != screen)
        if self._window.screen_shown is screen:
            raise TourError(messages.refusal(screen.state.refusal))

    def _open_visit(self, family_name: str) -> VisitScreen:
        screen = self._screen(PatientsScreen, "patients")
        self._wait("patients", lambda: screen.state.patients and not screen.state.loading)
        self._picture("patients")
        screen.search.setText(family_name)
        screen.search.textEdited.emit(family_name)
        self._wait("one patient", lambda: len(screen.state.patients) == 1)
        screen.list.open_current()
        visit = self._screen(VisitScreen, "visit")
        self._wait("draft", lambda: visit.state.draft_id)
        return visit

    def _fill(self, visit: VisitScreen, case: Mapping[str, Any]) -> None:
        """Enter the findings of the case; a draft that holds them already stays as it is."""
        entered = {finding.id for finding in visit.state.draft.findings}
        for key, presence in (("present", Presence.PRESENT), ("excluded", Presence.EXCLUDED)):
            for finding in case[key]:
                if finding not in entered:
                    visit.dispatch(FindingMarked(finding, presence))

    def _screen(self, kind: type[S], name: str) -> S:
        self._wait(name, lambda: isinstance(self._window.screen_shown, kind))
        shown = self._window.screen_shown
        if not isinstance(shown, kind):
            raise TourError(f"no {name} screen")
        return shown

    def _wait(self, what: str, until: Callable[[], object]) -> None:
        clock = QElapsedTimer()
        clock.start()
        while not until():
            if self._window.opening_refusal:
                raise TourError(self._window.opening_refusal)
            if clock.elapsed() > PATIENCE_MS:
                raise TourError(f"waited {PATIENCE_MS // 1000} s for the {what}")
            self._breathe(5)

    def _breathe(self, ms: int) -> None:
        loop = QEventLoop()
        QTimer.singleShot(ms, loop.quit)
        loop.exec()

    def _picture(self, name: str, widget: QWidget | None = None) -> None:
        self._breathe(60)
        path = self._pictures / f"{name}.png"
        (widget or self._window).grab().save(str(path))
        self._taken.append(path)

    def _table(self, visit: VisitScreen) -> str:
        lines = [visit.name.text(), visit.about.text(), ""]
        lines += self._alerts(visit)
        lines += self._candidates(visit)
        lines += self._reasons(visit)
        lines += [
            "",
            translate("Tour", "Imágenes guardadas en {folder}:").format(folder=self._pictures),
        ]
        lines += [f"  {path.name}" for path in self._taken]
        return "\n".join(lines) + "\n"

    def _alerts(self, visit: VisitScreen) -> list[str]:
        made = visit.state.diagnosis
        if made is None or not made.differential.alerts:
            return []
        title = translate("Differential", "No pasar por alto")
        return [title, *(f"  ! {visit.labels.alert(a.code)}" for a in made.differential.alerts), ""]

    def _candidates(self, visit: VisitScreen) -> list[str]:
        made = visit.state.diagnosis
        if made is None:
            return []
        rows = [
            (
                str(c.rank),
                visit.labels.disease(c.disease),
                words.band(c.band),
                words.frequency(natural_frequency(c.probability)),
                words.world(c.world),
            )
            for c in made.differential.candidates[:SHOWN]
        ]
        head = (
            "#",
            translate("Tour", "Diagnóstico"),
            translate("Tour", "Banda"),
            translate("Tour", "Casos así"),
            translate("Tour", "Tipo"),
        )
        return [*_aligned([head, *rows]), "", visit.differential.outside.text()]

    def _reasons(self, visit: VisitScreen) -> list[str]:
        explanation = visit.state.explanation
        if explanation is None:
            return []
        told = why(visit.state.sentences)
        lines = ["", visit.labels.disease(explanation.disease)]
        for sign, side in (("+", told.reasons_for), ("-", told.reasons_against)):
            lines += [f"  {sign} {visit.labels.reason(r)}" for r in side]
        if explanation.expected:
            asked = translate("Why", "Se esperaría, y no se ha preguntado")
            expected = map(visit.labels.finding, explanation.expected[:SHOWN_EXPECTED])
            lines.append(f"  ? {asked}: {', '.join(expected)}")
        return lines


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return [lines[0], "  ".join("-" * w for w in widths), *lines[1:]]
