"""The composed application, on the bundle that ships."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from desktop import app
from desktop.ui.first_run import FirstRunScreen
from desktop.ui.sign_in import SignInScreen
from model_bundles import embedded

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def shipped():
    if not (embedded.default_repository() / "metadata").is_dir():
        pytest.skip("model_bundles/default is not built; run `make train`")


@pytest.mark.parametrize(
    ("environment", "platform", "seen"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({"DISPLAY": ""}, "linux", False),
        ({}, "win32", True),
        ({}, "darwin", True),
    ],
)
def test_a_display_is_recognised(environment, platform, seen):
    assert app.has_display(environment, platform) is seen


def test_a_settings_file_that_cannot_be_used_is_said_and_ends_the_start(tmp_path, capsys):
    (tmp_path / "vereda.toml").write_text("NoSuchKey = 1\n")
    assert app.main(["--data", str(tmp_path), "--offscreen", str(tmp_path / "out")]) == 2
    assert "NoSuchKey" in capsys.readouterr().err


def test_a_bundle_that_cannot_be_used_is_told_at_the_sign_in(tmp_path, qtbot, hands, qapp):
    empty = tmp_path / "repository"
    empty.mkdir()
    composed = app.compose(tmp_path / "data", repository=empty, demo=True)
    qtbot.addWidget(composed.window)
    hands.until(lambda: composed.window.opening_refusal, timeout=20_000)
    assert "llame a soporte" in composed.window.opening_refusal
    composed.window.jobs.drain()


@pytest.mark.slow
@pytest.mark.usefixtures("shipped")
def test_the_first_run_offers_the_demonstration_beside_the_real_clinic(tmp_path, qtbot, hands):
    composed = app.compose(tmp_path, language="es")
    qtbot.addWidget(composed.window)
    hands.until(lambda: isinstance(composed.window.screen_shown, FirstRunScreen), timeout=60_000)
    first = composed.window.screen_shown
    assert isinstance(first, FirstRunScreen)
    first.demo_wanted.emit()
    hands.until(lambda: isinstance(composed.window.screen_shown, SignInScreen), timeout=60_000)
    assert (tmp_path / "demo" / "store").is_dir()
    assert not (tmp_path / "store").exists()
    composed.window.jobs.drain()


@pytest.mark.slow
@pytest.mark.usefixtures("shipped")
def test_without_a_display_one_case_runs_and_is_printed(tmp_path):
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "desktop.app",
            "--data",
            str(tmp_path / "data"),
            "--lang",
            "en",
            "--offscreen",
            str(tmp_path / "pictures"),
        ],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Marfan syndrome" in done.stdout
    assert "passphrase: " in done.stdout
    assert {p.name for p in (tmp_path / "pictures").glob("*.png")} >= {"visit.png", "sign_in.png"}


@pytest.mark.slow
@pytest.mark.usefixtures("shipped")
def test_the_shipped_bundle_answers_a_visit_in_the_window(tmp_path, qtbot, hands):
    from PySide6.QtCore import Qt

    from desktop.services.demo import PASSPHRASE

    composed = app.compose(tmp_path, demo=True, language="es")
    window = composed.window
    qtbot.addWidget(window)
    hands.until(lambda: isinstance(window.screen_shown, SignInScreen), timeout=60_000)
    screen = window.screen_shown
    assert isinstance(screen, SignInScreen)
    hands.until(lambda: screen.state.may_try)
    assert PASSPHRASE in screen.demo.text()
    screen.passphrase.setText(PASSPHRASE)
    screen.enter.click()
    visit = hands.open_visit(window, "Uno")
    hands.diagnose(visit)
    names = [line.name for line in visit.differential.list.lines.lines[:5]]
    assert any("Marfan" in name for name in names)
    hands.press(Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    hands.press(Qt.Key.Key_Return)
    hands.until(lambda: visit.state.decision.recorded)
    window.jobs.drain()
