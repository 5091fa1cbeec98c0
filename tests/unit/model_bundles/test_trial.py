"""Golden cases in a child process that is limited, and may die without harm."""

import json
import sys
from dataclasses import replace

import pytest
from support.tiny_engine import tiny_members
from support.trials import command

from ddx.domain.course import StoppedError
from desktop.app import COMMANDS
from model_bundles.embedded import default_repository, embedded_trust
from model_bundles.errors import BundleTamperedError, SelfTestFailedError, TrialFailedError
from model_bundles.trial import Limits, Trial

SHORT = Limits(memory_bytes=2**30, cpu_s=60, wall_s=60.0)


@pytest.fixture
def release(workshop, slots, tmp_path):
    workshop.publish("2026.11.1", tiny_members())
    workshop.install(slots)
    return next((tmp_path / "slots" / "releases").iterdir())


def test_a_bundle_that_is_right_is_reported_from_another_process(workshop, slots, release):
    report = Trial(command("tiny"), SHORT).run(release, workshop.trust)
    assert (report.version, report.digest) == ("2026.11.1", slots.active().digest)
    assert report.cases == 1


def test_a_bundle_that_is_wrong_says_which_case(workshop, slots, tmp_path):
    case = {"age_days": 1, "sex": "male", "findings": []}
    wrong = [{"case": case, "differential": {"top": [["VD:influenza", 0.99]]}}]
    workshop.publish(
        "2026.11.1", tiny_members() | {"golden/cases.json": json.dumps(wrong).encode()}
    )
    workshop.install(slots)
    folder = next((tmp_path / "slots" / "releases").iterdir())
    with pytest.raises(SelfTestFailedError) as failure:
        Trial(command("tiny"), SHORT).run(folder, workshop.trust)
    assert failure.value.case == 0


def test_the_child_verifies_what_it_is_given(workshop, release):
    (release / "metadata" / "models.json").write_bytes(b"{}")
    with pytest.raises(TrialFailedError, match=BundleTamperedError.code):
        Trial(command("tiny"), SHORT).run(release, workshop.trust)


@pytest.mark.skipif(sys.platform == "win32", reason="setrlimit; Windows has a job object")
@pytest.mark.parametrize("child", ["hungry", "silent", "dead"])
def test_a_child_that_goes_wrong_is_a_failed_trial(workshop, release, child):
    with pytest.raises(TrialFailedError):
        Trial(command(child), SHORT).run(release, workshop.trust)


def test_a_child_that_does_not_end_is_ended(workshop, release):
    with pytest.raises(TrialFailedError, match="more than"):
        Trial(command("endless"), replace(SHORT, wall_s=1.0)).run(release, workshop.trust)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="setrlimit; Windows has a job object")
def test_a_child_that_uses_up_its_processor_time_is_ended_by_the_system(workshop, release):
    with pytest.raises(TrialFailedError, match="ended with -"):
        Trial(command("endless"), replace(SHORT, cpu_s=1)).run(release, workshop.trust)


def test_a_program_that_is_not_there_is_a_failed_trial(workshop, release, tmp_path):
    with pytest.raises(TrialFailedError, match="cannot be started"):
        Trial((str(tmp_path / "nothing"),), SHORT).run(release, workshop.trust)


@pytest.mark.slow
def test_the_application_tries_the_bundle_that_ships_within_the_limits():
    """With the very command and limits of the window; the repository opens like a release."""
    program = (sys.executable, "-m", COMMANDS["self-test"])
    report = Trial(program).run(default_repository(), embedded_trust())
    assert report.cases >= 12


def test_a_trial_that_is_ended_on_request_says_nothing_about_the_release(workshop, release):
    asked = []
    trial = Trial([sys.executable, "-c", "import time; time.sleep(60)"])
    with pytest.raises(StoppedError):
        trial.run(release, workshop.trust, lambda: len(asked) < 3 and not asked.append(True))
