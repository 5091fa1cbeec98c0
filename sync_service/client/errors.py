"""What can go wrong on the device's side of a sync, beside an absent network."""

from ddx.errors import DdxError


class SyncClientError(DdxError):
    """The sync client cannot work as it is set up."""

    code = "sync.client"


class ServerAddressError(SyncClientError):
    """The server address is not one this client will talk to."""

    code = "sync.server_address"


class ProxyAddressError(SyncClientError):
    """The address of a proxy, given or of the system, is not one we can go through."""

    code = "sync.proxy_address"


class CaBundleError(SyncClientError):
    """The file with the private authority's certificate cannot be used."""

    code = "sync.ca_bundle"


class EnrolmentCodeError(SyncClientError):
    """What was typed is not shaped like an enrolment code."""

    code = "sync.enrolment_code"


class ServerKeyError(SyncClientError):
    """The server's countersignature does not fit the key this clinic knows it by."""

    code = "sync.server_key"


class ServerUnreachableError(SyncClientError):
    """No usable answer: no link, no server, or something in between that is not the server.

    spoke: somebody took the request, so that its bytes travelled.
    """

    code = "sync.unreachable"
    retryable = True

    def __init__(self, message: str = "", *, spoke: bool = False) -> None:
        super().__init__(message)
        self.spoke = spoke


class ServerRefusedError(SyncClientError):
    """The server answered and said no. `problem` is the code of its problem details."""

    code = "sync.refused"

    def __init__(self, problem: str, status: int) -> None:
        super().__init__(f"{problem} ({status})")
        self.problem, self.status = problem, status


class ServerBusyError(SyncClientError):
    """The server asked to come back later."""

    code = "sync.server_busy"
    retryable = True

    def __init__(self, retry_after_s: float | None) -> None:
        super().__init__(f"retry after {retry_after_s} s")
        self.retry_after_s = retry_after_s


class ServerClockError(SyncClientError):
    """The server's clock is `offset_s` ahead of ours, more than a signature allows."""

    code = "sync.clock"
    retryable = True

    def __init__(self, offset_s: float) -> None:
        super().__init__(f"server clock is {offset_s:+.0f} s from ours")
        self.offset_s = offset_s
