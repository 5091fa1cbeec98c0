"""Properties of the MSI an administrator sets on the command line of msiexec."""

from dataclasses import dataclass
from typing import Final

APPLICATION: Final = r"Software\Vereda\Desktop"
"""What the application reads: `desktop.policies.INSTALLER_KEY`."""
SYNC: Final = r"Software\Vereda\Sync"
"""What the next version's installer reads, to set the service up again."""


@dataclass(frozen=True, slots=True)
class Told:
    """A property that is kept in the registry, so that an upgrade need not be told again.

    name: on the command line. value: in the registry; `#` begins a DWORD. condition: of Windows
    Installer. kept_as: what the old value is set back to when it is `was`; empty for itself.
    """

    name: str
    key: str
    value_name: str
    value: str
    condition: str
    was: str = ""
    kept_as: str = ""

    @property
    def id(self) -> str:
        """Name of its component."""
        return f"Told{self.value_name}"


def _text(name: str, value_name: str, key: str = APPLICATION) -> Told:
    return Told(name, key, value_name, f"[{name}]", name)


TOLD: Final = (
    _text("SYNCURL", "SyncUrl"),
    _text("TENANTID", "TenantId"),
    _text("CLIENTID", "ClientId"),
    _text("SITEID", "SiteId"),
    _text("CHANNEL", "UpdateChannel"),
    Told(
        "DISABLEAUTOUPDATE",
        APPLICATION,
        "AutoUpdateEnabled",
        "#0",
        'DISABLEAUTOUPDATE="1"',
        was="#0",
        kept_as="1",
    ),
    _text("PROXY", "ProxyUrl"),
    Told("PROXY", APPLICATION, "ProxyMode", "manual", "PROXY", was="never"),
    _text("CABUNDLE", "CaBundlePath"),
    _text("LANG", "Language"),
    _text("SYNCHOME", "Home", SYNC),
    _text("SYNCCLINICIAN", "Clinician", SYNC),
    _text("SYNCPASSPHRASEFILE", "PassphraseFile", SYNC),
)
SERVICE_SECRET: Final = "SYNCPASSWORD"  # noqa: S105 -- the name of a property
OTHERS: Final = ("INSTALLDIR", "REMOVEDATA", "ALLOWDOWNGRADE")
SECURE: Final = tuple(sorted({t.name for t in TOLD} | {"SYNCACCOUNT", SERVICE_SECRET, *OTHERS}))
"""Handed to the part of msiexec that runs as SYSTEM; what is not secure is dropped on the way."""
