"""Policy templates for Windows, generated from the settings model; one definition, no copy.

Source: Microsoft, "ADMX schema" (Group Policy Registry Extension, ADMX syntax).
"""

import xml.etree.ElementTree as ET
from enum import StrEnum
from typing import Final

from desktop.policies import POLICY_KEY
from desktop.settings import Policy, declared
from installers.windows.policy_words import ABOUT, CHOICES, SETTINGS

NAMESPACE: Final = "http://schemas.microsoft.com/GroupPolicy/2006/07/PolicyDefinitions"
TARGET: Final = "Vereda.Policies.Desktop"
LANGUAGES: Final = ("es-ES", "en-US")
FITS_DWORD: Final = 0xFFFFFFFF
ET.register_namespace("", NAMESPACE)


def admx() -> bytes:
    """Return `Vereda.admx`: every setting, for machines and for users."""
    root = _root("policyDefinitions")
    spaces = ET.SubElement(root, "policyNamespaces")
    ET.SubElement(spaces, "target", {"prefix": "vereda", "namespace": TARGET})
    ET.SubElement(root, "resources", {"minRequiredRevision": "1.0"})
    supported = ET.SubElement(ET.SubElement(root, "supportedOn"), "definitions")
    ET.SubElement(
        supported, "definition", {"name": "SUPPORTED", "displayName": "$(string.supported)"}
    )
    category = {"name": "Vereda", "displayName": "$(string.category)"}
    ET.SubElement(ET.SubElement(root, "categories"), "category", category)
    policies = ET.SubElement(root, "policies")
    for key, (_, kind, policy) in declared().items():
        _policy(policies, key, kind, policy)
    return _text(root)


def _policy(policies: ET.Element, key: str, kind: type, policy: Policy) -> None:
    about = {
        "name": key,
        "class": "Both",
        "displayName": f"$(string.{key})",
        "explainText": f"$(string.{key}_Help)",
        "key": POLICY_KEY,
    }
    if kind is bool:
        about["valueName"] = key
    else:
        about["presentation"] = f"$(presentation.{key})"
    element = ET.SubElement(policies, "policy", about)
    ET.SubElement(element, "parentCategory", {"ref": "Vereda"})
    ET.SubElement(element, "supportedOn", {"ref": "SUPPORTED"})
    if kind is bool:
        for name, value in (("enabledValue", "1"), ("disabledValue", "0")):
            ET.SubElement(ET.SubElement(element, name), "decimal", {"value": value})
        return
    _element(ET.SubElement(element, "elements"), key, kind, policy)


def _element(elements: ET.Element, key: str, kind: type, policy: Policy) -> None:
    named = {"id": key, "valueName": key}
    if issubclass(kind, StrEnum):
        listed = ET.SubElement(elements, "enum", {**named, "required": "true"})
        for choice in kind:
            item = ET.SubElement(listed, "item", {"displayName": f"$(string.{key}_{choice.value})"})
            ET.SubElement(ET.SubElement(item, "value"), "string").text = choice.value
    elif kind is int:
        # A number of 32 bits is a DWORD; more is a QWORD, which the registry hands out alike.
        tag = "decimal" if policy.high <= FITS_DWORD else "longDecimal"
        limits = {"minValue": str(policy.low), "maxValue": str(policy.high)}
        ET.SubElement(elements, tag, {**named, **limits, "required": "true"})
    else:
        ET.SubElement(elements, "text", {**named, "maxLength": "1023"})


def adml(language: str) -> bytes:
    """Return `Vereda.adml` in one language. language: of LANGUAGES."""
    root = _root("policyDefinitionResources")
    ET.SubElement(root, "displayName").text = "Vereda"
    ET.SubElement(root, "description").text = "Vereda"
    resources = ET.SubElement(root, "resources")
    strings = ET.SubElement(resources, "stringTable")
    for name, text in _strings(LANGUAGES.index(language)).items():
        ET.SubElement(strings, "string", {"id": name}).text = text
    presentations = ET.SubElement(resources, "presentationTable")
    for key, (_, kind, _policy_of) in declared().items():
        if kind is not bool:
            _presentation(presentations, key, kind, SETTINGS[key][2 * LANGUAGES.index(language)])
    return _text(root)


def _strings(language: int) -> dict[str, str]:
    strings = {name: words[language] for name, words in ABOUT.items()}
    for key, words in SETTINGS.items():
        strings[key], strings[f"{key}_Help"] = words[2 * language], words[2 * language + 1]
    return strings | {k.replace(".", "_"): words[language] for k, words in CHOICES.items()}


def _presentation(table: ET.Element, key: str, kind: type, label: str) -> None:
    presentation = ET.SubElement(table, "presentation", {"id": key})
    if issubclass(kind, StrEnum):
        ET.SubElement(presentation, "dropdownList", {"refId": key}).text = label
    elif kind is int:
        default = {"refId": key, "spin": "false"}
        big = declared()[key][2].high > FITS_DWORD
        tag = "longDecimalTextBox" if big else "decimalTextBox"
        ET.SubElement(presentation, tag, default).text = label
    else:
        box = ET.SubElement(presentation, "textBox", {"refId": key})
        ET.SubElement(box, "label").text = label


def _root(name: str) -> ET.Element:
    return ET.Element(name, {"xmlns": NAMESPACE, "revision": "1.0", "schemaVersion": "1.0"})


def _text(root: ET.Element) -> bytes:
    ET.indent(root)
    made: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return made.replace(b"\n", b"\r\n") + b"\r\n"
