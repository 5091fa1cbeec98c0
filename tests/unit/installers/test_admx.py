"""Policy templates: every setting of the model is there, in both languages, with its range."""

import xml.etree.ElementTree as ET
from enum import StrEnum

import pytest

from desktop.policies import POLICY_KEY, Hive, registry_layers
from desktop.settings import declared, load_settings
from installers.windows.admx import LANGUAGES, NAMESPACE, adml, admx
from installers.windows.policy_words import SETTINGS

SPACE = {"p": NAMESPACE}
POLICIES = {p.get("name"): p for p in ET.fromstring(admx()).iterfind("p:policies/p:policy", SPACE)}


def element_of(policy):
    found = policy.find("p:elements/*", SPACE)
    return None if found is None else (found.tag.rpartition("}")[2], found)


def test_every_setting_is_a_policy_and_no_other():
    assert set(POLICIES) == set(declared())


@pytest.mark.parametrize("key", sorted(declared()))
def test_a_policy_writes_the_value_the_application_reads(key):
    policy = POLICIES[key]
    element = element_of(policy)
    assert policy.get("key") == POLICY_KEY
    assert (policy if element is None else element[1]).get("valueName") == key
    assert policy.get("class") == "Both"


@pytest.mark.parametrize("key", sorted(declared()))
def test_what_the_editor_may_write_the_model_takes(key, tmp_path):
    name, kind, limits = declared()[key]
    policy, element = POLICIES[key], element_of(POLICIES[key])
    if kind is bool:
        values = {
            int(v.get("value")): bool(int(v.get("value"))) for v in policy.iter() if v.get("value")
        }
        assert set(values) == {0, 1}
    elif issubclass(kind, StrEnum):
        values = {s.text: s.text for s in element[1].iterfind("p:item/p:value/p:string", SPACE)}
        assert set(values) == {str(choice) for choice in kind}
    elif kind is int:
        bounds = [int(element[1].get(b)) for b in ("minValue", "maxValue")]
        assert bounds == [limits.low, limits.high]
        values = {bound: bound for bound in bounds}
    else:
        assert element[0] == "text"
        values = {"x": "x"}
    for written, meant in values.items():

        class Registry:
            def values(self, hive, path, written=written):
                return {key: written} if (hive, path) == (Hive.MACHINE, POLICY_KEY) else {}

        settings = load_settings(tmp_path, registry_layers(Registry()))
        assert getattr(settings, name) == meant


def test_a_number_beyond_32_bits_is_a_long_one():
    assert element_of(POLICIES["DailyByteBudget"])[0] == "longDecimal"
    assert element_of(POLICIES["IdleLockMinutes"])[0] == "decimal"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_string_and_presentation_the_template_names_is_translated(language):
    root = ET.fromstring(adml(language))
    strings = {s.get("id"): s.text for s in root.iter(f"{{{NAMESPACE}}}string")}
    shown = {p.get("id") for p in root.iter(f"{{{NAMESPACE}}}presentation")}
    for node in ET.fromstring(admx()).iter():
        for value in node.attrib.values():
            kind, _, name = value.removeprefix("$(").removesuffix(")").partition(".")
            if value.startswith("$("):
                assert name in (strings if kind == "string" else shown), value
    assert all(strings.values())


def test_the_two_languages_differ():
    spanish, english = (adml(language).decode() for language in LANGUAGES)
    assert "Dirección del proxy" in spanish
    assert "Proxy address" in english
    assert all(w.help_es != w.help_en for w in SETTINGS.values())


def test_every_setting_has_its_words_and_no_other():
    assert set(SETTINGS) == set(declared())
