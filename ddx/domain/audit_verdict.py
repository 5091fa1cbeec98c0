"""What is wrong with an exported audit log, and at which entry it begins.

Pure: bytes in, report out. `check` brings the signature algorithm. Nothing in the file is
believed because the file says so: the device's key may be pinned by the caller, and so may the
server's; without a pin the report names the key found, for a human to compare.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from ddx.domain.audit import GENESIS, AuditAction
from ddx.domain.audit_log import BODY_FIELDS, ENTRY_FIELDS, FORMAT, row_of, sha256_of
from ddx.domain.canonical import digest_of
from ddx.domain.course import UNWATCHED, Course
from ddx.domain.statements import (
    Checkpoint,
    EpochSeal,
    SignatureCheck,
    entry_statement,
    seal_statement,
)


class AuditVerdict(StrEnum):
    """How a log does not hold.

    EDIT: content differs from its hash, or a line is not as written. GAP: an entry is missing
    and later ones are there. REORDER: an entry is out of its place or twice. FORK: two histories
    under one key. TRUNCATION: the end is missing. FOREIGN_KEY: not signed by the key that should
    have. RESTORED_BACKUP: sound, and older than what a server has already countersigned.
    """

    EDIT = "edit"
    GAP = "gap"
    REORDER = "reorder"
    FORK = "fork"
    TRUNCATION = "truncation"
    FOREIGN_KEY = "foreign_key"
    RESTORED_BACKUP = "restored_backup"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFinding:
    """The first thing that does not hold. epoch, sequence: the entry; 0 for the file itself."""

    verdict: AuditVerdict
    epoch: int
    sequence: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLogReport:
    """The outcome. finding: None when everything holds.

    unsigned: entries that only the chain covers: written before entries were signed. begins: epoch
    and sequence of the first entry where earlier ones were let go, None where all are there.
    """

    entries: int = 0
    epochs: int = 0
    unsigned: int = 0
    checkpoints: int = 0
    device_id: str = ""
    device_key: str = ""
    server_keys: tuple[str, ...] = ()
    begins: tuple[int, int] | None = None
    finding: AuditFinding | None = None

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return self.finding is None


_FILE: Final = (0, 0)
_MARKS: Final = ("header", "entry", "checkpoint", "seal")


class _BadLogError(Exception):
    """Carries the first finding out of the walk."""

    def __init__(self, verdict: AuditVerdict, at: tuple[int, int], reason: str) -> None:
        super().__init__(reason)
        self.finding = AuditFinding(verdict=verdict, epoch=at[0], sequence=at[1], reason=reason)


def verify_log(
    lines: Sequence[bytes],
    *,
    check: SignatureCheck,
    device_key: str | None = None,
    server_key: str | None = None,
    witness: Sequence[Checkpoint] = (),
    course: Course = UNWATCHED,
) -> AuditLogReport:
    """Return whether an exported log holds, and where it first does not.

    lines: of the file, each with its line break. device_key, server_key: hex public keys the
    caller knows from elsewhere. witness: countersigned heads kept outside the file. course: told of
    the entries that hold; stopped, there is no report.
    """
    walk = _Walk(check, course)
    try:
        walk.read(lines)
        walk.whose(device_key)
        walk.entries_hold()
        walk.seal_holds()
        walk.checkpoints_hold(server_key)
        walk.agrees_with(witness, server_key)
        walk.nothing_else_changed()
    except _BadLogError as bad:
        return walk.report(bad.finding)
    return walk.report(None)


@dataclass(slots=True)
class _Walk:
    """One reading of one log."""

    check: SignatureCheck
    course: Course = UNWATCHED
    header: Mapping[str, Any] = field(default_factory=dict)
    entries: list[Mapping[str, Any]] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    seal: Mapping[str, Any] = field(default_factory=dict)
    sealed: tuple[EpochSeal, ...] = ()
    content_sha256: str = ""
    hashes: dict[tuple[int, int], str] = field(default_factory=dict)
    last: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    unsigned: int = 0
    begins: tuple[int, int] | None = None

    def report(self, finding: AuditFinding | None) -> AuditLogReport:
        return AuditLogReport(
            entries=len(self.hashes),
            epochs=len(self.last),
            unsigned=self.unsigned,
            checkpoints=len(self.checkpoints),
            device_id=str(self.header.get("device_id", "")),
            device_key=str(self.header.get("device_key", "")),
            server_keys=tuple(sorted({c.server_key for c in self.checkpoints})),
            begins=self.begins,
            finding=finding,
        )

    # Lines.

    def read(self, lines: Sequence[bytes]) -> None:
        """Sort the lines by kind, and remember the first that has no business where it stands."""
        stage = 0
        for number, line in enumerate(lines, start=1):
            row = row_of(line)
            kind = row.get("kind") if row else None
            if row is None or kind not in _MARKS:
                self._unreadable(line, number, len(lines))
                return
            if self.seal:
                raise _BadLogError(AuditVerdict.FORK, self._next(row), "lines after the seal")
            if _MARKS.index(kind) < stage or (kind == "header") != (number == 1):
                if number == 1:
                    raise _BadLogError(AuditVerdict.TRUNCATION, _FILE, "the header is missing")
                raise _BadLogError(
                    AuditVerdict.REORDER, self._next(row), f"line {number} is out of place"
                )
            stage = _MARKS.index(kind)
            self._take(kind, row)
        if not lines:
            raise _BadLogError(AuditVerdict.TRUNCATION, _FILE, "the file is empty")
        self.content_sha256 = sha256_of(lines[:-1])

    def _take(self, kind: str, row: dict[str, Any]) -> None:
        match kind:
            case "header":
                self.header = row
            case "entry":
                self.entries.append(row)
            case "checkpoint":
                self.checkpoints.append(_checkpoint(row))
            case _:
                self.seal = row

    def _unreadable(self, line: bytes, number: int, count: int) -> None:
        if number == count and not line.endswith(b"\n"):
            self.entries_hold(whole=False)
            raise _BadLogError(AuditVerdict.TRUNCATION, self._next({}), "the last line is cut")
        self.entries_hold(whole=False)
        raise _BadLogError(
            AuditVerdict.EDIT, self._next({}), f"line {number} is not as it was written"
        )

    def _next(self, row: Mapping[str, Any]) -> tuple[int, int]:
        """Return the place of `row`, or the place after the last entry read."""
        epoch, sequence = row.get("epoch"), row.get("sequence")
        if isinstance(epoch, int) and isinstance(sequence, int):
            return epoch, sequence
        if not self.entries:
            return _FILE
        epoch, sequence = self.entries[-1].get("epoch"), self.entries[-1].get("sequence")
        if isinstance(epoch, int) and isinstance(sequence, int):
            return epoch, sequence + 1
        return _FILE

    def whose(self, pinned: str | None) -> None:
        """Check the header's shape and its key against the pin."""
        strings = ("device_id", "device_key", "exported_at", "exported_by")
        if self.header.get("format") != FORMAT:
            raise _BadLogError(AuditVerdict.EDIT, _FILE, "the header names an unknown format")
        if not all(isinstance(self.header.get(name), str) for name in strings):
            raise _BadLogError(AuditVerdict.EDIT, _FILE, "the header is not as it was written")
        if pinned is not None and self.header["device_key"] != pinned.lower():
            first = self._next(self.entries[0]) if self.entries else _FILE
            raise _BadLogError(
                AuditVerdict.FOREIGN_KEY, first, "the log is signed by another key than the pinned"
            )

    # Entries.

    def entries_hold(self, *, whole: bool = True) -> None:
        """Check every entry in order: place, content, signature, link.

        whole: False while lines are left that cannot be read.
        """
        self.begins = self._said_to_begin(whole=whole)
        places = {(row.get("epoch"), row.get("sequence")) for row in self.entries}
        epoch = 0
        for done, row in enumerate(self.entries):
            self.course.at(done, len(self.entries))
            at = _place(row)
            self._in_place(row, at, epoch, places)
            self._content_holds(row, at)
            self._signature_holds(row, at)
            self._links(row, at)
            self.hashes[at] = row["hash"]
            self.last[at[0]], epoch = row, at[0]

    def _said_to_begin(self, *, whole: bool) -> tuple[int, int] | None:
        """Return where the chain begins, if that is no first entry and device and server say so.

        The device in an entry that names the place and the hash there, the server by having
        countersigned them. Whether the two are genuine is checked with all the others.
        """
        first = _place(self.entries[0]) if self.entries else _FILE
        if first[1] <= 1:
            return None
        if not whole:
            return first  # what would say so was not read; the log does not hold anyway
        told = (*first, self.entries[0].get("hash"))
        seen = any((c.epoch, c.sequence, c.head) == told for c in self.checkpoints)
        return first if seen and told in map(_retired, self.entries) else None

    def _in_place(
        self, row: Mapping[str, Any], at: tuple[int, int], epoch: int, places: set[Any]
    ) -> None:
        if at in self.hashes:
            self._twice(row, at)
        if at[0] < epoch:
            raise _BadLogError(AuditVerdict.REORDER, at, "an earlier epoch after a later one")
        before = self.last.get(at[0])
        expected = (at[0], 1 if before is None else before["sequence"] + 1)
        if before is None and at == self.begins:
            return
        if at != expected:
            if expected in places:
                raise _BadLogError(AuditVerdict.REORDER, at, f"entry {expected[1]} comes later")
            raise _BadLogError(
                AuditVerdict.GAP, expected, f"missing; the next one there is {at[1]}"
            )

    def _twice(self, row: Mapping[str, Any], at: tuple[int, int]) -> None:
        if row["hash"] == self.hashes[at]:
            raise _BadLogError(AuditVerdict.REORDER, at, "the same entry stands here twice")
        self._content_holds(row, at)
        self._signature_holds(row, at)
        raise _BadLogError(AuditVerdict.FORK, at, "two different entries have this place")

    def _content_holds(self, row: Mapping[str, Any], at: tuple[int, int]) -> None:
        if set(row) != ENTRY_FIELDS or digest_of({n: row[n] for n in BODY_FIELDS}) != row["hash"]:
            raise _BadLogError(AuditVerdict.EDIT, at, "the content does not match its hash")

    def _signature_holds(self, row: Mapping[str, Any], at: tuple[int, int]) -> None:
        signature, before = row["signature"], self.last.get(at[0])
        if signature == "" and (before is None or before["signature"] == ""):
            self.unsigned += 1  # the seal says where signatures begin
            return
        statement = entry_statement(self.header.get("device_id", ""), *at, row["hash"])
        key = self.header.get("device_key", "")
        if not isinstance(signature, str) or not self.check(key, signature, statement):
            raise _BadLogError(AuditVerdict.FOREIGN_KEY, at, "not signed by the device's key")

    def _links(self, row: Mapping[str, Any], at: tuple[int, int]) -> None:
        before = self.last.get(at[0])
        if before is None and at == self.begins:
            return  # what it follows was let go; its own hash is countersigned
        if row["previous"] != (GENESIS if before is None else before["hash"]):
            raise _BadLogError(AuditVerdict.FORK, at, "does not follow the entry before it")
        if before is None and self.last:
            self._opens_epoch(row, at)

    def _opens_epoch(self, row: Mapping[str, Any], at: tuple[int, int]) -> None:
        old, detail = self.last[max(self.last)], row["detail"]
        told = (detail.get("previous_epoch"), detail.get("previous_sequence"))
        told_head = detail.get("previous_head")
        if isinstance(told[0], int) and old["epoch"] < told[0] < at[0]:
            raise _BadLogError(AuditVerdict.GAP, (told[0], 1), "a whole epoch is missing")
        follows = row["action"] == AuditAction.EPOCH_OPENED and told_head == old["hash"]
        if not follows or told != (old["epoch"], old["sequence"]):
            raise _BadLogError(AuditVerdict.FORK, at, "the epoch does not follow the one before")

    # Seal, checkpoints, witnesses.

    def seal_holds(self) -> None:
        """Check that the file ends where the device sealed it."""
        end = self._next({})
        if not self.seal:
            raise _BadLogError(AuditVerdict.TRUNCATION, end, "the seal at the end is missing")
        self.sealed, signature = _seals(self.seal, end), self.seal.get("signature")
        statement = seal_statement(
            self.header["device_id"], self.sealed, str(self.seal.get("content_sha256"))
        )
        if not isinstance(signature, str) or not self.check(
            self.header["device_key"], signature, statement
        ):
            raise _BadLogError(AuditVerdict.FOREIGN_KEY, end, "the seal is not the device's")
        for seal in self.sealed:
            self._epoch_ends(seal)
        if {seal.epoch for seal in self.sealed} != set(self.last):
            raise _BadLogError(AuditVerdict.FORK, end, "the file holds an epoch nobody sealed")

    def _epoch_ends(self, seal: EpochSeal) -> None:
        last = self.last.get(seal.epoch)
        there = 0 if last is None else last["sequence"]
        if there < seal.entries:
            raise _BadLogError(
                AuditVerdict.TRUNCATION,
                (seal.epoch, there + 1),
                f"entries up to {seal.entries} were sealed",
            )
        if last is None or there > seal.entries or last["hash"] != seal.head:
            raise _BadLogError(
                AuditVerdict.FORK, (seal.epoch, there), "another entry was sealed as the last"
            )
        for row in self.entries:
            signed = seal.first_signed and row["sequence"] >= seal.first_signed
            if row["epoch"] == seal.epoch and signed and row["signature"] == "":
                raise _BadLogError(
                    AuditVerdict.FOREIGN_KEY, _place(row), "its signature was taken away"
                )

    def checkpoints_hold(self, pinned: str | None) -> None:
        """Check the countersigned heads that the file itself carries."""
        for checkpoint in self.checkpoints:
            self._countersigned(checkpoint, pinned)
            self._same_history(checkpoint, AuditVerdict.TRUNCATION)

    def agrees_with(self, witness: Sequence[Checkpoint], pinned: str | None) -> None:
        """Check the countersigned heads that were kept elsewhere."""
        for checkpoint in witness:
            self._countersigned(checkpoint, pinned)
            self._same_history(checkpoint, AuditVerdict.RESTORED_BACKUP)

    def _countersigned(self, checkpoint: Checkpoint, pinned: str | None) -> None:
        at = (checkpoint.epoch, checkpoint.sequence)
        key = checkpoint.server_key if pinned is None else pinned.lower()
        whole = self.check(key, checkpoint.signature, checkpoint.statement)
        if not whole or checkpoint.server_key != key:
            raise _BadLogError(
                AuditVerdict.FOREIGN_KEY, at, "the checkpoint is not signed by the server's key"
            )
        ours = (checkpoint.device_id, checkpoint.device_key)
        if ours != (self.header["device_id"], self.header["device_key"]):
            raise _BadLogError(
                AuditVerdict.FOREIGN_KEY, at, "the server knows another key of this device"
            )

    def _same_history(self, checkpoint: Checkpoint, beyond: AuditVerdict) -> None:
        at = (checkpoint.epoch, checkpoint.sequence)
        if self.begins is not None and at < self.begins:
            return  # of entries that were let go
        mine = self.hashes.get(at)
        if mine is None:
            last = self.last.get(checkpoint.epoch)
            missing = (checkpoint.epoch, 1 if last is None else last["sequence"] + 1)
            raise _BadLogError(beyond, missing, f"a server countersigned entry {at[1]}")
        if mine != checkpoint.head:
            raise _BadLogError(AuditVerdict.FORK, at, "a server countersigned another entry here")

    def nothing_else_changed(self) -> None:
        """Check every byte above the seal: header, checkpoints, and how many there are."""
        if self.seal.get("content_sha256") != self.content_sha256:
            raise _BadLogError(
                AuditVerdict.EDIT, _FILE, "the header or a checkpoint was changed or taken away"
            )


def _retired(row: Mapping[str, Any]) -> tuple[Any, Any, Any] | None:
    """Return epoch, sequence and hash that an entry says the chain begins at from then on."""
    detail = row.get("detail")
    if row.get("action") != AuditAction.AUDIT_RETIRED or not isinstance(detail, Mapping):
        return None
    return detail.get("epoch"), detail.get("sequence"), detail.get("head")


def _place(row: Mapping[str, Any]) -> tuple[int, int]:
    epoch, sequence = row.get("epoch"), row.get("sequence")
    if not isinstance(epoch, int) or not isinstance(sequence, int):
        raise _BadLogError(AuditVerdict.EDIT, _FILE, "an entry without its place")
    return epoch, sequence


def _checkpoint(row: Mapping[str, Any]) -> Checkpoint:
    try:
        return Checkpoint(**{name: value for name, value in row.items() if name != "kind"})
    except TypeError as error:
        at = (row.get("epoch", 0), row.get("sequence", 0))
        raise _BadLogError(AuditVerdict.EDIT, at, "a checkpoint is not as written") from error


def _seals(row: Mapping[str, Any], end: tuple[int, int]) -> tuple[EpochSeal, ...]:
    try:
        return tuple(EpochSeal(**seal) for seal in row["epochs"])
    except (KeyError, TypeError) as error:
        raise _BadLogError(AuditVerdict.EDIT, end, "the seal is not as written") from error
