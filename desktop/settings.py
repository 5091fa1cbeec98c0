"""Settings of one machine: one model, layered; a policy of the organisation locks what it sets.

From weak to strong: defaults, what the cloud sets, what the installer was told, the clinic's file,
a policy for the user, a policy for the machine. Each field names its policy key, so that the file,
the policies and their templates speak of the same things. The data directory itself comes from
`VEREDA_HOME` or the system.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, get_args, get_type_hints

from ddx.domain.audit_retention import LEAST_DAYS
from ddx.domain.metering import MeteredPolicy
from ddx.errors import DdxError

FILE: Final = "vereda.toml"
HOME_VARIABLE: Final = "VEREDA_HOME"


class SettingsError(DdxError):
    """A layer of settings cannot be used.

    key: the culprit; empty when it is the whole layer. place: where it stands, for people.
    """

    code: ClassVar[str] = "settings.invalid"

    def __init__(self, key: str, reason: str, place: str = FILE) -> None:
        super().__init__(f"{key}: {reason}" if key else reason)
        self.key, self.reason, self.place = key, reason, place


class Origin(StrEnum):
    """Who set a value, from weak to strong."""

    DEFAULT = "default"
    CLOUD = "cloud"
    INSTALLER = "installer"
    FILE = "file"
    USER_POLICY = "user_policy"
    MACHINE_POLICY = "machine_policy"


LOCKING: Final = frozenset({Origin.USER_POLICY, Origin.MACHINE_POLICY})
"""What these set, nobody at the clinic changes: the screen says "set by your organisation"."""


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


class WindowLanguage(StrEnum):
    """The language of the window until somebody chooses one there."""

    SYSTEM = "system"
    SPANISH = "es"
    ENGLISH = "en"


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
    audit_retention_days: Annotated[int, Policy("AuditRetentionDays", LEAST_DAYS, 36500)] = 3650
    language: Annotated[WindowLanguage, Policy("Language")] = WindowLanguage.SYSTEM
    commit_first_mode: Annotated[bool, Policy("CommitFirstMode")] = False
    origins: Mapping[str, Origin] = field(default_factory=dict, compare=False, repr=False)

    def origin_of(self, key: str) -> Origin:
        """Return who set the value of a policy key."""
        return self.origins.get(key, Origin.DEFAULT)

    def is_locked(self, key: str) -> bool:
        """Whether the organisation set the value of a policy key."""
        return self.origin_of(key) in LOCKING


@dataclass(frozen=True, slots=True)
class Shown:
    """One setting as a screen shows it. locked: the organisation set it, nobody here changes it."""

    key: str
    value: str | int | bool
    source: Origin
    locked: bool


def shown(settings: Settings) -> tuple[Shown, ...]:
    """Return every setting with who set it, in the order of the model."""
    return tuple(
        Shown(key, getattr(settings, name), settings.origin_of(key), settings.is_locked(key))
        for key, (name, _, _) in declared().items()
    )


def data_directory(environment: Mapping[str, str] | None = None) -> Path:
    """Return where the clinic lives: `VEREDA_HOME`, else the system's place for user data."""
    home = (os.environ if environment is None else environment).get(HOME_VARIABLE)
    if home:
        return Path(home)
    from platformdirs import user_data_path  # noqa: PLC0415 -- only when nobody chose

    return user_data_path("Vereda", appauthor=False)


def load_settings(data_dir: Path, layers: "tuple[Layer, ...] | None" = None) -> Settings:
    """Return the defaults overlaid with every layer of this machine, the weakest first.

    layers: of the machine, besides `vereda.toml` of the data directory; None asks the system.

    Raises:
        SettingsError: unreadable layer, unknown key in the file, value of a wrong type or range.
    """
    if layers is None:
        from desktop.policies import system_layers  # noqa: PLC0415 -- needs this module

        layers = system_layers()
    rank = list(Origin).index
    settings = Settings()
    for layer in sorted((*layers, file_layer(data_dir)), key=lambda layer: rank(layer.origin)):
        settings = overlaid(settings, layer.values, layer.origin, layer.place)
    return settings


@dataclass(frozen=True, slots=True)
class Layer:
    """Values of one place, by policy key. place: the file or registry key, for people."""

    origin: Origin
    place: str
    values: Mapping[str, Any]


def file_layer(data_dir: Path) -> Layer:
    """Return what the clinic's own file sets; nothing where there is none. Raises SettingsError."""
    return Layer(Origin.FILE, FILE, toml_values(data_dir / FILE, FILE))


def toml_values(path: Path, place: str) -> Mapping[str, Any]:
    """Return the content of a TOML file, empty where there is none. Raises SettingsError."""
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError("", f"{place} cannot be read: {error}", place) from error


def overlaid(
    base: Settings, values: Mapping[str, Any], origin: Origin = Origin.FILE, place: str = FILE
) -> Settings:
    """Return `base` with `values` (policy key -> value) on top. Raises SettingsError.

    A policy may hold keys of a later version: those are left out. In the clinic's own file an
    unknown key is a mistake somebody should hear about.
    """
    known = declared()
    changed: dict[str, Any] = {}
    for key, value in values.items():
        if key in known:
            name, kind, policy = known[key]
            changed[name] = _checked(policy, kind, value, place)
        elif origin is Origin.FILE:
            raise SettingsError(key, "no such setting", place)
    origins = {**base.origins, **dict.fromkeys(values.keys() & known.keys(), origin)}
    return replace(base, **changed, origins=origins)


def declared() -> dict[str, tuple[str, type, Policy]]:
    """Return policy key -> (field name, type, policy) of every setting."""
    hints = get_type_hints(Settings, include_extras=True)
    found = {}
    for name, hint in hints.items():
        match get_args(hint):
            case (type() as kind, Policy() as policy):
                found[policy.key] = (name, kind, policy)
    return found


def _checked(policy: Policy, kind: type[Any], value: Any, place: str) -> Any:
    if issubclass(kind, StrEnum):
        try:
            return kind(value)
        except ValueError as error:
            raise SettingsError(policy.key, f"one of {', '.join(kind)}", place) from error
    if type(value) is not kind:
        raise SettingsError(policy.key, f"needs a value of type {kind.__name__}", place)
    if kind is int and not policy.low <= int(value) <= policy.high:
        raise SettingsError(policy.key, f"between {policy.low} and {policy.high}", place)
    return value
