"""`python -m benchmarks.api_fuzz --cases 100000`: made-up requests against a real cloud.

Starts the service with the shipped bundle on loopback, calls every operation as somebody it
admits, and writes what came back into docs/api_fuzz.md. Exit code 1 when the service failed once
(a status of 500 and above) or answered with a status its document does not name. With `--state` a
run that was stopped goes on where it was; one seed makes the same requests. `--count-in` adds what
runs with other seeds have counted.
"""

import argparse
import asyncio
import json
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("OMP_NUM_THREADS", "1")

import requests
import uvicorn

from benchmarks.fuzzing import Callers, Campaign, Tally, enrolled
from cloud_api.app import create_app, utc_now
from cloud_api.auth.dev_issuer import DevIssuer
from cloud_api.auth.directory import SqlDirectory
from cloud_api.db.engine import open_database
from cloud_api.settings import CloudSettings

REPORT: Final = Path(__file__).resolve().parents[1] / "docs" / "api_fuzz.md"
PER_STEP: Final = 100
DEVICES: Final = 60
START_WITHIN_S: Final = 120.0
OPERATOR: Final = "default"


def main() -> int:
    """Send the cases, say and write what came back; return 1 when a bar is not met."""
    parser = argparse.ArgumentParser(prog="benchmarks.api_fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--state", type=Path, help="file to go on from, and to keep up to date")
    parser.add_argument("--count-in", type=Path, nargs="*", default=[], help="files of other runs")
    parser.add_argument("--minutes", type=float, default=600.0, help="stop after so long")
    asked = parser.parse_args()
    tally, steps = _kept(asked.state)
    others = [_kept(file)[0] for file in asked.count_in]
    wanted = asked.cases - sum(other.cases for other in others)
    until = time.monotonic() + asked.minutes * 60
    with tempfile.TemporaryDirectory() as folder, _cloud(Path(folder)) as (url, app, chosen):
        catalogue = app.state.diagnosis.engine.catalogue
        findings = (*catalogue.findings, *catalogue.ontology.ids)
        campaign = Campaign(
            url, app.state.door.operations, _callers(url, chosen), findings=findings
        )
        campaign.tally = tally
        while tally.cases < wanted and time.monotonic() < until:
            campaign.step(steps, cases=PER_STEP, seed_of=asked.seed)
            steps += 1
            _keep(asked.state, tally, steps)
            if steps % 10 == 0:
                print(f"{tally.cases} cases, {sum(tally.failed.values())} findings", flush=True)
    for other in others:
        tally.add(other)
    good = _say(tally, asked.cases)
    return 0 if good else 1


@contextmanager
def _cloud(folder: Path) -> Iterator[tuple[str, Any, CloudSettings]]:
    chosen = CloudSettings(
        data=folder,
        dev_issuer=True,
        subject_per_minute=10_000_000,  # two callers make every request here
        address_per_minute=10_000_000,
    )
    app = create_app(chosen)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    _wait(url)
    try:
        yield url, app, chosen
    finally:
        server.should_exit = True
        thread.join(30)


def _wait(url: str) -> None:
    until = time.monotonic() + START_WITHIN_S
    while time.monotonic() < until:
        try:
            if requests.get(f"{url}/ready", timeout=2).status_code == 200:
                return
        except requests.RequestException:
            pass
        time.sleep(0.1)
    raise TimeoutError("the cloud did not become ready")


def _callers(url: str, chosen: CloudSettings) -> Callers:
    codes = asyncio.run(_codes(chosen))
    return Callers(DevIssuer(chosen.data), OPERATOR, enrolled(url, codes), utc_now)


async def _codes(chosen: CloudSettings) -> list[str]:
    engine = open_database(chosen.database_address())
    try:
        directory, hour = SqlDirectory(engine), timedelta(hours=1)
        return [await directory.issue_code(now=utc_now(), lifetime=hour) for _ in range(DEVICES)]
    finally:
        await engine.dispose()


def _kept(state: Path | None) -> tuple[Tally, int]:
    if state is None or not state.exists():
        return Tally(), 0
    raw = json.loads(state.read_text("utf-8"))
    return Tally.from_json(raw["tally"]), raw["steps"]


def _keep(state: Path | None, tally: Tally, steps: int) -> None:
    if state is not None:
        fresh = state.with_suffix(".new")
        fresh.write_text(json.dumps({"tally": tally.to_json(), "steps": steps}), "utf-8")
        fresh.replace(state)


def _say(tally: Tally, wanted: int) -> bool:
    server = sum(n for status, n in tally.statuses.items() if status >= 500)
    undocumented = sum(n for what, n in tally.failed.items() if "StatusCode" in what)
    others = sum(tally.failed.values()) - undocumented - _server_failures(tally)
    rows = [
        ("Cases", f"{wanted:,}", f"{tally.cases:,}", tally.cases >= wanted),
        ("Answers of 500 and above", "0", f"{server:,}", server == 0),
        ("Statuses the document does not name", "0", f"{undocumented:,}", undocumented == 0),
        ("Answers against their schema or type, or none", "0", f"{others:,}", others == 0),
    ]
    statuses = ", ".join(f"{status}: {n:,}" for status, n in sorted(tally.statuses.items()))
    lines = [
        "# Made-up requests",
        "",
        f"Written by `python -m benchmarks.api_fuzz --cases {wanted}` on "
        f"{datetime.now(UTC):%Y-%m-%d}, with the shipped bundle on loopback.",
        "",
        "| What | Bar | Measured | Met |",
        "| --- | --- | --- | --- |",
        *(
            f"| {what} | {bar} | {got} | {'yes' if met else '**no**'} |"
            for what, bar, got, met in rows
        ),
        "",
        f"Statuses: {statuses}.",
        *_findings(tally),
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    REPORT.write_text(text, "utf-8")
    return all(met for *_, met in rows)


def _server_failures(tally: Tally) -> int:
    return sum(n for what, n in tally.failed.items() if what.startswith("ServerError"))


def _findings(tally: Tally) -> list[str]:
    if not tally.failed:
        return []
    listed = [f"- {what}: {n:,} times" for what, n in tally.failed.most_common()]
    return ["", "Findings:", "", *listed]


if __name__ == "__main__":
    sys.exit(main())
