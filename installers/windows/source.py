"""The WiX source of the MSI: a payload folder in, XML out; the same bytes for the same payload."""

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from installers.windows import identity
from installers.windows.properties import APPLICATION, TOLD

WIX: Final = "http://schemas.microsoft.com/wix/2006/wi"
SERVICE_KEY: Final = rf"SYSTEM\CurrentControlSet\Services\{identity.SERVICE}"
DOWNGRADE: Final = (
    "Ya hay una versión más nueva de Vereda. Para volver a esta: ALLOWDOWNGRADE=1. / "
    "A newer version of Vereda is installed. To go back to this one: ALLOWDOWNGRADE=1."
)
ARCHITECTURE: Final = "Vereda necesita Windows de 64 bits. / Vereda needs 64-bit Windows."
ADMIN: Final = "Hace falta un administrador. / An administrator is needed."


def source(payload: Path, version: str) -> bytes:
    """Return the WiX source that installs every file of `payload`.

    payload: holds `vereda.exe`, `veredaw.exe` and `vereda-sync.exe` at its top.
    """
    wix = ET.Element("Wix", {"xmlns": WIX})
    product = ET.SubElement(
        wix,
        "Product",
        {
            "Name": identity.NAME,
            "Id": identity.product_code(version),
            "UpgradeCode": f"{{{str(identity.UPGRADE_CODE).upper()}}}",
            "Language": str(identity.LANGUAGE),
            "Codepage": "1252",
            "Version": version,
            "Manufacturer": identity.MANUFACTURER,
        },
    )
    ET.SubElement(
        product,
        "Package",
        {
            "InstallerVersion": "500",  # Windows Installer 5: 64-bit, per machine, service settings
            "Compressed": "yes",
            "InstallScope": "perMachine",
            "Description": f"{identity.NAME} {version}",
            "Manufacturer": identity.MANUFACTURER,
            "Languages": str(identity.LANGUAGE),
        },
    )
    ET.SubElement(product, "Media", {"Id": "1", "Cabinet": "vereda.cab", "EmbedCab": "yes"})
    _about(product)
    _conditions(product)
    components = _Components(payload)
    components.write(product)
    feature = ET.SubElement(
        product, "Feature", {"Id": "Complete", "Level": "1", "Title": identity.NAME}
    )
    for name in components.names:
        ET.SubElement(feature, "ComponentRef", {"Id": name})
    ET.indent(wix)
    made: bytes = ET.tostring(wix, encoding="utf-8", xml_declaration=True)
    return made


def _about(product: ET.Element) -> None:
    stated = {
        "ARPHELPLINK": identity.HELP,
        "ARPURLINFOABOUT": identity.HELP,
        "ARPCONTACT": identity.MANUFACTURER,
        "ARPPRODUCTICON": "vereda.ico",
        "ARPNOMODIFY": "1",
        "SYNCACCOUNT": r"NT AUTHORITY\LocalService",
        "MSIFASTINSTALL": "1",  # no restore point: the previous version comes back on failure
    }
    for name, value in stated.items():
        ET.SubElement(product, "Property", {"Id": name, "Value": value})
    ET.SubElement(product, "Icon", {"Id": "vereda.ico", "SourceFile": "vereda.ico"})


def _conditions(product: ET.Element) -> None:
    for text, condition in (
        (ARCHITECTURE, "VersionNT64"),
        (ADMIN, "Privileged"),
        (DOWNGRADE, 'Installed OR NOT NEWERFOUND OR ALLOWDOWNGRADE="1"'),
    ):
        ET.SubElement(product, "Condition", {"Message": text}).text = condition


@dataclass(frozen=True, slots=True)
class ServiceHost:
    """The program Windows starts as the service. place: its path inside the payload."""

    place: str
    arguments: str


def service_host(payload: Path) -> ServiceHost:
    """Return which program of a payload can be a service.

    Windows expects the very process it started to answer it: a launcher that starts Python as its
    child cannot be one, so there Python itself is.
    """
    if (payload / "python" / "python.exe").is_file():
        return ServiceHost("python/python.exe", "-m sync_service.client --windows-service")
    return ServiceHost("vereda-sync.exe", "--windows-service")


class _Components:
    """Directories and components, named by what they hold."""

    def __init__(self, payload: Path) -> None:
        self._payload, self._host = payload, service_host(payload)
        self.names: list[str] = []
        self._directories = 0

    def write(self, product: ET.Element) -> None:
        """Add the whole tree to the product."""
        root = ET.SubElement(product, "Directory", {"Id": "TARGETDIR", "Name": "SourceDir"})
        programs = ET.SubElement(root, "Directory", {"Id": "ProgramFiles64Folder"})
        target = ET.SubElement(programs, "Directory", {"Id": "INSTALLDIR", "Name": identity.NAME})
        self._folder(target, self._payload)
        menu = ET.SubElement(root, "Directory", {"Id": "ProgramMenuFolder"})
        self._shortcut(menu)
        self._told(target)
        self._service_environment(target)

    def _folder(self, directory: ET.Element, folder: Path) -> None:
        for path in sorted(folder.iterdir(), key=lambda p: (p.is_dir(), p.name)):
            if path.is_dir():
                self._directories += 1
                inner = {"Id": f"d{self._directories:04}", "Name": path.name}
                self._folder(ET.SubElement(directory, "Directory", inner), path)
            else:
                self._file(directory, path)

    def _component(self, directory: ET.Element, place: str, name: str = "") -> ET.Element:
        name = name or f"c{len(self.names):05}"
        self.names.append(name)
        return ET.SubElement(
            directory,
            "Component",
            {
                "Id": name,
                "Guid": identity.component_guid(place),
                "Win64": "yes",
            },
        )

    def _file(self, directory: ET.Element, path: Path) -> None:
        place = path.relative_to(self._payload).as_posix()
        component = self._component(directory, place)
        file = {
            "Id": f"f{component.get('Id', '')[1:]}",
            "Name": path.name,
            "Source": f"payload/{place}",
        }
        ET.SubElement(component, "File", {**file, "KeyPath": "yes"})
        if place == self._host.place:
            self._service(component)

    def _service(self, component: ET.Element) -> None:
        ET.SubElement(
            component,
            "ServiceInstall",
            {
                "Id": "SyncService",
                "Name": identity.SERVICE,
                "DisplayName": "Vereda Sync",
                "Description": "Sends what the clinic recorded and brings signed models.",
                "Type": "ownProcess",
                "Start": "demand",  # it works only where IT named clinic and passphrase file
                "ErrorControl": "normal",
                "Account": "[SYNCACCOUNT]",
                "Password": "[SYNCPASSWORD]",
                "Arguments": self._host.arguments,
            },
        )
        ET.SubElement(
            component,
            "ServiceControl",
            {
                "Id": "SyncControl",
                "Name": identity.SERVICE,
                "Stop": "both",
                "Remove": "uninstall",
                "Wait": "yes",
            },
        )

    def _shortcut(self, menu: ET.Element) -> None:
        component = self._component(menu, "start menu", "StartMenu")
        ET.SubElement(
            component,
            "Shortcut",
            {
                "Id": "StartVereda",
                "Name": identity.NAME,
                "Target": "[INSTALLDIR]veredaw.exe",
                "WorkingDirectory": "INSTALLDIR",
                "Icon": "vereda.ico",
                "Description": "Diagnóstico diferencial sin conexión",
            },
        )
        self._value(component, APPLICATION, "StartMenu", "#1")

    def _told(self, target: ET.Element) -> None:
        for told in TOLD:
            component = self._component(target, f"told {told.value_name}", told.id)
            self._value(component, told.key, told.value_name, told.value)

    def _service_environment(self, target: ET.Element) -> None:
        component = self._component(target, "service environment", "SyncEnvironment")
        # The list itself is written after wixl, which knows none.
        self._value(component, SERVICE_KEY, "Environment", "list")

    def _value(self, component: ET.Element, key: str, name: str, value: str) -> None:
        kind = "integer" if value.startswith("#") else "string"
        ET.SubElement(
            component,
            "RegistryValue",
            {
                "Root": "HKLM",
                "Key": key,
                "Name": name,
                "Type": kind,
                "Value": value.removeprefix("#"),
                "KeyPath": "yes",
            },
        )
