"""`python -m benchmarks.bundles`: what an update of the models costs, and how fast one is left.

    update   a release whose common model was continued by six rounds of XGBoost, fetched over
             loopback HTTP by a device that holds the release before; bytes of every body counted
    revert   an installed release that goes wrong: until another one serves

Exit code 1 when a bar is not met. `kill -9` during updates has a command of its own:
tests/faults/model_bundles/test_kill.py.
"""

import argparse
import contextlib
import functools
import http.server
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
import xgboost

from ddx.domain import artifacts
from ddx.domain.wire import case_from_json
from ddx.engine import Engine
from ddx.errors import ModelError
from ddx.explain.trees import Forest
from ddx.inference.bayes import BayesTable
from desktop.services.shelf import SLOTS, DeviceShelf
from model_bundles import compression
from model_bundles.authoring.build import build_bundle
from model_bundles.authoring.keys import KeyRing
from model_bundles.authoring.patches import versions_before, with_patches
from model_bundles.authoring.repository import Repository
from model_bundles.client import BundleClient
from model_bundles.embedded import open_embedded_bundle
from model_bundles.errors import BundleStorageError
from model_bundles.health import MAX_FAILURES
from model_bundles.local import LOCAL, LocalFetcher, RepositoryLocation
from model_bundles.slots import Slots
from sync_service.client.fetcher import HttpxFetcher
from sync_service.client.updates import Updater, UpdateResult
from training.export.forest import forest_of
from training.export.onnx import onnx_of
from training.fit.boost import FitSettings, parameters, sparse

ROWS = 20_000
MORE_ROUNDS = 6
WARM_START_BAR = 0.10
NO_CHANGE_BODY, NO_CHANGE_REQUESTS = 1024, 2
REVERT_BAR_S = 5.0

Members = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the report."""

    what: str
    bar: str
    measured: str
    met: bool


class Counting(httpx.BaseTransport):
    """Counts requests and bytes of bodies as they come off the wire."""

    def __init__(self) -> None:
        self._inner = httpx.HTTPTransport()
        self.requests, self.body = 0, 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass one request on."""
        response = self._inner.handle_request(request)
        content = b"".join(response.stream)  # type: ignore[arg-type]
        self.requests += 1
        self.body += len(content)
        stream = httpx.ByteStream(content)
        return httpx.Response(response.status_code, headers=response.headers, stream=stream)

    def reset(self) -> None:
        """Count from zero."""
        self.requests, self.body = 0, 0


def shipped_members() -> Members:
    bundle = open_embedded_bundle()
    return {name: bundle.peek(name) for name in bundle.members}


class WarmStart:
    """The shipped common model fitted anew on patients drawn from its own table, then continued.

    Stands in for the data set, which not every machine has: rounds, depth, columns and diseases
    are those of the release; the patients are drawn, so their answers mean nothing.
    """

    def __init__(self, shipped: Members, seed: int) -> None:
        self._shipped = shipped
        self._forest = Forest.from_npz(shipped[artifacts.COMMON_TREES])
        self._bayes = BayesTable.from_npz(shipped["models/common_bayes.npz"])
        self._settings, self._rng = FitSettings(), np.random.default_rng(seed)
        self._rows, self._truth = self._drawn()
        self.booster = self._fit(self._settings.rounds, None)

    def members(self) -> Members:
        """Return the members of a release with the booster as it is now."""
        forest = forest_of(
            bytes(self.booster.save_raw("json")),
            schema_hash=self._forest.schema_hash,
            frequency=self._forest.frequency,
            described=self._forest.described,
            bayes_digest=self._forest.bayes_digest,
        )
        trees = {artifacts.COMMON_MODEL: onnx_of(forest), artifacts.COMMON_TREES: forest.to_npz()}
        return with_golden({**self._shipped, **trees})

    def go_on(self) -> None:
        """Add a few rounds to the booster."""
        self.booster = self._fit(MORE_ROUNDS, self.booster)

    def _drawn(self) -> tuple[np.ndarray, np.ndarray]:
        frequency = np.nan_to_num(self._forest.frequency, nan=0.05)
        truth = self._rng.integers(0, len(frequency), ROWS)
        rows = (self._rng.random((ROWS, frequency.shape[1])) < frequency[truth]).astype(np.float32)
        rows[self._rng.random(rows.shape) < 0.8] = np.nan  # a clinic never asks everything
        return rows, truth

    def _fit(self, rounds: int, before: xgboost.Booster | None) -> xgboost.Booster:
        margins = self._bayes.margins_of(self._rows).astype(np.float32)
        matrix = xgboost.QuantileDMatrix(
            sparse(self._rows), self._truth, base_margin=margins, max_bin=16, nthread=1
        )
        told = parameters(self._settings, len(self._forest.base)) | {"nthread": 1}
        return xgboost.train(told, matrix, rounds, xgb_model=before)


def with_golden(members: Members) -> Members:
    """Return the members with the golden cases answered anew, as a release has them."""
    engine = Engine.from_artifacts(Plain(members))
    golden = json.loads(members[artifacts.GOLDEN_CASES])
    for entry in golden:
        top = engine.diagnose(case_from_json(entry["case"])).candidates
        wanted = len(entry["differential"]["top"])
        entry["differential"]["top"] = [[c.disease, c.probability] for c in top[:wanted]]
    return {**members, artifacts.GOLDEN_CASES: json.dumps(golden).encode()}


@dataclass(frozen=True, slots=True)
class Plain:
    """Members an engine can read, not signed by anybody."""

    members: Mapping[str, bytes]
    version: str = "2026.12.0"
    digest: str = "unsigned"

    def read(self, name: str) -> bytes:
        """Return the raw bytes of one member. Raises ModelError."""
        if name not in self.members:
            raise ModelError(name)
        return self.members[name]


class Publisher:
    """A repository signed as the house signs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "repository"
        keys = KeyRing.generate(folder / "keys")
        self.repository = Repository(self.folder, keys)
        self.trust = self.repository.initialise()

    def publish(self, version: str, members: Members) -> int:
        """Publish with patches from the versions before; return the bytes of the whole bundle."""
        built = build_bundle(members, version, datetime.now(UTC))
        old = versions_before(self.folder, self.trust, version)
        self.repository.publish(with_patches(built, old, members))
        return built.stored_bytes


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def update_rows(folder: Path, seed: int) -> list[Row]:
    publisher, warm = Publisher(folder), WarmStart(shipped_members(), seed)
    publisher.publish("2026.12.1", warm.members())
    slots, counting = Slots(folder / "device" / SLOTS, publisher.trust), Counting()
    with served(publisher.folder) as url, httpx.Client(transport=counting) as client:
        where = RepositoryLocation(f"{url}/metadata/", f"{url}/targets/")
        bundles = BundleClient(
            publisher.trust, folder / "device" / "state", where, HttpxFetcher(client)
        )
        updater = Updater(bundles, slots, lambda bundle: bundle.check_every_member())
        assert updater.run().result is UpdateResult.ACTIVATED
        counting.reset()
        assert updater.run().result is UpdateResult.UP_TO_DATE
        idle_requests, idle_body = counting.requests, counting.body
        before = len(warm.booster.get_dump())
        warm.go_on()
        whole = publisher.publish("2026.12.2", warm.members())
        counting.reset()
        assert updater.run().result is UpdateResult.ACTIVATED
    share = counting.body / whole
    trees = f"{before} to {len(warm.booster.get_dump())} trees"
    return [
        Row(
            f"Update after a warm start of {MORE_ROUNDS} rounds ({trees}), metadata included",
            f"<= {WARM_START_BAR:.0%} of the whole bundle's {whole:,} bytes",
            f"{counting.body:,} bytes in {counting.requests} requests: {share:.1%}",
            share <= WARM_START_BAR,
        ),
        Row(
            "Looking for a bundle when there is no newer one",
            f"<= {NO_CHANGE_REQUESTS} requests, <= {NO_CHANGE_BODY} bytes of body",
            f"{idle_requests} requests, {idle_body} bytes",
            idle_requests <= NO_CHANGE_REQUESTS and idle_body <= NO_CHANGE_BODY,
        ),
    ]


def revert_rows(folder: Path, repeats: int) -> list[Row]:
    compression.LEVEL = 1  # type: ignore[misc]  # how small the bundle is does not matter here
    starts, running = [], []
    for number in range(repeats):
        here = folder / str(number)
        starts.append(_start_after_wrong_golden(here / "start"))
        running.append(_failing_while_serving(here / "running"))
    return [
        _revert_row("A golden case that differs at start: until another release serves", starts),
        _revert_row(f"The last of {MAX_FAILURES} failed diagnoses: the same", running),
    ]


def _revert_row(what: str, seconds: list[tuple[float, float]]) -> Row:
    slowest = max(seconds)
    busy = max(used for _, used in seconds)
    measured = (
        f"slowest {slowest[0]:.1f} s of {len(seconds)}, {busy:.1f} s of them on the processor; "
        f"load average {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores"
    )
    return Row(what, f"<= {REVERT_BAR_S:.0f} s", measured, slowest[0] <= REVERT_BAR_S)


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _since(began: tuple[float, float]) -> tuple[float, float]:
    """Return seconds of the clock and of the processor since `began`."""
    wall, used = _now()
    return wall - began[0], used - began[1]


def _device(folder: Path, second: Members) -> Publisher:
    """Return a device that installed the shipped members and then `second`."""
    publisher = Publisher(folder)
    for version, members in (("2026.12.1", shipped_members()), ("2026.12.2", second)):
        publisher.repository.publish(build_bundle(members, version, datetime.now(UTC)))
        slots = Slots(folder / SLOTS, publisher.trust)
        client = BundleClient(
            publisher.trust, folder / "state", LOCAL, LocalFetcher(publisher.folder)
        )
        client.fetch(client.offered(slots), slots)
        slots.activate()
    return publisher


def _start_after_wrong_golden(folder: Path) -> tuple[float, float]:
    members = shipped_members()
    golden = json.loads(members[artifacts.GOLDEN_CASES])
    golden[-1 if len(golden) < 12 else 11]["differential"]["top"][0][1] += 0.01
    wrong = {**members, artifacts.GOLDEN_CASES: json.dumps(golden).encode()}
    publisher = _device(folder, wrong)
    began = _now()
    shelf = DeviceShelf(
        folder, Engine.from_artifacts, trust=publisher.trust, open_embedded=_no_bundle
    )
    seconds = _since(began)
    assert shelf.status.version == "2026.12.1"
    return seconds


def _failing_while_serving(folder: Path) -> tuple[float, float]:
    members = shipped_members()
    changed = {**members, "card/model_card.json": members["card/model_card.json"] + b"\n"}
    publisher = _device(folder, changed)
    shelf = DeviceShelf(
        folder, FragileEngine.from_artifacts, trust=publisher.trust, open_embedded=_no_bundle
    )
    assert shelf.status.version == "2026.12.2"
    case = json.loads(members[artifacts.GOLDEN_CASES])[0]["case"]
    FragileEngine.failing = "2026.12.2"
    began = _now()
    for _ in range(MAX_FAILURES):
        began = _now()
        with contextlib.suppress(RuntimeError):
            shelf.engine.diagnose(case_from_json(case))
    seconds = _since(began)
    FragileEngine.failing = ""
    assert shelf.status.version == "2026.12.1"
    return seconds


class FragileEngine(Engine):
    """Fails every diagnosis of one version, once it is named."""

    failing = ""

    def diagnose(self, case, limit=50):  # type: ignore[no-untyped-def]
        """Fail, or answer."""
        if self.version == FragileEngine.failing:
            raise RuntimeError("of a model's library")
        return super().diagnose(case, limit)


def _no_bundle() -> object:
    raise BundleStorageError("nothing ships in this benchmark")


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.bundles", description=__doc__)
    parser.add_argument("--part", choices=("update", "revert"), action="append")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    asked = parser.parse_args()
    rows: list[Row] = []
    for part in asked.part or ("update", "revert"):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            rows += (
                update_rows(folder, asked.seed)
                if part == "update"
                else revert_rows(folder, asked.repeats)
            )
    print("| what | bar | measured | |\n|---|---|---|---|")
    for row in rows:
        print(f"| {row.what} | {row.bar} | {row.measured} | {'met' if row.met else 'not met'} |")
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
