"""What the safety role may say: stop this, go back to that, and nothing else."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddx.domain.canonical import canonical_json
from model_bundles import chain
from model_bundles.errors import (
    BundleIncompatibleError,
    BundleMalformedError,
    BundleTamperedError,
)
from model_bundles.manifest import Release
from model_bundles.orders import (
    MAX_ORDERS,
    MAX_ORDERS_BYTES,
    Block,
    Downgrade,
    Orders,
    Reason,
    newer,
    read_orders,
    write_orders,
)

AT = datetime(2026, 11, 20, 8, tzinfo=UTC)
SEVEN, EIGHT, NINE = (Release(f"2026.11.{n}", str(n) * 64) for n in (7, 8, 9))


def orders(number=1, **fields):
    return Orders(number=number, issued_at=AT, **fields)


def spelled(**changes):
    return canonical_json(json.loads(write_orders(orders())) | changes)


releases = st.builds(
    Release,
    st.integers(0, 999).map(lambda n: f"2026.11.{n}"),
    st.text("0123456789abcdef", min_size=64, max_size=64),
)
blocks = st.builds(
    Block,
    release=releases,
    model=st.none() | st.sampled_from(["common", "rare"]),
    reason=st.sampled_from(Reason),
    note=st.just(()) | st.text(max_size=40).map(lambda t: (("es", t),)),
)


@given(listed=st.lists(blocks, max_size=5), number=st.integers(1, 10**9))
def test_what_is_written_is_read_back(listed, number):
    said = orders(number, blocks=tuple(listed))
    assert read_orders(write_orders(said)) == said


def test_a_blocked_release_is_stopped_as_a_whole_and_a_blocked_model_alone():
    said = orders(blocks=(Block(release=NINE), Block(release=EIGHT, model="rare")))
    assert said.blocks_release(NINE.digest) == Block(release=NINE)
    assert said.blocks_release(EIGHT.digest) is None
    assert set(said.blocked_models(EIGHT.digest)) == {"rare"}
    assert said.blocked_models(SEVEN.digest) == {}


def test_downgrades_are_followed_to_their_end():
    said = orders(
        downgrades=(Downgrade(release=NINE, to=EIGHT), Downgrade(release=EIGHT, to=SEVEN))
    )
    assert said.destination(NINE) == said.destination(EIGHT) == SEVEN
    assert said.destination(SEVEN) is None


@pytest.mark.parametrize("to", [EIGHT, NINE, Release(EIGHT.version, "a" * 64)])
def test_a_downgrade_only_goes_back(to):
    with pytest.raises(BundleMalformedError, match="no step back"):
        Downgrade(release=EIGHT, to=to)


def test_a_downgrade_to_what_is_blocked_is_no_order():
    with pytest.raises(BundleMalformedError, match="blocked"):
        orders(blocks=(Block(release=SEVEN),), downgrades=(Downgrade(release=NINE, to=SEVEN),))


def test_two_downgrades_of_one_release_are_no_order():
    steps = (Downgrade(release=NINE, to=EIGHT), Downgrade(release=NINE, to=SEVEN))
    with pytest.raises(BundleMalformedError, match="two downgrades"):
        orders(downgrades=steps)


def test_a_downgrade_leads_to_a_release_the_models_role_has_signed(workshop):
    old, new = workshop.publish("2026.11.1").release, workshop.publish("2026.11.2").release
    signed = chain.repository_targets(workshop.repository / "metadata", workshop.trust.root)
    orders(downgrades=(Downgrade(release=new, to=old),)).check_published(signed)
    for never in (replace(old, digest="a" * 64), Release("2026.10.1", old.digest)):
        with pytest.raises(BundleTamperedError, match="never published"):
            orders(downgrades=(Downgrade(release=new, to=never),)).check_published(signed)


def test_orders_kept_before_are_taken_back_only_by_a_higher_number():
    kept, older, later = orders(5, blocks=(Block(release=NINE),)), orders(4), orders(6)
    assert newer(kept, None) is kept
    assert newer(kept, older) is kept
    assert newer(kept, later) is later
    assert newer(None, older) is older
    assert newer(None, None) is None


def test_fields_and_reasons_of_a_later_application_are_passed_over():
    block = Block(release=NINE).to_json() | {"reason": "flood", "until": "2030-01-01"}
    said = read_orders(spelled(blocks=[block], colour="red"))
    assert said.blocks == (Block(release=NINE, reason=Reason.OTHER),)


def test_another_format_is_incompatible():
    with pytest.raises(BundleIncompatibleError):
        read_orders(spelled(format=2))


@pytest.mark.parametrize(
    "changes",
    [
        {"number": 0},
        {"number": True},
        {"number": "1"},
        {"issued_at": "2026-11-20T08:00:00"},
        {"issued_at": "yesterday"},
        {"blocks": None},
        {"blocks": [{}]},
        {"blocks": [{"release": NINE.to_json(), "reason": "other", "model": "../x"}]},
        {"blocks": [{"release": NINE.to_json(), "reason": "other", "note": {"es": "x" * 401}}]},
        {"blocks": [{"release": {"version": "9", "digest": "a" * 64}, "reason": "other"}]},
        {"downgrades": [{"release": NINE.to_json(), "reason": "other"}]},
        {"blocks": [Block(release=NINE).to_json()] * (MAX_ORDERS + 1)},
    ],
)
def test_orders_that_break_their_form_are_refused(changes):
    with pytest.raises(BundleMalformedError):
        read_orders(spelled(**changes))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"\x80\x04.",
        write_orders(Orders(number=1, issued_at=AT)) + b"\n",
        b'{"number":1,"number":2}',
        b" " * (MAX_ORDERS_BYTES + 1),
    ],
)
def test_what_is_not_one_canonical_document_is_refused(content):
    with pytest.raises(BundleMalformedError):
        read_orders(content)
