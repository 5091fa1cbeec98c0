"""The clinic application: the only place that wires store, services, engine and window.

`compose` shows a window first; the store's and the engine's modules load on worker threads while
the clinician is still typing the passphrase. Without a display the same application runs one
demonstration case offscreen (`desktop.ui.tour`) and prints what it found.
"""

import argparse
import gc
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddx.domain.course import UNWATCHED, Course
from desktop.frozen import give_streams, tell
from desktop.hardening import refuse_dumps
from desktop.logs import keep_log, log_what_nobody_caught
from desktop.settings import (
    Settings,
    SettingsError,
    WindowLanguage,
    data_directory,
    load_settings,
)
from desktop.thrift import read_no_sources

if TYPE_CHECKING:  # the window comes first; these load after it
    import httpx
    from PySide6.QtWidgets import QApplication

    from desktop.services.clinic import Clinic
    from desktop.services.engines import (
        BundleMemory,
        BundleShelf,
        DiagnosticEngine,
        KeptMemory,
    )
    from desktop.services.records import ModelStatus
    from desktop.ui.window import MainWindow
    from model_bundles.verify import Trust
    from sync_service.client.budget import ByteBudget
    from sync_service.client.updates import UpdateReport

DEMO_FOLDER: Final = "demo"
SWITCH_S: Final = 0.0005
"""How long a thread may compute on in Python while another one waits for its turn.

The window gives the interpreter away with every call into Qt and waits this long to have it back
while a worker computes: at the 5 ms Python comes with, a screen of 200 calls takes a second.
"""
DEMO_LIMIT: Final = 10
COMMANDS: Final = {
    "diagnose": "desktop.commands.diagnose",
    "rank": "desktop.commands.rank",
    "replay": "desktop.commands.replay",
    "audit": "desktop.terminal.audit",
    "clinic": "desktop.terminal.clinic",
    "bundle": "desktop.terminal.bundle",
    "app-update": "desktop.terminal.app_update",
    "sync": "desktop.terminal.sync_files",
    "self-test": "desktop.commands.self_test",
    "support": "desktop.terminal.support",
    "leave": "desktop.terminal.leave",
}
"""Words that run something in the terminal instead of opening the window."""


class LoadingShelf:
    """A `BundleShelf` that loads on a thread of its own: whoever needs it waits for it.

    A bundle that cannot be used raises its BundleError from every use, so the sign-in says so.
    """

    def __init__(self, load: Callable[[], "BundleShelf"]) -> None:
        self._load = load
        self._loaded: Future[BundleShelf] = Future()
        self._started = threading.Lock()

    def start(self) -> None:
        """Begin loading, unless it has begun."""
        if self._started.acquire(blocking=False):  # never released: there is one loading
            threading.Thread(target=self._run, name="engine", daemon=True).start()

    @property
    def loading(self) -> bool:
        """Whether it has begun and not ended."""
        return self._started.locked() and not self._loaded.done()

    @property
    def _shelf(self) -> "BundleShelf":
        self.start()
        return self._loaded.result()

    def _run(self) -> None:
        try:
            loaded = self._load()
            gc.freeze()  # what was loaded stays: no pass of the collector walks it again
            self._loaded.set_result(loaded)
        except BaseException as error:  # noqa: BLE001 -- handed to whoever asks for the shelf
            self._loaded.set_exception(error)

    @property
    def engine(self) -> "DiagnosticEngine":
        """The engine in use."""
        return self._shelf.engine

    @property
    def status(self) -> "ModelStatus":
        """Which bundle serves."""
        return self._shelf.status

    @property
    def refused(self) -> tuple[str, ...]:
        """Codes of what kept a better bundle from serving at start."""
        return self._shelf.refused

    def engine_for(self, digest: str) -> "DiagnosticEngine":
        """Return the engine of the bundle with that digest. Raises OtherBundleError."""
        return self._shelf.engine_for(digest)

    def remember(self, kept: "KeptMemory") -> None:
        """Let the files of this device and the encrypted store make good each other's floors."""
        self._shelf.remember(kept)

    def update(
        self,
        http: "httpx.Client",
        server: str,
        memory: "BundleMemory",
        course: Course = UNWATCHED,
        *,
        metered: bool = False,
        budget: "ByteBudget | None" = None,
    ) -> "UpdateReport":
        """Install what the server offers and serve it."""
        return self._shelf.update(http, server, memory, course, metered=metered, budget=budget)

    def update_from(
        self, folder: Path, memory: "BundleMemory", course: Course = UNWATCHED
    ) -> "UpdateReport":
        """Install what a stick offers and serve it."""
        return self._shelf.update_from(folder, memory, course)


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """The composed application. opener: kept here, Qt holds the methods it calls weakly."""

    qt: "QApplication"
    window: "MainWindow"
    opener: "Opener"
    data_dir: Path

    def run(self) -> int:
        """Hand control to Qt until the window closes; return the exit code."""
        return int(self.qt.exec())


def compose(
    data_dir: Path,
    *,
    trust: "Trust | None" = None,
    repository: Path | None = None,
    server: str | None = None,
    demo: bool = False,
    language: str | None = None,
) -> App:
    """Return the application with its window on screen, still opening the clinic behind it.

    trust, repository: another root and repository than the embedded ones (both or neither).
    server: offered when the clinic links itself to a cloud. demo: create the demonstration
    clinic when there is none.

    Raises:
        SettingsError: the settings file of `data_dir` cannot be used.
    """
    from desktop.ui.collector import Collector  # noqa: PLC0415 -- Qt, after the platform

    sys.setswitchinterval(SWITCH_S)
    settings = load_settings(data_dir)
    if server is not None:
        settings = replace(settings, sync_url=server)
    window, qt = _window(data_dir, language, settings.language)

    def load() -> "BundleShelf":
        from desktop.services.open_shelf import open_shelf  # noqa: PLC0415 -- loads onnxruntime

        return open_shelf(data_dir, settings, trust, repository)

    shelf = LoadingShelf(load)
    Collector(window, lambda: shelf.loading)
    opener = Opener(window, data_dir, shelf, settings)
    window.demo_wanted.connect(opener.open_demo)
    window.show()
    window.after_first_paint(lambda: opener.open(demo=demo))
    return App(qt=qt, window=window, opener=opener, data_dir=data_dir)


def _window(
    data_dir: Path, language: str | None, suggested: WindowLanguage
) -> "tuple[MainWindow, QApplication]":
    from PySide6.QtWidgets import QApplication  # noqa: PLC0415 -- after the platform is chosen

    read_no_sources()  # before what imports much
    from desktop.ui.i18n import Language, Translators  # noqa: PLC0415
    from desktop.ui.jobs import Jobs  # noqa: PLC0415
    from desktop.ui.preferences import PreferenceFile  # noqa: PLC0415
    from desktop.ui.widgets import meet_kinds  # noqa: PLC0415
    from desktop.ui.window import MainWindow  # noqa: PLC0415

    existing = QApplication.instance()
    qt = existing if isinstance(existing, QApplication) else QApplication(["vereda"])
    qt.setApplicationName("Vereda")
    meet_kinds(qt)
    spoken = None if suggested is WindowLanguage.SYSTEM else Language(suggested.value)
    window = MainWindow(PreferenceFile(data_dir, spoken), Translators(qt), Jobs())
    if language is not None:
        window.choose(replace(window.preferences, language=Language(language)))
    return window, qt


class Opener:
    """Opens the clinic of a data directory behind a window that is already there."""

    def __init__(
        self, window: "MainWindow", data_dir: Path, shelf: LoadingShelf, settings: Settings
    ) -> None:
        self._window, self._data_dir = window, data_dir
        self._shelf, self._settings = shelf, settings

    def open(self, *, demo: bool) -> None:
        """Read what is there, show the first run or the sign-in, then load the engine."""
        self._run(lambda: self._found(self._data_dir, create_demo=demo))

    def open_demo(self) -> None:
        """Open the demonstration clinic, beside the real one and never inside it."""
        self._run(lambda: self._found(self._data_dir / DEMO_FOLDER, create_demo=True))

    def _run(self, work: "Callable[[], tuple[Clinic, bool, str]]") -> None:
        self._window.jobs.run(
            work,
            lambda found: self._opened(*found),
            lambda error: self._window.cannot_open(error.code),
        )

    def _opened(self, clinic: "Clinic", set_up: bool, hint: str) -> None:
        self._window.attach(clinic, set_up=set_up, hint=hint)
        self._shelf.start()  # while the passphrase is being typed

    def _found(self, folder: Path, *, create_demo: bool) -> "tuple[Clinic, bool, str]":
        from desktop.services.clinic import Clinic  # noqa: PLC0415 -- loads the store

        clinic = Clinic(folder, self._shelf, settings=self._settings)
        hint = _demo_passphrase(clinic, create=create_demo)
        return clinic, clinic.is_set_up(), hint


def _demo_passphrase(clinic: "Clinic", *, create: bool) -> str:
    """Return the public passphrase of a demonstration clinic, empty for a real one."""
    from desktop.services import demo  # noqa: PLC0415

    if not clinic.is_set_up():
        if not create:
            return ""
        made = demo.create_demo_clinic(clinic)
        _say(
            "Centro de demostración creado / Demonstration clinic created\n"
            f"  {made.clinician.display_name}\n"
            f"  frase de paso / passphrase: {made.passphrase}\n"
        )
        return made.passphrase
    is_demo = any(c.display_name == demo.CLINICIAN_NAME for c in clinic.clinicians())
    return demo.PASSPHRASE if is_demo else ""


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def has_display(environment: Mapping[str, str], platform: str) -> bool:
    """Whether a window can be seen: always outside Linux; there, with X11 or Wayland."""
    if not platform.startswith("linux"):
        return True
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vereda",
        description="Vereda, the clinic's window.",
        epilog=f"Without a window: vereda {', '.join(COMMANDS)} --help",
    )
    parser.add_argument("--data", type=Path, help="data directory of the clinic")
    parser.add_argument("--lang", choices=("es", "en"), help="language of the window")
    parser.add_argument("--demo", action="store_true", help="open the demonstration clinic")
    parser.add_argument(
        "--offscreen",
        type=Path,
        metavar="OUTDIR",
        help="run one demonstration case without a display and save pictures of each screen",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Start the clinic, or run one command without a window. Returns the exit code."""
    console = give_streams()
    given = list(sys.argv[1:] if argv is None else argv)
    if given and given[0] in COMMANDS:
        return int(import_module(COMMANDS[given[0]]).main(given[1:]))
    asked = _parser().parse_args(given)
    pictures: Path | None = asked.offscreen
    if pictures is None and not has_display(os.environ, sys.platform):
        pictures = Path("build") / "screens"
        _say("No display found: running the same application offscreen, on one case.\n")
    refuse_dumps()  # before any key is in memory
    log_what_nobody_caught()
    demo = asked.demo or pictures is not None
    data_dir = asked.data or (data_directory() / DEMO_FOLDER if demo else data_directory())
    try:
        end_log = keep_log(data_dir, load_settings(data_dir).log_level)
    except SettingsError as error:
        return _cannot_start(error, console=console)
    try:
        if pictures is not None:
            return _offscreen(data_dir, asked.lang, pictures)
        return compose(data_dir, demo=demo, language=asked.lang).run()
    except SettingsError as error:
        return _cannot_start(error, console=console)
    finally:
        end_log()


def _cannot_start(error: SettingsError, *, console: bool) -> int:
    tell(f"{error.place}: {error}", console=console)
    return 2


def _offscreen(data_dir: Path, language: str | None, pictures: Path) -> int:
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from desktop.services.demo import PASSPHRASE, demo_cases  # noqa: PLC0415
    from desktop.ui.tour import Tour, TourError  # noqa: PLC0415

    app = compose(data_dir, demo=True, language=language)
    try:
        report = Tour(app.window, pictures).walk(PASSPHRASE, demo_cases()[0])
    except TourError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        app.window.close()
    _say(report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
