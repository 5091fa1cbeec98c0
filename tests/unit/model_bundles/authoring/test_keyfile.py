"""A key file gives its key to whoever knows the passphrase, and to nobody else."""

import json
import stat

import pytest
import securesystemslib.signer._azure_signer as azure

from ddx.domain.canonical import canonical_json
from model_bundles.authoring import keyfile
from model_bundles.errors import SigningError

WORDS = "correct horse battery"


def made(folder, **changed):
    given = {"role": "root", "holder": "Ana", "passphrase": WORDS, "scrypt_n": 2**4} | changed
    return keyfile.create(folder / "ana.key", **given)


def test_the_key_comes_back_with_its_passphrase(tmp_path):
    card = made(tmp_path)
    signer = keyfile.open_key(tmp_path / "ana.key", WORDS)
    assert signer.public_key == card.key
    signature = signer.sign(b"payload")
    card.key.verify_signature(signature, b"payload")


def test_the_card_beside_it_tells_whose_it_is_and_nothing_secret(tmp_path):
    card = made(tmp_path)
    assert keyfile.read_card(tmp_path / "ana.card.json") == card
    assert keyfile.read_card(tmp_path / "ana.key") == card
    assert set(json.loads((tmp_path / "ana.card.json").read_bytes())) == {
        "role",
        "holder",
        "key",
        "uri",
    }


def test_a_wrong_passphrase_opens_nothing(tmp_path):
    made(tmp_path)
    with pytest.raises(SigningError, match="wrong passphrase"):
        keyfile.open_key(tmp_path / "ana.key", WORDS + "!")


@pytest.mark.parametrize("field", ["role", "holder", "key", "sealed"])
def test_a_key_file_that_was_changed_opens_nothing(tmp_path, field):
    """The card is authenticated: a stolen file cannot be passed off as another role's."""
    made(tmp_path)
    path = tmp_path / "ana.key"
    raw = json.loads(path.read_bytes())
    if field == "key":
        raw["key"]["keyid"] = "0" * 64
    else:
        raw[field] = ("1" if raw[field][0] == "0" else "0") + raw[field][1:]
    path.write_bytes(canonical_json(raw))
    with pytest.raises(SigningError, match="changed"):
        keyfile.open_key(path, WORDS)


def test_the_private_key_is_not_in_the_file_and_the_file_is_private(tmp_path):
    made(tmp_path)
    path = tmp_path / "ana.key"
    private = keyfile.open_key(path, WORDS).private_bytes
    assert private not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_guess_costs_what_the_house_says_unless_a_test_says_less(tmp_path):
    made(tmp_path, scrypt_n=None)
    kdf = json.loads((tmp_path / "ana.key").read_bytes())["kdf"]
    assert (kdf["name"], kdf["n"], kdf["r"], kdf["p"]) == ("scrypt", 2**17, 8, 1)
    assert len(bytes.fromhex(kdf["salt"])) == 16


def test_keys_are_never_overwritten_and_short_passphrases_refused(tmp_path):
    made(tmp_path)
    with pytest.raises(SigningError, match="never overwritten"):
        made(tmp_path)
    with pytest.raises(SigningError, match="12 characters"):
        made(tmp_path / "other", passphrase="short")


@pytest.mark.parametrize("change", [{"name": "pbkdf2"}, {"n": 2**30}, {"r": 1}, {"n": "many"}])
def test_a_file_that_asks_for_another_derivation_is_refused(tmp_path, change):
    """`n` from a planted file would otherwise take all memory."""
    made(tmp_path)
    path = tmp_path / "ana.key"
    raw = json.loads(path.read_bytes())
    raw["kdf"] |= change
    path.write_bytes(canonical_json(raw))
    with pytest.raises(SigningError):
        keyfile.open_key(path, WORDS)


@pytest.mark.parametrize("content", [b"", b"{}", b"-----BEGIN PRIVATE KEY-----"])
def test_what_is_no_key_file_is_said_to_be_none(tmp_path, content):
    path = tmp_path / "x.key"
    path.write_bytes(content)
    with pytest.raises(SigningError, match="neither"):
        keyfile.read_card(path)
    with pytest.raises(SigningError, match="no file"):
        keyfile.read_card(tmp_path / "absent.key")


def test_a_card_of_azure_asks_for_no_passphrase_and_says_what_is_missing(tmp_path, monkeypatch):
    card = made(tmp_path)
    vault = keyfile.KeyCard(
        role="timestamp", holder="cloud", key=card.key, uri="azurekms://v.vault.azure.net/keys/k/1"
    )
    vault.write(tmp_path / "cloud.card.json")
    monkeypatch.setattr(azure, "AZURE_IMPORT_ERROR", "azure-identity is not installed")

    def ask(prompt):
        raise AssertionError("nobody is asked")

    with pytest.raises(SigningError, match=r"docs/keys\.md"):
        keyfile.signer_of(tmp_path / "cloud.card.json", ask)
    with pytest.raises(SigningError, match="azure-keyvault-keys"):
        keyfile.azure_card("v", "k", role="timestamp", holder="cloud")
