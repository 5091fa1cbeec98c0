"""Authenticode: what was signed verifies, one flipped byte does not."""

import shutil

import pytest
from support.signing_keys import SigningKeys

from installers.windows.signing import SigningError, sign, verifies


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return SigningKeys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def signed(keys, small_msi, small_payload, tmp_path_factory):
    """A signed MSI and a signed program."""
    folder = tmp_path_factory.mktemp("signed")
    files = [shutil.copy(small_msi, folder), shutil.copy(small_payload / "vereda.exe", folder)]
    for file in map(folder.joinpath, files):
        sign(file, keys.signer, keys.stamper)
    return [folder / small_msi.name, folder / "vereda.exe"]


@pytest.mark.parametrize("which", [0, 1], ids=["msi", "exe"])
def test_what_was_signed_and_stamped_verifies(keys, signed, which):
    assert verifies(signed[which], keys.root, keys.root)


@pytest.mark.parametrize("which", [0, 1], ids=["msi", "exe"])
@pytest.mark.parametrize("part", [0.3, 0.6])
def test_one_flipped_byte_is_refused(keys, signed, which, part, tmp_path):
    content = bytearray(signed[which].read_bytes())
    place = next(i for i in range(int(len(content) * part), len(content)) if content[i])
    content[place] ^= 1
    damaged = tmp_path / signed[which].name
    damaged.write_bytes(content)
    assert not verifies(damaged, keys.root, keys.root)


def test_an_unsigned_file_does_not_verify(keys, small_msi):
    assert not verifies(small_msi, keys.root, keys.root)


def test_another_authority_is_not_believed(signed, tmp_path):
    other = SigningKeys(tmp_path)
    assert not verifies(signed[0], other.root, other.root)


def test_a_file_that_cannot_be_signed_stays_as_it_was(keys, tmp_path):
    text = tmp_path / "notes.msi"
    text.write_text("no installer")
    with pytest.raises(SigningError):
        sign(text, keys.signer, keys.stamper)
    assert text.read_text() == "no installer"
    assert [p.name for p in tmp_path.iterdir()] == ["notes.msi"]
