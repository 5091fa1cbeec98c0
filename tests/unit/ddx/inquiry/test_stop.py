"""When the inquirer falls silent."""

import pytest

from ddx.domain.differential import Band, Candidate, Differential, World
from ddx.domain.identifiers import DiseaseId
from ddx.inquiry.effort import Means
from ddx.inquiry.inquirer import Question
from ddx.inquiry.stop import StopReason, reason_to_stop


def differential(*candidates):
    return Differential(
        candidates=tuple(
            Candidate(
                rank=rank,
                disease=DiseaseId(f"VD:disease-{rank}"),
                probability=probability,
                band=Band.POSSIBLE,
                world=World.COMMON,
                severity=severity,
            )
            for rank, (probability, severity) in enumerate(candidates, start=1)
        ),
        outside_probability=0.0,
        unused=(),
        alerts=(),
        bundle_version="2026.11.1",
        bundle_digest="0" * 64,
    )


def question(gain_bits):
    return Question(
        subject="HP:0001945",
        findings=(),
        gain_bits=gain_bits,
        worth=gain_bits,
        chance=0.5,
        means=Means.QUESTION,
        cost=1.0,
    )


@pytest.mark.parametrize(
    ("candidates", "gains", "reason"),
    [
        (((0.40, 3), (0.30, 4)), (0.5,), None),
        (((0.40, 3), (0.30, 4)), (), StopReason.NOTHING_LEFT),
        (((0.40, 3), (0.30, 4)), (0.0001,), StopReason.LITTLE_TO_GAIN),
        (((0.995, 3), (0.004, 4)), (0.005,), StopReason.SETTLED),
        (((0.995, 3), (0.004, 4)), (0.5,), None),  # sure, but an answer could still tell
        (((0.99, 3), (0.006, 1)), (0.005,), None),  # a dangerous disease is still open
        (((0.99, 1), (0.006, 3)), (0.005,), StopReason.SETTLED),  # the dangerous one is the first
        (((0.99, 3), (0.006, None)), (0.005,), StopReason.SETTLED),
        (((0.90, 3), (0.10, 4)), (0.005,), None),
        ((), (0.005,), None),
        (((0.40, 3),), (0.0001, 0.5), None),  # the best question counts, wherever it stands
    ],
)
def test_asking_stops_for_a_reason(candidates, gains, reason):
    assert reason_to_stop(differential(*candidates), [question(g) for g in gains]) is reason
