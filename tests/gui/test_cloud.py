"""The cloud account through the window, against an issuer and a server on loopback."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from support.cloud_server import cloud_in_thread
from support.oidc_issuer import CLIENT, issuer_on_loopback

from desktop.presenters.cloud import Phase
from desktop.services.session import Session
from desktop.settings import Settings
from desktop.ui.cloud import CloudScreen
from desktop.ui.i18n import Language
from desktop.ui.patients import PatientsScreen
from desktop.ui.theme import Appearance
from desktop.ui.visit import VisitScreen

PASSPHRASE = "llama del altiplano"
PATIENCE_MS = 20_000


@pytest.fixture
def issuer(tmp_path_factory):
    with issuer_on_loopback(tmp_path_factory.mktemp("issuer")) as issuer:
        yield issuer


@pytest.fixture
def settings(issuer):
    return Settings(tenant_id=issuer.url, client_id=CLIENT, ca_bundle_path=str(issuer.ca))


@pytest.fixture
def cloud(issuer, tmp_path_factory):
    with cloud_in_thread(
        tmp_path_factory.mktemp("cloud"),
        oidc_issuer=issuer.url,
        oidc_audience=CLIENT,
        oidc_keys=issuer.keys_url,
        oidc_ca=issuer.ca,
    ) as cloud:
        yield cloud


@pytest.fixture
def person(set_up):
    """Make a session with the given settings, as if they were those of the computer."""

    def make(settings):
        signed_in = set_up.sign_in(set_up.clinicians()[0].id, PASSPHRASE)
        return Session(signed_in._desk, settings)

    return make


@pytest.fixture
def account(new_window, set_up, person, hands):
    """Open the cloud account from the menu."""

    def opened(settings, session=None):
        window = new_window()
        window.attach(set_up, set_up=True)
        window._signed_in(session or person(settings))
        hands.patients(window)
        window.cloud.trigger()
        screen = hands.screen(window, CloudScreen)
        hands.until(lambda: screen.state.grant is not None)
        return window, screen

    return opened


def test_without_settings_the_screen_names_them_and_work_goes_on(account, hands):
    window, screen = account(Settings(client_id=CLIENT))
    assert "TenantId" in screen.missing.text()
    assert "ClientId" not in screen.missing.text()
    assert "vereda.toml" in screen.missing.text()
    assert screen.by_code.isHidden()
    assert screen.by_browser.isHidden()
    assert "no está unido" in screen.linked.text()
    hands.press(Qt.Key.Key_Escape)
    hands.open_visit(window)


@pytest.fixture
def at_a_server(account, person, settings, cloud):
    """The account screen in a clinic that is linked to a server."""
    session = person(settings)
    session.sync.link(cloud.url, cloud.code())
    return account(settings, session)[1]


def narrow(screen):
    """Buttons with less room than their text takes."""
    shown = [one for one in screen.findChildren(QPushButton) if one.isVisible()]
    assert shown
    return [one.text() for one in shown if one.width() < one.sizeHint().width()]


def test_a_code_links_and_says_until_when_and_what_then(at_a_server, issuer, hands):
    screen = at_a_server
    issuer.decision = ""
    assert screen.by_code.hasFocus()
    hands.press(Qt.Key.Key_Space)
    hands.until(screen.code.text, PATIENCE_MS)
    assert screen.code.text() == "BCDF-GHJK"
    assert screen.address.text() == f"{issuer.url}/type"
    assert screen.code.accessibleName() == "Código: B C D F - G H J K"
    assert screen.cancel.hasFocus()
    issuer.decision = "approved"
    hands.until(lambda: "Hecho" in screen.done.text(), PATIENCE_MS)
    assert screen.code.isHidden()
    assert "está unido" in screen.linked.text()
    ends = screen.state.grant.ends_at.astimezone()
    assert ends.strftime("%d/%m/%Y") in screen.standing.text()
    assert "Médico general" in screen.after.text()
    assert narrow(screen) == []


def test_another_role_counts_from_the_next_sign_in_and_a_role_is_renewed(
    at_a_server, issuer, hands
):
    screen = at_a_server
    issuer.roles = ["MedicoGeneral"]
    screen.by_code.click()
    hands.until(lambda: "Hecho" in screen.done.text(), PATIENCE_MS)
    assert "Médico general" in screen.next_time.text()
    assert "sigue igual" in screen.after.text()
    before = issuer.refreshed
    screen.renew.click()
    hands.until(lambda: screen.state.phase is Phase.IDLE, PATIENCE_MS)
    assert screen.state.refusal is None
    assert issuer.refreshed == before + 1


def test_the_browser_links_without_a_server_and_no_role_is_lent(account, settings, issuer, hands):
    _, screen = account(settings)
    screen.open_browser = lambda address: issuer.browser(address) is None
    screen.by_browser.click()
    hands.until(lambda: "Hecho" in screen.done.text(), PATIENCE_MS)
    assert issuer.verified_pkce == 1
    assert "la da este centro" in screen.standing.text()
    screen.renew.click()
    hands.until(lambda: "ningún servidor" in screen.done.text(), PATIENCE_MS)


def test_escape_gives_up_the_code_then_goes_back(account, settings, issuer, hands):
    issuer.decision = ""
    window, screen = account(settings)
    screen.by_code.click()
    hands.until(screen.code.text, PATIENCE_MS)
    hands.press(Qt.Key.Key_Escape)
    hands.until(lambda: "Cancelado" in screen.done.text(), PATIENCE_MS)
    assert "no está unido" in screen.linked.text()
    hands.press(Qt.Key.Key_Escape)
    hands.screen(window, PatientsScreen)


def test_the_wait_for_the_browser_can_be_given_up(account, settings, hands):
    _, screen = account(settings)
    screen.open_browser = lambda _address: True
    screen.by_browser.click()
    screen.cancel.click()
    hands.until(lambda: not screen.state.stopping, PATIENCE_MS)
    assert not screen.by_code.isHidden()


def test_without_a_browser_the_screen_offers_the_code(account, settings, hands):
    _, screen = account(settings)
    screen.open_browser = lambda _address: False
    screen.by_browser.click()
    hands.until(lambda: "Entre con un código" in screen.refused.text(), PATIENCE_MS)


def test_a_refusal_says_what_to_do_next(account, settings, issuer, hands):
    issuer.decision = "denied"
    _, screen = account(settings)
    screen.by_code.click()
    hands.until(lambda: "pida acceso" in screen.refused.text(), PATIENCE_MS)
    assert not screen.by_code.isHidden()


def test_an_issuer_that_does_not_answer_is_told_and_the_rest_works(account, hands):
    window, screen = account(Settings(tenant_id="https://127.0.0.1:9/t", client_id=CLIENT))
    screen.by_code.click()
    hands.until(lambda: "no responde" in screen.refused.text(), PATIENCE_MS)
    screen.back.click()
    hands.open_visit(window)


def test_signing_out_while_a_code_waits_locks_the_clinic_and_ends_the_wait(
    account, settings, issuer, hands
):
    issuer.decision = ""
    window, screen = account(settings)
    screen.by_code.click()
    hands.until(screen.code.text, PATIENCE_MS)
    window.sign_out()
    hands.until(lambda: window.screen_shown is not screen)
    assert not window.cloud.isVisible()
    assert window.jobs.drain(PATIENCE_MS)


def test_from_a_visit_what_was_typed_is_saved_first(window, hands):
    visit = hands.open_visit(window)
    hands.find(visit, "fiebre")
    window.cloud.trigger()
    screen = hands.screen(window, CloudScreen)
    screen.back.click()
    again = hands.open_visit(window)
    assert isinstance(again, VisitScreen)
    hands.until(lambda: len(again.state.draft.findings) == 1)


@pytest.mark.parametrize("scale", [1.0, 2.0])
@pytest.mark.parametrize("appearance", [Appearance.LIGHT, Appearance.DARK])
def test_the_account_in_english_in_both_looks_and_large_fits(
    account, settings, hands, scale, appearance
):
    window, screen = account(settings)
    window.resize(1024, 600)
    window.choose(
        replace(
            window.preferences,
            language=Language.ENGLISH,
            appearance=appearance,
            text_scale=scale,
        )
    )
    hands.until(lambda: screen.by_code.text() == "Sign in with a code")
    assert screen.by_code.accessibleName() == "Sign in with a code"
    assert "not linked" in screen.linked.text()
    assert "comes from this clinic" in screen.standing.text()
    assert window.width() == 1024
    hands.until(lambda: narrow(screen) == [])
