"""Who takes a release first."""

import hashlib
import itertools
import json
import uuid
from dataclasses import replace

import pytest

from ddx.domain.canonical import canonical_json
from model_bundles.errors import BundleMalformedError
from model_bundles.manifest import Release, read_channel, write_channel
from model_bundles.rollout import (
    BASIS_POINTS,
    MAX_SITES,
    STAGES,
    ChannelOffer,
    Rollout,
    cohort,
    read_offer,
    write_offer,
)

NEW, OLD = Release("2026.11.6", "6" * 64), Release("2026.11.5", "5" * 64)
DEVICES = [str(uuid.UUID(int=n * 7919)) for n in range(4000)]


def test_a_cohort_is_the_hash_of_device_and_salt_mod_ten_thousand():
    """By hand: the last four decimal digits of the digest as a number."""
    digits = str(int(hashlib.sha256(b"device-1" + b"salt").hexdigest(), 16))
    assert cohort("device-1", "salt") == int(digits[-4:])


def test_cohorts_nest_from_stage_to_stage_and_end_with_everybody():
    inside = [
        {d for d in DEVICES if Rollout(basis_points=s, salt="2026.11.6").admits(d, None)}
        for s in STAGES
    ]
    assert STAGES == (1000, 2500, 5000, 7500, 10000)
    for fewer, more in itertools.pairwise(inside):
        assert fewer < more
    assert inside[-1] == set(DEVICES)


@pytest.mark.parametrize("stage", STAGES[:-1])
def test_a_stage_holds_its_share_of_the_devices(stage):
    """Binomial: 4,000 devices, five standard deviations; the devices are fixed, so is the count."""
    share = stage / BASIS_POINTS
    inside = sum(Rollout(basis_points=stage, salt="2026.11.6").admits(d, None) for d in DEVICES)
    slack = 5 * (len(DEVICES) * share * (1 - share)) ** 0.5
    assert abs(inside - len(DEVICES) * share) < slack


def test_another_release_starts_with_other_devices():
    first = {d for d in DEVICES if cohort(d, "2026.11.6") < 1000}
    second = {d for d in DEVICES if cohort(d, "2026.11.7") < 1000}
    assert len(first & second) < len(first) / 2


def test_nobody_is_in_at_zero_and_the_rest_keep_what_was_before():
    offer = ChannelOffer(release=NEW, rollout=Rollout(basis_points=0, salt="s", before=OLD))
    assert {offer.for_device(d) for d in DEVICES[:50]} == {OLD}
    everybody = replace(offer, rollout=replace(offer.rollout, basis_points=BASIS_POINTS))
    assert {everybody.for_device(d) for d in DEVICES[:50]} == {NEW}
    assert ChannelOffer(release=NEW).for_device("any") == NEW
    assert (
        ChannelOffer(release=NEW, rollout=Rollout(basis_points=0, salt="s")).for_device("d") is None
    )


def test_sites_bound_a_rollout():
    rollout = Rollout(basis_points=BASIS_POINTS, salt="s", sites=frozenset({"ayacucho-3"}))
    assert rollout.admits("d", "ayacucho-3")
    assert not rollout.admits("d", "puno-1")
    assert not rollout.admits("d", None)


def test_an_offer_is_read_back_and_a_reader_without_rollouts_still_reads_the_release():
    rollout = Rollout(basis_points=2500, salt="2026.11.6", sites=frozenset({"a", "b"}), before=OLD)
    offer = ChannelOffer(release=NEW, rollout=rollout)
    content = write_offer("stable", offer)
    assert read_offer(content, "stable") == offer
    assert read_channel(content, "stable") == NEW


def test_an_offer_to_everybody_is_the_document_it_always_was():
    assert write_offer("stable", ChannelOffer(release=NEW)) == write_channel("stable", NEW)
    assert read_offer(write_channel("stable", NEW), "stable") == ChannelOffer(release=NEW)


@pytest.mark.parametrize(
    "rollout",
    [
        {"basis_points": 10001, "salt": "s"},
        {"basis_points": -1, "salt": "s"},
        {"basis_points": 0.5, "salt": "s"},
        {"basis_points": True, "salt": "s"},
        {"basis_points": "1000", "salt": "s"},
        {"basis_points": 1000},
        {"basis_points": 1000, "salt": ""},
        {"basis_points": 1000, "salt": "a b"},
        {"basis_points": 1000, "salt": "s", "sites": []},
        {"basis_points": 1000, "salt": "s", "sites": ["../x"]},
        {"basis_points": 1000, "salt": "s", "sites": [["a"]]},
        {"basis_points": 1000, "salt": "s", "sites": [str(n) for n in range(MAX_SITES + 1)]},
        {"basis_points": 1000, "salt": "s", "before": {"version": "1"}},
        "everybody",
    ],
)
def test_a_rollout_out_of_its_limits_is_refused(rollout):
    document = json.loads(write_channel("stable", NEW)) | {"rollout": rollout}
    with pytest.raises(BundleMalformedError):
        read_offer(canonical_json(document), "stable")
