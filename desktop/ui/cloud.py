"""The screen of the cloud account: whether linked, until when a role is lent, and how to sign in.

Nothing else in the window waits for this screen: local work needs no cloud account.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QLabel, QWidget

from ddx.domain.lease import Grant, LeaseStanding
from ddx.errors import DdxError
from desktop.presenters.cloud import (
    REFUSED,
    AccountRead,
    AskForCode,
    BrowserAsked,
    BrowserMissing,
    CancelAsked,
    CloudState,
    CodeAsked,
    CodeGiven,
    Done,
    Failed,
    Finished,
    Opened,
    Phase,
    ReadAccount,
    Renew,
    RenewAsked,
    SignInInBrowser,
    Stop,
    WaitForCode,
    step,
)
from desktop.presenters.reducer import Refusal
from desktop.settings import FILE
from desktop.ui import keys, messages, words
from desktop.ui.first_run import centred
from desktop.ui.i18n import QT_TRANSLATE_NOOP, translate
from desktop.ui.jobs import Jobs, Lane
from desktop.ui.screen import Screen
from desktop.ui.widgets import button, card, column, label, message, plain_label, say

if TYPE_CHECKING:  # the store loads after the first paint
    from desktop.services.session import Session

_STANDINGS: Final = {
    LeaseStanding.VALID: QT_TRANSLATE_NOOP(
        "Cloud", "La nube le presta la función {role} hasta el {date}: quedan {days} días."
    ),
    LeaseStanding.ENDING: QT_TRANSLATE_NOOP(
        "Cloud",
        "La nube le presta la función {role} solo hasta el {date}: quedan {days} días. "
        "Renuévela mientras haya conexión.",
    ),
    LeaseStanding.LAPSED: QT_TRANSLATE_NOOP(
        "Cloud",
        "El préstamo de su función venció el {date}. Sigue trabajando como {role}; para "
        "recuperar lo demás, renueve o entre otra vez en la nube.",
    ),
}
_PHASES: Final = {
    Phase.ASKING: QT_TRANSLATE_NOOP("Cloud", "Pidiendo un código…"),
    Phase.CODE: QT_TRANSLATE_NOOP("Cloud", "Esperando a que entre en la otra pantalla…"),
    Phase.BROWSER: QT_TRANSLATE_NOOP(
        "Cloud",
        "Entre con su cuenta en el navegador que se ha abierto. Vereda espera cinco minutos.",
    ),
    Phase.RENEWING: QT_TRANSLATE_NOOP("Cloud", "Renovando la función…"),
}
_DONE: Final = {
    Done.LINKED: QT_TRANSLATE_NOOP("Cloud", "Hecho: ha entrado en su cuenta de la nube."),
    Done.RENEWED: QT_TRANSLATE_NOOP("Cloud", "Hecho: la función está renovada."),
    Done.NOT_LENT: QT_TRANSLATE_NOOP(
        "Cloud",
        "Su cuenta vale, pero ningún servidor ha prestado una función nueva: sigue la de antes. "
        "Pregunte al médico responsable si el centro está unido a un servidor.",
    ),
    Done.CANCELLED: QT_TRANSLATE_NOOP("Cloud", "Cancelado. Nada ha cambiado."),
}
_EXPIRED: Final = QT_TRANSLATE_NOOP(
    "Cloud", "El código caducó antes de que nadie entrara con él. Pida otro."
)
_REASONS: Final = {
    "access_denied": QT_TRANSLATE_NOOP(
        "Cloud",
        "La nube rechazó la entrada. Repítala con su propia cuenta o pida acceso a quien "
        "administra las cuentas.",
    ),
    "authorization_declined": QT_TRANSLATE_NOOP(
        "Cloud",
        "La nube rechazó la entrada. Repítala con su propia cuenta o pida acceso a quien "
        "administra las cuentas.",
    ),
    "authorization_pending": _EXPIRED,
    "expired_token": _EXPIRED,
    "browser_timeout": QT_TRANSLATE_NOOP(
        "Cloud", "El navegador no volvió en cinco minutos. Repita, o entre con un código."
    ),
    "no_browser": QT_TRANSLATE_NOOP(
        "Cloud", "En este equipo no se abre ningún navegador. Entre con un código."
    ),
    "sign_in_needed": QT_TRANSLATE_NOOP(
        "Cloud",
        "La entrada que se guardó aquí ya no vale. Entre otra vez, con un código o con el "
        "navegador.",
    ),
    "lease_not_genuine": QT_TRANSLATE_NOOP(
        "Cloud",
        "La función que llegó no la firma el servidor de este centro y no se usa. Sigue la de "
        "antes; avise a soporte.",
    ),
}


class CloudScreen(Screen):
    """Says where the account stands; links it by code or browser; renews the role."""

    left = Signal()
    _address_came = Signal(str)
    state: CloudState

    def __init__(self, session: "Session", jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(jobs, parent)
        self._identity = session.identity
        self.reducer = step
        self.state = CloudState(
            role=session.clinician.role, missing=session.identity.missing_settings()
        )
        self._performers = {
            ReadAccount: lambda _effect: self._read(),
            AskForCode: lambda _effect: self._ask_for_code(),
            WaitForCode: self._wait_for_code,
            SignInInBrowser: lambda _effect: self._sign_in_in_browser(),
            Renew: lambda _effect: self._sign_in(self._identity.renew),
            Stop: lambda _effect: self._identity.stop(),
        }
        self.open_browser: Callable[[str], bool] = lambda url: QDesktopServices.openUrl(QUrl(url))
        """Opens an address; False when nothing opened."""
        self._address_came.connect(self._browse)
        self._make_labels()
        self._make_buttons()
        self._lay_out()
        keys.on(self, keys.BACK, self._escape)
        self.redraw()

    def _make_labels(self) -> None:
        self.linked, self.standing = plain_label("section"), plain_label()
        self.after, self.next_time = message("quiet"), message("notice")
        self.missing = message("notice")
        self.address, self.code = plain_label("section"), plain_label("code")
        self.code.setAlignment(Qt.AlignmentFlag.AlignCenter)
        for part in (self.address, self.code):
            part.setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByMouse
                | Qt.TextInteractionFlag.TextSelectableByKeyboard
            )
        self.goes_on, self.done, self.refused = (
            message("quiet"),
            message("done"),
            message("refusal"),
        )

    def _make_buttons(self) -> None:
        texts = self.texts
        self.by_code = button(
            texts,
            lambda: translate("Cloud", "Entrar con un código"),
            lambda: self.dispatch(CodeAsked()),
            "primary",
        )
        self.by_browser = button(
            texts,
            lambda: translate("Cloud", "Entrar con el navegador"),
            lambda: self.dispatch(BrowserAsked()),
        )
        self.renew = button(
            texts,
            lambda: translate("Cloud", "Renovar la función"),
            lambda: self.dispatch(RenewAsked()),
        )
        self.cancel = button(
            texts,
            lambda: translate("Cloud", "Cancelar"),
            lambda: self.dispatch(CancelAsked()),
        )
        self.back = button(texts, lambda: translate("Cloud", "Volver"), self.left.emit, "plain")

    def _lay_out(self) -> None:
        title = label(self.texts, lambda: translate("Cloud", "Cuenta en la nube"), "title")
        self.explained = label(
            self.texts,
            lambda: translate(
                "Cloud",
                "Atender, guardar y entrar con su frase de paso no dependen de esta cuenta ni de "
                "la conexión.",
            ),
            "quiet",
        )
        self.first = self._step(
            lambda: translate("Cloud", "1. En un teléfono u otro equipo, abra:")
        )
        self.second = self._step(lambda: translate("Cloud", "2. Escriba allí este código:"))
        actions = column(self.by_code, self.by_browser, self.renew, self.cancel, self.back)
        body = column(
            title,
            self.explained,
            self.linked,
            self.standing,
            self.after,
            self.next_time,
            self.missing,
            self.first,
            self.address,
            self.second,
            self.code,
            self.goes_on,
            self.done,
            self.refused,
            actions,
            gap=12,
        )
        self.setLayout(centred(card(body, 28)))

    def _step(self, text: Callable[[], str]) -> QLabel:
        return label(self.texts, text)

    def enter_screen(self) -> None:
        """Read where the account stands."""
        self.dispatch(Opened())
        self._focus()

    def leave_screen(self) -> None:
        """Wait for nobody any longer."""
        self.dispatch(CancelAsked())

    def _escape(self) -> None:
        if self.state.may_cancel:
            self.dispatch(CancelAsked())
        else:
            self.left.emit()

    # Drawing.

    def dispatch(self, event: object) -> None:
        """As every screen; the focus follows what can be pressed next."""
        before = self.state.phase
        super().dispatch(event)
        if self.state.phase is not before and self.isVisible():
            self._focus()

    def _focus(self) -> None:
        order = (self.cancel, self.by_code, self.back)
        next(part for part in order if not part.isHidden() and part.isEnabled()).setFocus()

    def redraw(self) -> None:
        """Draw the state."""
        state = self.state
        self._draw_account()
        self._draw_code()
        for part in (self.by_code, self.by_browser):
            part.setVisible(state.may_sign_in)
        self.renew.setVisible(state.may_renew)
        self.cancel.setVisible(state.may_cancel)
        say(self.missing, _missing(state.missing))
        say(self.goes_on, _goes_on(state))
        say(self.done, translate("Cloud", _DONE[state.done]) if state.done in _DONE else "")
        say(self.refused, _refused(state.refusal))

    def _draw_account(self) -> None:
        """Draw where the account stands; while somebody types a code, the code alone counts."""
        state = self.state
        self.explained.setVisible(state.code is None)
        if state.code is not None or state.linked is None or state.grant is None:
            for part in (self.linked, self.standing, self.after, self.next_time):
                say(part, "")
            return
        say(self.linked, _linked(state.linked))
        say(self.standing, _standing(state.grant))
        say(self.after, _after(state))
        changed = state.role_next_time
        text = translate(
            "Cloud", "Cierre la sesión y entre de nuevo para trabajar con la función {role}."
        )
        say(self.next_time, "" if changed is None else text.format(role=words.role(changed)))

    def _draw_code(self) -> None:
        code = self.state.code
        for part in (self.first, self.second):
            part.setVisible(code is not None)
        say(self.address, "" if code is None else code.verification_uri)
        say(self.code, "" if code is None else code.user_code)
        self.address.setAccessibleName(
            translate("Cloud", "Dirección: {address}").format(address=self.address.text())
        )
        self.code.setAccessibleName(
            translate("Cloud", "Código: {code}").format(code=" ".join(self.code.text()))
        )

    # Effects.

    def _read(self) -> None:
        identity = self._identity
        self.ask(
            lambda: AccountRead(identity.linked(), identity.standing()), self.dispatch, self._failed
        )

    def _ask_for_code(self) -> None:
        self._identity.ready()
        self.ask(
            self._identity.begin_device_code,
            lambda code: self.dispatch(CodeGiven(code)),
            self._failed,
            Lane.PERSON,
        )

    def _wait_for_code(self, effect: WaitForCode) -> None:
        code, identity = effect.code, self._identity
        self._sign_in(lambda: identity.finish_device_code(code))  # type: ignore[arg-type] # its own

    def _sign_in_in_browser(self) -> None:
        identity, show = self._identity, self._address_came.emit
        identity.ready()
        self._sign_in(lambda: identity.sign_in_with_browser(show))

    def _sign_in(self, ask: Callable[[], Grant]) -> None:
        self.ask(ask, lambda grant: self.dispatch(Finished(grant)), self._failed, Lane.PERSON)

    def _browse(self, address: str) -> None:
        """Open the browser, on the thread of the window."""
        if not self.state.stopping and not self.open_browser(address):
            self.dispatch(BrowserMissing())

    def _failed(self, error: DdxError) -> None:
        self.dispatch(Failed(Refusal(error.code, str(getattr(error, "reason", "")))))


def _linked(linked: bool) -> str:
    if linked:
        return translate("Cloud", "Su usuario está unido a una cuenta en la nube.")
    return translate("Cloud", "Su usuario no está unido a ninguna cuenta en la nube.")


def _standing(grant: Grant) -> str:
    role = words.role(grant.role)
    if grant.ends_at is None:
        return translate("Cloud", "Su función, {role}, la da este centro y no vence.").format(
            role=role
        )
    said = translate("Cloud", _STANDINGS[grant.standing])
    date = words.day(grant.ends_at.astimezone().date())
    return said.format(role=role, date=date, days=grant.days_left)


def _after(state: CloudState) -> str:
    if state.grant is None or state.grant.standing in (LeaseStanding.NONE, LeaseStanding.LAPSED):
        return ""
    if state.role_after is None:
        return translate("Cloud", "Si vence sin renovarse, su trabajo aquí sigue igual.")
    said = translate(
        "Cloud",
        "Si vence sin renovarse, podrá seguir atendiendo como {role}; lo demás de su función se "
        "detiene hasta que entre otra vez en la nube.",
    )
    return said.format(role=words.role(state.role_after))


def _missing(names: tuple[str, ...]) -> str:
    if not names:
        return ""
    said = translate(
        "Cloud",
        "En este equipo aún no se puede entrar en la nube. Quien administra los equipos del "
        "centro debe escribir en los ajustes ({file}): {settings}. Después, reinicie Vereda.",
    )
    return said.format(file=FILE, settings=", ".join(names))


def _goes_on(state: CloudState) -> str:
    if state.stopping:
        return translate("Cloud", "Cancelando…")
    if state.phase not in _PHASES:
        return ""
    said = translate("Cloud", _PHASES[state.phase])
    if state.code is None:
        return said
    good_for = translate("Cloud", "El código vale {minutes} minutos.")
    return f"{said} {good_for.format(minutes=max(1, state.code.expires_in_s // 60))}"


def _refused(refusal: Refusal | None) -> str:
    if refusal is None:
        return ""
    if refusal.code == REFUSED and refusal.detail in _REASONS:
        return translate("Cloud", _REASONS[refusal.detail])
    if refusal.code.startswith("sync."):
        return translate(
            "Cloud",
            "El servidor del centro no ha prestado la función ahora. Puede seguir trabajando; "
            "renuévela cuando haya conexión.",
        )
    return messages.refusal(refusal)
