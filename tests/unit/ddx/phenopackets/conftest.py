"""The codes of the vocabulary that ships, and the smallest packet with nothing wrong in it."""

import copy

import pytest

from ddx.domain.artifacts import HPO_OBO
from ddx.phenopackets.features import FeatureCodes
from ddx.terminology.hpo_release import HpoRelease
from training.sources.hpo import OBO_FILE, raw_files

LENS, FINGERS, AORTA = "HP:0001083", "HP:0001166", "HP:0002616"


@pytest.fixture(scope="session")
def codes(catalogue, vocabulary):
    class Members:
        version, digest = "2026.1.1", "0" * 64

        def read(self, name):
            return raw_files()[OBO_FILE] if name == HPO_OBO else vocabulary[name]

    return FeatureCodes(catalogue, HpoRelease(Members()))


@pytest.fixture
def packet(codes):
    return copy.deepcopy(
        {
            "id": "PMID_11111111_A",
            "subject": {
                "id": "A",
                "sex": "MALE",
                "timeAtLastEncounter": {"age": {"iso8601duration": "P14Y"}},
            },
            "phenotypicFeatures": [
                {"type": {"id": LENS, "label": "Ectopia lentis"}},
                {"type": {"id": AORTA}, "excluded": True},
            ],
            "metaData": {
                "created": "2026-01-01T00:00:00Z",
                "createdBy": "tests",
                "resources": [{"id": "hp", "version": codes.hpo_version, "namespacePrefix": "HP"}],
            },
        }
    )
