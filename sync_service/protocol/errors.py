"""What can be wrong with a message as a whole; what is wrong with one record is a result."""

from ddx.errors import DdxError


class ProtocolError(DdxError):
    """A message cannot be understood or is not allowed. Nothing of it was stored."""

    code = "sync.protocol"


class MessageMalformedError(ProtocolError):
    """A message is not the JSON its schema asks for. `where` names the first bad field."""

    code = "sync.malformed"

    def __init__(self, where: str) -> None:
        super().__init__(f"malformed at {where}")
        self.where = where


class SchemaUnsupportedError(ProtocolError):
    """The sender writes a schema version this server does not read."""

    code = "sync.schema_unsupported"

    def __init__(self, version: int) -> None:
        super().__init__(f"schema version {version}")
        self.version = version


class MessageTooLargeError(ProtocolError):
    """A body or what it decompresses to is larger than agreed."""

    code = "sync.too_large"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"more than {limit_bytes} bytes")
        self.limit_bytes = limit_bytes


class BatchConflictError(ProtocolError):
    """Every record of a batch bears the name of another record. The alarms are raised.

    Nothing was stored, and the same batch will never be.
    """

    code = "sync.conflict"


class EncodingUnsupportedError(ProtocolError):
    """The body uses a content encoding other than zstd or identity."""

    code = "sync.encoding_unsupported"


class DeviceMismatchError(ProtocolError):
    """The batch names another device than the one that signed it."""

    code = "sync.device_mismatch"


class HeadNotSignedError(ProtocolError):
    """The head of an audit chain is not signed by the device's own key."""

    code = "audit.head_not_signed"


class IdentityRefusedError(ProtocolError):
    """An identity token does not serve here, or carries no role. Nothing was lent."""

    code = "lease.refused"


class EnrolmentRefusedError(ProtocolError):
    """The enrolment code is wrong, used or too old, or the device id is taken."""

    code = "enrolment.refused"


class AuthenticationError(ProtocolError):
    """A request cannot be tied to an enrolled device."""

    code = "auth.refused"


class UnsignedRequestError(AuthenticationError):
    """A signature header is missing or unreadable."""

    code = "auth.unsigned"


class UnknownDeviceError(AuthenticationError):
    """No enrolled device has this id, or it was revoked."""

    code = "auth.unknown_device"


class SignatureInvalidError(AuthenticationError):
    """The signature does not fit the request and the device's public key."""

    code = "auth.signature_invalid"


class ClockSkewError(AuthenticationError):
    """The request's timestamp is outside the replay window: one of the clocks is wrong."""

    code = "auth.clock_skew"
    retryable = True


class ReplayedRequestError(AuthenticationError):
    """The same signed request arrived before."""

    code = "auth.replayed"


class GatewayBusyError(ProtocolError):
    """The server asks for patience. Nothing was stored."""

    code = "sync.busy"
    retryable = True

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"retry after {retry_after_s} s")
        self.retry_after_s = retry_after_s


class DeviceTooFastError(GatewayBusyError):
    """This device sends faster than the server agreed to. Nothing was stored."""

    code = "sync.too_fast"
