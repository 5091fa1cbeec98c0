"""The vocabulary that ships, built from our tables and HPO, as a bundle would hold it."""

import pytest

from ddx.errors import ModelError
from ddx.terminology.catalogue import Catalogue
from training.sources.hpo import read_ontology
from training.vocabulary import vocabulary_members

RARE = b'{"diseases": [{"id": "OMIM:154700", "en": "Marfan syndrome", "annotations": 58}]}'


class BundleInMemory:
    """Members by name; verified by nobody, for tests only."""

    version, digest = "2026.1.1", "0" * 64

    def __init__(self, members):
        self.members = members

    def read(self, name):
        if name not in self.members:
            raise ModelError(f"no member {name}")
        return self.members[name]


@pytest.fixture(scope="session")
def vocabulary():
    return vocabulary_members(read_ontology()) | {"models/rare_diseases.json": RARE}


@pytest.fixture
def bundle_of():
    return BundleInMemory


@pytest.fixture(scope="session")
def catalogue(vocabulary):
    return Catalogue.from_artifacts(BundleInMemory(vocabulary))
