"""Enrolment: the device shows its public key and a one-time code, and is known from then on."""

from pydantic import ValidationError

from sync_service.client.errors import EnrolmentCodeError
from sync_service.client.transport import HttpTransport
from sync_service.protocol.messages import EnrolmentRequest, EnrolmentResponse
from sync_service.protocol.versions import DEVICES_PATH


def enrol(transport: HttpTransport, *, code: str, app_version: str) -> EnrolmentResponse:
    """Enrol the transport's device and return the server's terms.

    code: as printed by the server; blanks and letter case do not matter. Safe to repeat with
    the same code when the answer was lost.

    Raises:
        EnrolmentCodeError: not shaped like a code; nothing was sent.
        ServerRefusedError: the code is wrong, used by another device, or too old.
        ServerUnreachableError, ServerBusyError: try again with the same code.
    """
    identity = transport.identity
    try:
        request = EnrolmentRequest(
            device_id=identity.device_id,
            code="".join(code.split()).upper(),
            public_key=identity.public_key_text,
            app_version=app_version,
        )
    except ValidationError as error:
        raise EnrolmentCodeError("an enrolment code has four groups of four letters") from error
    return transport.post(DEVICES_PATH, request, EnrolmentResponse)
