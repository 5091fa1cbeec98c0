"""The golden cases of a bundle in a process of its own, which may fail or die without harm.

The parent starts a command, writes one request to its standard input and reads one answer from
its output. The child limits itself before it reads a byte of the bundle, and the parent ends it
when its time is over. On Linux and macOS the limits are those of `setrlimit`; on Windows the
parent puts the child in a job object that limits its memory and dies with the parent.
"""

import base64
import binascii
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from ddx.domain.course import StoppedError
from ddx.errors import DdxError
from model_bundles import selftest
from model_bundles.errors import SelfTestFailedError, TrialFailedError
from model_bundles.selftest import EngineFactory, SelfTestReport
from model_bundles.verify import Trust, open_verified

MAX_ANSWER_BYTES: Final = 65_536
_LOOK_EVERY_S: Final = 0.2  # between two looks at whether to go on


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a trial may take. memory_bytes: address space; the shipped bundle takes 0.3 GiB.

    cpu_s: of the processor. wall_s: of the clock, a slow clinic machine's included.
    """

    memory_bytes: int = 2 * 2**30
    cpu_s: int = 240
    wall_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Trial:
    """Runs the golden cases of an installed release by `command`, within `limits`.

    command: a program that calls `answer` with this application's engine.
    """

    command: Sequence[str]
    limits: Limits = Limits()

    def run(
        self, folder: Path, trust: Trust, may_go_on: Callable[[], bool] = lambda: True
    ) -> SelfTestReport:
        """Return the report of a release in `folder` that reproduces all its golden cases.

        may_go_on: asked again and again; once it says no, the child is ended.

        Raises:
            SelfTestFailedError: it does not; the first case that differs.
            TrialFailedError: the child died, was ended by its limits, or could not be started.
            BundleError: the child could not open the bundle; by the code it said.
            StoppedError: ended on request; it says nothing about the release.
        """
        roots = [
            trust.root,
            *filter(None, [getattr(trust, "offline", None)]),
        ]  # sticks have their own
        request = {
            "folder": str(folder),
            "roots": [base64.b64encode(root).decode() for root in roots],
            "limits": asdict(self.limits),
        }
        answer = self._asked(json.dumps(request).encode(), may_go_on)
        return _report(answer)

    def _asked(self, request: bytes, may_go_on: Callable[[], bool]) -> dict[str, Any]:
        try:
            with (
                subprocess.Popen(  # noqa: S603 -- our own command, no shell
                    self.command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                ) as child,
                _jailed(child, self.limits),
            ):
                said = _said(child, request, self.limits.wall_s, may_go_on)
        except OSError as error:
            raise TrialFailedError(f"the trial cannot be started: {error.strerror}") from error
        if child.returncode != 0:
            raise TrialFailedError(f"the trial ended with {child.returncode}")
        try:
            answer = json.loads(said[:MAX_ANSWER_BYTES].splitlines()[-1])
        except (ValueError, IndexError) as error:
            raise TrialFailedError("the trial said nothing that can be read") from error
        if not isinstance(answer, dict):
            raise TrialFailedError("the trial said nothing that can be read")
        return answer


def _said(
    child: "subprocess.Popen[bytes]",
    request: bytes,
    wall_s: float,
    may_go_on: Callable[[], bool],
) -> bytes:
    given: bytes | None = request
    until_s = time.monotonic() + wall_s
    while may_go_on():
        try:
            said, _ = child.communicate(given, timeout=min(wall_s, _LOOK_EVERY_S))
        except subprocess.TimeoutExpired as error:
            given = None  # asked again, `communicate` goes on where it was, with what it has
            if time.monotonic() < until_s:
                continue
            _end(child)
            raise TrialFailedError(f"the trial took more than {wall_s:.0f} s") from error
        return said
    _end(child)
    raise StoppedError("the trial was ended on request")


def _end(child: "subprocess.Popen[bytes]") -> None:
    child.kill()
    child.communicate()


def _report(answer: dict[str, Any]) -> SelfTestReport:
    try:
        if "report" in answer:
            return SelfTestReport(**answer["report"])
        if "case" in answer:
            raise SelfTestFailedError(int(answer["case"]), str(answer["reason"]))
        raise TrialFailedError(f"the trial could not use the bundle: {answer['code']}")
    except (KeyError, TypeError, ValueError) as error:
        raise TrialFailedError("the trial said nothing that can be read") from error


def answer(engine_from: Callable[[], EngineFactory], given: BinaryIO, said: BinaryIO) -> int:
    """Be the child: read one request, run the golden cases, say one answer; return an exit code.

    engine_from: returns the factory of engines; called after the limits hold, so that what it
    imports is limited too.
    """
    try:
        request = json.loads(given.read())
        folder = Path(request["folder"])
        trust = Trust(*(base64.b64decode(root, validate=True) for root in request["roots"]))
        limits = Limits(**request["limits"])
    except (ValueError, KeyError, TypeError, binascii.Error):
        return 2
    _limit(limits)
    try:
        report = selftest.run(open_verified(folder, trust), engine_from())
        answered: dict[str, Any] = {"report": asdict(report)}
    except SelfTestFailedError as error:
        answered = {"case": error.case, "reason": error.reason}
    except DdxError as error:
        answered = {"code": error.code}
    said.write(json.dumps(answered).encode() + b"\n")
    said.flush()
    return 0


def _limit(limits: Limits) -> None:
    if sys.platform != "win32":  # there the parent's job object limits this process
        import resource  # noqa: PLC0415 -- not on Windows

        for kind, most in (
            (resource.RLIMIT_AS, limits.memory_bytes),
            (resource.RLIMIT_CPU, limits.cpu_s),
            (resource.RLIMIT_CORE, 0),
        ):
            _, hard = resource.getrlimit(kind)
            least = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(kind, (least, hard))


@contextmanager
def _jailed(child: "subprocess.Popen[bytes]", limits: Limits) -> Iterator[None]:
    """Hold the child in a job object on Windows; elsewhere it limits itself."""
    if sys.platform == "win32":
        from model_bundles import windows_job  # noqa: PLC0415 -- Windows only

        with windows_job.limited(child, limits.memory_bytes):
            yield
    else:
        yield
