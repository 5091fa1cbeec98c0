"""deb and MSI hold the signed bundle of models whole: a site without a link needs nothing else."""

import subprocess
from pathlib import PurePosixPath

import pytest

from model_bundles.embedded import default_repository

SHIPPED = default_repository().parent
LISTS = {
    "*.deb": lambda path: ["dpkg-deb", "--contents", path],
    "*.msi": lambda path: ["msiextract", "--list", path],
}


@pytest.mark.parametrize("pattern", list(LISTS))
def test_every_file_of_the_shipped_bundle_and_its_trust_is_in_the_installer(artefact, pattern):
    listed = subprocess.run(
        LISTS[pattern](artefact(pattern)), check=True, capture_output=True, text=True
    ).stdout.splitlines()
    inside = {
        line.partition("model_bundles/default/")[2]
        for line in listed
        if "model_bundles/default/" in line and not line.endswith("/")
    }
    shipped = {
        str(PurePosixPath(path.relative_to(SHIPPED)))
        for path in SHIPPED.rglob("*")
        if path.is_file()
    }
    assert len(shipped) > 20  # metadata, roots and members: the listing is not empty
    assert inside == shipped


def test_the_bundle_in_the_deb_is_byte_for_byte_the_one_that_ships(artefact, tmp_path):
    package = artefact("*.deb")
    subprocess.run(["dpkg-deb", "--extract", package, tmp_path], check=True)
    (inside,) = tmp_path.rglob("model_bundles/default")
    for path in (p for p in SHIPPED.rglob("*") if p.is_file()):
        assert (inside / path.relative_to(SHIPPED)).read_bytes() == path.read_bytes(), path
