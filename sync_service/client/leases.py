"""The device's side of a role lease."""

from ddx.domain.identifiers import RecordId
from ddx.domain.lease import RoleLease
from sync_service.client.errors import ServerRefusedError, ServerUnreachableError
from sync_service.client.transport import HttpTransport
from sync_service.protocol.leases import LeaseMessage, LeaseRequest
from sync_service.protocol.versions import LEASES_PATH

_OLDER_SERVER = frozenset({"http.404", "http.405"})


def ask_for_lease(transport: HttpTransport, clinician: RecordId, id_token: str) -> RoleLease | None:
    """Return the lease the server gives for `id_token`, None from a server that lends no roles.

    The caller checks that it is genuine (`RoleLease.is_genuine`).

    Raises:
        ServerRefusedError: the token does not serve, or lends no role here.
        ServerUnreachableError, ServerBusyError: nothing was decided.
    """
    request = LeaseRequest(
        device_id=transport.identity.device_id, clinician_id=clinician, id_token=id_token
    )
    try:
        return transport.post(LEASES_PATH, request, LeaseMessage).lease()
    except ServerRefusedError as error:
        if error.problem in _OLDER_SERVER:
            return None
        raise
    except ValueError as error:
        raise ServerUnreachableError("the server lends a role not known here") from error
