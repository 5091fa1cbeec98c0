"""Through a proxy and under a private authority, as networks of hospitals are."""

import base64
import socket
import threading
from contextlib import suppress
from dataclasses import replace

import pytest
from support.memory_outbox import MemoryOutbox
from support.sync_records import SOFTWARE, a_diagnosis, an_identity

from benchmarks.sync_bytes import cloud_over_tls
from sync_service.client import __main__ as command
from sync_service.client.clinic import ClinicSide


class ConnectProxy:
    """A proxy that asks for a name and a password and passes CONNECT on. asked: where to."""

    def __init__(self, password="secret"):
        self.word = base64.b64encode(f"clinic:{password}".encode()).decode()
        self.asked, self.refused = [], 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near):
        head = b""
        while b"\r\n\r\n" not in head:
            head += near.recv(4096)
        if self.word not in head.decode():
            self.refused += 1
            near.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            near.close()
            return
        host, _, port = head.split()[1].decode().partition(":")
        self.asked.append(f"{host}:{port}")
        far = socket.create_connection((host, int(port)))
        near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        threading.Thread(target=_carry, args=(far, near), daemon=True).start()
        _carry(near, far)


def _carry(source, sink):
    with suppress(OSError):
        while chunk := source.recv(65536):
            sink.sendall(chunk)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def private_cloud(tmp_path):
    """A cloud over TLS whose authority no system knows; yield it and the authority's file."""
    with cloud_over_tls(tmp_path) as (cloud, _, authority):
        yield cloud, authority


@pytest.fixture
def side():
    outbox = MemoryOutbox()
    outbox.add(a_diagnosis())
    return ClinicSide(outbox=outbox, identity=an_identity(), software=lambda: SOFTWARE)


@pytest.fixture
def proxy():
    proxy = ConnectProxy()
    yield proxy
    proxy.listener.close()


def test_a_private_authority_is_trusted_when_it_is_named_and_not_before(private_cloud, side):
    cloud, authority = private_cloud
    here = ["--once", "--server", cloud.url]
    assert command.main(here, clinic=lambda: side) == 3
    told = [*here, "--enrol", cloud.code(), "--ca-bundle", str(authority)]
    assert command.main(told, clinic=lambda: side) == 0
    side.outbox.add(a_diagnosis())
    set_up = replace(side, ca_bundle=authority)  # CaBundlePath of the clinic
    assert command.main(here, clinic=lambda: set_up) == 0
    assert side.outbox.counts().acknowledged == 2


def test_records_leave_through_a_proxy_that_asks_who_it_is(private_cloud, side, proxy):
    cloud, authority = private_cloud
    here = ["--once", "--server", cloud.url, "--ca-bundle", str(authority)]
    enrol = ["--enrol", cloud.code(), "--proxy", f"http://clinic:secret@127.0.0.1:{proxy.port}"]
    assert command.main([*here, *enrol], clinic=lambda: side) == 0
    assert set(proxy.asked) == {cloud.url.removeprefix("https://")}
    side.outbox.add(a_diagnosis())
    wrong = ["--proxy", f"http://clinic:wrong@127.0.0.1:{proxy.port}"]
    assert command.main([*here, *wrong], clinic=lambda: side) == 3
    assert proxy.refused
    assert side.outbox.counts().pending == 1


def test_the_systems_proxy_counts_unless_the_clinic_says_none(
    private_cloud, side, proxy, monkeypatch
):
    monkeypatch.setenv("HTTPS_PROXY", f"http://clinic:secret@127.0.0.1:{proxy.port}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    cloud, authority = private_cloud
    here = ["--once", "--server", cloud.url, "--ca-bundle", str(authority)]
    assert command.main([*here, "--enrol", cloud.code()], clinic=lambda: side) == 0
    through = len(proxy.asked)
    assert through > 0
    direct = replace(side, system_proxy=False)
    assert command.main(here, clinic=lambda: direct) == 0
    assert len(proxy.asked) == through
