"""Carries out every attack and writes docs/trust.md.

PYTHONPATH=.:tests python tests/faults/model_bundles/trust_page.py docs/trust.md
"""

import os
import re
import sys
import tempfile
from itertools import groupby
from pathlib import Path

from support.arena import arena
from support.attacks import ATTACKS, Attack, Outcome, carry_out

HEAD = """# What was tried against the bundles, and how it ended

Written by `make trust`; do not edit the tables. Each attack is carried out for real: a publisher
with its own keys, its repository on loopback HTTP, and a device with the client, the slots and the
self-test of the application. The first release is installed over that link, the attack is made, and
the device updates as it does every day. Then the device starts anew, chooses what serves, verifies
it to the last byte, loads its model and diagnoses the golden case; the recorded answer must come
out, or the attack counts as won. `tests/faults/model_bundles/test_attacks.py` does the same on
every run of the tests.

The release is small, so that the whole page takes minutes: its common model is a real ONNX model
loaded by the application's own session; its engine is the small one of the tests. Thresholds are
those of the house with fewer root keys: root 2 of 3, targets and models 2 of 3, safety 1 of 2.

*How it ended*: the code of the refusal, `nothing` where the device saw nothing to install,
`installed` where what was honestly signed was installed all the same. *Who answers after it*: the
active release, or the one that came with the application where the active one was damaged.
"""
TAIL = """
## What this does not cover

- Two of the three people who may sign for `models` who agree on a bad model, and whose golden cases
  agree with it. The safety role can stop it afterwards; nothing here can tell.
- Whoever holds the device unlocked, or replaces the application itself.
- An online repository kept still for less than its three days, or a stick for less than its 180: a
  device cannot tell that from silence.
- A server that keeps just above the floor (4,096 bytes in each minute): it is left after an hour
  for each file, what came of a member is kept, and the device goes on serving meanwhile. Both
  bounds, and why, stand in `sync_service/client/fetcher.py`; the attacks ran with shorter ones.
- A stick, within its 180 days, to a device that has never been online since a release was blocked:
  it takes the release unless the stick brings newer orders. Devices keep the orders they have read.

## The client against the world's own suite

`tuf-conformance` drives any TUF client through three commands. Ours is
`tests/support/conformance_client.py`: the application's session around python-tuf, with its
embedded root, lock, floors and errors. In a checkout of the suite, after its own `make dev`, and
with our `.venv/bin` first on the path:

    PYTHONPATH=$VEREDA ./env/bin/pytest tuf_conformance \\
        --entrypoint $VEREDA/tests/support/conformance_client.py

`tests/integration/sync/test_conformance_client.py` runs the three commands against our repository.
The suite itself is in no package index and was not run for this page.

The npm client `tuf-js`, which shares no line with ours, downloads a release from our repository in
`tests/integration/sync/test_other_client.py`.
"""


def rows(attack: Attack, outcome: Outcome | None) -> str:
    """Return the row of one attack."""
    if outcome is None:
        return f"| {attack.title} | not carried out | needs `{attack.needs}` | |"
    answers = f"{outcome.origin}, {outcome.version}"
    return f"| {attack.title} | `{outcome.code}` | {plain(outcome.reason)} | {answers} |"


def plain(reason: str) -> str:
    """Return a reason that is the same on every run: keys, hashes, ports and lengths left out."""
    said = re.sub(r"\b[0-9a-f]{7,64}\b", "…", reason)
    said = re.sub(r"127\.0\.0\.1:\d+", "loopback", said)
    said = re.sub(r"\b\d{3,}\b(?= (does not|bytes|signed))|(?<=length )\d+", "n", said)
    return said.replace("|", "\\|").replace("\n", " ")[:160]


def carried_out() -> list[tuple[Attack, Outcome | None]]:
    """Return every attack with how it ended; None where it cannot be stood here."""
    done: list[tuple[Attack, Outcome | None]] = []
    for number, attack in enumerate(ATTACKS, start=1):
        sys.stderr.write(f"{number}/{len(ATTACKS)} {attack.name}\n")
        if not attack.possible:
            done.append((attack, None))
            continue
        with tempfile.TemporaryDirectory() as folder, arena(Path(folder)) as place:
            done.append((attack, carry_out(attack, place)))
    return done


def page(done: list[tuple[Attack, Outcome | None]]) -> str:
    """Return docs/trust.md."""
    out = [o for _, o in done if o is not None]
    lines = [
        HEAD,
        f"{len(out)} attacks were carried out; after each the device gave its diagnosis.",
    ]
    missing = [a.title for a, o in done if o is None]
    if missing:
        lines.append(f"{len(missing)} could not be: {'; '.join(missing)}.")
    for group, members in groupby(done, key=lambda pair: pair[0].group):
        lines += [
            "",
            f"## {group}",
            "",
            "| Attack | How it ended | Reason | Who answers after it |",
        ]
        lines += ["| --- | --- | --- | --- |", *(rows(*pair) for pair in members)]
    return "\n".join(lines) + "\n" + TAIL


def main(path: Path) -> int:
    """Write the page; return how many attacks ended otherwise than expected."""
    os.fsync = lambda descriptor: None  # type: ignore[assignment] # no power will be cut here
    done = carried_out()
    path.write_text(page(done), encoding="utf-8")
    wrong = [
        (attack.name, outcome)
        for attack, outcome in done
        if outcome is not None
        and (outcome.code, outcome.origin, outcome.version)
        != (attack.ends, attack.serving, attack.version)
    ]
    for name, outcome in wrong:
        sys.stderr.write(f"WON or changed: {name}: {outcome}\n")
    return len(wrong)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
