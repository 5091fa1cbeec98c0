"""`vereda-cloud`: the cloud on this machine, with an embedded database."""

import argparse
import asyncio
import gc
import ipaddress
import json
import logging
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import uvicorn

from cloud_api import put, usb
from cloud_api.app import create_app, default_engine, prepare, utc_now
from cloud_api.auth.dev_issuer import DevIssuer
from cloud_api.auth.directory import SqlDirectory
from cloud_api.db.engine import open_database
from cloud_api.diagnose import examples
from cloud_api.diagnose.answer import answer
from cloud_api.diagnose.schemas import PredictRequest
from cloud_api.diagnose.service import ClinicalEngine
from cloud_api.drain import Drain
from cloud_api.observability.logs import write_json
from cloud_api.server import DrainingServer
from cloud_api.settings import CloudSettings
from ddx.domain.artifacts import Artifacts
from ddx.domain.roles import Role
from ddx.domain.wire import case_from_json
from ddx.errors import DdxError

DEFAULT_PORT: Final = 8077
NOT_STARTED: Final = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until stopped; return the exit code (2: could not start, and why was said)."""
    options = _options(argv)
    if not options.allow_remote and not _is_loopback(options.host):
        return _refuse(
            f"{options.host} can be reached from other machines, and this server speaks plain "
            "HTTP. Put a TLS proxy before it and say --allow-remote, or use --host 127.0.0.1."
        )
    settings = _settings(options)
    if settings.dev_issuer and not _is_loopback(options.host):
        return _refuse("--dev-issuer gives anybody any role: it serves on 127.0.0.1 only.")
    if settings.log_format == "json":
        write_json()
    else:
        logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    done = _once(settings, options)
    return _serve(settings, options) if done is None else done


def _once(settings: CloudSettings, options: argparse.Namespace) -> int | None:
    """Do what is done at once and return the exit code; None when there is to be served."""
    if options.dev_token:
        return _token(settings, options.dev_token, options.organisation)
    if options.usb_card or options.usb_in:
        return usb.run(settings, card=options.usb_card, parcel=options.usb_in, out=options.usb_out)
    if options.put_setting:
        return put.run(settings, options.put_setting, options.device)
    return None


def _serve(settings: CloudSettings, options: argparse.Namespace) -> int:
    try:
        listener = _listen(options.host, options.port)
    except OSError as error:
        return _refuse(f"cannot listen on {options.host}:{options.port} ({error.strerror})")
    try:
        code = asyncio.run(_enrolment_code(settings))
    except OSError as error:
        return _refuse(f"cannot write to {settings.data} ({error.strerror})")
    _say(settings, listener, code)
    drain = Drain()
    app = create_app(settings, drain=drain, open_engine=_open_for_good)
    config = uvicorn.Config(app, log_config=None, access_log=False, server_header=False)
    DrainingServer(config, drain, settings.drain_s).run(sockets=[listener])
    return 0


def _open_for_good(artifacts: Artifacts) -> ClinicalEngine:
    """Return the clinical engine, warm, which the garbage collector never looks through again.

    It is 430,000 objects that stay as long as the process: a full collection stops every request
    for 0.3 s. The first answer takes ten times as long as the next.
    """
    engine = default_engine(artifacts)
    asked = PredictRequest.model_validate_json(json.dumps(examples.ASKED))
    with suppress(DdxError):  # a bundle that does not know the example may still serve
        answer(engine, case_from_json(examples.CASE), asked)
    gc.collect()
    gc.freeze()
    return engine


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="vereda-cloud", description="Run the Vereda cloud here.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 takes a free one")
    parser.add_argument("--data", type=Path, help="folder of the embedded database")
    parser.add_argument("--repository", type=Path, help="folder of the bundle repository to serve")
    parser.add_argument("--root", type=Path, help="root.json that repository must verify against")
    parser.add_argument(
        "--allow-remote", action="store_true", help="listen where other machines can reach it"
    )
    parser.add_argument(
        "--put-setting", metavar="KEY=VALUE", help="hand a setting down to the clinics, and stop"
    )
    parser.add_argument("--device", default="", help="only to the device with this id")
    parser.add_argument(
        "--usb-card", type=Path, help="write the card a clinic needs to seal files, and stop"
    )
    parser.add_argument(
        "--usb-in", type=Path, help="take in a file from a stick, write its answer, and stop"
    )
    parser.add_argument("--usb-out", type=Path, help="where the answer goes")
    parser.add_argument(
        "--dev-issuer",
        action="store_true",
        default=None,
        help="believe access tokens of --dev-token; on this machine only",
    )
    parser.add_argument(
        "--dev-token", choices=[role.value for role in Role], help="print a token, and stop"
    )
    parser.add_argument("--organisation", default="", help="whose person the token is for")
    return parser.parse_args(argv)


def _settings(options: argparse.Namespace) -> CloudSettings:
    names = ("data", "repository", "root", "dev_issuer")
    given: dict[str, Any] = {name: getattr(options, name) for name in names}
    return CloudSettings(**{name: value for name, value in given.items() if value is not None})


def _token(settings: CloudSettings, role: str, organisation: str) -> int:
    issuer = DevIssuer(settings.data)
    print(issuer.token(Role(role), organisation=organisation or settings.tenant, now=utc_now()))
    return 0


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


async def _enrolment_code(settings: CloudSettings) -> str:
    engine = open_database(settings.database_address())
    try:
        await prepare(settings, engine)
        lifetime = timedelta(hours=settings.enrolment_code_hours)
        return await SqlDirectory(engine).issue_code(
            now=utc_now(), lifetime=lifetime, tenant_id=settings.tenant
        )
    finally:
        await engine.dispose()


def _say(settings: CloudSettings, listener: socket.socket, code: str) -> None:
    host, port = listener.getsockname()[:2]
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    print(f"Vereda cloud listens on {address}")
    print(f"  data             {settings.data}")
    print(f"  enrolment code   {code}  (one device, {settings.enrolment_code_hours} hours)")
    print(f"  documentation    {address}/docs")
    if settings.dev_issuer:
        command = f"vereda-cloud --data {settings.data} --dev-token MedicoGeneral"
        print(f"  access tokens    {command}  (development only)")
    print("Stop it with Ctrl+C.", flush=True)


def _refuse(why: str) -> int:
    print(f"vereda-cloud: {why}", file=sys.stderr)
    return NOT_STARTED


if __name__ == "__main__":
    sys.exit(main())
