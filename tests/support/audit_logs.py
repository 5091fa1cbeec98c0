"""Exported audit logs made in memory, and everything a dishonest hand might do to one."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ddx.domain.audit import AuditAction, link
from ddx.domain.audit_log import (
    LogHeader,
    SignedEntry,
    seal_line,
    seals_of,
    to_be_sealed,
    unsealed_lines,
)
from ddx.domain.audit_verdict import AuditVerdict as V
from ddx.domain.canonical import canonical_json, digest_of
from ddx.domain.identifiers import new_record_id
from ddx.domain.statements import Checkpoint, entry_statement, moment_text

START = datetime(2026, 11, 23, 8, tzinfo=UTC)
BODY = ("sequence", "id", "at", "actor", "action", "subject", "previous", "detail")


def public(key):
    return key.public_key().public_bytes_raw().hex()


@dataclass
class Device:
    """A device with its key, and the server that countersigns its heads."""

    id: str
    key: Ed25519PrivateKey
    server: Ed25519PrivateKey

    @classmethod
    def fresh(cls) -> "Device":
        return cls(new_record_id(), Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate())

    def chain(self, length, epoch=1, *, opens_after=None, unsigned=0, after=()):
        """Return `length` entries of one epoch that follow `after`, signed but the first few."""
        chain = list(after)
        last = chain[-1].entry if chain else None
        for _ in range(length):
            opening = opens_after is not None and last is None
            last = link(
                last,
                id=new_record_id(),
                at=START + timedelta(minutes=len(chain)),
                actor=new_record_id(),
                action=AuditAction.EPOCH_OPENED if opening else AuditAction.DIAGNOSED,
                subject=new_record_id(),
                detail=_opened(opens_after) if opening else {"candidates": len(chain)},
            )
            signature = "" if len(chain) < unsigned else self.sign(epoch, last)
            chain.append(SignedEntry(epoch=epoch, entry=last, signature=signature))
        return chain

    def sign(self, epoch, entry, key=None):
        statement = entry_statement(self.id, epoch, entry.sequence, entry.hash)
        return (key or self.key).sign(statement).hex()

    def countersigned(self, signed, key=None) -> Checkpoint:
        """Return the server's word on one entry."""
        server = key or self.server
        head = Checkpoint(
            device_id=self.id,
            device_key=public(self.key),
            epoch=signed.epoch,
            sequence=signed.entry.sequence,
            head=signed.entry.hash,
            server_time=moment_text(START),
            server_key=public(server),
        )
        return replace(head, signature=server.sign(head.statement).hex())

    def export(self, entries, checkpoints=(), key=None) -> list[bytes]:
        """Return the lines of a sealed log."""
        signing = key or self.key
        header = LogHeader(
            device_id=self.id,
            device_key=public(signing),
            exported_at=moment_text(START),
            exported_by=new_record_id(),
        )
        lines, seals = unsealed_lines(header, entries, checkpoints), seals_of(entries)
        signature = signing.sign(to_be_sealed(self.id, lines, seals)).hex()
        return [*lines, seal_line(seals, lines, signature)]


def _opened(last):
    return {
        "reason": "restored_backup",
        "previous_epoch": last.epoch,
        "previous_sequence": last.entry.sequence,
        "previous_head": last.entry.hash,
    }


@dataclass
class Scene:
    """A sound log of two epochs with three countersigned heads, and the means to forge it."""

    device: Device
    entries: list
    checkpoints: list
    lines: list[bytes]

    @classmethod
    def fresh(cls, first=40, second=20) -> "Scene":
        device = Device.fresh()
        one = device.chain(first, unsigned=5)
        two = device.chain(second, epoch=2, opens_after=one[-1])
        heads = [device.countersigned(e) for e in (one[-10], one[-1], two[-5])]
        return cls(device, one + two, heads, device.export(one + two, heads))


@dataclass(frozen=True)
class Mutation:
    """lines: the forged file. expected: verdicts that name this deed; witness: kept elsewhere."""

    name: str
    lines: list[bytes]
    expected: frozenset
    witness: tuple[Checkpoint, ...] = ()


def _row(line):
    return json.loads(line)


def _line(row):
    return canonical_json(row) + b"\n"


def _entry_places(scene):
    return range(1, len(scene.entries) + 1)


def _rehashed(row):
    return row | {"hash": digest_of({name: row[name] for name in BODY})}


def edit(scene, dice):
    place, lines = dice.choice(_entry_places(scene)), list(scene.lines)
    row = _row(lines[place])
    name = dice.choice(("actor", "subject", "at", "action", "detail", "id", "hash", "previous"))
    row[name] = {"candidates": 99} if name == "detail" else f"{row[name]}"[::-1]
    lines[place] = _line(row)
    return Mutation("edit", lines, frozenset({V.EDIT}))


def edit_and_rehash(scene, dice):
    place, lines = dice.choice(_entry_places(scene)), list(scene.lines)
    row = _rehashed(_row(lines[place]) | {"subject": new_record_id()})
    lines[place] = _line(row)
    return Mutation("edit, hash repaired", lines, frozenset({V.FOREIGN_KEY, V.FORK}))


def drop(scene, dice):
    place, lines = dice.choice(_entry_places(scene)), list(scene.lines)
    row = _row(lines.pop(place))
    last = row["sequence"] in {40, 20} and _is_last(scene, row)
    return Mutation("drop", lines, frozenset({V.TRUNCATION, V.FORK} if last else {V.GAP}))


def _is_last(scene, row):
    return all(
        s.epoch != row["epoch"] or s.entry.sequence <= row["sequence"] for s in scene.entries
    )


def drop_epoch(scene, dice):
    lines = [line for line in scene.lines if _row(line).get("epoch") != 2 or b"checkpoint" in line]
    return Mutation("drop an epoch", lines, frozenset({V.TRUNCATION}))


def swap(scene, dice):
    lines = list(scene.lines)
    one, other = dice.sample(list(_entry_places(scene)), 2)
    lines[one], lines[other] = lines[other], lines[one]
    return Mutation("swap", lines, frozenset({V.REORDER, V.GAP}))


def repeat(scene, dice):
    lines = list(scene.lines)
    place = dice.choice(_entry_places(scene))
    lines.insert(dice.randrange(place, len(scene.entries) + 1), lines[place])
    return Mutation("repeat", lines, frozenset({V.REORDER}))


def truncate(scene, dice):
    keep = dice.randrange(0, len(scene.lines))
    return Mutation("truncate at a line", scene.lines[:keep], frozenset({V.TRUNCATION}))


def truncate_bytes(scene, dice):
    whole = b"".join(scene.lines)
    cut = whole[: dice.randrange(1, len(whole))]
    if cut.endswith(b"\n"):
        cut = cut[:-1]
    return Mutation("truncate at a byte", cut.splitlines(keepends=True), frozenset({V.TRUNCATION}))


def truncate_entries(scene, dice):
    """Cut the tail of the last epoch and keep seal and checkpoints."""
    keep = len(scene.entries) - dice.randrange(1, 15)
    lines = [scene.lines[0], *scene.lines[1 : keep + 1], *scene.lines[len(scene.entries) + 1 :]]
    return Mutation("cut the last entries", lines, frozenset({V.TRUNCATION}))


def append_forged(scene, dice):
    """Add an entry that follows the last one, signed by somebody else."""
    last, stranger = scene.entries[-1], Ed25519PrivateKey.generate()
    entry = link(
        last.entry,
        id=new_record_id(),
        at=START,
        actor=new_record_id(),
        action=AuditAction.SIGN_IN,
        subject=new_record_id(),
    )
    signed = SignedEntry(epoch=2, entry=entry, signature=scene.device.sign(2, entry, key=stranger))
    lines = list(scene.lines)
    lines.insert(len(scene.entries) + 1, unsealed_lines(_header(scene), [signed], ())[1])
    return Mutation("append a forged entry", lines, frozenset({V.FOREIGN_KEY}))


def append_genuine(scene, dice):
    """Add the device's own later entry to an older export, as if it had been sealed there."""
    longer = scene.device.chain(1, epoch=2, after=scene.entries[40:])
    lines = list(scene.lines)
    lines.insert(len(scene.entries) + 1, unsealed_lines(_header(scene), longer[-1:], ())[1])
    return Mutation("append the device's later entry", lines, frozenset({V.FORK}))


def append_after_seal(scene, dice):
    lines = [*scene.lines, scene.lines[dice.choice(_entry_places(scene))]]
    return Mutation("append after the seal", lines, frozenset({V.FORK}))


def fork(scene, dice):
    """Another history under the device's own key, over a head the server countersigned."""
    place = dice.randrange(5, 28)
    other = scene.device.chain(40 - place, after=scene.entries[:place])
    two = scene.device.chain(20, epoch=2, opens_after=other[-1])
    lines = scene.device.export(other + two, scene.checkpoints)
    return Mutation("rewrite under the device's key", lines, frozenset({V.FORK}))


def splice(scene, dice):
    """The head of one history and the tail of another, both the device's."""
    place = dice.randrange(6, 35)
    other = scene.device.chain(40 - 5, after=scene.entries[:5])
    mixed = [*scene.entries[:place], *other[place:], *scene.entries[40:]]
    lines = scene.device.export(mixed, scene.checkpoints)
    return Mutation("splice two histories", lines, frozenset({V.FORK}))


def resign_one(scene, dice):
    place, lines = dice.randrange(6, len(scene.entries) + 1), list(scene.lines)
    signed, stranger = scene.entries[place - 1], Ed25519PrivateKey.generate()
    signature = scene.device.sign(signed.epoch, signed.entry, key=stranger)
    lines[place] = _line(_row(lines[place]) | {"signature": signature})
    return Mutation("re-sign one entry", lines, frozenset({V.FOREIGN_KEY}))


def unsign(scene, dice):
    place, lines = dice.randrange(6, len(scene.entries) + 1), list(scene.lines)
    lines[place] = _line(_row(lines[place]) | {"signature": ""})
    return Mutation("take a signature away", lines, frozenset({V.FOREIGN_KEY}))


def resign_all(scene, dice):
    """Rewrite one entry, then hash, sign and seal everything again with another key."""
    stranger, place = Ed25519PrivateKey.generate(), dice.randrange(0, 40)
    forger = replace(scene.device, key=stranger)
    one = forger.chain(40 - place, after=scene.entries[:place])
    one = [replace(s, signature=forger.sign(1, s.entry)) for s in one]
    two = forger.chain(20, epoch=2, opens_after=one[-1])
    lines = forger.export(one + two, ())
    return Mutation("re-sign everything with another key", lines, frozenset({V.FOREIGN_KEY}))


def change_header(scene, dice):
    lines = list(scene.lines)
    name = dice.choice(("exported_at", "exported_by"))
    lines[0] = _line(_row(lines[0]) | {name: new_record_id()})
    return Mutation("change the header", lines, frozenset({V.EDIT}))


def change_checkpoint(scene, dice):
    lines = list(scene.lines)
    place = len(scene.entries) + 1 + dice.randrange(len(scene.checkpoints))
    name = dice.choice(("server_time", "head", "signature", "server_key", "device_key"))
    row = _row(lines[place])
    lines[place] = _line(row | {name: row[name][::-1]})
    return Mutation("change a checkpoint", lines, frozenset({V.FOREIGN_KEY}))


def drop_checkpoint(scene, dice):
    lines = list(scene.lines)
    del lines[len(scene.entries) + 1 + dice.randrange(len(scene.checkpoints))]
    return Mutation("drop a checkpoint", lines, frozenset({V.EDIT}))


def forge_checkpoint(scene, dice):
    heads = [*scene.checkpoints]
    heads[0] = scene.device.countersigned(scene.entries[10], key=Ed25519PrivateKey.generate())
    lines = scene.device.export(scene.entries, heads)
    return Mutation("a checkpoint by another server", lines, frozenset({V.FOREIGN_KEY}))


def change_seal(scene, dice):
    row = _row(scene.lines[-1])
    row["epochs"][1]["entries"] -= 1
    lines = [*scene.lines[:-1], _line(row)]
    return Mutation("change the seal", lines, frozenset({V.FOREIGN_KEY}))


def flip(scene, dice):
    whole = bytearray(b"".join(scene.lines))
    place = dice.randrange(len(whole))
    whole[place] ^= 1 << dice.randrange(8)
    lines = [line + b"\n" for line in bytes(whole).split(b"\n")]
    lines = lines[:-1] if whole.endswith(b"\n") else [*lines[:-1], lines[-1][:-1]]
    return Mutation("flip one bit", lines, frozenset(V))


def restored(scene, dice):
    """An older sound export of the same device, shown after the server saw a newer head."""
    keep = dice.randrange(41, 55)
    lines = scene.device.export(scene.entries[:keep], scene.checkpoints[:2])
    return Mutation(
        "restored backup", lines, frozenset({V.RESTORED_BACKUP}), tuple(scene.checkpoints)
    )


MUTATIONS: tuple[Callable[[Scene, random.Random], Mutation], ...] = (
    edit,
    edit_and_rehash,
    drop,
    drop_epoch,
    swap,
    repeat,
    truncate,
    truncate_bytes,
    truncate_entries,
    append_forged,
    append_genuine,
    append_after_seal,
    fork,
    splice,
    resign_one,
    unsign,
    resign_all,
    change_header,
    change_checkpoint,
    drop_checkpoint,
    forge_checkpoint,
    change_seal,
    flip,
    restored,
)


def _header(scene):
    return LogHeader(
        device_id=scene.device.id,
        device_key=public(scene.device.key),
        exported_at=moment_text(START),
        exported_by="x",
    )
