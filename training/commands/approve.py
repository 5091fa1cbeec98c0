"""`python -m training approve RUN --key KEY`: a physician's signature on a candidate.

The key is of the role `medical` (`vereda-keys create --role medical`); its card lies in the folder
`approvers` of the workspace, where clinical safety put it. Signed are the digest of the bundle and
that of the report together. `--refuse` signs a refusal with its reason. Without a key: who decided.
"""

import argparse
import getpass
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from ddx.errors import DdxError
from model_bundles.authoring import keyfile
from model_bundles.authoring.keyfile import Passphrase
from model_bundles.manifest import Release
from training.change_plan import ChangePlan, change_plan
from training.commands.workspace import DONE, FINISHED, REFUSED, ROOT, Workspace
from training.pipelines.request import REQUEST, Request, moment
from training.pipelines.steps import StepError
from training.publish.approval import (
    ApprovalError,
    Decision,
    Standing,
    Subject,
    approvers,
    read_decisions,
    record,
    sign,
    verify,
)
from training.publish.ledger import Event

APPROVALS = "approvals"


def main(argv: Sequence[str] | None = None, *, ask: Passphrase = getpass.getpass) -> int:
    """Sign, or tell who has; return 0, or 2 after saying what is in the way."""
    asked = _parser().parse_args(argv)
    workspace, plan = Workspace(asked.root), change_plan()
    try:
        run = workspace.open_run(asked.run)
        if asked.key is not None:
            passphrase = _from_file(asked.passphrase_file) if asked.passphrase_file else ask
            _decide(run, workspace, plan, key=asked.key, refuse=asked.refuse, ask=passphrase)
        print(told(standing(run, workspace, plan)))
    except DdxError as error:
        print(f"Stopped: {error}", file=sys.stderr)
        return REFUSED
    return DONE


def subject_of(run: Path) -> Subject:
    """Return what is decided on. Raises ApprovalError for a run without a sound candidate."""
    if not (run / FINISHED).is_file():
        raise ApprovalError(f"{run.name} has not finished: `python -m training retrain` goes on")
    ended = json.loads((run / FINISHED).read_bytes())
    if not ended["promote"]:
        raise ApprovalError(f"the candidate of {run.name} does not meet the plan; see its report")
    version = Request.from_json((run / REQUEST).read_bytes()).version
    return Subject(version=version, bundle=ended["digest"], report=ended["report"])


def standing(run: Path, workspace: Workspace, plan: ChangePlan) -> Standing:
    """Return where the approval of a run's candidate stands. Raises ApprovalError."""
    cards = approvers(workspace.approvers, plan.approval.role)
    decisions = read_decisions(run / APPROVALS)
    return verify(decisions, subject_of(run), cards, plan.approval, moment())


def _decide(
    run: Path,
    workspace: Workspace,
    plan: ChangePlan,
    *,
    key: Path,
    refuse: str | None,
    ask: Passphrase,
) -> None:
    card, subject = keyfile.read_card(key), subject_of(run)
    known = approvers(workspace.approvers, plan.approval.role)
    if card.keyid not in known:
        raise ApprovalError(f"{card.holder} is not among the approvers in {workspace.approvers}")
    decision = Decision.APPROVE if refuse is None else Decision.REFUSE
    signed = sign(
        subject,
        decision,
        card,
        keyfile.signer_of(key, ask),
        at=moment(),
        reason=refuse or "",
    )
    record(run / APPROVALS, signed)
    workspace.ledger.append(
        Event.APPROVED,
        Release(subject.version, subject.bundle),
        signed.statement.at,
        decision=decision.value,
        keyid=card.keyid,
        report=subject.report,
    )


def told(found: Standing) -> str:
    """Return who decided what, and what is missing."""
    lines = [f"{'approved':<10}{s.at:%Y-%m-%d %H:%M}  {s.holder}" for s in found.approved]
    lines += [
        f"{'refused':<10}{s.at:%Y-%m-%d %H:%M}  {s.holder}: {s.reason}" for s in found.refused
    ]
    if found.complete:
        return "\n".join([*lines, "complete: python -m training release RUN"])
    return "\n".join([*lines, f"{len(found.approved)} of {found.needed} signatures"])


def _from_file(path: Path) -> Passphrase:
    def read(prompt: str) -> str:  # noqa: ARG001 (nobody is asked)
        try:
            return path.read_text(encoding="utf-8").splitlines()[0]
        except (OSError, IndexError) as error:
            raise StepError(f"no passphrase can be read from {path.name}") from error

    return read


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training approve",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", help="name of the run, or `latest`")
    parser.add_argument("--key", type=Path, help="the physician's key file")
    parser.add_argument("--refuse", metavar="REASON", help="sign a refusal instead")
    parser.add_argument("--passphrase-file", type=Path, help="read it from the first line")
    parser.add_argument("--root", type=Path, default=ROOT, help="workspace (VEREDA_LEARNING)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
