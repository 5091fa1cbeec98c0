"""The letter that goes with a patient: looked at, saved, printed, and written down."""

import re
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtPrintSupport import QPrinter
from PySide6.QtWidgets import QDialog, QFileDialog

from ddx.domain.audit import AuditAction
from ddx.domain.feedback import OverrideReason, Verb
from desktop.presenters.referral import LONGEST, Part, PrintAsked, SaveAsked
from desktop.store.errors import StoreFullError
from desktop.ui import letter
from desktop.ui.i18n import Language

CONTROL = Qt.KeyboardModifier.ControlModifier
PAGE = re.compile(rb"/Type\s*/Page\b(?!s)")


@pytest.fixture
def shown(answered, hands):
    """The letter of a visit that was agreed with."""
    hands.press(Qt.Key.Key_1, CONTROL)
    hands.press(Qt.Key.Key_Return)
    hands.until(lambda: answered.state.decision.recorded)
    hands.press(Qt.Key.Key_P, CONTROL)
    hands.until(lambda: getattr(answered, "letter", None) and answered.letter.isVisible())
    screen = answered.letter.shown
    yield screen
    answered.letter.close()


def read(screen):
    return screen.page.toPlainText()


def audit_of(answered):
    with answered._session._desk.store.read() as unit:
        return unit.audit.after(0)


def test_the_letter_tells_who_what_was_found_and_what_was_decided(answered, shown):
    text = read(shown)
    for said in (
        "Carta de derivación",
        "Posta de Lares",
        "Quispe Mamani, Zenobia",
        "Mujer",
        "01/05/1990",
        "Presente: Fiebre; Tos",
        "Preguntado y ausente: Erupción cutánea",
        "De acuerdo: Neumonía",
        "Sin constantes tomadas.",
        "Ana Ruiz",
        "modelo 2026.11.1",
        f"Código {answered.state.diagnosis.short_code}",
    ):
        assert said in text, said
    assert "%" not in text


def test_every_candidate_stands_with_a_frequency_and_a_word(answered, shown):
    lines = answered.differential.list.lines.lines
    text = read(shown)
    for line in lines[: letter.SHOWN]:
        band, frequency = line.likelihood.split(" · ")
        assert line.name in text
        assert frequency in text
        assert band in text


def test_what_is_typed_is_on_the_page_and_nowhere_in_the_store(answered, shown, hands):
    shown.parts[Part.ASKED].setFocus()
    hands.type("Radiografía <urgente>")
    assert "Radiografía <urgente>" in read(shown)
    with answered._session._desk.store.read() as unit:
        assert unit.drafts.of_patient(answered.state.patient.id) is None


def test_the_note_of_a_decision_stays_on_the_device(answered, hands):
    answered._session.decisions.record(
        answered.state.diagnosis.id,
        Verb.REFUSE,
        None,
        OverrideReason.OTHER,
        note="vive tras la capilla",
    )
    said = answered._session.referrals.read(answered.state.diagnosis.id)
    page = letter.letter(said, letter.Typed(), answered.labels)
    assert "Rechazar (Otro motivo)" in page
    assert "capilla" not in page


def test_the_letter_is_saved_as_a_pdf_and_the_export_is_an_entry(
    answered, shown, hands, tmp_path, monkeypatch
):
    target = tmp_path / "carta.pdf"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    shown.save.click()
    hands.until(lambda: shown.state.saved)
    made = target.read_bytes()
    assert made.startswith(b"%PDF-")
    assert len(PAGE.findall(made)) == 1
    assert str(target) in shown.told.text()
    entry = audit_of(answered)[-1]
    assert (entry.action, entry.subject) == (AuditAction.EXPORTED, answered.state.diagnosis.id)
    assert entry.detail["what"] == "referral"
    assert entry.detail["medium"] == "file"


def test_the_file_names_nobody_outside_its_pages(answered, shown):
    made = letter.pdf(shown.content, answered.state.diagnosis.short_code)
    outside = re.sub(rb"stream\r?\n.*?endstream", b"", made, flags=re.DOTALL)
    for name in ("Zenobia", "Quispe", "Ana Ruiz"):
        for encoding in ("latin-1", "utf-16-be"):
            assert name.encode(encoding) not in outside


def test_a_folder_that_cannot_be_written_says_so_and_the_letter_stays(
    answered, shown, hands, tmp_path
):
    shown.dispatch(SaveAsked(str(tmp_path / "no such folder" / "carta.pdf")))
    hands.until(lambda: shown.state.refusal)
    assert "Elija otra carpeta" in shown.refused.text()
    assert shown.save.isEnabled()


def test_printing_is_an_entry_before_the_page_leaves(answered, shown, hands, tmp_path):
    shown._printer = letter_printer(tmp_path / "printed.pdf")
    shown.dispatch(PrintAsked())
    hands.until(lambda: shown.state.printed)
    assert audit_of(answered)[-1].detail["medium"] == "paper"
    assert (tmp_path / "printed.pdf").read_bytes().startswith(b"%PDF-")


def letter_printer(target):
    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
    printer.setOutputFileName(str(target))
    printer.setPageLayout(letter.page_layout())
    return printer


def test_nothing_leaves_when_it_cannot_be_written_down(
    answered, shown, hands, tmp_path, monkeypatch
):
    def full(*_):
        raise StoreFullError("full")

    monkeypatch.setattr(answered._session.referrals, "hand_over", full)
    target = tmp_path / "carta.pdf"
    shown.dispatch(SaveAsked(str(target)))
    hands.until(lambda: shown.state.refusal)
    assert not target.exists()


def test_the_letter_is_in_the_language_of_the_window(window, answered, shown, hands):
    window.choose(replace(window.preferences, language=Language.ENGLISH))
    hands.until(lambda: "Referral letter" in read(shown))
    text = read(shown)
    for said in ("Posta de Lares", "Present: Fever; Cough", "Agree: Pneumonia", "Female"):
        assert said in text, said


def test_typed_text_is_cut_at_what_two_pages_hold(answered, shown):
    for part in Part:
        shown.parts[part].setPlainText("palabra " * 200)
    assert all(len(field.toPlainText()) == LONGEST for field in shown.parts.values())
    made = letter.pdf(shown.content, "x")
    assert len(PAGE.findall(made)) <= 2


def test_without_a_list_there_is_no_letter(visit, hands):
    assert not visit.decision.refer.isEnabled()
    hands.press(Qt.Key.Key_P, CONTROL)
    hands.until(lambda: visit.state.refusal)
    assert visit.state.refusal.code == "visit.no_list"
    assert visit.findChild(QDialog) is None


def test_the_button_opens_the_letter(answered, hands):
    answered.decision.refer.click()
    hands.until(lambda: getattr(answered, "letter", None) and answered.letter.isVisible())
    assert answered.letter.windowTitle() == "Carta de derivación"
    answered.letter.close()
