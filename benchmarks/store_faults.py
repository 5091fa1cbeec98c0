"""What a clinic's store goes through: killed writers, full disks, flipped bits, planted names.

Every function takes how many faults to make and a seed, and returns what it counted; nothing is
asserted here. `tests/faults/store` runs a few, `python -m benchmarks.reliability` all of them.
The workload is the desktop's own services on a small engine (`tests/support/tiny_engine.py`).
"""

import logging
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from support.tiny_engine import TinyShelf

from ddx.domain.audit import AuditAction
from ddx.domain.audit_verdict import verify_log
from ddx.domain.case import Sex
from ddx.domain.feedback import Verb
from ddx.domain.finding import Presence
from ddx.domain.identifiers import DiseaseId, RecordId
from ddx.errors import DdxError
from ddx.intake.draft import Draft, DraftFinding
from desktop.services.audit import sealed_log
from desktop.services.clinic import Clinic
from desktop.services.records import NewPatient
from desktop.services.session import Session
from desktop.signatures import ed25519_check
from desktop.store import ballast, store
from desktop.store.errors import StoreCorruptError, StoreFullError
from desktop.store.keys import Argon2Cost
from desktop.store.keystore import NoKeystore
from desktop.store.outbox import StoreOutbox
from desktop.store.unit_of_work import UnitOfWork

PASSPHRASE: Final = "banco de pruebas sin secretos"
CHEAP: Final = Argon2Cost(iterations=1, lanes=1, memory_kib=8)
VISITS_PER_CLINIC: Final = 50  # kills before a fresh clinic: the chain is read whole each time
LONGEST_WORK: Final = 25  # commits a killed process may have reported
LONGEST_PAUSE_S: Final = 0.03  # from its last report to the kill: about two commits
DISK_BYTES: Final = 24 << 20
FINDINGS: Final = ("HP:0001945", "HP:0012735", "HP:0001166")


@dataclass(slots=True)
class Counted:
    """What one series of faults did.

    acknowledged: commits reported before the fault. signatures: audit entries whose signature was
    checked while reading back, each time it was read.
    """

    faults: int = 0
    acknowledged: int = 0
    lost: int = 0
    corrupt: int = 0
    broken_chains: int = 0
    signatures: int = 0
    torn: int = 0
    told: int = 0
    went_on: int = 0
    undetected: int = 0
    crashed: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Promised:
    """What the store said it had kept."""

    drafts: dict[RecordId, str] = field(default_factory=dict)
    diagnoses: set[RecordId] = field(default_factory=set)
    acknowledged: set[RecordId] = field(default_factory=set)
    decided: set[RecordId] = field(default_factory=set)
    commits: int = 0

    def hear(self, line: str) -> None:
        """Take one line of the workload's report."""
        what, record, *rest = line.split()
        self.commits += 1
        if what == "draft":
            self.drafts[RecordId(record)] = rest[0]
        elif what == "diagnosed":
            self.diagnoses.add(RecordId(record))
            self.drafts.pop(RecordId(rest[0]), None)
        elif what == "decided":
            self.decided.add(RecordId(record))
        elif what == "sent":
            self.acknowledged.add(RecordId(record))


def a_clinic(folder: Path) -> Clinic:
    """Return a clinic on `folder`, created if it is not there, without slow keys."""
    made = Clinic(folder, TinyShelf(), cost=CHEAP, keystore=NoKeystore())
    if not made.is_set_up():
        made.create(clinic_name="Banco", display_name="Banco", passphrase=PASSPHRASE)
    return made


def signed_in(clinic: Clinic) -> Session:
    """Return a session of the only clinician."""
    return clinic.sign_in(clinic.clinicians()[0].id, PASSPHRASE)


def work(session: Session, tell: Callable[[str], object], *, rounds: int | None = None) -> None:
    """Save, diagnose, decide and settle the outbox, telling of each commit after it returned."""
    patient = session.patients.create(
        NewPatient(
            given_name="Paciente", family_name="Prueba", sex=Sex.FEMALE, birth_date=date(1990, 5, 1)
        )
    )
    number = 0
    while rounds is None or number < rounds:
        number += 1
        draft = session.visits.open_draft(patient.id)
        for age in range(20, 24):
            typed = Draft(
                age_text=str(age),
                sex=Sex.FEMALE,
                findings=tuple(DraftFinding(id=f, presence=Presence.PRESENT) for f in FINDINGS),
            )
            session.visits.save_draft(draft.id, typed)
            tell(f"draft {draft.id} {age}")
        made = session.visits.diagnose(draft.id)
        tell(f"diagnosed {made.id} {draft.id}")
        top = DiseaseId(made.differential.candidates[0].disease)
        decided = session.decisions.record(made.id, Verb.AGREE, top)
        tell(f"decided {decided.id}")
        _settle(session, tell)


def _settle(session: Session, tell: Callable[[str], object]) -> None:
    outbox = StoreOutbox(session._desk.store)  # noqa: SLF001 -- the outbox without a network
    for event in outbox.pending(3):
        outbox.acknowledge({event.id: event.sequence})
        tell(f"sent {event.id}")


def kills(count: int, folder: Path, seed: int = 1) -> Counted:
    """Kill -9 a writing process `count` times at random moments and read everything back."""
    dice, counted = random.Random(seed), Counted()
    for number in range(count):
        if number % VISITS_PER_CLINIC == 0:
            clinic, promised = a_clinic(folder / str(number)), Promised()
        said = _killed_after(
            clinic, dice.randint(0, LONGEST_WORK), dice.uniform(0, LONGEST_PAUSE_S)
        )
        before = promised.commits
        for line in said.splitlines():
            promised.hear(line)
        counted.faults += 1
        counted.acknowledged += promised.commits - before
        read_back(clinic, promised, counted)
    return counted


def _killed_after(clinic: Clinic, reports: int, seconds: float) -> str:
    """Run the workload in a forked process and return all it reported before it was killed.

    The kill comes `seconds` after so many reported commits (0: while the store is being opened),
    so that a busy machine is killed in the same places as a quiet one.
    """
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        with suppress(BaseException):
            work(signed_in(clinic), lambda line: os.write(theirs, f"{line}\n".encode()))
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours) as stream:
        heard = "".join(stream.readline() for _ in range(reports))
        time.sleep(seconds if reports else seconds * 10)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return heard + stream.read()


def read_back(clinic: Clinic, promised: Promised, counted: Counted) -> None:
    """Open the clinic again and count what is missing, damaged, broken or half there."""
    try:
        session = signed_in(clinic)
        session._desk.store.check()  # noqa: SLF001
    except StoreCorruptError as error:
        counted.corrupt += 1
        counted.notes.append(str(error))
        return
    try:
        with session._desk.store.read() as unit:  # noqa: SLF001
            _chain_holds(session, unit, counted)
            entries = unit.audit.after(0)
            rows = _rows(unit)
            typed = {}
            for draft in promised.drafts:
                with suppress(DdxError):
                    typed[draft] = unit.drafts.get(draft).content
    finally:
        session.close()
    lost = len(promised.diagnoses - rows["diagnosis"]) + len(promised.decided - rows["feedback"])
    lost += len(promised.acknowledged - rows["acknowledged"])
    for draft, age in promised.drafts.items():
        # A draft that is gone was diagnosed by a commit whose report the kill cut off.
        if draft in typed and int(str(typed[draft]["age_text"])) < int(age):
            lost += 1
    counted.lost += lost
    told = {e.subject for e in entries if e.action is AuditAction.DIAGNOSED}
    torn = rows["diagnosis"] != told or rows["sequences"] != set(range(1, rows["events"] + 1))
    counted.torn += int(torn)


def _chain_holds(session: Session, unit: UnitOfWork, counted: Counted) -> None:
    """Count a chain that does not hold: hashes, and every signature of every epoch."""
    lines = sealed_log(session._desk, unit)  # noqa: SLF001 -- the export, without its own entry
    report = verify_log(lines, check=ed25519_check, device_key=unit.device.public_key())
    counted.signatures += report.entries - report.unsigned
    if report.finding is not None or report.unsigned:
        counted.broken_chains += 1
        counted.notes.append(f"{report.finding}, {report.unsigned} unsigned")


def _rows(unit: object) -> dict[str, object]:
    from sqlalchemy import text  # noqa: PLC0415

    run = unit._session.execute  # type: ignore[attr-defined]  # noqa: SLF001
    sent = "SELECT id FROM outbox_event WHERE state = 'acknowledged'"
    sequences = set(run(text("SELECT sequence FROM outbox_event")).scalars())
    return {
        "diagnosis": set(run(text("SELECT id FROM diagnosis")).scalars()),
        "feedback": set(run(text("SELECT id FROM feedback")).scalars()),
        "acknowledged": set(run(text(sent)).scalars()),
        "sequences": sequences,
        "events": len(sequences),
    }


class NoSmallDiskError(Exception):
    """A small file system cannot be mounted here."""


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Give a file system of 24 MiB mounted on `folder`. Raises NoSmallDiskError (needs root)."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "vereda-faults", str(folder)]
    try:
        done = subprocess.run(mount, check=False, capture_output=True, text=True)
    except OSError as error:
        raise NoSmallDiskError(str(error)) from error
    if done.returncode:
        raise NoSmallDiskError(f"mounting a tmpfs needs root: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def full_disks(count: int, disk: Path, seed: int = 1) -> Counted:
    """Fill `disk` `count` times under a working clinic and read everything back.

    told: the work ended in StoreFullError, whose words say what to do. went_on: the very next
    save fitted, with the disk still full, because the ballast was let go.
    """
    dice, counted = random.Random(seed), Counted()
    clinic, promised = a_clinic(disk / "clinic"), Promised()
    for _ in range(count):
        session = signed_in(clinic)
        ballast.lay(disk / "clinic" / "store", room_needed=0)
        before = promised.commits
        with _filled(disk, leave=dice.randrange(300_000)):
            counted.faults += 1
            try:
                work(session, promised.hear)
            except StoreFullError:
                counted.told += 1
                counted.went_on += int(_saves(session))
            except DdxError as error:
                counted.notes.append(f"{error.code}: {error}")
            with suppress(DdxError):
                session.close()
        counted.acknowledged += promised.commits - before
        read_back(clinic, promised, counted)
    return counted


@contextmanager
def _filled(disk: Path, *, leave: int) -> Iterator[None]:
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as stream, suppress(OSError):
        while stream.write(bytes(4096)):
            pass
    size = filler.stat().st_size
    os.truncate(filler, max(0, size - leave))
    try:
        yield
    finally:
        filler.unlink()


def _saves(session: Session) -> bool:
    try:
        work(session, lambda _line: None, rounds=1)
    except DdxError:
        return False
    return True


def flips(count: int, folder: Path, seed: int = 1) -> Counted:
    """Flip one bit of the database file `count` times and open it.

    Every second time the file is opened as a large one is: header and length at open, every
    page by the weekly check. Finding it there counts as detected too.
    """
    dice, counted = random.Random(seed), Counted()
    clinic = a_clinic(folder)
    session = signed_in(clinic)
    work(session, lambda _line: None, rounds=40)
    session.close()
    database = folder / "store" / "clinic.db"
    sound = database.read_bytes()
    for number in range(count):
        damaged = bytearray(sound)
        damaged[dice.randrange(len(sound))] ^= 1 << dice.randrange(8)
        database.write_bytes(damaged)
        for left in ("clinic.db-wal", "clinic.db-shm"):
            (folder / "store" / left).unlink(missing_ok=True)
        counted.faults += 1
        _opened_as_damaged(clinic, counted, large=number % 2 == 1)
    database.write_bytes(sound)
    signed_in(clinic).close()  # the sound file still opens
    return counted


def _opened_as_damaged(clinic: Clinic, counted: Counted, *, large: bool) -> None:
    limit = store.FULL_CHECK_BYTES
    store.FULL_CHECK_BYTES = 0 if large else limit
    session = None
    try:
        session = signed_in(clinic)
        session._desk.store.check()  # noqa: SLF001
        counted.undetected += 1
    except StoreCorruptError:
        pass
    except Exception as error:  # noqa: BLE001 -- whatever else comes out would reach the clinician
        counted.crashed += 1
        counted.notes.append(type(error).__name__)
    finally:
        store.FULL_CHECK_BYTES = limit
        if session is not None:
            session._desk.store.close()  # noqa: SLF001


def planted(count: int, folder: Path) -> tuple[int, int, list[str]]:
    """Plant `count` names, work, fail, back up; return names, files read and where any was found.

    Looks through database, WAL, backup, log at the finest level and temporary files, in UTF-8
    and UTF-16, as typed and folded; for the passphrase, the recovery key and the data key too.
    """
    data, temporary, log = folder / "data", folder / "tmp", folder / "vereda.log"
    temporary.mkdir(parents=True)
    handler = logging.FileHandler(log)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    before, tempfile.tempdir = tempfile.tempdir, str(temporary)
    os.environ["SQLITE_TMPDIR"] = str(temporary)
    try:
        clinic = Clinic(data, TinyShelf(), cost=CHEAP, keystore=NoKeystore())
        recovery = clinic.create(clinic_name="Banco", display_name="Banco", passphrase=PASSPHRASE)
        session = signed_in(clinic)
        names = [f"Plantada{number:03d}Ñusta" for number in range(count)]
        for name in names:
            _plant(session, name)
        session.keeping.back_up()
        key = session._desk.store._data_key  # noqa: SLF001
        words = [*names, *(n.lower().replace("ñ", "n") for n in names)]
        words += [PASSPHRASE, recovery, recovery.replace("-", ""), key.hex(), str(names[:1])]
        found, files = _grep(folder, words, key)  # the WAL is still there
        session.close()
        found_closed, more = _grep(folder, words, key)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        handler.close()
        tempfile.tempdir = before
        os.environ.pop("SQLITE_TMPDIR", None)
    return len(names), files + more, found + found_closed


def _plant(session: Session, name: str) -> None:
    patient = session.patients.create(
        NewPatient(given_name=name, family_name=name, sex=Sex.FEMALE, birth_date=date(1990, 5, 1))
    )
    draft = session.visits.open_draft(patient.id)
    fever = DraftFinding(id=FINDINGS[0], presence=Presence.PRESENT)
    session.visits.save_draft(draft.id, Draft(age_text="30", sex=Sex.FEMALE, findings=(fever,)))
    made = session.visits.diagnose(draft.id)
    top = DiseaseId(made.differential.candidates[0].disease)
    session.decisions.record(made.id, Verb.AGREE, top, note=f"vive con {name}")
    session.patients.search(name)
    with suppress(DdxError):  # a refused statement, with the name among its parameters
        store_ = session._desk.store  # noqa: SLF001
        with store_.write() as unit:
            unit.patients.add(unit.patients.search(name, 1)[0])
            unit.patients.search(name, 1)


def _grep(folder: Path, words: list[str], key: bytes) -> tuple[list[str], int]:
    needles = [key, *(w.encode() for w in words), *(w.encode("utf-16-le") for w in words)]
    found, files = [], 0
    for path in folder.rglob("*"):
        if path.is_file():
            files += 1
            content = path.read_bytes()
            found += [path.name for needle in needles if needle in content]
    line = Path("/proc/self/cmdline")
    if line.is_file():
        files += 1
        found += ["process list" for needle in needles if needle in line.read_bytes()]
    return found, files
