"""Signing by several people: drafts that travel, signatures that are collected, one completion.

    <repository>/ceremony/cards/<keyid>.json     who holds which key
    <repository>/ceremony/drafts/<n>.<role>.json metadata on its way to its threshold

A draft is the very metadata that will be published, with the signatures so far. Each holder signs
on a machine of their own (`add_signature` needs nothing but the file and the key); `collect`
brings the signatures together, and `complete` publishes when every threshold is met. Only
`metadata/` and `targets/` are served.
"""

import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from securesystemslib.signer import Key, Signer
from tuf.api.metadata import Metadata, Role, Root, Targets

from model_bundles import chain, files
from model_bundles.authoring.keyfile import KeyCard, read_card
from model_bundles.authoring.keys import (
    DELEGABLE,
    DELEGATED,
    HOUSE_POLICY,
    OPTIONAL_POLICY,
    ROOT,
    SNAPSHOT,
    TARGETS,
    TIMESTAMP,
    Policy,
    Signers,
)
from model_bundles.authoring.repository import Repository, delegations, moment
from model_bundles.errors import BundleTamperedError, SigningError
from model_bundles.verify import METADATA_FOLDER

FOLDER: Final = "ceremony"
_MAX_DRAFT_BYTES: Final = chain.MAX_TARGETS_BYTES
_ORDER: Final = (ROOT, TARGETS, *DELEGABLE)
_ONLINE: Final = (SNAPSHOT, TIMESTAMP)

Draft = Metadata[Root] | Metadata[Targets]


class NoKeys:
    """Signers of a desk where nobody's key is: drafts only."""

    def signers(self, role: str) -> Sequence[Signer]:
        """Raise SigningError: there are none."""
        raise SigningError(f"no keys for role {role}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftState:
    """How far a draft is. signed, lacking: keyids. missing: signatures still needed."""

    role: str
    version: int
    expires: datetime
    path: Path
    signed: tuple[str, ...]
    lacking: tuple[str, ...]
    missing: int


@dataclass(frozen=True, slots=True)
class Ceremony:
    """The drafts of one repository in `directory`, under `policy`."""

    directory: Path
    policy: Policy = field(default_factory=lambda: HOUSE_POLICY)

    def begin(self, cards: Sequence[KeyCard], at: datetime | None = None) -> tuple[Path, ...]:
        """Draft the first root, targets and delegated roles out of the holders' cards.

        An optional role is left out where nobody holds a card of it.

        Raises:
            SigningError: a repository or drafts are there already, or a role has not the number
                of keys the policy asks for.
        """
        if (self.directory / METADATA_FOLDER).exists() or any(self._drafts()):
            raise SigningError("a repository, or drafts of one, are there already")
        optional = [role for role in OPTIONAL_POLICY if any(c.role == role for c in cards)]
        held = {role: self._held(role, cards) for role in (*self.policy, *optional)}
        self.keep_cards(cards)
        when = moment(at)
        root = Root(expires=self._expiry(ROOT, when), consistent_snapshot=True)
        for role in (ROOT, TARGETS, *_ONLINE):
            root.roles[role] = Role([k.keyid for k in held[role]], self.policy[role].threshold)
            root.keys.update({key.keyid: key for key in held[role]})
        roles = (*DELEGATED, *optional)
        named = delegations({role: held[role] for role in roles}, self._rules)
        targets = Targets(expires=self._expiry(TARGETS, when), delegations=named)
        paths = [self._write(ROOT, Metadata(root)), self._write(TARGETS, Metadata(targets))]
        return (*paths, *(self._write_empty(role, when) for role in roles))

    def delegate(
        self, role: str, cards: Sequence[KeyCard], at: datetime | None = None
    ) -> tuple[Path, ...]:
        """Draft the next targets, which delegates to an optional role too, and its first metadata.

        Raises:
            SigningError: the role is delegated to already, or has not the number of keys asked for.
        """
        keys, when = self._held(role, cards), moment(at)
        if role in self._delegated_now():
            raise SigningError(f"{role} has its holders already; `rotate` replaces them")
        self.keep_cards([card for card in cards if card.role == role])
        changed = self._next_targets(TARGETS, lambda t: self._hand_over(t, role, keys), when)
        return (changed, self._write_empty(role, when))

    def keep_cards(self, cards: Sequence[KeyCard]) -> None:
        """Remember who holds which key."""
        for card in cards:
            card.write(self._cards / f"{card.keyid[:32]}.json")

    def cards(self) -> dict[str, KeyCard]:
        """Return keyid -> card of everybody known here."""
        found = (read_card(path) for path in sorted(self._cards.glob("*.json")))
        return {card.keyid: card for card in found}

    def draft(
        self, role: str, change: Callable[[Targets], None], at: datetime | None = None
    ) -> Path:
        """Draft the next version of targets or a delegated role, changed by `change`."""
        return self._next_targets(role, change, moment(at))

    def renew(self, role: str, at: datetime | None = None) -> Path:
        """Draft the next version of a role with nothing new but its expiry."""
        if role == ROOT:
            return self._next_root(_unchanged, moment(at))
        return self.draft(role, _unchanged, at)

    def rotate(
        self,
        role: str,
        *,
        remove: Sequence[str],
        add: Sequence[KeyCard],
        at: datetime | None = None,
    ) -> tuple[Path, ...]:
        """Draft what replaces keys of a role; return the drafts to be signed.

        remove: keyids, or beginnings of 8 characters or more. Keys in the root need the next
        root, signed by the old holders and, for root keys, by the new ones too; keys of delegated
        roles need the next targets. Metadata the removed keys have signed is drafted anew.

        Raises:
            SigningError: a key to remove that is not there, a key to add of another role, or
                fewer keys left than the threshold.
        """
        strangers = [card.holder for card in add if card.role != role]
        if strangers:
            raise SigningError(f"made for another role: {', '.join(strangers)}")
        self.keep_cards(add)
        when, keys = moment(at), [card.key for card in add]
        if role in DELEGABLE:
            changed = self._next_targets(
                TARGETS, lambda targets: _swap_delegated(targets, role, remove, keys), when
            )
        else:
            changed = self._next_root(lambda root: _swap(root, role, remove, keys), when)
        if role in (ROOT, *_ONLINE):
            return (changed,)
        return (changed, self._next_targets(role, _unchanged, when))

    def states(self) -> tuple[DraftState, ...]:
        """Return how far every draft is, root first. Raises SigningError, BundleTamperedError."""
        return tuple(self._state(role, path) for role, path in self._drafts())

    def collect(self, copy: Path) -> tuple[str, ...]:
        """Add the signatures in a signed copy of a draft to ours; return the keyids that were new.

        A signature that does not verify, or of a key that signs nothing here, is left out.

        Raises:
            SigningError: it is not a copy of one of our drafts, letter by letter.
        """
        theirs, known = _read(copy), False
        new: list[str] = []
        for role, path in self._drafts():  # two delegated roles begin with the very same bytes
            ours = _read(path)
            if ours.signed_bytes == theirs.signed_bytes:
                known = True
                before = set(self._counted(role, ours)[0])
                added = [k for k in self._counted(role, theirs)[0] if k not in before]
                ours.signatures.update({key: theirs.signatures[key] for key in added})
                files.write_durably(path, ours.to_bytes())
                new += added
        if not known:
            raise SigningError(f"{copy.name} is no copy of a draft that waits here")
        return tuple(new)

    def complete(self, online: Signers, at: datetime | None = None) -> None:
        """Publish the drafts, under a snapshot and a timestamp signed by `online`.

        Raises:
            SigningError: signatures are missing, or the drafts do not fit each other; nothing is
                published then.
        """
        states = self.states()
        lacking = [f"{state.missing} for {state.role}" for state in states if state.missing]
        if lacking:
            raise SigningError(f"signatures are missing: {', '.join(lacking)}")
        if not states:
            raise SigningError("nothing is drafted")
        root = self._root()
        for role in _ONLINE:
            known = set(root.roles[role].keyids)
            if not any(s.public_key.keyid in known for s in online.signers(role)):
                raise SigningError(f"the key at hand for {role} is not in the root")
        self._check_targets(root)
        contents = {state.role: state.path.read_bytes() for state in states}
        next_root = contents.pop(ROOT, None)
        Repository(self.directory, online, self.policy).adopt(contents, at, root=next_root)
        shutil.rmtree(self.drafts_folder)

    @property
    def drafts_folder(self) -> Path:
        """Where the drafts lie."""
        return self.directory / FOLDER / "drafts"

    @property
    def _cards(self) -> Path:
        return self.directory / FOLDER / "cards"

    def _drafts(self) -> Iterator[tuple[str, Path]]:
        for role in _ORDER:
            for path in sorted(self.drafts_folder.glob(f"*.{role}.json")):
                yield role, path

    def _drafted(self, role: str) -> Path | None:
        return next((path for name, path in self._drafts() if name == role), None)

    def _check_targets(self, root: Root) -> None:
        """Refuse a completion after which a client would stop at a role."""
        try:
            chain.signed_targets(root, self._bytes_of)
        except BundleTamperedError as error:
            raise SigningError(f"the drafts do not fit what is published: {error}") from error

    def _bytes_of(self, role: str) -> bytes | None:
        drafted = self._drafted(role)
        if drafted is not None:
            return drafted.read_bytes()
        return self._repository.current_bytes(role)

    def _state(self, role: str, path: Path) -> DraftState:
        metadata = _read(path)
        signed, lacking, missing = self._counted(role, metadata)
        return DraftState(
            role=role,
            version=metadata.signed.version,
            expires=metadata.signed.expires,
            path=path,
            signed=tuple(signed),
            lacking=tuple(lacking),
            missing=missing,
        )

    def _counted(self, role: str, metadata: Draft) -> tuple[Iterable[str], Iterable[str], int]:
        """Return who has signed, who may still, and how many signatures are needed."""
        payload, signatures = metadata.signed_bytes, metadata.signatures
        if isinstance(metadata.signed, Root):
            before = self._published_root()
            both = metadata.signed.get_root_verification_result(before, payload, signatures)
            return both.signed, both.unsigned, max(both.first.missing, both.second.missing)
        delegator = self._targets() if role in DELEGABLE else self._root()
        result = delegator.get_verification_result(role, payload, signatures)
        return result.signed, result.unsigned, result.missing

    def _root(self) -> Root:
        drafted = self._drafted(ROOT)
        if drafted is not None:
            return chain.parse(drafted.read_bytes(), Root).signed
        published = self._published_root()
        if published is None:
            raise SigningError("there is no repository here; begin with `init`")
        return published

    def _published_root(self) -> Root | None:
        if not (self.directory / METADATA_FOLDER / "1.root.json").exists():
            return None
        return self._repository.root()

    def _targets(self) -> Targets:
        content = self._bytes_of(TARGETS)
        if content is None:
            raise SigningError("there is no targets metadata here; begin with `init`")
        return chain.parse(content, Targets).signed

    @property
    def _repository(self) -> Repository:
        return Repository(self.directory, NoKeys(), self.policy)

    def _next_root(self, change: Callable[[Root], None], at: datetime) -> Path:
        root, drafted = self._root(), self._drafted(ROOT)
        change(root)
        root.version += drafted is None
        root.expires = self._expiry(ROOT, at)
        return self._write(ROOT, Metadata(root))

    def _next_targets(self, role: str, change: Callable[[Targets], None], at: datetime) -> Path:
        content, drafted = self._bytes_of(role), self._drafted(role)
        if content is None:
            raise SigningError(f"there is no metadata of {role} here; begin with `init`")
        signed = chain.parse(content, Targets).signed
        change(signed)
        signed.version += drafted is None
        signed.expires = self._expiry(role, at)
        return self._write(role, Metadata(signed))

    def _held(self, role: str, cards: Sequence[KeyCard]) -> list[Key]:
        """Return the keys of a role among the cards, as many as the policy asks for."""
        keys = {card.keyid: card.key for card in cards if card.role == role}
        how = self._rules[role]
        if len(keys) != how.keys:
            raise SigningError(f"{len(keys)} keys for {role}, {how.keys} are asked for")
        return list(keys.values())

    def _delegated_now(self) -> Collection[str]:
        named = self._targets().delegations
        return () if named is None or named.roles is None else named.roles

    def _hand_over(self, targets: Targets, role: str, keys: Sequence[Key]) -> None:
        added = delegations({role: keys}, self._rules)
        if targets.delegations is None or targets.delegations.roles is None:
            raise SigningError("targets delegates to nobody; begin with `init`")
        targets.delegations.keys.update(added.keys)
        targets.delegations.roles.update(added.roles or {})

    @property
    def _rules(self) -> Policy:
        return {**OPTIONAL_POLICY, **self.policy}

    def _expiry(self, role: str, at: datetime) -> datetime:
        return at + timedelta(days=self._rules[role].lifetime_days)

    def _write_empty(self, role: str, at: datetime) -> Path:
        return self._write(role, Metadata(Targets(expires=self._expiry(role, at))))

    def _write(self, role: str, metadata: Draft) -> Path:
        path = self.drafts_folder / f"{metadata.signed.version}.{role}.json"
        files.write_durably(path, metadata.to_bytes())
        return path


def add_signature(path: Path, signer: Signer) -> None:
    """Sign a draft, wherever it lies; the signatures in it stay.

    Raises:
        SigningError: not a draft.
    """
    metadata = _read(path)
    metadata.sign(signer, append=True)
    files.write_durably(path, metadata.to_bytes())


def _read(path: Path) -> Draft:
    content = files.read_bounded(path, _MAX_DRAFT_BYTES)
    if content is None:
        raise SigningError(f"there is no file {path.name}")
    for read in (_as_root, _as_targets):
        try:
            return read(content)
        except BundleTamperedError:
            continue
    raise SigningError(f"{path.name} is no draft of a root, targets, models or safety")


def _as_root(content: bytes) -> Draft:
    return chain.parse(content, Root)


def _as_targets(content: bytes) -> Draft:
    return chain.parse(content, Targets)


def _unchanged(_signed: object) -> None:
    """Change nothing: the next version differs in number and expiry."""


def _swap(root: Root, role: str, remove: Sequence[str], add: Sequence[Key]) -> None:
    for keyid in _named(root.roles[role].keyids, remove):
        root.revoke_key(keyid, role)
    for key in add:
        root.add_key(key, role)
    _check_enough(role, root.roles[role])


def _swap_delegated(targets: Targets, role: str, remove: Sequence[str], add: Sequence[Key]) -> None:
    held = targets.get_delegated_role(role)
    for keyid in _named(held.keyids, remove):
        targets.revoke_key(keyid, role)
    for key in add:
        targets.add_key(key, role)
    _check_enough(role, held)


def _named(keyids: Sequence[str], wanted: Sequence[str]) -> list[str]:
    found = []
    for beginning in wanted:
        matches = [k for k in keyids if len(beginning) >= 8 and k.startswith(beginning)]
        if len(matches) != 1:
            raise SigningError(f"{beginning!r} names {len(matches)} keys of the role, not one")
        found += matches
    return found


def _check_enough(role: str, held: Role) -> None:
    if len(held.keyids) < held.threshold:
        raise SigningError(f"{len(held.keyids)} keys left for {role}, {held.threshold} must sign")


def mirror(source: Repository, offline: Repository, at: datetime | None = None) -> None:
    """Bring what the channels of `source` offer into the repository for sticks.

    The metadata of `models` is taken as its holders signed it; only the offline snapshot and
    timestamp are signed now.

    Raises:
        SigningError: the offline targets do not delegate to the keys that signed `models`.
    """
    models = source.current_bytes("models")
    if models is None:
        raise SigningError("the repository to mirror holds no releases")
    held: Mapping[str, bytes | None] = {"models": models}
    try:
        chain.signed_targets(
            offline.root(), lambda role: held.get(role) or offline.current_bytes(role)
        )
    except BundleTamperedError as error:
        raise SigningError(f"the offline repository does not take these keys: {error}") from error
    offline.store(source.offered_content())
    offline.adopt({"models": models}, at)
