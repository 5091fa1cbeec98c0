"""Settings: defaults, a file that is checked, and the place of the data."""

from pathlib import Path

import pytest

from desktop.settings import (
    Settings,
    SettingsError,
    data_directory,
    declared,
    load_settings,
    overlaid,
)

KEYS_FOR_WINDOWS_IT = {
    "BackupFolder",
    "BackupsKept",
    "SyncUrl",
    "TenantId",
    "ClientId",
    "SiteId",
    "AutoUpdateEnabled",
    "UpdateChannel",
    "MaxModelAgeDays",
    "ProxyMode",
    "ProxyUrl",
    "CaBundlePath",
    "MeteredPolicy",
    "DailyByteBudget",
    "IdleLockMinutes",
    "AllowUsbExport",
    "LogLevel",
    "AuditRetentionDays",
    "CommitFirstMode",
    "Language",
}


def test_every_policy_key_of_the_conventions_is_declared_and_no_other():
    assert set(declared()) == KEYS_FOR_WINDOWS_IT


def test_a_machine_without_a_file_runs_on_defaults(tmp_path):
    assert load_settings(tmp_path) == Settings()


def test_the_defaults_pass_their_own_checks():
    values = {key: getattr(Settings(), name) for key, (name, _, _) in declared().items()}
    assert overlaid(Settings(), values) == Settings()


def test_the_file_of_the_clinic_wins_over_the_defaults(tmp_path):
    (tmp_path / "vereda.toml").write_text(
        'SyncUrl = "https://nube.example"\nIdleLockMinutes = 5\nProxyMode = "manual"\n'
    )
    settings = load_settings(tmp_path)
    assert (settings.sync_url, settings.idle_lock_minutes) == ("https://nube.example", 5)
    assert settings.proxy_mode == "manual"
    assert settings.update_channel == "stable"


@pytest.mark.parametrize(
    ("line", "culprit"),
    [
        ("SyncURL = 'x'", "SyncURL"),
        ("IdleLockMinutes = 0", "IdleLockMinutes"),
        ("IdleLockMinutes = true", "IdleLockMinutes"),
        ("IdleLockMinutes = '5'", "IdleLockMinutes"),
        ("AutoUpdateEnabled = 1", "AutoUpdateEnabled"),
        ("LogLevel = 'loud'", "LogLevel"),
        ("no toml", ""),
    ],
)
def test_a_wrong_line_names_its_key_instead_of_being_skipped(tmp_path, line, culprit):
    (tmp_path / "vereda.toml").write_text(line)
    with pytest.raises(SettingsError) as refused:
        load_settings(tmp_path)
    assert refused.value.key == culprit


def test_the_environment_chooses_the_data_directory_and_nothing_else():
    assert data_directory({"VEREDA_HOME": "/clinica"}) == Path("/clinica")
    assert data_directory({}).name == "Vereda"
