"""A model from a USB stick, through the window."""

from support.tiny_engine import TinyShelf

from desktop.services.session import Session
from desktop.ui import status
from sync_service.client.updates import UpdateReport, UpdateResult

PASSPHRASE = "llama del altiplano"


class StickShelf(TinyShelf):
    """Notes which folder was chosen, and reports as told."""

    folders: list

    def update_from(self, folder, *more):
        self.folders.append(folder)
        return UpdateReport(result=UpdateResult.REFUSED, code="bundle.tampered")


def test_the_menu_asks_for_the_stick_and_the_status_says_how_it_ended(
    new_window, set_up, hands, tmp_path, monkeypatch
):
    window = new_window()
    window.attach(set_up, set_up=True)
    session = set_up.sign_in(set_up.clinicians()[0].id, PASSPHRASE)
    assert isinstance(session, Session)
    shelf = StickShelf()
    shelf.folders = []
    object.__setattr__(session._desk, "shelf", shelf)
    window._signed_in(session)
    hands.patients(window)
    assert window.stick.isVisible()
    monkeypatch.setattr(
        status.QFileDialog, "getExistingDirectory", lambda *given: str(tmp_path / "usb")
    )
    window.stick.trigger()
    hands.until(lambda: window.status.state.update == "refused")
    assert shelf.folders == [tmp_path / "usb"]
    hands.until(lambda: "no pasó la verificación" in window.status.model.text())


def test_no_stick_chosen_does_nothing(new_window, set_up, hands, monkeypatch):
    window = new_window()
    window.attach(set_up, set_up=True)
    session = set_up.sign_in(set_up.clinicians()[0].id, PASSPHRASE)
    shelf = StickShelf()
    shelf.folders = []
    object.__setattr__(session._desk, "shelf", shelf)
    window._signed_in(session)
    hands.patients(window)
    monkeypatch.setattr(status.QFileDialog, "getExistingDirectory", lambda *given: "")
    window.stick.trigger()
    assert shelf.folders == []
    assert window.status.state.update == ""
