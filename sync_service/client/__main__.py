"""`vereda-sync`: push what waits, without the window.

Exit codes: 0 everything arrived; 1 arrived, and some records are in quarantine; 2 not set up;
3 the server cannot be reached, asks for patience, or the rule about paid bytes holds records
back; 4 the server refuses this device; 5 another sync service works for this clinic.
"""

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import httpx

from ddx.errors import DdxError
from sync_service.client.alone import AlreadyRunningError, alone
from sync_service.client.budget import ByteBudget
from sync_service.client.clinic import ENTRY_POINTS, ClinicFactory, ClinicSide, installed_factory
from sync_service.client.enrol import enrol
from sync_service.client.errors import (
    ServerBusyError,
    ServerRefusedError,
    ServerUnreachableError,
)
from sync_service.client.forecast import forecast
from sync_service.client.meter import Meter
from sync_service.client.paid_link import PaidLink, link_cost
from sync_service.client.runner import Phase, Runner
from sync_service.client.schedule import PUSH_EVERY_S, SyncSchedule
from sync_service.client.telling import Progress, foretold, told
from sync_service.client.transport import HttpTransport, make_client

log = logging.getLogger(__name__)

DONE: Final = 0
QUARANTINED: Final = 1
NOT_SET_UP: Final = 2
NO_SERVER: Final = 3
REFUSED: Final = 4
NOT_ALONE: Final = 5

_EXIT_OF: Final = {
    Phase.OFFLINE: NO_SERVER,
    Phase.WAITING: NO_SERVER,
    Phase.HELD: NO_SERVER,
    Phase.REFUSED: REFUSED,
}
_SHORTEST_S: Final = 10
"""Between two pushes: a shorter interval would only find the last one at work."""


def main(
    argv: Sequence[str] | None = None,
    *,
    clinic: ClinicFactory | None = None,
    stop: threading.Event | None = None,
) -> int:
    """Run the command and return its exit code.

    clinic: opens the store to push from. stop: ends the service; without it a signal does.
    """
    options = _options(argv)
    if options.windows_service and stop is None:
        return _as_service(argv, clinic)
    factory = clinic or installed_factory()
    if factory is None:
        return _refuse(
            "there is no clinic to sync on this machine. The desktop application "
            f'opens it and names it in the entry point group "{ENTRY_POINTS}"; '
            "install or start Vereda first."
        )
    try:
        with ExitStack() as open_things:
            side = factory()
            open_things.callback(side.close)
            return _work(options, side, open_things, stop)
    except DdxError as error:
        return _refuse(f"{error} [{error.code}]", _exit_of(error))


def _exit_of(error: DdxError) -> int:
    """Return the exit code of what kept the command from its work."""
    match error:
        case AlreadyRunningError():
            return NOT_ALONE
        case ServerUnreachableError() | ServerBusyError():
            return NO_SERVER
        case ServerRefusedError():
            return REFUSED
        case _:
            return NOT_SET_UP


def _as_service(argv: Sequence[str] | None, clinic: ClinicFactory | None) -> int:
    from sync_service.client.windows_service import (  # noqa: PLC0415 -- on Windows only
        NotAServiceError,
        run_as_service,
        windows_manager,
    )

    def work(stop: threading.Event) -> int:
        return main(argv, clinic=clinic, stop=stop)

    try:
        return run_as_service(work, windows_manager())
    except NotAServiceError as error:
        return _refuse(f"{error} [{error.code}]")


def _refuse(why: str, code: int = NOT_SET_UP) -> int:
    print(f"vereda-sync: {why}", file=sys.stderr)
    return code


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="vereda-sync",
        description="Push what the clinic recorded to its server.",
        epilog=(__doc__ or "").partition("\n\n")[2],
    )
    parser.add_argument(
        "--server",
        default=os.environ.get("VEREDA_SYNC_URL", ""),
        help="its address (or VEREDA_SYNC_URL); the one this clinic is linked to otherwise",
    )
    parser.add_argument("--once", action="store_true", help="push once and stop")
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would leave; no byte is sent"
    )
    parser.add_argument("--enrol", metavar="CODE", help="enrol this device first")
    parser.add_argument("--proxy", default="", help="address of the proxy to go through")
    parser.add_argument(
        "--ca-bundle", type=Path, help="PEM file of a private authority, trusted in addition"
    )
    parser.add_argument(
        "--paid-link",
        type=PaidLink,
        choices=tuple(PaidLink),
        default=PaidLink.AUTO,
        help="whether the link is paid by the byte; auto asks the system",
    )
    parser.add_argument("--windows-service", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument(
        "--every",
        type=_seconds,
        default=PUSH_EVERY_S,
        metavar="SECONDS",
        help="between two pushes, without --once",
    )
    return parser.parse_args(argv)


def _seconds(text: str) -> int:
    """Return an interval as typed."""
    if not text.isdecimal() or int(text) < _SHORTEST_S:
        raise argparse.ArgumentTypeError(f"a whole number of seconds, {_SHORTEST_S} or more")
    return int(text)


def _work(
    options: argparse.Namespace,
    clinic: ClinicSide,
    open_things: ExitStack,
    stop: threading.Event | None,
) -> int:
    server = options.server or clinic.server
    if options.dry_run:
        return _dry_run(clinic)
    if not server:
        return _refuse("say which server, with --server or VEREDA_SYNC_URL")
    if clinic.folder is not None:
        open_things.enter_context(alone(clinic.folder))
    http = open_things.enter_context(
        make_client(
            server,
            ca_bundle=options.ca_bundle or clinic.ca_bundle,
            proxy=options.proxy or clinic.proxy or None,
            system_proxy=clinic.system_proxy,
        )
    )
    meter = Meter(clinic.ledger, rule=clinic.rule, cost=link_cost(options.paid_link))
    transport = HttpTransport(http, clinic.identity, counted=meter.count)
    if options.enrol:
        app = clinic.software().app
        clinic.link(server, lambda: enrol(transport, code=options.enrol, app_version=app))
        print(f"Enrolled with {server}")
    runner = Runner(
        clinic.outbox, transport, clinic.identity, software=clinic.software, allowance=meter
    )
    transport.on_answer = runner.link_is_back
    if options.once:
        return _once(runner, clinic, transport)

    def look() -> None:
        look_for_bundle(clinic, http, server, meter)

    return _serve(
        runner, clinic, transport, look, every_s=options.every, stop=stop or _on_signals()
    )


def _dry_run(clinic: ClinicSide) -> int:
    """Say what would leave; the store is read and the network is not touched."""
    would = forecast(clinic.outbox, clinic.identity, clinic.software())
    print(foretold(would, clinic.audit_waits()))
    return DONE


def _once(runner: Runner, clinic: ClinicSide, transport: HttpTransport) -> int:
    _before(clinic, transport)
    progress = Progress(clinic.outbox.counts().pending)
    runner.on_batch = progress
    report = runner.run_once()
    progress.end()
    print(told(report, clinic.outbox))
    quarantined = clinic.outbox.counts().quarantined
    return _EXIT_OF.get(report.phase, QUARANTINED if quarantined else DONE)


def _before(clinic: ClinicSide, transport: HttpTransport) -> None:
    if clinic.before_push is not None:
        clinic.before_push(transport)


def look_for_bundle(clinic: ClinicSide, http: httpx.Client, server: str, meter: Meter) -> None:
    """Obey the safety role and bring a newer bundle; on a paid link the first of the two.

    Records go up whatever comes of it: an error of ours is a line in the log.
    """
    if clinic.update is None:
        return
    try:
        clinic.update(http, server, not meter.lets_bundles_pass(), ByteBudget(meter))
    except DdxError as error:
        log.warning("no bundle was looked for: %s", error.code)


def _on_signals() -> threading.Event:
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    return stop


def _serve(
    runner: Runner,
    clinic: ClinicSide,
    transport: HttpTransport,
    look: Callable[[], None],
    *,
    every_s: int,
    stop: threading.Event,
) -> int:
    def push() -> None:
        _before(clinic, transport)
        runner.tick()

    schedule = SyncSchedule(
        push=push,
        wake=runner.wake,
        update=look if clinic.update is not None else None,
        push_every_s=every_s,
    )
    runner.wake_after = schedule.wake_after
    schedule.start()
    print(f"Pushing every {every_s} s; stop with Ctrl+C.", flush=True)
    push()
    stop.wait()
    schedule.stop()
    print(told(runner.report(), clinic.outbox))
    return DONE


if __name__ == "__main__":
    sys.exit(main())
