"""Takes the pictures of docs/screens: every screen, both languages, both light and dark.

    python tests/gui/take_screens.py docs/screens
    python tests/gui/take_screens.py docs/screens es en-dark     only these looks

Runs the composed application on the bundle that ships, in a data directory of its own.
"""

import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PIL import Image
from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtTest import QTest

from ddx.domain.case import Sex
from ddx.domain.finding import Presence
from ddx.domain.roles import Role
from desktop.app import compose
from desktop.presenters.first_run import Stage
from desktop.presenters.manage import Form, FormAsked
from desktop.presenters.referral import Part
from desktop.presenters.visit_state import FindingMarked, VitalTyped
from desktop.services.demo import PASSPHRASE
from desktop.ui.aggregates import AggregatesScreen
from desktop.ui.audit_log import AuditLogScreen
from desktop.ui.cloud import CloudScreen
from desktop.ui.first_run import FirstRunScreen
from desktop.ui.i18n import Language
from desktop.ui.manage import ManageScreen
from desktop.ui.patients import PatientsScreen
from desktop.ui.settings import SettingsScreen
from desktop.ui.sign_in import SignInScreen
from desktop.ui.theme import Appearance
from desktop.ui.transparency import TransparencyScreen
from desktop.ui.visit import VisitScreen

CONTROL = Qt.KeyboardModifier.ControlModifier
LOOKS = (
    ("es", Language.SPANISH, Appearance.LIGHT, 1.0),
    ("en", Language.ENGLISH, Appearance.LIGHT, 1.0),
    ("es-dark", Language.SPANISH, Appearance.DARK, 1.0),
    ("en-dark", Language.ENGLISH, Appearance.DARK, 1.0),
)
SEARCHES = {Language.SPANISH: "dolor de pe", Language.ENGLISH: "chest pa"}
COUGH, FEVER, DYSPNEA = "HP:0012735", "HP:0001945", "HP:0002094"
CHILLS, RASH = "HP:0025143", "HP:0000988"
CHEST_PAIN = "HP:0100749"


def breathe(ms=60):
    loop = QEventLoop()
    QTimer.singleShot(ms, loop.quit)
    loop.exec()


def wait(holds, limit_s=60):
    for _ in range(limit_s * 100):
        if holds():
            return
        breathe(10)
    raise TimeoutError


def lighter(picture):
    """The picture in 256 colours: the most frequent ones exactly, the edges of letters nearly."""
    counted = sorted(picture.getcolors(1 << 24), reverse=True)
    exact = [colour for _, colour in counted[:96]]
    rest = picture.quantize(160, method=Image.Quantize.MEDIANCUT).getpalette()[: 160 * 3]
    palette = Image.new("P", (1, 1))
    palette.putpalette([*(channel for colour in exact for channel in colour), *rest])
    return picture.quantize(palette=palette, dither=Image.Dither.NONE)


class Camera:
    def __init__(self, window, folder):
        self.window, self.folder = window, folder

    def take(self, name, widget=None):
        """One picture per look."""
        before = self.window.preferences
        for suffix, language, appearance, scale in LOOKS:
            self.window.choose(
                replace(before, language=language, appearance=appearance, text_scale=scale)
            )
            self.shoot(f"{name}.{suffix}", widget)
        self.window.choose(before)
        breathe()

    def shoot(self, name, widget=None):
        for _ in range(10):  # restyling lays out in several rounds
            breathe(30)
        path = self.folder / f"{name}.png"
        (widget or self.window).grab().save(str(path))
        with Image.open(path) as picture:
            lighter(picture.convert("RGB")).save(path, optimize=True)


def first_run(camera):
    window = camera.window
    wait(lambda: isinstance(window.screen_shown, FirstRunScreen))
    screen = window.screen_shown
    QTest.keyClick(screen.fields[next(iter(screen.fields))], Qt.Key.Key_Return)
    camera.take("first-run")
    screen.state = replace(screen.state, stage=Stage.CLOUD, issues={})
    screen.redraw()
    camera.take("first-run-cloud")
    screen.demo_wanted.emit()


def sign_in(camera):
    window = camera.window
    wait(lambda: isinstance(window.screen_shown, SignInScreen))
    screen = window.screen_shown
    wait(lambda: screen.state.may_try)
    screen.passphrase.setText("otra cosa")
    screen.enter.click()
    wait(lambda: screen.state.refusal and screen.state.may_try)
    camera.take("sign-in")
    screen.passphrase.setText(PASSPHRASE)
    screen.enter.click()
    wait(lambda: isinstance(window.screen_shown, PatientsScreen))
    screen = window.screen_shown
    wait(lambda: screen.state.patients)
    camera.take("patients")


def new_visit(camera):
    window = camera.window
    screen = window.screen_shown
    QTest.keyClick(window, Qt.Key.Key_N, CONTROL)
    for field, text in ((screen.form.given, "María"), (screen.form.family, "Quispe Mamani")):
        field.setText(text)
    camera.take("new-patient")
    screen.form.born.setText("07/03/1984")
    screen.form.sex.setCurrentIndex(screen.form.sex.findData(Sex.FEMALE.value))
    screen.form.save.click()
    return opened(window)


def opened(window):
    wait(lambda: isinstance(window.screen_shown, VisitScreen))
    visit = window.screen_shown
    wait(lambda: visit.state.draft_id)
    return visit


def answered(visit):
    QTest.keyClick(visit, Qt.Key.Key_F5)
    wait(lambda: visit.state.explanation and not visit.state.stale)


def entry(camera, visit):
    for finding, presence in (
        (COUGH, Presence.PRESENT),
        (FEVER, Presence.PRESENT),
        (CHILLS, Presence.PRESENT),
        (DYSPNEA, Presence.PRESENT),
        (RASH, Presence.EXCLUDED),
    ):
        visit.dispatch(FindingMarked(finding, presence))
    before = camera.window.preferences
    for suffix, language, appearance, _scale in LOOKS:
        camera.window.choose(replace(before, language=language, appearance=appearance))
        visit.entry.search.clear()
        visit.entry.search.setFocus()
        QTest.keyClicks(visit.entry.search, SEARCHES[language])
        wait(lambda language=language: visit.state.hits_for == SEARCHES[language])
        camera.shoot(f"visit-search.{suffix}")
    camera.window.choose(before)
    QTest.keyClick(visit.entry.search, Qt.Key.Key_Escape)
    onset(camera, visit)
    visit.dispatch(VitalTyped("temperature_c", "101,3"))
    visit.dispatch(VitalTyped("heart_rate_bpm", "118"))
    QTest.keyClick(visit, Qt.Key.Key_F6)
    QTest.keyClick(visit, Qt.Key.Key_F5)
    wait(lambda: visit.state.refusal)
    camera.take("visit-issues")
    QTest.keyClick(visit, Qt.Key.Key_F6)


def onset(camera, visit):
    """How strong the fever is, and since when."""
    QTest.keyClick(visit, Qt.Key.Key_F7)
    entered = visit.entry.entered
    entered.setCurrentIndex(entered.lines.index(1))
    for key in (Qt.Key.Key_S, Qt.Key.Key_S, Qt.Key.Key_S, Qt.Key.Key_D):
        QTest.keyClick(entered, key)
    QTest.keyClicks(visit.entry.onset.text, "3 d")
    camera.take("visit-onset")
    QTest.keyClick(visit.entry.onset.text, Qt.Key.Key_Return)


def opinion(camera, visit):
    """The clinician's own diagnosis, before the list."""
    visit.state = replace(visit.state, commit_first=True)
    QTest.keyClick(visit, Qt.Key.Key_F5)
    wait(visit.differential.opinion.isVisible)
    camera.take("visit-first")
    QTest.keyClick(visit, Qt.Key.Key_Escape)
    visit.state = replace(visit.state, commit_first=False)


def what_if(camera, visit):
    QTest.keyClick(visit, Qt.Key.Key_F11)
    entered = visit.entry.entered
    row = [line.id for line in entered.lines.lines].index(DYSPNEA)
    entered.setCurrentIndex(entered.lines.index(row))
    QTest.keyClick(entered, Qt.Key.Key_A)
    wait(lambda: visit.state.on_trial)
    camera.take("visit-what-if")
    QTest.keyClick(visit, Qt.Key.Key_Escape)


def numbers(camera, visit):
    for _ in range(2):
        QTest.keyClick(visit, Qt.Key.Key_D, CONTROL)
    visit._why_area.ensureWidgetVisible(visit.why.numbers)
    camera.take("visit-numbers")
    QTest.keyClick(visit, Qt.Key.Key_D, CONTROL)


def answer(camera, visit):
    for vital, text in (
        ("temperature_c", "38,5"),
        ("respiratory_rate_bpm", "28"),
        ("spo2_percent", "88"),
        ("systolic_mmhg", "104"),
        ("diastolic_mmhg", "62"),
    ):
        visit.dispatch(VitalTyped(vital, text))
    QTest.keyClick(visit, Qt.Key.Key_F6)
    wait(visit.differential.strip.isVisible)
    camera.take("visit-vitals")
    QTest.keyClick(visit, Qt.Key.Key_F6)
    opinion(camera, visit)
    answered(visit)
    camera.take("visit")
    numbers(camera, visit)
    what_if(camera, visit)
    camera.window.resize(1024, 600)
    camera.window.choose(replace(camera.window.preferences, text_scale=2.0))
    camera.shoot("visit-200-percent.es")
    camera.window.choose(replace(camera.window.preferences, text_scale=1.0))
    camera.shoot("visit-small-screen.es")
    camera.window.resize(1280, 800)
    QTest.keyClick(visit, Qt.Key.Key_3, CONTROL)
    camera.take("decision")
    QTest.keyClick(visit, Qt.Key.Key_Escape)
    QTest.keyClick(visit, Qt.Key.Key_1, CONTROL)
    visit.decision.confirm.click()
    wait(lambda: visit.state.decision.recorded)
    camera.take("decided")
    letter(camera, visit)
    history(camera, visit)
    before = camera.window.preferences
    for suffix, language, appearance, _scale in LOOKS:
        camera.window.choose(replace(before, language=language, appearance=appearance))
        camera.window.show_keys()
        camera.shoot(f"keys.{suffix}", camera.window.key_map)
        camera.window.key_map.accept()
    camera.window.choose(before)
    camera.window.activateWindow()
    visit.leave()


def letter(camera, visit):
    QTest.keyClick(visit, Qt.Key.Key_P, CONTROL)
    wait(lambda: getattr(visit, "letter", None) and visit.letter.isVisible())
    screen = visit.letter.shown
    for part, text in (
        (Part.TO, "Hospital regional, medicina interna"),
        (Part.DONE, "Oxígeno por cánula nasal a 3 L/min."),
        (Part.ASKED, "Radiografía de tórax y valoración de ingreso."),
    ):
        screen.parts[part].setPlainText(text)
    camera.take("referral", visit.letter)
    closed(camera, visit.letter)


def closed(camera, dialog):
    """Go back to the window: its keys are heard again."""
    dialog.close()
    camera.window.activateWindow()
    wait(camera.window.isActiveWindow)


def history(camera, visit):
    """A second list with a finding more, then both visits side by side, and the summary."""
    visit.dispatch(FindingMarked(CHEST_PAIN, Presence.PRESENT))
    wait(lambda: visit.state.on_trial)
    camera.take("visit-moved")
    answered(visit)
    QTest.keyClick(visit, Qt.Key.Key_H, CONTROL)
    wait(lambda: visit.history.shown.state.visits)
    screen = visit.history.shown
    QTest.keyClick(screen.list, Qt.Key.Key_Down)
    camera.take("history", visit.history)
    for key in (Qt.Key.Key_C, Qt.Key.Key_Up):
        QTest.keyClick(screen.list, key)
    camera.take("compare", visit.history)
    closed(camera, visit.history)
    before = visit.letter
    QTest.keyClick(visit, Qt.Key.Key_R, CONTROL)
    wait(lambda: visit.letter is not before and visit.letter.isVisible())
    camera.take("summary", visit.letter)
    closed(camera, visit.letter)


class Large:
    """The backups of a clinic so large that the copy is under way."""

    def __init__(self, keeping):
        self._keeping = keeping

    def __getattr__(self, name):
        return getattr(self._keeping, name)

    def back_up(self, course):
        while True:
            course.at(43, 100)
            time.sleep(0.02)


def managing(camera):
    """Who may sign in, and a backup on its way."""
    window = camera.window
    window.show_manage()
    wait(lambda: isinstance(window.screen_shown, ManageScreen))
    screen = window.screen_shown
    wait(lambda: screen.state.members)
    screen.dispatch(FormAsked(Form.ADD))
    camera.take("manage")
    screen.dispatch(FormAsked(Form.NONE))
    keeping = window._session._keeping
    window._session._keeping = Large(keeping)
    screen.back_up.click()
    wait(lambda: "43" in window.busy.title.text())
    camera.take("long-work")
    window.busy.stop()
    wait(lambda: not screen.state.busy)
    window._session._keeping = keeping
    screen.left.emit()


def offices(camera):
    window = camera.window
    window.show_settings()
    wait(lambda: isinstance(window.screen_shown, SettingsScreen))
    wait(lambda: window.screen_shown.state.content)
    camera.take("settings")
    window.show_counts()
    wait(lambda: isinstance(window.screen_shown, AggregatesScreen))
    wait(lambda: window.screen_shown.state.content)
    camera.take("counts")
    managing(camera)
    window.show_transparency()
    wait(lambda: isinstance(window.screen_shown, TransparencyScreen))
    wait(lambda: window.screen_shown.state.rows)
    camera.take("sent")
    session = window._session
    card = replace(session.clinician, role=Role.AUDITOR)  # nobody audits the demonstration
    session._desk = session.audit._desk = replace(session._desk, clinician=card)
    window.show_audit()
    wait(lambda: isinstance(window.screen_shown, AuditLogScreen))
    wait(lambda: window.screen_shown.state.entries)
    camera.take("audit")


def cloud(camera):
    window = camera.window
    window.show_cloud()
    wait(lambda: isinstance(window.screen_shown, CloudScreen))
    wait(lambda: window.screen_shown.state.linked is not None)
    camera.take("cloud")


def rare(camera):
    window = camera.window
    wait(lambda: isinstance(window.screen_shown, PatientsScreen))
    screen = window.screen_shown
    wait(lambda: screen.state.patients)
    screen.search.setFocus()
    QTest.keyClicks(screen.search, "Uno")
    wait(lambda: len(screen.state.patients) == 1)
    screen.list.open_current()
    visit = opened(window)
    answered(visit)
    camera.take("visit-rare")


def main(folder, *looks):
    """Take every picture, in the looks that are named or in all."""
    global LOOKS  # noqa: PLW0603 -- a script with one walk
    LOOKS = tuple(look for look in LOOKS if not looks or look[0] in looks)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data:
        app = compose(Path(data), language="es")
        camera = Camera(app.window, folder)
        first_run(camera)
        sign_in(camera)
        visit = new_visit(camera)
        entry(camera, visit)
        answer(camera, visit)
        rare(camera)
        cloud(camera)
        offices(camera)
        app.window.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
