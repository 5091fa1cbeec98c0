"""PostgreSQL, Redis and Prometheus as real processes: loopback or a socket, a folder thrown away.

PostgreSQL refuses to run as root, so as root it runs as Debian's `postgres`. Each is ended by the
id of the process that was started here.
"""

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest


def program(name: str, package: str) -> str:
    """Return the path of a program; without it the test is skipped, and in CI it fails."""
    versions = Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    found = shutil.which(name) or next((str(path) for path in sorted(versions, reverse=True)), None)
    if found is None:
        reason = f"{name} is not installed (Debian package {package})"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}; run installers/linux/system-packages.sh --tests")
        pytest.skip(reason)
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def eventually(condition, process, seconds=20.0):
    """Return when `condition()` holds; fail when the process ends or time is up."""
    until = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, f"it ended with {process.returncode}"
        assert time.monotonic() < until, "it did not start in time"
        time.sleep(0.02)


@contextlib.contextmanager
def running(command, ready, *, stop=signal.SIGTERM, **how):
    """Run a command until the block ends."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **how)
    try:
        eventually(lambda: ready(process), process)
        yield process
    finally:
        process.send_signal(stop)
        process.wait(20)


@contextlib.contextmanager
def scratch(owner=None):
    """Make a folder with a short name (a socket's path may have 107 bytes) for one account."""
    folder = Path(tempfile.mkdtemp(prefix="vrd-"))
    if owner:
        shutil.chown(folder, owner)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Postgres:
    """A cluster that listens on a socket in `folder` only."""

    folder: Path
    user: str
    made: list = field(default_factory=list)

    def address(self, database: str) -> str:
        """Return the address for SQLAlchemy."""
        return f"postgresql+asyncpg://{self.user}@/{database}?host={self.folder}"

    async def create(self, template: str = "template0") -> str:
        """Make a database of its own and return its name."""
        name = f"t{uuid4().hex}"
        await self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    async def drop(self, name: str) -> None:
        await self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    async def execute(self, statement: str, database: str = "postgres") -> None:
        connection = await asyncpg.connect(host=str(self.folder), user=self.user, database=database)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@contextlib.contextmanager
def postgres(fsync="off"):
    """Run a PostgreSQL cluster; fsync is off: no test here takes the power away."""
    initdb, server, asking = (
        program(name, "postgresql") for name in ("initdb", "postgres", "pg_isready")
    )
    make = [initdb, "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"]
    as_root = os.geteuid() == 0
    user = "postgres" if as_root else getpass.getuser()
    account: dict[str, Any] = (
        {"user": "postgres", "group": "postgres", "extra_groups": []} if as_root else {}
    )
    with scratch(user if as_root else None) as folder:
        cluster = folder / "cluster"
        subprocess.run(
            [*make, "--pgdata", cluster, "--username", user],
            check=True,
            capture_output=True,
            cwd=folder,
            **account,
        )
        options = {
            "listen_addresses": "",
            "unix_socket_directories": folder,
            "fsync": fsync,
            "shared_buffers": "16MB",
            "max_connections": "60",
        }
        command = [server, "-D", cluster, *(f"--{k}={v}" for k, v in options.items())]
        served = Postgres(folder, user)

        def ready(_):
            asked = subprocess.run([asking, "--quiet", "--host", folder], check=False)
            return asked.returncode == 0

        with running(command, ready, stop=signal.SIGINT, cwd=folder, **account):
            yield served


@contextlib.contextmanager
def redis_server():
    """Run Redis on a socket; yield its address."""
    server = program("redis-server", "redis-server")
    with scratch() as folder:
        path = folder / "r.sock"
        command = [server, "--port", "0", "--unixsocket", path, "--save", "", "--dir", folder]
        with running([*command, "--maxmemory-policy", "noeviction"], lambda _: path.exists()):
            yield f"unix://{path}"


@dataclass
class Prometheus:
    """A Prometheus that scrapes what a test names."""

    url: str

    def query(self, expression: str):
        """Return the result of an instant query; fail when Prometheus refuses the expression."""
        answer = httpx.get(f"{self.url}/api/v1/query", params={"query": expression})
        assert answer.status_code == 200, f"{expression}: {answer.text}"
        return answer.json()["data"]["result"]


@contextlib.contextmanager
def prometheus(config: str):
    """Run Prometheus on loopback with a configuration."""
    server = program("prometheus", "prometheus")
    with scratch() as folder:
        (folder / "prometheus.yml").write_text(config)
        url = f"http://127.0.0.1:{free_port()}"
        command = [
            server,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'tsdb'}",
            f"--web.listen-address={url.removeprefix('http://')}",
        ]

        def ready(_):
            with contextlib.suppress(httpx.HTTPError):
                return httpx.get(f"{url}/-/ready", timeout=1).status_code == 200
            return False

        with running(command, ready):
            yield Prometheus(url)


@cache
def promtool() -> str:
    return program("promtool", "prometheus")
