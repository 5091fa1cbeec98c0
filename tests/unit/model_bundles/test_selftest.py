import json

import pytest
from support.bundle_workshop import GOLDEN, small_members

from ddx.domain import artifacts
from ddx.domain.differential import Band, Candidate, Differential, World
from ddx.domain.identifiers import disease_id
from ddx.errors import ModelError
from model_bundles import selftest
from model_bundles.errors import SelfTestFailedError


class Engine:
    """Answers every case with the differential it was given."""

    def __init__(self, top):
        self.top = top

    def diagnose(self, case):
        candidates = tuple(
            Candidate(
                rank=rank,
                disease=disease_id(d),
                probability=p,
                band=Band.POSSIBLE,
                world=World.RARE,
            )
            for rank, (d, p) in enumerate(self.top, start=1)
        )
        return Differential(
            candidates=candidates,
            outside_probability=0.0,
            unused=(),
            alerts=(),
            bundle_version="2026.11.1",
            bundle_digest="0" * 64,
        )


EXPECTED = [tuple(pair) for pair in GOLDEN[0]["differential"]["top"]]


def run(bundle, top):
    return selftest.run(bundle, lambda artifacts: Engine(top))


def test_a_bundle_that_reproduces_its_golden_cases_passes(workshop):
    bundle = workshop.signed()
    report = run(bundle, [*EXPECTED, ("VD:cold", 0.1)])
    assert (report.digest, report.cases, report.worst_difference) == (bundle.digest, 1, 0.0)


def test_a_difference_of_another_processor_passes_and_is_reported(workshop):
    report = run(workshop.signed(), [(EXPECTED[0][0], 0.5 + 5e-7), EXPECTED[1]])
    assert report.worst_difference == pytest.approx(5e-7)


@pytest.mark.parametrize(
    ("top", "reason"),
    [
        ([(EXPECTED[0][0], 0.5 + 2e-6), EXPECTED[1]], "probability"),
        ([(EXPECTED[0][0], float("nan")), EXPECTED[1]], "probability"),
        ([EXPECTED[1], EXPECTED[0]], "rank 1 is VD:influenza"),
        ([EXPECTED[0]], "1 candidates, 2 expected"),
        ([], "0 candidates"),
    ],
    ids=["too far", "not a number", "another order", "too few", "none"],
)
def test_a_bundle_that_answers_otherwise_fails(workshop, top, reason):
    with pytest.raises(SelfTestFailedError, match=reason) as failure:
        run(workshop.signed(), top)
    assert failure.value.case == 0


def test_the_first_case_that_differs_is_named(workshop):
    second = {**GOLDEN[0], "differential": {"top": [["VD:cold", 0.9]]}}
    workshop.publish(members=small_members(cases=json.dumps([*GOLDEN, second]).encode()))
    with pytest.raises(SelfTestFailedError, match="golden case 1") as failure:
        run(workshop.opened(), EXPECTED)
    assert failure.value.case == 1


@pytest.mark.parametrize(
    "golden",
    [b"", b"{}", b"[]", b"[{}]", b'[{"case":{}}]']
    + [json.dumps([{**GOLDEN[0], "differential": {"top": top}}]).encode() for top in ([], None)],
)
def test_a_bundle_without_golden_cases_that_say_something_fails(workshop, golden):
    workshop.publish(members=small_members(cases=golden))
    with pytest.raises(SelfTestFailedError):
        run(workshop.opened(), EXPECTED)


def test_an_engine_that_fails_on_a_golden_case_fails_the_bundle(workshop):
    class Broken:
        def diagnose(self, case):
            raise ModelError("tensor shape")

    with pytest.raises(SelfTestFailedError, match="cannot be run"):
        selftest.run(workshop.signed(), lambda artifacts: Broken())


def test_the_engine_is_built_from_the_bundle_itself(workshop):
    seen = []

    def engine_from(source):
        seen.append(source.read(artifacts.COMMON_MODEL))
        return Engine(EXPECTED)

    selftest.run(workshop.signed(), engine_from)
    assert seen == [small_members()[artifacts.COMMON_MODEL]]
