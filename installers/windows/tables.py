"""What wixl leaves out of the database, written into it afterwards as SQL for `msibuild`.

Source: Windows Installer SDK, the tables named below.
"""

from collections.abc import Sequence
from typing import Final

from installers.windows import identity
from installers.windows.properties import SECURE, SERVICE_SECRET, TOLD, Told

SEPARATOR: Final = "[~]"
"""Between the entries of a REG_MULTI_SZ (Registry table, column Value)."""
FIND: Final = 25
SEARCH: Final = 50
SET_PROPERTY: Final = 51
RAW_VALUE_64: Final = 2 + 16
"""RegLocator.Type: the value itself, from the 64-bit view."""
REMEMBERED: Final = tuple(told for told in TOLD if told.was != "never")
"""Read back from the previous version, which is removed before this one writes its own."""
BEFORE_REMOVE_FILES: Final = 3400
AFTER_INITIALIZE: Final = 1501
"""RemoveExistingProducts inside the transaction: where installing fails, the old one comes back."""
REMOVE_DATA: Final = 'REMOVE="ALL" AND REMOVEDATA="1" AND NOT UPGRADINGPRODUCTCODE'
DEFERRED_AS_SYSTEM: Final = 18 + 1024 + 2048 + 64
"""An installed file; deferred; without the user's rights; its failure does not stop the rest."""


def tables(version: str, program: str) -> dict[str, str]:
    """Return whole tables wixl does not make, in the archive format (IDT) `msibuild -i` reads.

    program: File key of `vereda.exe`.
    """
    code = f"{{{str(identity.UPGRADE_CODE).upper()}}}"
    return {
        "Upgrade": _table(
            "Upgrade",
            (
                ("UpgradeCode", "s38"),
                ("VersionMin", "S20"),
                ("VersionMax", "S20"),
                ("Language", "S255"),
                ("Attributes", "i4"),
                ("Remove", "S255"),
                ("ActionProperty", "s72"),
            ),
            ("UpgradeCode", "VersionMin", "VersionMax", "Language", "Attributes"),
            # Both are removed when the installation goes on; a newer one lets it go on only with
            # ALLOWDOWNGRADE (table LaunchCondition). No bound is included.
            (code, "", version, "", "0", "", "OLDERFOUND"),
            (code, version, "", "", "0", "", "NEWERFOUND"),
        ),
        "CustomAction": _table(
            "CustomAction",
            (("Action", "s72"), ("Type", "i2"), ("Source", "S72"), ("Target", "S255")),
            ("Action",),
            *((f"Keep{t.value_name}", str(SET_PROPERTY), t.name, _kept(t)) for t in REMEMBERED),
            ("RemoveData", str(DEFERRED_AS_SYSTEM), program, "leave --every-account --yes"),
        ),
    }


def statements() -> tuple[str, ...]:
    """Return the SQL that completes the tables wixl makes."""
    environment = SEPARATOR.join(
        (
            "VEREDA_HOME=[SYNCHOME]",
            "VEREDA_CLINICIAN=[SYNCCLINICIAN]",
            "VEREDA_PASSPHRASE_FILE=[SYNCPASSPHRASEFILE]",
        )
    )
    return (
        _property("SecureCustomProperties", ";".join((*SECURE, "NEWERFOUND", "OLDERFOUND"))),
        _property("MsiHiddenProperties", SERVICE_SECRET),
        f"UPDATE `Registry` SET `Value` = '{SEPARATOR}{environment}{SEPARATOR}' "
        "WHERE `Name` = 'Environment'",
        *(_only_when(told.id, told.condition) for told in TOLD),
        _only_when("SyncEnvironment", "SYNCHOME AND SYNCPASSPHRASEFILE"),
        *(_search(told) for told in REMEMBERED),
        *(_wanted(told) for told in REMEMBERED),
        _step("InstallExecuteSequence", "AppSearch", "", SEARCH),
        *(
            _step("InstallExecuteSequence", f"Keep{t.value_name}", _keep_when(t), SEARCH + 1 + i)
            for i, t in enumerate(REMEMBERED)
        ),
        _step("InstallUISequence", "FindRelatedProducts", "", FIND),
        _step("InstallExecuteSequence", "FindRelatedProducts", "", FIND),
        _step("InstallExecuteSequence", "RemoveExistingProducts", "", AFTER_INITIALIZE),
        _step("InstallExecuteSequence", "RemoveData", REMOVE_DATA, BEFORE_REMOVE_FILES),
    )


def _table(
    name: str, columns: Sequence[tuple[str, str]], keys: Sequence[str], *rows: Sequence[str]
) -> str:
    heads, kinds = zip(*columns, strict=True)
    return "".join("\t".join(line) + "\r\n" for line in (heads, kinds, (name, *keys), *rows))


def _old(told: Told) -> str:
    return f"OLD{told.value_name.upper()}"


def _kept(told: Told) -> str:
    return told.kept_as or f"[{_old(told)}]"


def _keep_when(told: Told) -> str:
    found = f'{_old(told)}="{told.was}"' if told.was else _old(told)
    return f"NOT {told.name} AND {found}"


def _search(told: Told) -> str:
    return (
        "INSERT INTO `RegLocator` (`Signature_`, `Root`, `Key`, `Name`, `Type`) VALUES "
        f"('{_old(told)}', 2, '{told.key}', '{told.value_name}', {RAW_VALUE_64})"
    )


def _wanted(told: Told) -> str:
    return (
        "INSERT INTO `AppSearch` (`Property`, `Signature_`) "
        f"VALUES ('{_old(told)}', '{_old(told)}')"
    )


def _property(name: str, value: str) -> str:
    return f"INSERT INTO `Property` (`Property`, `Value`) VALUES ('{name}', '{value}')"


def _only_when(component: str, condition: str) -> str:
    return f"UPDATE `Component` SET `Condition` = '{condition}' WHERE `Component` = '{component}'"


def _step(table: str, action: str, condition: str, sequence: int) -> str:
    return (
        f"INSERT INTO `{table}` (`Action`, `Condition`, `Sequence`) "
        f"VALUES ('{action}', '{condition}', {sequence})"
    )
