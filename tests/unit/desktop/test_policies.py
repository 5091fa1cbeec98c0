"""Layers of settings: for every key the machine's policy beats the user's, and that the file."""

from enum import StrEnum

import pytest

from desktop.policies import INSTALLER_KEY, POLICY_KEY, Hive, file_layers, registry_layers
from desktop.settings import (
    Origin,
    Settings,
    SettingsError,
    declared,
    load_settings,
    overlaid,
    shown,
)

KEYS = sorted(declared())


class FakeRegistry(dict):
    """{(hive, key): {name: value}}"""

    def values(self, hive, key):
        return self.get((hive, key), {})


def three_values(key):
    """Three different values a key accepts, as the model has them."""
    name, kind, policy = declared()[key]
    if kind is bool:
        default = getattr(Settings(), name)
        return [default, not default, default]
    if issubclass(kind, StrEnum):
        return (list(kind) * 2)[:3]
    if kind is int:
        return [policy.low + 1, policy.low + 2, policy.low + 3]
    return ["file", "user", "machine"]


def in_registry(value):
    """The value as group policy writes it."""
    return int(value) if isinstance(value, int) else str(value)


def toml(key, value):
    if isinstance(value, bool):
        return f"{key} = {str(value).lower()}\n"
    return f"{key} = {value}\n" if isinstance(value, int) else f'{key} = "{value}"\n'


@pytest.fixture
def etc(tmp_path):
    (tmp_path / "etc" / "users").mkdir(parents=True)
    return tmp_path / "etc"


@pytest.mark.parametrize("key", KEYS)
def test_in_the_registry_machine_beats_user_beats_file(tmp_path, key):
    name = declared()[key][0]
    file, user, machine = three_values(key)
    (tmp_path / "vereda.toml").write_text(toml(key, file))
    registry = FakeRegistry()
    for value, (hive, path), origin in (
        (file, (None, None), Origin.FILE),
        (user, (Hive.USER, POLICY_KEY), Origin.USER_POLICY),
        (machine, (Hive.MACHINE, POLICY_KEY), Origin.MACHINE_POLICY),
    ):
        if hive:
            registry[hive, path] = {key: in_registry(value)}
        settings = load_settings(tmp_path, registry_layers(registry))
        assert (getattr(settings, name), settings.origin_of(key)) == (value, origin)
        assert settings.is_locked(key) == (hive is not None)


@pytest.mark.parametrize("key", KEYS)
def test_in_etc_machine_beats_user_beats_file(tmp_path, etc, key):
    name = declared()[key][0]
    places = (tmp_path / "vereda.toml", etc / "users" / "ana.toml", etc / "policy.toml")
    origins = (Origin.FILE, Origin.USER_POLICY, Origin.MACHINE_POLICY)
    for place, value, origin in zip(places, three_values(key), origins, strict=True):
        place.write_text(toml(key, value))
        settings = load_settings(tmp_path, file_layers(etc, "ana"))
        assert (getattr(settings, name), settings.origin_of(key)) == (value, origin)


@pytest.mark.parametrize("key", KEYS)
def test_what_the_installer_was_told_is_weaker_than_the_file_and_locks_nothing(tmp_path, key):
    name = declared()[key][0]
    told, file, _ = three_values(key)
    registry = FakeRegistry({(Hive.MACHINE, INSTALLER_KEY): {key: in_registry(told)}})
    assert getattr(load_settings(tmp_path, registry_layers(registry)), name) == told
    (tmp_path / "vereda.toml").write_text(toml(key, file))
    settings = load_settings(tmp_path, registry_layers(registry))
    assert (getattr(settings, name), settings.is_locked(key)) == (file, False)


@pytest.mark.parametrize("key", KEYS)
def test_a_screen_shows_a_locked_key_as_locked_and_no_other(tmp_path, key):
    value = three_values(key)[2]
    registry = FakeRegistry({(Hive.MACHINE, POLICY_KEY): {key: in_registry(value)}})
    rows = shown(load_settings(tmp_path, registry_layers(registry)))
    assert [row.key for row in rows] == list(declared())
    assert [(row.key, row.value, row.source) for row in rows if row.locked] == [
        (key, value, Origin.MACHINE_POLICY)
    ]


def test_the_policy_of_another_account_is_not_read(tmp_path, etc):
    (etc / "users" / "luis.toml").write_text('SiteId = "luis"\n')
    assert load_settings(tmp_path, file_layers(etc, "ana")).site_id == ""


def test_an_account_name_with_a_path_reads_nothing_outside_the_folder(etc):
    (etc.parent / "fuera.toml").write_text('SiteId = "fuera"\n')
    assert [dict(layer.values) for layer in file_layers(etc, "../../fuera")] == [{}, {}, {}]


def test_a_key_of_a_later_version_does_not_stop_an_older_application(tmp_path):
    registry = FakeRegistry({(Hive.MACHINE, POLICY_KEY): {"FromTheFuture": 1, "SiteId": "a"}})
    assert load_settings(tmp_path, registry_layers(registry)).site_id == "a"


def test_a_number_written_as_text_is_read(tmp_path):
    registry = FakeRegistry({(Hive.MACHINE, POLICY_KEY): {"IdleLockMinutes": "7"}})
    assert load_settings(tmp_path, registry_layers(registry)).idle_lock_minutes == 7


@pytest.mark.parametrize("value", ["seven", "", 0, 241])
def test_a_policy_out_of_range_is_refused_by_key_and_place(tmp_path, value):
    registry = FakeRegistry({(Hive.MACHINE, POLICY_KEY): {"IdleLockMinutes": value}})
    with pytest.raises(SettingsError) as refused:
        load_settings(tmp_path, registry_layers(registry))
    assert refused.value.key == "IdleLockMinutes"
    assert refused.value.place == rf"HKLM\{POLICY_KEY}"


def test_a_switch_is_not_guessed_from_other_numbers(tmp_path):
    registry = FakeRegistry({(Hive.USER, POLICY_KEY): {"AllowUsbExport": 2}})
    with pytest.raises(SettingsError):
        load_settings(tmp_path, registry_layers(registry))


def test_an_unreadable_policy_file_is_named(tmp_path, etc):
    (etc / "policy.toml").write_text("SiteId =")
    with pytest.raises(SettingsError) as refused:
        load_settings(tmp_path, file_layers(etc, "ana"))
    assert refused.value.place == str(etc / "policy.toml")


def test_who_set_a_value_does_not_make_two_settings_differ():
    assert overlaid(Settings(), {"SiteId": ""}, Origin.MACHINE_POLICY) == Settings()
