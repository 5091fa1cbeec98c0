"""Attacks on a device's bundles, each carried out for real in an `Arena`.

An attack prepares its evil and then lets the device do what it does every day. It ends in the
error that refused it, in `NothingInstalledError` where the device saw nothing to install, or in
an update: then what was installed must be what was honestly signed.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from importlib.util import find_spec
from types import SimpleNamespace

import pytest
from onnx import helper
from support.arena import (
    NEXT,
    SERVING,
    Arena,
    NothingInstalledError,
    honest_members,
    stored_release,
)
from support.bundle_workshop import flip
from support.onnx_models import external_tensor, model, stump
from tuf.api.metadata import DelegatedRole, Metadata, Root, Timestamp

from ddx.domain.artifacts import COMMON_MODEL
from ddx.domain.canonical import canonical_json
from ddx.errors import DdxError
from model_bundles.authoring.build import build_bundle
from model_bundles.compression import pack
from model_bundles.manifest import Release, write_channel
from model_bundles.orders import Downgrade, Orders, write_orders
from sync_service.client.fetcher import Pace

ENDLESS = b"x" * 65_536
COMMON = f"{NEXT}/{COMMON_MODEL}.zst"


@dataclass(frozen=True)
class Attack:
    """ends: the error code that refuses it; "nothing" where it has no effect. needs: a module
    without which the attack cannot be stood here; the page then says so."""

    group: str
    title: str
    ends: str
    run: Callable[[Arena], object]
    serving: str = "active"
    version: str = SERVING
    needs: str = ""

    @property
    def name(self) -> str:
        return self.run.__name__

    @property
    def possible(self) -> bool:
        return not self.needs or find_spec(self.needs) is not None


@dataclass(frozen=True)
class Outcome:
    """How an attack ended, and who answered the golden case afterwards."""

    code: str
    reason: str
    origin: str
    version: str


ATTACKS: list[Attack] = []


def attack(group: str, title: str, ends: str, **more: str):
    def register(run: Callable[[Arena], object]) -> Callable[[Arena], object]:
        ATTACKS.append(Attack(group, title, ends, run, **more))
        return run

    return register


def carry_out(attack: Attack, arena: Arena) -> Outcome:
    """Run one attack, then ask the device for a diagnosis."""
    try:
        installed = attack.run(arena)
        code, reason = "installed", f"installed {getattr(installed, 'version', installed)}"
    except NothingInstalledError:
        code, reason = "nothing", "the device saw nothing to install"
    except DdxError as error:
        code, reason = error.code, str(error)
    arena.released.set()
    return Outcome(code, reason, *arena.diagnosis())


LINK = "Whoever sits on the link or the server, without keys"
KEYS = "Stolen keys, fewer than a threshold"
ROTATION = "Roots and rotations"
HOLDERS = "What careless or coerced key holders could sign"
MODELS = "Hostile models, signed"
DEVICE = "On the device's own disk"
USB = "On a USB stick"


# Without keys.


@attack(LINK, "One bit of a model changed", "bundle.tampered")
def a_bit_of_a_model(arena: Arena):
    arena.publish_next(**{COMMON_MODEL: model([stump(target_weights=[3.0, 5.0])])})
    flip(arena.newest(f"targets/{NEXT}/models/*.common.onnx.zst"), offset=-9)
    return arena.update()


@attack(LINK, "A model cut short", "bundle.tampered")
def a_model_cut_short(arena: Arena):
    arena.publish_next(**{COMMON_MODEL: model([stump(target_weights=[3.0, 5.0])])})
    path = arena.newest(f"targets/{NEXT}/models/*.common.onnx.zst")
    path.write_bytes(path.read_bytes()[:-40])
    return arena.update()


@attack(LINK, "A manifest nobody signed", "bundle.tampered")
def an_unsigned_manifest(arena: Arena):
    arena.publish_next()
    path = arena.newest(f"targets/{NEXT}/*.manifest.json")
    path.write_bytes(
        path.read_bytes().replace(b'"name":"vereda-models"', b'"name":"vereda-model$"')
    )
    return arena.update()


@attack(LINK, "A field slipped into a signed manifest", "bundle.tampered")
def a_field_slipped_in(arena: Arena):
    arena.publish_next()
    path = arena.newest(f"targets/{NEXT}/*.manifest.json")
    path.write_bytes(canonical_json(json.loads(path.read_bytes()) | {"run": "calc.exe"}))
    return arena.update()


@attack(LINK, "Two members swapped, both genuine", "bundle.tampered")
def members_swapped(arena: Arena):
    arena.publish_next(**{COMMON_MODEL: model([stump(target_weights=[3.0, 5.0])])})
    common = arena.newest(f"targets/{NEXT}/models/*.common.onnx.zst")
    shutil.copy(arena.newest(f"targets/{NEXT}/models/*.common_schema.json.zst"), common)
    return arena.update()


@attack(LINK, "The channel document of another channel", "bundle.tampered")
def another_channel(arena: Arena):
    arena.publisher.publish("2026.12.1", honest_members(), channel="beta")
    beta = arena.newest("targets/channels/*.beta.json").read_bytes()
    arena.newest("targets/channels/*.stable.json").write_bytes(beta)
    shutil.rmtree(arena.state / "targets", ignore_errors=True)
    return arena.update()


@attack(LINK, "Metadata of the models role changed", "bundle.tampered")
def models_metadata_changed(arena: Arena):
    arena.publish_next()
    flip(arena.newest("metadata/*.models.json"), offset=200)
    return arena.update()


@attack(LINK, "Snapshot metadata cut short", "bundle.tampered")
def snapshot_cut_short(arena: Arena):
    arena.publish_next()
    path = arena.newest("metadata/*.snapshot.json")
    path.write_bytes(path.read_bytes()[:100])
    return arena.update()


def _endless(handler) -> None:
    handler.send_response(200)
    handler.end_headers()
    while True:  # until the client hangs up
        handler.wfile.write(ENDLESS)


@attack(LINK, "Endless data in place of the timestamp", "bundle.tampered")
def endless_timestamp(arena: Arena):
    arena.publish_next()
    arena.tricks["timestamp.json"] = _endless
    return arena.update()


@attack(LINK, "Endless data in place of a model", "bundle.tampered")
def endless_model(arena: Arena):
    arena.publish_next(**{COMMON_MODEL: model([stump(target_weights=[3.0, 5.0])])})
    arena.tricks[".common.onnx.zst"] = _endless
    return arena.update()


@attack(LINK, "A server that falls silent in the middle", "bundle.offline")
def slow_data(arena: Arena):
    arena.publish_next()

    def silent(handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "600")
        handler.end_headers()
        handler.wfile.write(b"{")
        handler.wfile.flush()
        arena.released.wait()

    arena.tricks["timestamp.json"] = silent
    return arena.update_impatiently()


def _dripping(arena: Arena, head: bytes, drop: bytes):
    """Return a server that sends `head`, then `drop` again and again until the client leaves."""

    def drip(handler) -> None:
        handler.wfile.write(head)
        while not arena.released.wait(0.01):
            handler.wfile.write(drop)
            handler.wfile.flush()

    return drip


def _head(length: int) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode()


@attack(LINK, "A server that drips a byte now and then, never silent", "bundle.offline")
def dripped_metadata(arena: Arena):
    """Far below the floor of bytes in each window; far from the longest timestamp too."""
    arena.publish_next()
    arena.tricks["timestamp.json"] = _dripping(arena, _head(16_384), b" ")
    return arena.update_timed(pace=Pace(window_s=0.2))


@attack(LINK, "A model dripped just above the floor, for ever", "bundle.offline")
def dripped_model(arena: Arena):
    arena.publish_next(**{COMMON_MODEL: model([stump(target_weights=[3.0, 5.0])])})
    arena.tricks[".common.onnx.zst"] = _dripping(arena, _head(363), b"x")
    return arena.update_timed(pace=Pace(window_s=0.05, window_bytes=1, file_s=0.3))


@attack(LINK, "A head of an answer that is dripped and never ends", "bundle.offline")
def dripped_head(arena: Arena):
    arena.publish_next()
    arena.tricks["timestamp.json"] = _dripping(arena, b"HTTP/1.1 200 OK\r\nX-Long: ", b"x")
    return arena.update_timed(headers_s=0.2)


@attack(LINK, "The whole repository of last month, replayed", "bundle.rollback")
def replayed_repository(arena: Arena):
    kept = arena.publisher.keep()
    arena.publish_next()
    arena.publisher.offer_older(SERVING)
    with pytest.raises(NothingInstalledError):
        arena.update()
    arena.publisher.replay(kept)
    return arena.update()


@attack(LINK, "Freeze: a repository kept still until it expired", "bundle.expired")
def freeze(arena: Arena):
    arena.publish_next()
    arena.publisher.expire()
    return arena.update()


@attack(LINK, "Mix and match: this month's snapshot, last month's models", "bundle.tampered")
def mix_and_match(arena: Arena):
    old = arena.newest("metadata/*.models.json").read_bytes()
    arena.publish_next()
    arena.newest("metadata/*.models.json").write_bytes(old)
    return arena.update()


@attack(LINK, "Metadata of one role in place of another", "bundle.tampered")
def wrong_role(arena: Arena):
    arena.publish_next()
    shutil.copy(arena.newest("metadata/*.targets.json"), arena.newest("metadata/*.models.json"))
    return arena.update()


@attack(LINK, "The repository of a stranger, all signatures his", "bundle.tampered")
def a_strangers_repository(arena: Arena):
    other = arena.stranger()
    shutil.rmtree(arena.repository)
    shutil.copytree(other.repository, arena.repository)
    return arena.update()


@attack(LINK, "Duplicate keys in the JSON of the timestamp", "bundle.tampered")
def duplicate_keys_in_metadata(arena: Arena):
    """The last one wins in a lenient parser, and then it is not what was signed."""
    arena.publish_next()
    path = arena.metadata / "timestamp.json"
    text = path.read_text()
    number = json.loads(text)["signed"]["version"]
    doubled = text.replace(f'"version": {number}', f'"version": {number}, "version": {number + 9}')
    doubled = doubled.replace(f'"version":{number}', f'"version":{number},"version":{number + 9}')
    assert doubled != text
    path.write_text(doubled)
    return arena.update()


# Stolen keys.


@attack(KEYS, "Stolen timestamp key, pointing at a stranger's snapshot", "bundle.tampered")
def stolen_timestamp(arena: Arena):
    other = arena.stranger()
    for _ in range(9):  # his count is ahead of ours
        other.renew()
    for path in (other.repository / "metadata").glob("[0-9]*.json"):
        if "root" not in path.name:
            shutil.copy(path, arena.metadata / path.name)

    def ahead(timestamp) -> None:
        timestamp.version = 99

    keys = arena.stolen("timestamp")
    head = arena.edited(other.repository / "metadata/timestamp.json", ahead, keys, "timestamp")
    (arena.metadata / "timestamp.json").write_bytes(head)
    return arena.update()


@attack(KEYS, "Stolen timestamp key, pointing back at an old snapshot", "bundle.rollback")
def stolen_timestamp_rolls_back(arena: Arena):
    old = Metadata[Timestamp].from_file(str(arena.metadata / "timestamp.json")).signed.snapshot_meta
    arena.publish_next()
    arena.publisher.offer_older(SERVING)
    with pytest.raises(NothingInstalledError):
        arena.update()

    def back(timestamp) -> None:
        timestamp.version += 1
        timestamp.snapshot_meta = old

    keys = arena.stolen("timestamp")
    head = arena.edited(arena.metadata / "timestamp.json", back, keys, "timestamp")
    (arena.metadata / "timestamp.json").write_bytes(head)
    return arena.update()


@attack(KEYS, "Stolen snapshot and timestamp keys, naming a stranger's models", "bundle.tampered")
def stolen_snapshot(arena: Arena):
    other = arena.stranger()
    content = other.find("metadata/*.models.json").read_bytes()
    number = Metadata.from_bytes(content).signed.version + 50

    def ahead(models) -> None:
        models.version = number

    forged = Metadata.from_bytes(content)
    ahead(forged.signed)
    for signer in other.keys.signers("models"):
        forged.sign(signer, append=True)
    keys = arena.stolen("snapshot", "timestamp")
    arena.publish_heads(keys, {f"{number}.models.json": forged.to_bytes()})
    return arena.update()


@attack(KEYS, "Stolen snapshot and timestamp keys, going back to old models", "bundle.rollback")
def stolen_snapshot_rolls_back(arena: Arena):
    path = arena.newest("metadata/*.models.json")
    name, content = path.name, path.read_bytes()
    arena.publish_next()
    arena.publisher.offer_older(SERVING)
    with pytest.raises(NothingInstalledError):
        arena.update()
    arena.publish_heads(arena.stolen("snapshot", "timestamp"), {name: content})
    return arena.update()


def _models_signed_by(arena: Arena, keys, *, twice: bool = False):
    """A release of the thief's, offered with the online keys and `keys` of models."""
    built = build_bundle(honest_members(), "2026.12.9", datetime.now(UTC))
    channel = write_channel("stable", built.release)
    stored = arena.publisher.writer.store({**built.stored, "channels/stable.json": channel})

    def add(models) -> None:
        models.version += 1
        models.targets.update(stored)

    path = arena.newest("metadata/*.models.json")
    content = arena.edited(path, add, keys, "models")
    if twice:
        raw = json.loads(content)
        raw["signatures"] *= 2
        content = json.dumps(raw).encode()
    number = int(path.name.split(".")[0]) + 1
    heads = arena.stolen("snapshot", "timestamp")
    arena.publish_heads(heads, {f"{number}.models.json": content})
    return arena.update()


@attack(KEYS, "Models under their threshold: one of the two signatures", "bundle.tampered")
def models_under_threshold(arena: Arena):
    return _models_signed_by(arena, arena.stolen("models"))


@attack(KEYS, "One signature of models, counted twice", "bundle.tampered")
def one_signature_twice(arena: Arena):
    return _models_signed_by(arena, arena.stolen("models"), twice=True)


@attack(KEYS, "Models signed with the keys of the targets role", "bundle.tampered")
def models_signed_by_targets(arena: Arena):
    from model_bundles.authoring.keys import KeyRing

    return _models_signed_by(arena, KeyRing({"models": arena.publisher.keys.signers("targets")}))


@attack(KEYS, "Targets under their threshold, delegating to the thief", "bundle.tampered")
def targets_under_threshold(arena: Arena):
    thief = arena.stranger().keys.signers("models")

    def delegate(targets) -> None:
        targets.version += 1
        for signer in thief:
            targets.add_key(signer.public_key, "models")

    path = arena.newest("metadata/*.targets.json")
    content = arena.edited(path, delegate, arena.stolen("targets"), "targets")
    number = int(path.name.split(".")[0]) + 1
    heads = arena.stolen("snapshot", "timestamp")
    arena.publish_heads(heads, {f"{number}.targets.json": content})
    return arena.update()


@attack(KEYS, "Stolen safety key: a release of its own in safety's metadata", "nothing")
def safety_signs_a_release(arena: Arena):
    built = build_bundle(honest_members(), "2026.12.9", datetime.now(UTC))
    channel = {"channels/stable.json": write_channel("stable", built.release)}
    writer = arena.publisher.writer
    at = datetime.now(UTC).replace(microsecond=0)
    writer._add(writer._current("safety"), {**built.stored, **channel}, at, role="safety")
    return arena.update()


@attack(KEYS, "Stolen safety key: a downgrade to a release never published", "bundle.tampered")
def safety_invents_a_release(arena: Arena):
    serving = arena.slots.active_release()
    step = Downgrade(release=serving, to=Release("2026.1.1", "a" * 64))
    content = write_orders(Orders(number=9, issued_at=datetime.now(UTC), downgrades=(step,)))
    writer = arena.publisher.writer
    at = datetime.now(UTC).replace(microsecond=0)
    writer._add(writer._current("safety"), {"safety/orders.json": content}, at, role="safety")
    writer.orders().check_published(writer.signed())
    return arena.update()


# Roots.


def _next_root(arena: Arena, change: Callable[[Root], None], signers) -> bytes:
    metadata = Metadata.from_bytes(arena.publisher.trust.root)
    metadata.signed.version = 2
    change(metadata.signed)
    metadata.signatures.clear()
    for signer in signers:
        metadata.sign(signer, append=True)
    return metadata.to_bytes()


def _thieves_keys(arena: Arena, role: str):
    return arena.stranger().keys.signers(role)


@attack(ROTATION, "A new root under the old threshold: one of two", "bundle.tampered")
def root_under_threshold(arena: Arena):
    thief = _thieves_keys(arena, "root")

    def take_over(root: Root) -> None:
        for signer in thief:
            root.add_key(signer.public_key, "root")

    signers = (*arena.stolen("root").signers("root"), *thief)
    content = _next_root(arena, take_over, signers[:1])
    (arena.metadata / "2.root.json").write_bytes(content)
    return arena.update()


@attack(ROTATION, "A new root signed by the new keys alone", "bundle.tampered")
def root_by_the_new_alone(arena: Arena):
    thief = _thieves_keys(arena, "root")

    def take_over(root: Root) -> None:
        for keyid in list(root.roles["root"].keyids):
            root.revoke_key(keyid, "root")
        for signer in thief:
            root.add_key(signer.public_key, "root")

    (arena.metadata / "2.root.json").write_bytes(_next_root(arena, take_over, thief))
    return arena.update()


@attack(ROTATION, "A rotation skipped: root 3 handed out as root 2", "bundle.rollback")
def rotation_skipped(arena: Arena):
    def third(root: Root) -> None:
        root.version = 3

    signers = arena.publisher.keys.signers("root")
    (arena.metadata / "2.root.json").write_bytes(_next_root(arena, third, signers))
    return arena.update()


@attack(ROTATION, "The first root again, handed out as the second", "bundle.rollback")
def root_replayed(arena: Arena):
    (arena.metadata / "2.root.json").write_bytes(arena.publisher.trust.root)
    return arena.update()


# Careless holders.


@attack(HOLDERS, "A zstd bomb: 128 MiB under a small signed length", "bundle.tampered")
def a_zstd_bomb(arena: Arena):
    arena.sign_carelessly({**stored_release(), COMMON: pack(bytes(128 * 2**20))})
    return arena.update()


@attack(HOLDERS, "A pickle in place of a model's stored bytes", "bundle.tampered")
def a_pickle_in_place_of_a_model(arena: Arena):
    arena.sign_carelessly({**stored_release(), COMMON: b"\x80\x04K*."})
    return arena.update()


def _with_manifest(arena: Arena, change: Callable[[dict], None], *, extra: dict | None = None):
    stored = stored_release()
    raw = json.loads(stored[f"{NEXT}/manifest.json"])
    change(raw)
    arena.sign_carelessly({**stored, **(extra or {})}, manifest=canonical_json(raw))
    return arena.update()


@attack(HOLDERS, "A pickle among the members", "bundle.malformed")
def a_pickle_member(arena: Arena):
    raw = b"\x80\x04K*."
    row = {"name": "models/common.pkl", "sha256": "0" * 64, "length": 5, "compression": "zstd"}
    return _with_manifest(
        arena,
        lambda m: m["members"].append(row),
        extra={f"{NEXT}/models/common.pkl.zst": pack(raw)},
    )


@attack(HOLDERS, "A member whose name climbs out of the bundle", "bundle.malformed")
def a_climbing_name(arena: Arena):
    def climb(manifest: dict) -> None:
        manifest["members"][0]["name"] = "../../autostart.json"

    return _with_manifest(arena, climb)


@attack(HOLDERS, "A member without which the engine cannot answer left out", "bundle.malformed")
def a_member_left_out(arena: Arena):
    def drop(manifest: dict) -> None:
        manifest["members"] = [m for m in manifest["members"] if m["name"] != COMMON_MODEL]

    return _with_manifest(arena, drop)


@attack(HOLDERS, "A member said to be of a gigabyte", "bundle.malformed")
def a_member_of_a_gigabyte(arena: Arena):
    def grow(manifest: dict) -> None:
        manifest["members"][0]["length"] = 2**30

    return _with_manifest(arena, grow)


@attack(HOLDERS, "Duplicate keys in the manifest", "bundle.malformed")
def duplicate_keys_in_the_manifest(arena: Arena):
    stored = stored_release()
    content = stored[f"{NEXT}/manifest.json"]
    doubled = content.replace(b'"format":1', b'"format":1,"format":1')
    arena.sign_carelessly(stored, manifest=doubled)
    return arena.update()


@attack(HOLDERS, "A manifest that is not in its one spelling", "bundle.malformed")
def a_manifest_with_spaces(arena: Arena):
    stored = stored_release()
    arena.sign_carelessly(stored, manifest=stored[f"{NEXT}/manifest.json"] + b"\n")
    return arena.update()


@attack(HOLDERS, "An older model under a newer version number", "bundle.tampered")
def an_older_model_renumbered(arena: Arena):
    stored = {
        path.replace("2026.9.1", NEXT): content
        for path, content in stored_release("2026.9.1").items()
    }
    arena.sign_carelessly(stored)
    return arena.update()


@attack(HOLDERS, "The channel points back at an older release, well signed", "bundle.rollback")
def an_older_offer(arena: Arena):
    arena.publisher.offer_older("2026.10.1")
    return arena.update()


@attack(HOLDERS, "The same version number with another content", "bundle.rollback")
def the_same_version_again(arena: Arena):
    stored = stored_release(SERVING, **{COMMON_MODEL: model([stump(target_weights=[3.0, 9.0])])})
    arena.sign_carelessly(stored, SERVING)
    return arena.update()


@attack(HOLDERS, "A bundle for a newer application", "bundle.incompatible")
def for_a_newer_application(arena: Arena):
    return _with_manifest(arena, lambda m: m.update(min_app_version="9.0.0"))


@attack(HOLDERS, "Fields in a signed manifest that nobody knows", "installed", version=NEXT)
def unknown_manifest_fields(arena: Arena):
    """Passed over: an older application must be able to read a newer manifest."""
    return _with_manifest(arena, lambda m: m.update(run="calc.exe"))


@attack(HOLDERS, "The models role signs a root of trust", "nothing")
def models_signs_a_root(arena: Arena):
    writer = arena.publisher.writer
    at = datetime.now(UTC).replace(microsecond=0)
    writer._add(writer._current("models"), {"trust/root.json": b"{}"}, at)
    assert writer.signed().find("trust/root.json") is None
    return arena.update()


@attack(HOLDERS, "Targets delegates to a role called `../x`", "bundle.tampered")
def a_role_that_climbs(arena: Arena):
    name = "../x"
    writer, keys = arena.publisher.writer, arena.publisher.keys
    key = keys.signers("models")[0].public_key

    def delegate(targets) -> None:
        targets.version += 1
        role = DelegatedRole(name, [key.keyid], 1, terminating=False, paths=["x/*"])
        targets.delegations.roles[name] = role

    path = arena.newest("metadata/*.targets.json")
    number = int(path.name.split(".")[0]) + 1
    content = arena.edited(path, delegate, keys, "targets")
    arena.publish_heads(keys, {f"{number}.targets.json": content})
    assert writer.heads()
    return arena.update()


@attack(HOLDERS, "Golden cases that do not come out", "bundle.self_test_failed")
def golden_cases_that_lie(arena: Arena):
    golden = json.loads(honest_members()["golden/cases.json"])
    golden[0]["differential"]["top"][0][1] = 0.999
    arena.publish_next(**{"golden/cases.json": json.dumps(golden).encode()})
    return arena.update()


# Hostile models.


def _hostile(arena: Arena, raw: bytes):
    arena.publish_next(**{COMMON_MODEL: raw})
    return arena.update()


@attack(MODELS, "ONNX data kept in another file", "model.unusable")
def onnx_external_data(arena: Arena):
    return _hostile(arena, model(initializers=[external_tensor("../../etc/passwd")]))


@attack(MODELS, "An operator that is not on the list", "model.unusable")
def onnx_forbidden_operator(arena: Arena):
    return _hostile(arena, model([helper.make_node("Expand", ["x0", "x0"], ["y"])]))


@attack(MODELS, "A loop inside the model", "model.unusable")
def onnx_loop(arena: Arena):
    body = helper.make_graph([helper.make_node("Identity", ["x0"], ["z"])], "b", [], [])
    return _hostile(arena, model([helper.make_node("Loop", ["x0"], ["y"], body=body)]))


@attack(MODELS, "An output of a billion values a case", "model.unusable")
def onnx_oversized_output(arena: Arena):
    return _hostile(arena, model([stump(targets=10**9)]))


@attack(MODELS, "An output of another shape than declared", "model.unusable")
def onnx_lies_about_its_shape(arena: Arena):
    return _hostile(arena, model(declared=5))


@attack(MODELS, "A pickle called `.onnx`", "model.unusable")
def onnx_that_is_a_pickle(arena: Arena):
    return _hostile(arena, b"\x80\x04\x95\x1f\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix.")


# The device's own disk.


@attack(DEVICE, "The client's memory cut to nothing, an old repository replayed", "bundle.rollback")
def truncated_local_metadata(arena: Arena):
    kept = arena.publisher.keep()
    arena.publish_next()
    arena.publisher.offer_older(SERVING)
    with pytest.raises(NothingInstalledError):
        arena.update()
    for path in (arena.state / "metadata").rglob("*.json"):
        if not path.is_symlink():
            path.write_bytes(b"")
    arena.publisher.replay(kept)
    return arena.update()


@attack(DEVICE, "A forged root planted in the client's memory", "installed", version=NEXT)
def a_planted_root(arena: Arena):
    """Passed over: the chain begins at the embedded root, and the true release is installed."""
    arena.publish_next()
    forged = arena.stranger().find("metadata/1.root.json").read_bytes()
    (arena.state / "metadata" / "root_history" / "2.root.json").write_bytes(forged)
    return arena.update()


@attack(DEVICE, "The clock set back, so that an expired repository looks fresh", "bundle.expired",
        needs="model_bundles.clock")  # fmt: skip
def clock_set_back(arena: Arena):
    """The device was online a moment ago; then its clock is set to when the timestamp was fresh."""
    from tuf.ngclient._internal import trusted_metadata_set

    from model_bundles import clock

    arena.publish_next()
    arena.publisher.expire(days_ago=30)
    then = datetime.now(UTC) - timedelta(days=29)

    class Earlier(datetime):
        @classmethod
        def now(cls, tz=None):
            return then.astimezone(tz)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "datetime", Earlier)
        patch.setattr(
            trusted_metadata_set, "datetime", SimpleNamespace(datetime=Earlier, timezone=timezone)
        )
        return arena.update()


@attack(DEVICE, "The memory of accepted versions damaged", "bundle.state_damaged")
def floors_damaged(arena: Arena):
    arena.publish_next()
    (arena.state / "floors.json").write_bytes(b"{}")
    return arena.update()


def _active_blob(arena: Arena):
    bundle = arena.slots.active()
    target = bundle._targets[COMMON_MODEL]
    return arena.slots.blobs.locate(target)


def _opened(arena: Arena):
    arena.slots.active().check_every_member()
    raise NothingInstalledError


@attack(DEVICE, "The active model cut short on the disk", "bundle.tampered",
        serving="embedded", version="2026.10.1")  # fmt: skip
def active_model_cut_short(arena: Arena):
    path = _active_blob(arena)
    path.write_bytes(path.read_bytes()[:-9])
    return _opened(arena)


@attack(DEVICE, "A bit of the active model changed on the disk, its length kept", "bundle.tampered",
        serving="embedded", version="2026.10.1", needs="model_bundles.health")  # fmt: skip
def active_model_bit_changed(arena: Arena):
    flip(_active_blob(arena), offset=-9)
    return _opened(arena)


@attack(DEVICE, "A hard link to another file in place of the active model", "bundle.tampered",
        serving="embedded", version="2026.10.1")  # fmt: skip
def hard_link_in_the_slot(arena: Arena):
    path = _active_blob(arena)
    outside = arena.folder / "outside"
    outside.write_bytes(bytes(path.stat().st_size + 1))
    path.unlink()
    path.hardlink_to(outside)
    return _opened(arena)


@attack(DEVICE, "A symlink to another file in place of the active model", "bundle.tampered",
        serving="embedded", version="2026.10.1")  # fmt: skip
def symlink_in_the_slot(arena: Arena):
    path = _active_blob(arena)
    outside = arena.folder / "outside"
    outside.write_bytes(bytes(path.stat().st_size + 1))
    path.unlink()
    path.symlink_to(outside)
    return _opened(arena)


@attack(DEVICE, "The pointer to the active release rewritten", "bundle.state_damaged",
        serving="embedded", version="2026.10.1")  # fmt: skip
def pointer_rewritten(arena: Arena):
    pointer = arena.slots_folder / "pointer.json"
    pointer.write_bytes(pointer.read_bytes() + b" ")
    return _opened(arena)


@attack(DEVICE, "Extra files laid in the slot", "nothing")
def extra_files_in_the_slot(arena: Arena):
    """Never read: a bundle is what its manifest names."""
    (release,) = (arena.slots_folder / "releases").iterdir()
    (release / "models").mkdir()
    (release / "models" / "common.pkl").write_bytes(b"\x80\x04K*.")
    (arena.slots_folder / "blobs" / ("0" * 64)).write_bytes(b"\x80\x04K*.")
    return _opened(arena)


# On a stick.


def _swapped(arena: Arena):
    arena.publish_next(**{COMMON_MODEL: model([stump(target_weights=[3.0, 5.0])])})
    target = next((arena.carry() / NEXT / "models").glob("*.common.onnx.zst"))
    outside = arena.folder / "outside"
    shutil.move(target, outside)
    return target, outside


@attack(USB, "A target swapped for another of the same length", "bundle.tampered")
def usb_swapped_target(arena: Arena):
    target, outside = _swapped(arena)
    target.write_bytes(bytes(outside.stat().st_size))
    return arena.update_from_stick(arena.usb)


@attack(USB, "A hard link on the stick, even to the right bytes", "bundle.tampered")
def usb_hard_link(arena: Arena):
    target, outside = _swapped(arena)
    target.hardlink_to(outside)
    return arena.update_from_stick(arena.usb)


@attack(USB, "A symlink on the stick, even to the right bytes", "bundle.tampered")
def usb_symlink(arena: Arena):
    target, outside = _swapped(arena)
    target.symlink_to(outside)
    return arena.update_from_stick(arena.usb)


@attack(USB, "A folder of the stick that leads to the clinic's own disk", "bundle.tampered")
def usb_traversal(arena: Arena):
    target, outside = _swapped(arena)
    shutil.move(outside, target)
    shutil.move(target.parent, arena.folder / "elsewhere")
    target.parent.symlink_to(arena.folder / "elsewhere")
    return arena.update_from_stick(arena.usb)


@attack(USB, "A stick from a stranger", "bundle.tampered")
def usb_of_a_stranger(arena: Arena):
    from model_bundles import stick

    other = arena.stranger()
    arena.usb.mkdir()
    stick.export(other.repository, arena.usb, other.trust)
    return arena.update_from_stick(arena.usb)


@attack(USB, "Last month's stick", "bundle.rollback", version=NEXT)
def usb_of_last_month(arena: Arena):
    arena.carry()
    arena.publish_next()
    arena.update()
    arena.publisher.offer_older(SERVING)
    with pytest.raises(DdxError):
        arena.update()
    return arena.update_from_stick(arena.usb)


@attack(USB, "A stick out of date", "bundle.expired")
def usb_out_of_date(arena: Arena):
    arena.publish_next()
    arena.carry()
    arena.publisher.expire()
    for name in ("timestamp.json", arena.newest("metadata/*.snapshot.json").name):
        shutil.copy(arena.metadata / name, arena.usb / "vereda-bundles" / "metadata" / name)
    return arena.update_from_stick(arena.usb)
