"""Every published phenopacket in and out: nothing lost, and valid for other tools."""

import gzip
import json
from collections import Counter

import numpy as np
import pytest

from ddx.engine import Engine
from ddx.features.rare_sources import SourcedAnnotations, SourceRemoval
from ddx.phenopackets.features import FeatureCodes
from ddx.phenopackets.read import read_phenopacket
from ddx.phenopackets.write import write_phenopacket
from ddx.rare_list import rank_rare
from model_bundles.embedded import open_embedded_bundle
from training.evaluate.rare import Protocol
from training.fit.rare_rows import RareWorkbench, rows_of_case
from training.sources.phenopackets import PHENOPACKETS, read_phenopackets

pytestmark = [pytest.mark.data, pytest.mark.slow, pytest.mark.timeout(900)]

DOUBTS = {"age.missing", "feature.excluded_kind"}
"""What may still be told of a packet we wrote: the patient is as doubtful as before."""

ROUNDING = 1e-9


@pytest.fixture(scope="module")
def bundle():
    return open_embedded_bundle()


@pytest.fixture(scope="module")
def engine(bundle):
    return Engine.from_artifacts(bundle)


@pytest.fixture(scope="module")
def codes(bundle, engine):
    return FeatureCodes.from_artifacts(bundle, engine.catalogue)


@pytest.fixture(scope="module")
def packets(clinical_data):
    with gzip.open(clinical_data / PHENOPACKETS, "rt", encoding="utf-8") as lines:
        return [json.loads(line)["phenopacket"] for line in lines]


@pytest.fixture(scope="module")
def read(packets, codes):
    return [read_phenopacket(packet, codes) for packet in packets]


@pytest.fixture(scope="module")
def written(read, engine, bundle):
    return [
        write_phenopacket(
            packet.case,
            engine.catalogue,
            id=packet.id,
            created="2026-01-01T00:00:00Z",
            created_by="tests",
            vocabulary_version=bundle.version,
            truths=packet.truths,
            sources=packet.sources,
        )
        for packet in read
    ]


def test_every_packet_is_read_and_what_is_wrong_is_counted(packets, read):
    assert len(read) == len(packets) == 8816
    assert all(packet.case is not None and packet.truths and packet.sources for packet in read)
    found = Counter((issue.level.value, issue.code) for packet in read for issue in packet.issues)
    assert found == {
        ("warning", "hpo.other_version"): 8816,
        ("warning", "age.missing"): 2129,
        ("error", "feature.unknown_id"): 215,  # terms newer than our release
        ("error", "onset.after_encounter"): 146,
        ("warning", "age.before_birth"): 22,
        ("warning", "age.no_number"): 20,
        ("warning", "feature.excluded_kind"): 13,
        ("warning", "sex.other"): 1,
    }


def test_every_packet_survives_the_round_trip(read, written, codes):
    for before, packet in zip(read, written, strict=True):
        after = read_phenopacket(json.loads(json.dumps(packet)), codes)
        assert after.case == before.case
        assert (after.truths, after.sources) == (before.truths, before.sources)
        assert {issue.code for issue in after.issues} <= DOUBTS


def test_every_packet_we_write_fits_the_published_schema(written, read, codes):
    phenopackets = pytest.importorskip("phenopackets", reason="needs the phenopackets package")
    json_format = pytest.importorskip("google.protobuf.json_format")
    for at, (before, packet) in enumerate(zip(read, written, strict=True)):
        message = json_format.ParseDict(packet, phenopackets.Phenopacket())
        for snake in (False, True) if at % 10 == 0 else ():  # both spellings, of one in ten
            back = json_format.MessageToDict(message, preserving_proto_field_name=snake)
            assert read_phenopacket(back, codes).case == before.case


def test_positions_without_the_own_paper_are_those_of_the_evaluation(
    clinical_data, packets, codes, engine, bundle
):
    removal = SourceRemoval(engine.rare.index, SourcedAnnotations.from_artifacts(bundle))
    bench = RareWorkbench.build(clinical_data)
    cases = {case.id: case for case in read_phenopackets(clinical_data)}
    compared = 0
    for packet in (read_phenopacket(raw, codes) for raw in packets[::40]):
        without = removal.without(packet.sources)
        labelled = cases[packet.id]
        ranked = rank_rare(engine, labelled.case, without)
        index = engine.rare.index
        right = {index.number_of(code) for code in packet.truths if code in index}
        changed = set(without.numbers.tolist())
        if not right or packet.sources != (labelled.pmid,) or changed - right:
            continue  # the evaluation changes the profile of the diagnosis only
        expected = rows_of_case(bench, labelled, Protocol.PAPER_REMOVED).first_stage
        own = ranked.scores[np.isin(ranked.order, list(right))].max(initial=-np.inf)
        best = int((ranked.scores > own + ROUNDING).sum()) + 1
        last = int((ranked.scores >= own - ROUNDING).sum())
        assert best <= expected <= last  # rounding may order equal scores otherwise there
        compared += 1
    assert compared > 100
