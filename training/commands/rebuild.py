"""`python -m training rebuild REPOSITORY`: a bundle again from its lineage, to the same digest.

Reads where the rows, the code and the parameters are from the bundle itself, repeats the run in a
folder of its own and compares. Code and historical files have to be those of then; what is not is
named.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from ddx.errors import DdxError
from model_bundles.verify import Trust, VerifiedBundle, open_verified
from training.change_plan import change_plan
from training.commands.workspace import DATA, DONE, REFUSED, ROOT, STOPPED, Workspace
from training.pipelines.history import History
from training.pipelines.lineage import Lineage, LineageError, code_here
from training.pipelines.request import Request, Settings, start
from training.pipelines.retrain import CHANNEL, Retraining


def main(argv: Sequence[str] | None = None) -> int:
    """Rebuild; return 0 for the same digest, 3 for another, 2 after saying what is missing."""
    asked = _parser().parse_args(argv)
    started = time.monotonic()

    def say(line: str) -> None:
        print(f"[{time.monotonic() - started:6.0f} s] {line}", flush=True)

    try:
        bundle = _open(asked.repository, asked.channel)
        request = request_of(Lineage.of(bundle))
        if request.code.sources_sha256 != code_here().sources_sha256:
            raise LineageError(
                f"made by commit {request.code.commit or 'unknown'}; this is other code. Check "
                "that commit out and run this command there"
            )
        folder = asked.root / "rebuilds" / bundle.digest[:16]
        digest = Retraining(
            folder=folder,
            request=start(folder, request),
            lake=asked.lake or Workspace(asked.root).lake,
            read_history=lambda: History.read(asked.data),
            current=_open(asked.replaces, "stable")
            if asked.replaces
            else Workspace(asked.root).current(),
            plan=change_plan(),
            say=say,
            kept=Workspace(asked.root).kept_rows,
        ).digest()
    except DdxError as error:
        print(f"Stopped: {error}", file=sys.stderr)
        return REFUSED
    same = digest == bundle.digest
    print(
        f"{bundle.digest}  {bundle.version}\n{digest}  rebuilt: {'the same' if same else 'OTHER'}"
    )
    return DONE if same else STOPPED


def request_of(lineage: Lineage) -> Request:
    """Return the request of the run that made a bundle. Raises LineageError."""
    try:
        told = dict(lineage.parameters)
        settings = {k: v for k, v in told["settings"].items() if k != "best"}
        return Request(
            at=datetime.fromisoformat(told["at"]),
            version=told["version"],
            trigger=told["trigger"],
            rows=lineage.rows,
            code=lineage.code,
            history=lineage.history,
            replaces=lineage.replaces,
            settings=Settings.from_json(settings),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise LineageError(f"the lineage lacks what a rebuild needs: {error!r}") from error


def _open(folder: Path, channel: str) -> VerifiedBundle:
    try:
        root = (folder / "metadata" / "1.root.json").read_bytes()
    except OSError as error:
        raise LineageError(f"{folder} is no repository of bundles") from error
    return open_verified(folder, Trust(root), channel=channel)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training rebuild",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("repository", type=Path, help="the repository that holds the bundle")
    add("--channel", default=CHANNEL, help="the channel that offers it")
    add("--replaces", type=Path, help="repository of the bundle it replaced; default: today's")
    add("--lake", help="folder or address of the lake (VEREDA_LAKE)")
    add("--data", type=Path, default=DATA, help="historical sets (VEREDA_DATA)")
    add("--root", type=Path, default=ROOT, help="workspace (VEREDA_LEARNING)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
