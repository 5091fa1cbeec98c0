"""Medical approval: signatures over one candidate and the report that was read.

An approver signs the digest of the bundle together with the digest of the report, so that neither
can be exchanged afterwards. Who may sign is a folder of key cards kept by clinical safety; the
number that is needed, the role and how long it is good for stand in docs/pccp.yaml.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Final, Self

from securesystemslib.exceptions import UnverifiedSignatureError, VerificationError
from securesystemslib.signer import Signature, Signer

from ddx.domain.canonical import canonical_json
from ddx.errors import DdxError
from model_bundles import files
from model_bundles.authoring.keyfile import CARD_SUFFIX, KeyCard, read_card
from training.change_plan import Approval as Rule

TYPE: Final = "vereda-model-approval-1"
"""Part of what is signed: a signature given for something else is none here."""

MAX_BYTES: Final = 16_384
LONGEST_REASON: Final = 2_000


class ApprovalError(DdxError):
    """An approval is missing, does not verify, or is not of somebody who may give it."""

    code: ClassVar[str] = "training.approval"


class Decision(StrEnum):
    """What an approver says."""

    APPROVE = "approve"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is decided on. bundle, report: SHA-256 (hex) of the manifest and of the report step."""

    version: str
    bundle: str
    report: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A decision as it is signed. keyid, holder: of the approver. reason: of a refusal."""

    subject: Subject
    decision: Decision
    holder: str
    keyid: str
    at: datetime
    reason: str = ""

    def __post_init__(self) -> None:
        if self.at.utcoffset() is None:
            raise ApprovalError("a decision needs a time with its zone")
        if self.decision is Decision.REFUSE and not self.reason.strip():
            raise ApprovalError("a refusal needs its reason: --refuse 'why'")
        if len(self.reason) > LONGEST_REASON:
            raise ApprovalError(f"a reason has at most {LONGEST_REASON} characters")

    def to_json(self) -> dict[str, Any]:
        """Return what is signed, canonical."""
        return {
            "type": TYPE,
            "version": self.subject.version,
            "bundle": self.subject.bundle,
            "report": self.subject.report,
            "decision": self.decision.value,
            "holder": self.holder,
            "keyid": self.keyid,
            "at": self.at.isoformat(timespec="seconds"),
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A statement and its signature."""

    statement: Statement
    signature: str

    def to_json(self) -> bytes:
        """Return the file of one decision."""
        return canonical_json({"statement": self.statement.to_json(), "signature": self.signature})

    @classmethod
    def from_json(cls, content: bytes) -> Self:
        """Read that file. Raises ApprovalError."""
        try:
            raw = json.loads(content)
            said = raw["statement"]
            if said["type"] != TYPE:
                raise ApprovalError(f"not an approval: {str(said['type'])[:40]!r}")
            subject = Subject(version=said["version"], bundle=said["bundle"], report=said["report"])
            statement = Statement(
                subject=subject,
                decision=Decision(said["decision"]),
                holder=said["holder"],
                keyid=said["keyid"],
                at=datetime.fromisoformat(said["at"]),
                reason=said["reason"],
            )
            return cls(statement=statement, signature=str(raw["signature"]))
        except (ValueError, KeyError, TypeError) as error:
            raise ApprovalError(f"an approval cannot be read: {error!r}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where the approval of a candidate stands: who agreed, who refused, how many are needed."""

    approved: tuple[Statement, ...]
    refused: tuple[Statement, ...]
    needed: int
    refusals_allowed: int

    @property
    def complete(self) -> bool:
        """Whether the candidate may reach patients."""
        return len(self.approved) >= self.needed and len(self.refused) <= self.refusals_allowed


def sign(
    subject: Subject,
    decision: Decision,
    card: KeyCard,
    signer: Signer,
    *,
    at: datetime,
    reason: str = "",
) -> Signed:
    """Return the decision of the holder of `card`, signed with their key.

    Raises:
        ApprovalError: a refusal without a reason, or a signer that is not the card's.
    """
    if signer.public_key.keyid != card.keyid:
        raise ApprovalError("the key is not the one on the card")
    statement = Statement(
        subject=subject,
        decision=decision,
        holder=card.holder,
        keyid=card.keyid,
        at=at,
        reason=reason,
    )
    signature = signer.sign(canonical_json(statement.to_json()))
    return Signed(statement=statement, signature=signature.signature)


def approvers(folder: Path, role: str) -> dict[str, KeyCard]:
    """Return key id -> card of everybody who may sign. Raises SigningError, ApprovalError."""
    cards = [read_card(path) for path in sorted(folder.glob(f"*{CARD_SUFFIX}"))]
    found = {card.keyid: card for card in cards if card.role == role}
    if not found:
        raise ApprovalError(
            f"{folder} holds no card of role {role}: put the cards of the approvers there "
            "(`vereda-keys create --role medical`, docs/learning_loop.md)"
        )
    return found


def record(folder: Path, signed: Signed) -> Path:
    """Keep a decision. A second one of the same person on the same candidate is refused.

    Raises:
        ApprovalError: there is one already; a decision is not taken back, a new run is made.
    """
    path = folder / f"{signed.statement.keyid[:16]}.json"
    if path.exists():
        raise ApprovalError(f"{signed.statement.holder} decided already; it stands in {path.name}")
    files.write_durably(path, signed.to_json())
    return path


def read_decisions(folder: Path) -> tuple[Signed, ...]:
    """Return the decisions kept in `folder`. Raises ApprovalError."""
    contents = (files.read_bounded(path, MAX_BYTES) for path in sorted(folder.glob("*.json")))
    return tuple(Signed.from_json(content) for content in contents if content is not None)


def verify(
    decisions: Iterable[Signed],
    subject: Subject,
    cards: dict[str, KeyCard],
    rule: Rule,
    now: datetime,
) -> Standing:
    """Return where the approval of `subject` stands.

    One person counts once, whatever keys they hold. Decisions on another bundle or report, and
    those older than the plan allows, do not count.

    Raises:
        ApprovalError: a decision that is not signed by the approver it names.
    """
    oldest = now - timedelta(days=rule.valid_days.value)
    said: dict[str, Statement] = {}
    for signed in decisions:
        statement = _verified(signed, cards)
        if statement.subject == subject and oldest <= statement.at <= now + timedelta(minutes=5):
            before = said.get(statement.holder)
            if before is None or statement.decision is Decision.REFUSE:  # a refusal outweighs
                said[statement.holder] = statement
    approved, refused = (_of(said.values(), decision) for decision in Decision)
    return Standing(
        approved=approved,
        refused=refused,
        needed=rule.signatures.value,
        refusals_allowed=rule.refusals_allowed.value,
    )


def require(standing: Standing) -> None:
    """Return if the approval is complete. Raises ApprovalError, saying what is missing."""
    if standing.complete:
        return
    if len(standing.refused) > standing.refusals_allowed:
        said = "; ".join(f"{s.holder}: {s.reason}" for s in standing.refused)
        raise ApprovalError(f"refused by {said}. Make a new candidate.")
    missing = standing.needed - len(standing.approved)
    raise ApprovalError(
        f"{len(standing.approved)} of {standing.needed} physicians have signed, {missing} missing: "
        "`python -m training approve RUN --key KEY`"
    )


def _verified(signed: Signed, cards: dict[str, KeyCard]) -> Statement:
    statement = signed.statement
    card = cards.get(statement.keyid)
    if card is None or card.holder != statement.holder:
        raise ApprovalError(f"{statement.holder} is not among the approvers")
    try:
        card.key.verify_signature(
            Signature(card.keyid, signed.signature), canonical_json(statement.to_json())
        )
    except (UnverifiedSignatureError, VerificationError) as error:
        raise ApprovalError(f"the signature of {statement.holder} does not verify") from error
    return statement


def _of(statements: Iterable[Statement], decision: Decision) -> tuple[Statement, ...]:
    return tuple(s for s in statements if s.decision is decision)
