"""`vereda-sync`: push what waits, without the window.

Exit codes: 0 everything arrived; 1 arrived, and some records are in quarantine; 2 not set up;
3 the server cannot be reached or asks for patience; 4 the server refuses this device.
"""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Final

from ddx.errors import DdxError
from sync_service.client.clinic import ENTRY_POINTS, ClinicFactory, ClinicSide, installed_factory
from sync_service.client.enrol import enrol
from sync_service.client.runner import Phase, Runner
from sync_service.client.schedule import SyncSchedule
from sync_service.client.transport import HttpTransport, make_client

DONE: Final = 0
QUARANTINED: Final = 1
NOT_SET_UP: Final = 2
NO_SERVER: Final = 3
REFUSED: Final = 4

_EXIT_OF: Final = {Phase.OFFLINE: NO_SERVER, Phase.WAITING: NO_SERVER, Phase.REFUSED: REFUSED}


def main(argv: Sequence[str] | None = None, *, clinic: ClinicFactory | None = None) -> int:
    """Run the command and return its exit code. clinic: opens the store to push from."""
    options = _options(argv)
    factory = clinic or installed_factory()
    if factory is None:
        print(
            "vereda-sync: there is no clinic to sync on this machine. The desktop application "
            f'opens it and names it in the entry point group "{ENTRY_POINTS}"; '
            "install or start Vereda first.",
            file=sys.stderr,
        )
        return NOT_SET_UP
    if not options.server:
        print("vereda-sync: say which server, with --server or VEREDA_SYNC_URL", file=sys.stderr)
        return NOT_SET_UP
    try:
        return _work(options, factory())
    except DdxError as error:
        print(f"vereda-sync: {error} [{error.code}]", file=sys.stderr)
        return NOT_SET_UP


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="vereda-sync", description="Push what the clinic recorded to its server."
    )
    parser.add_argument("--server", default=os.environ.get("VEREDA_SYNC_URL", ""))
    parser.add_argument("--once", action="store_true", help="push once and stop")
    parser.add_argument("--enrol", metavar="CODE", help="enrol this device first")
    return parser.parse_args(argv)


def _work(options: argparse.Namespace, clinic: ClinicSide) -> int:
    with make_client(options.server) as http:
        transport = HttpTransport(http, clinic.identity)
        if options.enrol:
            enrol(transport, code=options.enrol, app_version=clinic.software().app)
            print(f"Enrolled with {options.server}")
        runner = Runner(clinic.outbox, transport, clinic.identity, software=clinic.software)
        if options.once:
            return _once(runner, clinic)
        return _serve(runner, clinic)


def _once(runner: Runner, clinic: ClinicSide) -> int:
    report = runner.run_once()
    counts = clinic.outbox.counts()
    print(
        f"{report.phase}{': ' + report.code if report.code else ''} - "
        f"{counts.acknowledged} arrived, {counts.pending} waiting, {counts.quarantined} refused"
    )
    return _EXIT_OF.get(report.phase, QUARANTINED if counts.quarantined else DONE)


def _serve(runner: Runner, clinic: ClinicSide) -> int:
    schedule = SyncSchedule(push=runner.tick, wake=runner.wake, update=clinic.update)
    runner.wake_after = schedule.wake_after
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    schedule.start()
    runner.tick()
    stop.wait()
    schedule.stop()
    return DONE


if __name__ == "__main__":
    sys.exit(main())
