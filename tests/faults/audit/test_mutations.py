"""A thousand ways to change an exported audit log; each is seen, and called by its name.

`make test` runs 240 of them; the full thousand, with a table:
    PYTHONPATH=.:tests python tests/faults/audit/test_mutations.py 1000
"""

import random
import sys
from collections import Counter

import pytest
from support.audit_logs import MUTATIONS, Scene, public

from ddx.domain.audit_verdict import verify_log
from desktop.signatures import ed25519_check

ROUNDS = 10  # of every kind of mutation


@pytest.fixture(scope="module")
def scene():
    return Scene.fresh()


def judged(scene, lines, witness=()):
    return verify_log(
        lines,
        check=ed25519_check,
        device_key=public(scene.device.key),
        server_key=public(scene.device.server),
        witness=witness,
    )


def test_the_log_nobody_touched_holds(scene):
    report = judged(scene, scene.lines, tuple(scene.checkpoints))
    assert report.holds, report.finding
    assert (report.entries, report.epochs, report.checkpoints, report.unsigned) == (60, 2, 3, 5)


@pytest.mark.parametrize("mutate", MUTATIONS, ids=lambda mutate: mutate.__name__)
def test_every_mutation_is_seen_and_called_by_its_name(scene, mutate):
    dice = random.Random(mutate.__name__)
    for _ in range(ROUNDS):
        mutation = mutate(scene, dice)
        assert mutation.lines != scene.lines
        report = judged(scene, mutation.lines, mutation.witness)
        assert not report.holds, mutation.name
        assert report.finding.verdict in mutation.expected, report.finding


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def main(count: int) -> int:
    """Run `count` mutations of every kind in turn; print what was seen. 0 when all were."""
    scene, dice = Scene.fresh(), random.Random(20261125)
    seen, told, missed = Counter(), Counter(), []
    for number in range(count):
        mutation = MUTATIONS[number % len(MUTATIONS)](scene, dice)
        report = judged(scene, mutation.lines, mutation.witness)
        seen[mutation.name] += 1
        if report.holds:
            missed.append(mutation.name)
        else:
            told[mutation.name, report.finding.verdict.value] += 1
    for (name, verdict), times in sorted(told.items()):
        say(f"{name:40} {verdict:16} {times:4} of {seen[name]}")
    say(f"{count} mutations, {count - len(missed)} detected")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
