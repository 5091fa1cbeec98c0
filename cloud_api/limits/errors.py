"""Refusals at the edge. Nothing was read, stored or computed."""

from ddx.errors import DdxError
from sync_service.protocol.errors import GatewayBusyError


class TooManyRequestsError(GatewayBusyError):
    """A subject or an address asked more often than agreed."""

    code = "limit.too_many"


class AddressRefusedError(DdxError):
    """The caller's network is not on the list of those that may call."""

    code = "limit.address"
