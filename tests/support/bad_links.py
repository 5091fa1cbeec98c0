"""Network namespaces joined by bad links: a TUN pair per device and an emulator between them.

The kernel here has no netem, so one thread carries the packets: rate, delay, loss, duplication
and a bounded queue, each way. Everything is made for one run and removed after it.
"""

import fcntl
import heapq
import os
import random
import select
import shutil
import struct
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_TUNSETIFF = 0x400454CA
_IFF_TUN_NO_PI = 0x0001 | 0x1000
MTU = 1400
QUEUE_S = 3.0  # what waits longer for its turn on the link is dropped, as in a modem


@dataclass
class Quality:
    """What one link does to packets. loss: 0..1, each way; rate in kbit/s; rtt in ms."""

    loss: float = 0.0
    rate_kbit: float = 256.0
    rtt_ms: float = 150.0
    duplicates: float = 0.0


@dataclass
class Way:
    """One direction of one link. entered, left: bytes of IP packets."""

    source: int
    target: int
    free_at_s: float = 0.0
    entered: int = 0
    left: int = 0


@dataclass
class BadLink:
    """Both directions between one device and the server."""

    number: int
    device_ns: str
    quality: Quality = field(default_factory=Quality)
    ways: list[Way] = field(default_factory=list)

    @property
    def server_address(self) -> str:
        """The server as this device knows it."""
        return f"10.77.{self.number}.1"

    def flap(self, *, up: bool) -> None:
        """Take the device's interface down, or bring it back."""
        _ip("-n", self.device_ns, "link", "set", f"vd{self.number}", "up" if up else "down")


def why_not() -> str:
    """Return why namespaces cannot be had here, empty when they can."""
    if shutil.which("ip") is None:
        return "there is no `ip` command"
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "/dev/net/tun cannot be opened"
    name = f"vereda-try-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)
    if made.returncode:
        return "network namespaces are not permitted: " + made.stderr.decode().strip()
    try:
        os.close(_tun(f"vt{os.getpid() % 100000}"))
    except OSError as error:
        return f"no TUN interface can be made ({error.strerror})"
    finally:
        _ip("netns", "del", name)
    return ""


@contextmanager
def bad_links(count: int, seed: int = 0):
    """Yield (server namespace, links); packets move until the block ends."""
    prefix = f"vereda-{os.getpid()}"
    server_ns, links, made = f"{prefix}-s", [], []
    emulator = Emulator(seed)
    try:
        for name in (server_ns, *(f"{prefix}-{number}" for number in range(1, count + 1))):
            _ip("netns", "add", name)
            made.append(name)
            _ip("-n", name, "link", "set", "lo", "up")
        for number in range(1, count + 1):
            link = BadLink(number, f"{prefix}-{number}")
            _join(link, server_ns)
            links.append(link)
            emulator.carry(link)
        emulator.start()
        yield server_ns, links
    finally:
        emulator.stop()
        for name in made:
            with suppress(subprocess.CalledProcessError):
                _ip("netns", "del", name)


def _join(link: BadLink, server_ns: str) -> None:
    ends = []
    for side, namespace, host in (("d", link.device_ns, 2), ("s", server_ns, 1)):
        name = f"v{side}{link.number}"
        ends.append(_tun(f"{name}x{os.getpid() % 10000}", name, namespace))
        _ip("-n", namespace, "addr", "add", f"10.77.{link.number}.{host}/30", "dev", name)
        _ip("-n", namespace, "link", "set", name, "mtu", str(MTU), "up")
    link.ways = [Way(ends[0], ends[1]), Way(ends[1], ends[0])]


def _tun(name: str, rename: str = "", namespace: str = "") -> int:
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    try:
        fcntl.ioctl(end, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN_NO_PI))
        if namespace:
            _ip("link", "set", name, "netns", namespace, "name", rename)
    except BaseException:
        os.close(end)
        raise
    return end


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


class Emulator:
    """Carries packets between TUN ends on a thread of its own."""

    def __init__(self, seed: int) -> None:
        self._dice, self._links, self._numbers = random.Random(seed), [], iter(range(1 << 60))
        self._by_source: dict[int, tuple[Way, BadLink]] = {}
        self._flying: list[tuple[float, int, Way, bytes]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bad-links", daemon=True)

    def carry(self, link: BadLink) -> None:
        """Carry the packets of one more link."""
        for way in link.ways:
            self._by_source[way.source] = (way, link)

    def start(self) -> None:
        """Begin to carry."""
        self._thread.start()

    def stop(self) -> None:
        """Stop and let go of the interfaces, which vanish with it."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        for source in self._by_source:
            os.close(source)

    def _run(self) -> None:
        poll = select.epoll()
        for source in self._by_source:
            poll.register(source, select.EPOLLIN)
        while not self._stop.is_set():
            wait_s = 0.1
            if self._flying:
                wait_s = min(wait_s, max(0.0, self._flying[0][0] - time.monotonic()))
            for source, _ in poll.poll(wait_s):
                self._take(*self._by_source[source])
            self._land(time.monotonic())
        poll.close()

    def _take(self, way: Way, link: BadLink) -> None:
        for _ in range(64):
            try:
                packet = os.read(way.source, 2048)
            except OSError:  # nothing more, or the interface is down
                return
            self._send(way, link.quality, packet)

    def _send(self, way: Way, quality: Quality, packet: bytes) -> None:
        now_s = time.monotonic()
        way.entered += len(packet)
        begins_s = max(now_s, way.free_at_s)
        if begins_s - now_s > QUEUE_S:
            return  # the queue is full
        way.free_at_s = begins_s + len(packet) * 8 / (quality.rate_kbit * 1000)
        if self._dice.random() < quality.loss:
            return  # it took its time on the link and did not arrive
        lands_s = way.free_at_s + quality.rtt_ms / 2000
        copies = 2 if self._dice.random() < quality.duplicates else 1
        for _ in range(copies):
            heapq.heappush(self._flying, (lands_s, next(self._numbers), way, packet))

    def _land(self, now_s: float) -> None:
        while self._flying and self._flying[0][0] <= now_s:
            _, _, way, packet = heapq.heappop(self._flying)
            with suppress(OSError):  # the other end is down
                os.write(way.target, packet)
                way.left += len(packet)
