"""The device's side of a checkpoint: show the head, believe a countersignature that holds."""

from collections.abc import Callable
from dataclasses import dataclass

from ddx.domain.statements import Checkpoint, SignatureCheck
from sync_service.client.errors import ServerKeyError, ServerUnreachableError
from sync_service.client.transport import HttpTransport
from sync_service.protocol.checkpoints import (
    CheckpointAnswer,
    CheckpointRequest,
    CheckpointVerdict,
    HeadMessage,
)
from sync_service.protocol.versions import CHECKPOINTS_PATH


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnHead:
    """The head of this device's chain and its signature (hex)."""

    epoch: int
    sequence: int
    head: str
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointOutcome:
    """What came of it. checkpoint: when countersigned; known: the server's head when it differs."""

    verdict: CheckpointVerdict
    checkpoint: Checkpoint | None = None
    known: tuple[int, int, str] | None = None


def ask_for_checkpoint(
    transport: HttpTransport,
    head: OwnHead,
    own_hash_at: Callable[[int, int], str | None],
    *,
    newest: Checkpoint | None,
    server_key: str | None,
    check: SignatureCheck,
) -> CheckpointOutcome:
    """Show `head` to the server and return what it says, at most two questions long.

    own_hash_at: hash of this device's entry at (epoch, sequence), None where it has none.
    newest: the newest countersigned head kept here. server_key: the key this device believes;
    None before the first checkpoint.

    Raises:
        ServerKeyError: countersigned by another key than the believed one, or not at all.
        ServerUnreachableError, ServerBusyError, ServerRefusedError: nothing was decided.
    """
    told = None if newest is None else (newest.epoch, newest.sequence)
    answer = _ask(transport, head, _own(told, own_hash_at))
    if answer.verdict == CheckpointVerdict.PREVIOUS_UNKNOWN and answer.known is not None:
        told = (answer.known.epoch, answer.known.sequence)
        answer = _ask(transport, head, _own(told, own_hash_at))
    return _outcome(answer, head, transport, server_key, check)


def _own(
    place: tuple[int, int] | None, own_hash_at: Callable[[int, int], str | None]
) -> HeadMessage | None:
    own = None if place is None else own_hash_at(*place)
    if place is None or own is None:
        return None
    return HeadMessage(epoch=place[0], sequence=place[1], head=own)


def _ask(transport: HttpTransport, head: OwnHead, previous: HeadMessage | None) -> CheckpointAnswer:
    request = CheckpointRequest(
        device_id=transport.identity.device_id,
        epoch=head.epoch,
        sequence=head.sequence,
        head=head.head,
        signature=head.signature,
        previous=previous,
    )
    return transport.post(CHECKPOINTS_PATH, request, CheckpointAnswer)


def _outcome(
    answer: CheckpointAnswer,
    head: OwnHead,
    transport: HttpTransport,
    server_key: str | None,
    check: SignatureCheck,
) -> CheckpointOutcome:
    try:
        verdict = CheckpointVerdict(answer.verdict)
    except ValueError as error:  # a verdict of a newer server: nothing to act upon yet
        raise ServerUnreachableError("the server's verdict is not known here") from error
    known = answer.known
    if verdict is not CheckpointVerdict.COUNTERSIGNED:
        place = None if known is None else (known.epoch, known.sequence, known.head)
        return CheckpointOutcome(verdict=verdict, known=place)
    if answer.checkpoint is None:
        raise ServerKeyError("the server countersigned nothing")
    given = answer.checkpoint.checkpoint()
    ours = (transport.identity.device_id, transport.identity.public_key.hex())
    asked = (head.epoch, head.sequence, head.head)
    if (given.device_id, given.device_key) != ours or (
        given.epoch,
        given.sequence,
        given.head,
    ) != asked:
        raise ServerKeyError("the countersignature is for another head")
    key = given.server_key if server_key is None else server_key
    if given.server_key != key or not check(key, given.signature, given.statement):
        raise ServerKeyError("countersigned by another key than this clinic knows")
    return CheckpointOutcome(verdict=verdict, checkpoint=given)
