"""`kill -9` at a random moment of an update leaves exactly one valid active bundle.

    PYTHONPATH=.:tests python tests/faults/model_bundles/test_kill.py 1000 [seed]

A child process updates a device from 2026.11.1 to 2026.11.2 (fetch, patch, stage, trial of the
bytes, activate), as the application does, and is killed. Then the device must serve all of one or
of the other, hold no more than one active release, and finish the update when asked again.
"""

import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from support.bundle_workshop import CREATED_AT, BundleWorkshop, small_members

from model_bundles.authoring.build import build_bundle
from model_bundles.authoring.patches import versions_before, with_patches
from model_bundles.client import BundleClient
from model_bundles.local import LOCAL, LocalFetcher
from model_bundles.slots import Slots
from model_bundles.verify import Trust
from sync_service.client.updates import Updater, UpdateResult

IN_TESTS = 6
_MODEL = random.Random(1).randbytes(200_000)
OLDER = small_members(common=_MODEL)
NEWER = small_members(common=_MODEL + b"six more trees", meta=b"newer too")


@dataclass(frozen=True)
class Ward:
    """A publisher, and a device as it was before the update. seconds: of an update, undisturbed."""

    repository: Path
    trust: Trust
    before: Path
    seconds: float


def updater(ward: Ward, device: Path) -> Updater:
    slots = Slots(device / "slots", ward.trust)
    client = BundleClient(ward.trust, device / "state", LOCAL, LocalFetcher(ward.repository))
    return Updater(client, slots, lambda bundle: bundle.check_every_member())


def ward_in(folder: Path) -> Ward:
    """Publish two releases, the second with a patch, and install the first."""
    workshop = BundleWorkshop(folder / "publisher")
    workshop.publish("2026.11.1", OLDER)
    ward = Ward(workshop.repository, workshop.trust, folder / "before", 0.0)
    assert updater(ward, ward.before).run().result is UpdateResult.ACTIVATED
    built = build_bundle(NEWER, "2026.11.2", CREATED_AT)
    old = versions_before(workshop.repository, workshop.trust, "2026.11.2")
    workshop.writer.publish(with_patches(built, old, NEWER))
    trial = folder / "undisturbed"
    shutil.copytree(ward.before, trial, symlinks=True)
    began = time.perf_counter()
    assert updater(ward, trial).run().result is UpdateResult.ACTIVATED
    return Ward(ward.repository, ward.trust, ward.before, time.perf_counter() - began)


def killed_after(ward: Ward, device: Path, delay_s: float) -> None:
    """Update in a child and kill it after `delay_s`, or let it end if it was quicker."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if updater(ward, device).run().result is UpdateResult.ACTIVATED else 2
        finally:
            os._exit(code)
    time.sleep(delay_s)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def judged(ward: Ward, device: Path) -> str:
    """Return which release serves; raise AssertionError unless it is one, whole, and goes on."""
    slots = Slots(device / "slots", ward.trust)
    active = slots.active()
    served = {name: active.read(name) for name in active.members}
    expected = {"2026.11.1": OLDER, "2026.11.2": NEWER}
    assert served == expected[active.version]
    again = updater(ward, device).run()
    assert again.result in {UpdateResult.ACTIVATED, UpdateResult.UP_TO_DATE}, again
    finished = Slots(device / "slots", ward.trust).active()
    assert {name: finished.read(name) for name in finished.members} == NEWER
    return active.version


def campaign(folder: Path, kills: int, seed: int) -> Counter:
    """Kill `kills` updates; return how many devices served which release after the kill."""
    ward, chance = ward_in(folder), random.Random(seed)
    served: Counter = Counter()
    for number in range(kills):
        device = folder / f"device-{number}"
        shutil.copytree(ward.before, device, symlinks=True)
        killed_after(ward, device, chance.uniform(0.0, 1.15 * ward.seconds))
        served[judged(ward, device)] += 1
        shutil.rmtree(device)
    return served


def test_a_process_killed_during_an_update_leaves_exactly_one_valid_active_bundle(tmp_path):
    assert campaign(tmp_path, IN_TESTS, seed=20261126).total() == IN_TESTS


def main(kills: int, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        served = campaign(Path(folder), kills, seed)
    sys.stdout.write(
        f"{kills} kills (seed {seed}): {dict(served)}; every one a whole, valid bundle\n"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
