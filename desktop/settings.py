"""Settings of one machine: one model, layered from defaults and the clinic's file.

Each field names its policy key, so that the file, the Windows policies and their templates
speak of the same things. The data directory itself comes from `VEREDA_HOME` or the system.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, get_args, get_type_hints

from ddx.domain.metering import MeteredPolicy
from ddx.errors import DdxError

FILE: Final = "vereda.toml"
HOME_VARIABLE: Final = "VEREDA_HOME"


class SettingsError(DdxError):
    """A settings file cannot be used. `key` names the culprit; empty when it is the file."""

    code: ClassVar[str] = "settings.invalid"

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key}: {reason}" if key else reason)
        self.key, self.reason = key, reason


class ProxyMode(StrEnum):
    """How the network is reached."""

    SYSTEM = "system"
    NONE = "none"
    MANUAL = "manual"


class LogLevel(StrEnum):
    """How much is logged; never a patient, at any level."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    DEBUG = "debug"


@dataclass(frozen=True, slots=True)
class Policy:
    """How a setting is known outside: its policy key, and its range when it is a number."""

    key: str
    low: int = 0
    high: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting of the desktop application, by policy key.

    daily_byte_budget: bytes per UTC day on links paid by the byte, records and bundles together;
    0 for no limit.
    max_model_age_days: after so many days without a newer bundle the screen warns. backup_folder:
    empty for `backups` in the data directory; another disk is better.
    """

    sync_url: Annotated[str, Policy("SyncUrl")] = ""
    tenant_id: Annotated[str, Policy("TenantId")] = ""
    client_id: Annotated[str, Policy("ClientId")] = ""
    site_id: Annotated[str, Policy("SiteId")] = ""
    auto_update_enabled: Annotated[bool, Policy("AutoUpdateEnabled")] = True
    update_channel: Annotated[str, Policy("UpdateChannel")] = "stable"
    max_model_age_days: Annotated[int, Policy("MaxModelAgeDays", 1, 3650)] = 180
    proxy_mode: Annotated[ProxyMode, Policy("ProxyMode")] = ProxyMode.SYSTEM
    proxy_url: Annotated[str, Policy("ProxyUrl")] = ""
    ca_bundle_path: Annotated[str, Policy("CaBundlePath")] = ""
    metered_policy: Annotated[MeteredPolicy, Policy("MeteredPolicy")] = MeteredPolicy.RECORDS_ONLY
    daily_byte_budget: Annotated[int, Policy("DailyByteBudget", 0, 1 << 40)] = 0
    idle_lock_minutes: Annotated[int, Policy("IdleLockMinutes", 1, 240)] = 10
    backup_folder: Annotated[str, Policy("BackupFolder")] = ""
    backups_kept: Annotated[int, Policy("BackupsKept", 1, 365)] = 7
    allow_usb_export: Annotated[bool, Policy("AllowUsbExport")] = False
    log_level: Annotated[LogLevel, Policy("LogLevel")] = LogLevel.INFO
    audit_retention_days: Annotated[int, Policy("AuditRetentionDays", 183, 36500)] = 3650
    commit_first_mode: Annotated[bool, Policy("CommitFirstMode")] = False


def data_directory(environment: Mapping[str, str] | None = None) -> Path:
    """Return where the clinic lives: `VEREDA_HOME`, else the system's place for user data."""
    home = (os.environ if environment is None else environment).get(HOME_VARIABLE)
    if home:
        return Path(home)
    from platformdirs import user_data_path  # noqa: PLC0415 -- only when nobody chose

    return user_data_path("Vereda", appauthor=False)


def load_settings(data_dir: Path) -> Settings:
    """Return the defaults overlaid with `vereda.toml` of the data directory, if it is there.

    Raises:
        SettingsError: unreadable file, unknown key, or a value of the wrong type or range.
    """
    path = data_dir / FILE
    if not path.is_file():
        return Settings()
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError("", f"{FILE} cannot be read: {error}") from error
    return overlaid(Settings(), raw)


def overlaid(base: Settings, values: Mapping[str, Any]) -> Settings:
    """Return `base` with `values` (policy key -> value) on top. Raises SettingsError."""
    known = declared()
    changed: dict[str, Any] = {}
    for key, value in values.items():
        if key not in known:
            raise SettingsError(key, "no such setting")
        name, kind, policy = known[key]
        changed[name] = _checked(policy, kind, value)
    return replace(base, **changed)


def declared() -> dict[str, tuple[str, type, Policy]]:
    """Return policy key -> (field name, type, policy) of every setting."""
    hints = get_type_hints(Settings, include_extras=True)
    found = {}
    for name, hint in hints.items():
        kind, policy = get_args(hint)
        found[policy.key] = (name, kind, policy)
    return found


def _checked(policy: Policy, kind: type[Any], value: Any) -> Any:
    if issubclass(kind, StrEnum):
        try:
            return kind(value)
        except ValueError as error:
            raise SettingsError(policy.key, f"one of {', '.join(kind)}") from error
    if type(value) is not kind:
        raise SettingsError(policy.key, f"needs a value of type {kind.__name__}")
    if kind is int and not policy.low <= int(value) <= policy.high:
        raise SettingsError(policy.key, f"between {policy.low} and {policy.high}")
    return value
