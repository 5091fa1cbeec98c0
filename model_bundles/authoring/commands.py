"""`vereda-keys`: make keys, sign, rotate, publish. What each command is for is in docs/keys.md.

Nothing here asks for a passphrase on the command line, where other users of the machine can read
it: it is typed, or read from a file (`--passphrase-file`, its first line).

Exit codes: 0 done; 1 refused, with the reason; 2 wrong use.
"""

import argparse
import getpass
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from securesystemslib.signer import Signer
from tuf.api.metadata import Targets

from model_bundles import blobs, layout
from model_bundles.authoring import ceremony, keyfile
from model_bundles.authoring.ceremony import Ceremony, NoKeys, add_signature
from model_bundles.authoring.keyfile import CARD_SUFFIX, KEY_SUFFIX, KeyCard, Passphrase
from model_bundles.authoring.keys import (
    HOUSE_POLICY,
    MODELS,
    OFFLINE_POLICY,
    OPTIONAL_POLICY,
    ROOT,
    SNAPSHOT,
    TIMESTAMP,
    KeyRing,
    Policy,
)
from model_bundles.authoring.patches import patches_for, versions_before
from model_bundles.authoring.repository import Repository
from model_bundles.errors import BundleError, SigningError
from model_bundles.manifest import Release
from model_bundles.orders import ORDERS_PATH, SAFETY, Block, Downgrade, Orders, Reason
from model_bundles.rollout import STAGES, ChannelOffer, Rollout, write_offer
from model_bundles.verify import Trust, open_verified

DONE, REFUSED = 0, 1
_ROLES: Final = (*HOUSE_POLICY, *OPTIONAL_POLICY)
_MEDICAL: Final = "medical"
"""Role of who agrees to a candidate (docs/learning_loop.md); it signs nothing in a repository."""
_DRAFTED: Final = tuple(role for role in _ROLES if role not in {SNAPSHOT, TIMESTAMP})
_OFFLINE_MARK: Final = "offline"


@dataclass(frozen=True, slots=True)
class Desk:
    """What a command may use: its arguments, a voice, and a way to ask for a passphrase."""

    arguments: argparse.Namespace
    ask: Passphrase
    say: Callable[[str], None]

    @property
    def directory(self) -> Path:
        """The repository the command is about."""
        return Path(self.arguments.repository)

    @property
    def policy(self) -> Policy:
        """The house's policy, or that of a repository for sticks."""
        marked = (self.directory / ceremony.FOLDER / _OFFLINE_MARK).exists()
        return OFFLINE_POLICY if marked else HOUSE_POLICY

    @property
    def ceremony(self) -> Ceremony:
        """The drafts of the repository."""
        return Ceremony(self.directory, self.policy)

    @property
    def repository(self) -> Repository:
        """The repository, to be read."""
        return Repository(self.directory, NoKeys(), self.policy)

    def online(self) -> KeyRing:
        """Return the signers of snapshot and timestamp among the `--key` files."""
        signers: dict[str, list[Signer]] = {}
        for path in self.arguments.key:
            signers.setdefault(keyfile.read_card(path).role, []).append(
                keyfile.signer_of(path, self.ask)
            )
        return KeyRing(signers)


def main(
    argv: Sequence[str] | None = None,
    *,
    ask: Passphrase = getpass.getpass,
    say: Callable[[str], None] | None = None,
) -> int:
    """Run one command; return its exit code."""
    arguments = _parser().parse_args(argv)
    told = say or _say
    asking = _from_file(arguments.passphrase_file) if arguments.passphrase_file else ask
    try:
        arguments.run(Desk(arguments, asking, told))
    except BundleError as error:
        sys.stderr.write(f"refused: {error}\n")
        return REFUSED
    return DONE


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _from_file(path: Path) -> Passphrase:
    def ask(prompt: str) -> str:
        del prompt  # nobody is there to read it
        try:
            return path.read_text(encoding="utf-8").splitlines()[0]
        except (OSError, IndexError) as error:
            raise SigningError(f"no passphrase can be read from {path.name}") from error

    return ask


def create(desk: Desk) -> None:
    """Make a key, or write the card of one in Azure Key Vault."""
    given, out = desk.arguments, Path(desk.arguments.out)
    if given.azure:
        vault, _, name = given.azure.partition("/")
        card = keyfile.azure_card(vault, name, role=given.role, holder=given.holder)
        out = out.with_name(out.name.removesuffix(CARD_SUFFIX) + CARD_SUFFIX)
        card.write(out)
    else:
        out = out.with_name(out.name.removesuffix(KEY_SUFFIX) + KEY_SUFFIX)
        passphrase = desk.ask("New passphrase: ")
        if not given.passphrase_file and desk.ask("The same again: ") != passphrase:
            raise SigningError("the two passphrases differ; nothing was made")
        card = keyfile.create(out, role=given.role, holder=given.holder, passphrase=passphrase)
    desk.say(f"{out.name}: {_spelled(card)}")


def list_keys(desk: Desk) -> None:
    """Tell whose keys are in the cards and key files of a folder."""
    folder = Path(desk.arguments.folder)
    paths = sorted((*folder.glob(f"*{KEY_SUFFIX}"), *folder.glob(f"*{CARD_SUFFIX}")))
    for path in paths:
        desk.say(f"{path.name}: {_spelled(keyfile.read_card(path))}")
    if not paths:
        raise SigningError(f"no key files or cards in {folder.name}")


def init(desk: Desk) -> None:
    """Draft a new repository from the cards in a folder."""
    cards = _cards_in(desk.arguments.cards)
    policy = OFFLINE_POLICY if desk.arguments.offline else HOUSE_POLICY
    drafts = Ceremony(desk.directory, policy).begin(cards)
    if desk.arguments.offline:
        (desk.directory / ceremony.FOLDER / _OFFLINE_MARK).touch()
    _tell_drafts(desk, drafts)


def delegate(desk: Desk) -> None:
    """Draft the holders of an optional role in a repository that has none yet."""
    given = desk.arguments
    _tell_drafts(desk, desk.ceremony.delegate(given.role, _cards_in(given.cards)))


def sign(desk: Desk) -> None:
    """Sign draft files with one key; they may lie anywhere."""
    signer = keyfile.signer_of(desk.arguments.key, desk.ask)
    for path in desk.arguments.drafts:
        add_signature(path, signer)
        desk.say(f"{path.name}: signed by {signer.public_key.keyid[:12]}")


def collect(desk: Desk) -> None:
    """Take the signatures out of signed copies."""
    for path in desk.arguments.copies:
        new = desk.ceremony.collect(path)
        desk.say(f"{path.name}: {len(new)} new signature(s)")
    inspect(desk)


def inspect(desk: Desk) -> None:
    """Tell what is published, when it expires, and how far each draft is."""
    cards = desk.ceremony.cards()
    if (desk.directory / "metadata" / "timestamp.json").exists():
        for line in _published(desk.repository, cards):
            desk.say(line)
    for state in desk.ceremony.states():
        missing = f"{state.missing} more needed" if state.missing else "complete"
        desk.say(f"draft {state.version}.{state.role}: {missing}, until {state.expires:%Y-%m-%d}")
        for word, keyids in (("signed by", state.signed), ("not yet by", state.lacking)):
            for keyid in keyids:
                desk.say(f"    {word} {_holder(keyid, cards)}")


def complete(desk: Desk) -> None:
    """Publish the drafts."""
    desk.ceremony.complete(desk.online())
    desk.say("published")


def rotate(desk: Desk) -> None:
    """Draft other keys for a role."""
    given = desk.arguments
    add = [keyfile.read_card(path) for path in given.add]
    role = getattr(given, "role", ROOT)
    _tell_drafts(desk, desk.ceremony.rotate(role, remove=given.remove, add=add))


def renew(desk: Desk) -> None:
    """Sign snapshot and timestamp anew, or draft the next version of another role."""
    if desk.arguments.role is None:
        Repository(desk.directory, desk.online(), desk.policy).renew()
        desk.say("snapshot and timestamp renewed")
    else:
        _tell_drafts(desk, (desk.ceremony.renew(desk.arguments.role),))


def release(desk: Desk) -> None:
    """Draft the release that another repository offers, verified from that one's root.

    Patches from the versions before it are made here, where those are.
    """
    given, source = desk.arguments, Path(desk.arguments.source)
    try:
        root = Path(given.root).read_bytes()
    except OSError as error:
        raise SigningError(f"the root {given.root} cannot be read") from error
    bundle = open_verified(source, Trust(root), channel=given.channel)
    bundle.check_every_member()
    offered = Repository(source, NoKeys(), HOUSE_POLICY).offered_content(root)
    wanted = {p: raw for p, raw in offered.items() if p.startswith(f"{bundle.version}/")}
    before = versions_before(desk.directory, desk.repository.trust, bundle.version)
    members = {name: bundle.peek(name) for name in bundle.members}
    wanted |= patches_for(bundle.manifest, wanted, before, members)
    document = write_offer(given.channel, _offer(desk, bundle.release))
    stored = desk.repository.store({**wanted, layout.channel_path(given.channel): document})
    _tell_drafts(desk, (desk.ceremony.draft(MODELS, lambda m: m.targets.update(stored)),))


def offer(desk: Desk) -> None:
    """Draft whom a channel offers a published release to."""
    found = _offer(desk, desk.repository.release(desk.arguments.version))
    channel = desk.arguments.channel
    stored = desk.repository.store({layout.channel_path(channel): write_offer(channel, found)})
    _tell_drafts(desk, (desk.ceremony.draft(MODELS, lambda m: m.targets.update(stored)),))


def app_release(desk: Desk) -> None:
    """Draft a version of the application: its installers, and whom a channel offers it to."""
    given, version = desk.arguments, desk.arguments.version
    try:
        installers = {path.name: path.read_bytes() for path in given.installers}
    except OSError as error:
        raise SigningError(f"the installer {error.filename} cannot be read") from error
    content = desk.repository.app_content(
        version, installers, given.channel, _rollout(desk, version)
    )
    _draft_app(desk, content)


def app_offer(desk: Desk) -> None:
    """Draft whom a channel offers a published version of the application to."""
    version = desk.arguments.version
    rollout = _rollout(desk, version)
    _draft_app(desk, desk.repository.app_offer(version, desk.arguments.channel, rollout))


def _draft_app(desk: Desk, content: Mapping[str, bytes]) -> None:
    stored = desk.repository.store(content)
    _tell_drafts(desk, (desk.ceremony.draft(layout.APP, lambda a: a.targets.update(stored)),))


def block(desk: Desk) -> None:
    """Draft an order to stop a release, or one model of it."""
    given = desk.arguments
    note = tuple((code, text) for code, text in (("es", given.es), ("en", given.en)) if text)
    order = Block(
        release=desk.repository.release(given.version),
        model=given.model,
        reason=Reason(given.reason),
        note=note,
    )
    _draft_orders(desk, lambda orders: replace(orders, blocks=(*orders.blocks, order)))


def downgrade(desk: Desk) -> None:
    """Draft an order to go back from one published release to an older one."""
    given, repository = desk.arguments, desk.repository
    order = Downgrade(
        release=repository.release(given.version),
        to=repository.release(given.to),
        reason=Reason(given.reason),
    )
    _draft_orders(desk, lambda orders: replace(orders, downgrades=(*orders.downgrades, order)))


def lift(desk: Desk) -> None:
    """Draft the end of every order about a release."""
    version = desk.arguments.version

    def without(orders: Orders) -> Orders:
        return replace(
            orders,
            blocks=tuple(b for b in orders.blocks if b.release.version != version),
            downgrades=tuple(d for d in orders.downgrades if d.release.version != version),
        )

    _draft_orders(desk, without)


def mirror(desk: Desk) -> None:
    """Bring what another repository offers into this one, for sticks."""
    source = Repository(Path(desk.arguments.source), NoKeys(), HOUSE_POLICY)
    ceremony.mirror(source, Repository(desk.directory, desk.online(), desk.policy))
    desk.say("mirrored; `vereda bundle export` writes a stick from here")


def _draft_orders(desk: Desk, change: Callable[[Orders], Orders]) -> None:
    repository, now = desk.repository, datetime.now(UTC).replace(microsecond=0)
    before = repository.orders()
    numbered = (
        Orders(number=1, issued_at=now)
        if before is None
        else replace(before, number=before.number + 1, issued_at=now)
    )
    path, content = repository.order_content(change(numbered))
    stored = repository.store({path: content})
    _tell_drafts(desk, (desk.ceremony.draft(SAFETY, lambda s: s.targets.update(stored)),))


def _offer(desk: Desk, release: Release) -> ChannelOffer:
    rollout = _rollout(desk, release.version)
    if rollout is not None and desk.arguments.before is not None:
        rollout = replace(rollout, before=desk.repository.release(desk.arguments.before))
    return ChannelOffer(release=release, rollout=rollout)


def _rollout(desk: Desk, version: str) -> Rollout | None:
    """Return the stage that `--share` and `--site` ask for, None for everybody."""
    given = desk.arguments
    if given.share is None and not given.site:
        return None
    return Rollout(
        basis_points=STAGES[-1] if given.share is None else given.share * 100,
        salt=version,
        sites=frozenset(given.site) or None,
    )


def _cards_in(folder: Path) -> list[KeyCard]:
    return [keyfile.read_card(path) for path in sorted(folder.glob(f"*{CARD_SUFFIX}"))]


def _published(repository: Repository, cards: Mapping[str, KeyCard]) -> list[str]:
    root, signed = repository.root(), repository.signed()
    timestamp, snapshot = repository.heads()
    lines = [f"{ROOT} {root.version}: until {root.expires:%Y-%m-%d}"]
    for role, held in root.roles.items():
        names = ", ".join(_holder(keyid, cards) for keyid in held.keyids)
        lines.append(f"    {role} {held.threshold} of {len(held.keyids)}: {names}")
    listed: dict[str, Targets] = {"targets": signed.targets, **signed.delegated}
    for name, metadata in listed.items():
        lines.append(f"{name} {metadata.version}: until {metadata.expires:%Y-%m-%d}")
        if name in signed.delegated:
            keys = signed.targets.get_delegated_role(name)
            names = ", ".join(_holder(keyid, cards) for keyid in keys.keyids)
            lines.append(f"    {name} {keys.threshold} of {len(keys.keyids)}: {names}")
    lines += [f"{s.type} {s.version}: until {s.expires:%Y-%m-%d}" for s in (snapshot, timestamp)]
    for role, folder in ((MODELS, "channels/"), (layout.APP, f"{layout.APP}/channels/")):
        targets = signed.delegated[role].targets if role in signed.delegated else {}
        for path in sorted(path for path in targets if path.startswith(folder)):
            document = blobs.read_target(repository.stored, targets[path]).decode()
            lines.append(f"{path}: {document}")
    if signed.find(ORDERS_PATH) is not None:
        orders = repository.orders()
        count = 0 if orders is None else len(orders.blocks) + len(orders.downgrades)
        lines.append(f"orders {0 if orders is None else orders.number}: {count} in force")
    return lines


def _spelled(card: KeyCard) -> str:
    where = f", in {card.uri}" if card.uri else ""
    return f"{card.role}, {card.holder}, {card.keyid}{where}"


def _holder(keyid: str, cards: Mapping[str, KeyCard]) -> str:
    card = cards.get(keyid)
    return keyid[:12] if card is None else f"{card.holder} ({keyid[:12]})"


def _tell_drafts(desk: Desk, paths: Sequence[Path]) -> None:
    for path in paths:
        desk.say(f"drafted {path.relative_to(desk.directory).as_posix()}")
    for state in desk.ceremony.states():
        desk.say(f"    {state.version}.{state.role}: {state.missing} signature(s) needed")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="vereda-keys", description=__doc__)
    parser.add_argument("--passphrase-file", type=Path, help="read passphrases from its first line")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_key_commands(commands.add_parser)
    _add_ceremony_commands(commands.add_parser)
    _add_publishing_commands(commands.add_parser)
    return parser


AddCommand = Callable[..., argparse.ArgumentParser]
"""`add_parser` of the sub-commands."""


def _command(
    add: AddCommand, name: str, run: Callable[[Desk], None], *, repository: bool = True
) -> argparse.ArgumentParser:
    command = add(name, help=run.__doc__, description=run.__doc__)
    command.set_defaults(run=run)
    if repository:
        command.add_argument("repository", type=Path, help="folder of the repository")
    return command


def _add_key_commands(add: AddCommand) -> None:
    making = _command(add, "create", create, repository=False)
    making.add_argument("--role", required=True, choices=(*_ROLES, _MEDICAL))
    making.add_argument("--holder", required=True, help="the person or service that will sign")
    making.add_argument("--out", required=True, type=Path, help="file of the key")
    making.add_argument("--azure", metavar="VAULT/KEY", help="a key that is in Azure Key Vault")
    listing = _command(add, "list", list_keys, repository=False)
    listing.add_argument("folder", type=Path)
    signing = _command(add, "sign", sign, repository=False)
    signing.add_argument("drafts", nargs="+", type=Path)
    signing.add_argument("--key", required=True, type=Path, help="key file, or card of Azure's")


def _add_ceremony_commands(add: AddCommand) -> None:
    beginning = _command(add, "init", init)
    beginning.add_argument("--cards", required=True, type=Path, help="folder with all cards")
    beginning.add_argument("--offline", action="store_true", help="the repository for sticks")
    handing = _command(add, "delegate", delegate)
    handing.add_argument("role", choices=list(OPTIONAL_POLICY))
    handing.add_argument("--cards", required=True, type=Path, help="folder with its holders' cards")
    _command(add, "collect", collect).add_argument("copies", nargs="+", type=Path)
    _command(add, "inspect", inspect)
    _online(_command(add, "complete", complete))
    _swaps(_command(add, "rotate-root", rotate))
    rotating = _command(add, "rotate", rotate)
    rotating.add_argument("role", choices=[role for role in _ROLES if role != ROOT])
    _swaps(rotating)
    renewing = _command(add, "renew", renew)
    renewing.add_argument("role", nargs="?", choices=_DRAFTED)
    _online(renewing, required=False)


def _add_publishing_commands(add: AddCommand) -> None:
    releasing = _command(add, "release", release)
    releasing.add_argument("--from", dest="source", required=True, help="where it was trained")
    releasing.add_argument("--root", required=True, help="that repository's root")
    offering = _command(add, "offer", offer)
    offering.add_argument("version")
    for staging in (releasing, offering):
        _staged(staging)
        staging.add_argument("--before", metavar="VERSION", help="what the others are offered")
    shipping = _command(add, "app-release", app_release)
    shipping.add_argument("version")
    shipping.add_argument("installers", nargs="+", type=Path, help="the MSI, the deb")
    _staged(shipping)
    widening = _command(add, "app-offer", app_offer)
    widening.add_argument("version")
    _staged(widening)
    blocking = _command(add, "block", block)
    blocking.add_argument("version")
    blocking.add_argument("--model", help="stop this model alone: common, rare")
    blocking.add_argument("--es", help="a sentence for the clinician, in Spanish")
    blocking.add_argument("--en", help="the same in English")
    back = _command(add, "downgrade", downgrade)
    back.add_argument("version")
    back.add_argument("--to", required=True, help="the older version")
    for ordering in (blocking, back):
        ordering.add_argument("--reason", choices=list(Reason), default=Reason.OTHER)
    _command(add, "lift", lift).add_argument("version")
    mirroring = _command(add, "mirror", mirror)
    mirroring.add_argument("--from", dest="source", required=True, help="the online repository")
    _online(mirroring)


def _online(command: argparse.ArgumentParser, *, required: bool = True) -> None:
    command.add_argument(
        "--key", action="append", type=Path, required=required, default=None if required else [],
        help="key of snapshot or timestamp; give both",
    )  # fmt: skip


def _swaps(command: argparse.ArgumentParser) -> None:
    command.add_argument("--remove", action="append", default=[], metavar="KEYID")
    command.add_argument("--add", action="append", default=[], type=Path, metavar="CARD")


def _staged(command: argparse.ArgumentParser) -> None:
    command.add_argument("--channel", default="stable")
    command.add_argument("--share", type=int, help="per cent of devices: 10, 25, 50, 75, 100")
    command.add_argument("--site", action="append", default=[], help="only at this site")
