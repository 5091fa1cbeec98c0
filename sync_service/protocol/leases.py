"""Role leases on the wire: an identity token up, a signed lease down."""

from pydantic import Field

from ddx.domain.lease import RoleLease
from ddx.domain.roles import Role
from sync_service.protocol.fields import Code, Message, RecordIdText, Sha256Hex, SignatureHex
from sync_service.protocol.versions import SCHEMA_VERSION


class LeaseRequest(Message):
    """A clinician of the calling device shows who they are in the cloud.

    id_token: of the issuer, in its compact form; the server reads it and keeps nothing of it.
    """

    schema_version: int = Field(default=SCHEMA_VERSION, ge=1)
    device_id: RecordIdText
    clinician_id: RecordIdText
    id_token: str = Field(pattern=r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$")


class LeaseMessage(Message):
    """`ddx.domain.lease.RoleLease`; times keep the letters that were signed."""

    schema_version: int = Field(default=SCHEMA_VERSION, ge=1)
    device_id: RecordIdText
    clinician_id: RecordIdText
    subject: Code
    role: Code
    issued_at: Code
    expires_at: Code
    server_key: Sha256Hex
    signature: SignatureHex

    def lease(self) -> RoleLease:
        """Return the domain's value. Raises ValueError for a role this version does not know."""
        return RoleLease(
            device_id=self.device_id,
            clinician_id=self.clinician_id,
            subject=self.subject,
            role=Role(self.role),
            issued_at=self.issued_at,
            expires_at=self.expires_at,
            server_key=self.server_key,
            signature=self.signature,
        )
