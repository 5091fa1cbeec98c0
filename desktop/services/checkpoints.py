"""The head of the audit chain, shown to the server at each sync and countersigned by it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from ddx.domain.audit import AuditAction
from ddx.domain.statements import Checkpoint
from desktop.services.audit import SERVER_KEY
from desktop.services.desk import Desk
from desktop.services.epochs import EpochReason, open_epoch
from desktop.store.unit_of_work import UnitOfWork

if TYPE_CHECKING:  # httpx and pydantic load with the first sync
    from sync_service.client.checkpoints import CheckpointOutcome, OwnHead

ALARM: Final = "audit.alarm"
"""Setting: the last verdict of the server that was not a countersignature."""


class HeadLine(Protocol):
    """A line to the server that can show a head (`desktop.services.link.Line`)."""

    def checkpoint(
        self,
        head: "OwnHead",
        own_hash_at: Callable[[int, int], str | None],
        *,
        newest: Checkpoint | None,
        server_key: str | None,
    ) -> "CheckpointOutcome":
        """Show the head. Raises as `sync_service.client.checkpoints.ask_for_checkpoint` does."""


def show_head(desk: Desk, line: HeadLine) -> None:
    """Have the server countersign the head, unless it has already.

    A server that knows another history than ours (fork) or a longer one (restored backup) makes
    this device begin another epoch; both histories stay, and the alarm stays in the status. An
    absent, busy or older server changes nothing: every entry carries the device's own signature.
    A countersignature by another key than the clinic knows is kept out, and is an alarm too.
    """
    from sync_service.client.errors import (  # noqa: PLC0415 -- pydantic, see desktop.services.link
        ServerBusyError,
        ServerClockError,
        ServerKeyError,
        ServerRefusedError,
        ServerUnreachableError,
    )

    for _ in range(2):  # the second time for the epoch the first one may open
        with desk.store.read() as unit:
            head, newest, server_key = _own_head(unit), _newest(unit), unit.settings.get(SERVER_KEY)
        if head is None or (newest and (newest.epoch, newest.sequence) == _place(head)):
            return
        try:
            outcome = line.checkpoint(
                head,
                lambda epoch, sequence: _hash_at(desk, epoch, sequence),
                newest=newest,
                server_key=server_key,
            )
        except (
            ServerBusyError,
            ServerClockError,
            ServerRefusedError,
            ServerUnreachableError,
        ):
            return  # the push that follows meets the same server and reports it
        except ServerKeyError:
            _alarm(desk, "server_key")
            return
        if not _settled(desk, outcome):
            return


def _alarm(desk: Desk, kind: str) -> None:
    with desk.store.write() as unit:
        if unit.settings.get(ALARM) != kind:
            unit.settings.put(ALARM, kind)
            desk.journal.record(unit, AuditAction.SETTING_CHANGED, ALARM, alarm=kind)


def _settled(desk: Desk, outcome: "CheckpointOutcome") -> bool:
    """Write down what came of it; return whether another head should be shown."""
    with desk.store.write() as unit:
        if outcome.checkpoint is not None:
            unit.audit.keep_checkpoint(outcome.checkpoint)
            unit.settings.put(SERVER_KEY, outcome.checkpoint.server_key)
            return False
        if outcome.known is None or outcome.verdict.value not in set(EpochReason):
            return False
        epoch, sequence, head = outcome.known
        reason = EpochReason(outcome.verdict.value)
        open_epoch(
            unit,
            desk.journal,
            reason,
            server_epoch=epoch,
            server_sequence=sequence,
            server_head=head,
        )
        unit.settings.put(ALARM, reason.value)
        return True


def _own_head(unit: UnitOfWork) -> "OwnHead | None":
    from sync_service.client.checkpoints import OwnHead  # noqa: PLC0415 -- pydantic

    head = unit.audit.head()
    if head is None or not (signature := unit.audit.signature_of(head.sequence)):
        return None  # written before entries were signed; the next entry is
    return OwnHead(
        epoch=unit.audit.epoch, sequence=head.sequence, head=head.hash, signature=signature
    )


def _newest(unit: UnitOfWork) -> Checkpoint | None:
    kept = unit.audit.checkpoints()
    return kept[-1] if kept else None


def _place(head: "OwnHead") -> tuple[int, int]:
    return head.epoch, head.sequence


def _hash_at(desk: Desk, epoch: int, sequence: int) -> str | None:
    with desk.store.read() as unit:
        if epoch != unit.audit.epoch:
            return None
        entry = unit.audit.at(sequence)
        return None if entry is None else entry.hash
