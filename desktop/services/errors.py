"""What a use case refuses, each with its next step."""

import re
from typing import ClassVar

from ddx.errors import DdxError
from ddx.intake.check import CaseIssue


class SignInRefusedError(DdxError):
    """Wrong passphrase, unknown person, or too soon: the three look alike on purpose.

    retry_after_s: seconds until the next try is looked at; 0 when it may come now.
    """

    code: ClassVar[str] = "sign_in.refused"
    retryable: ClassVar[bool] = True

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("sign-in refused")
        self.retry_after_s = retry_after_s


class RecoveryRefusedError(DdxError):
    """The recovery key is not this clinic's, or too soon. The passphrases stand.

    retry_after_s: seconds until the next try is looked at; 0 when it may come now.
    """

    code: ClassVar[str] = "recovery.refused"

    def __init__(self, retry_after_s: float = 0.0) -> None:
        super().__init__("recovery refused")
        self.retry_after_s = retry_after_s


class LastAdminError(DdxError):
    """Nobody ends their own access: another manager does it. Nothing was changed."""

    code: ClassVar[str] = "staff.oneself"


class ClinicDetailsError(DdxError):
    """A clinic and its first clinician need a name. Nothing was created."""

    code: ClassVar[str] = "clinic.details"


class NewPatientRefusedError(DdxError):
    """A new patient's details do not hold. `issues` tells everything wrong at once."""

    code: ClassVar[str] = "patient.refused"

    def __init__(self, issues: tuple[CaseIssue, ...]) -> None:
        super().__init__(", ".join(issue.code for issue in issues))
        self.issues = issues


class OtherBundleError(DdxError):
    """A record was made by a bundle this device no longer holds; diagnose again to explain."""

    code: ClassVar[str] = "explanation.other_bundle"

    def __init__(self, digest: str) -> None:
        super().__init__(f"bundle {digest[:12]} is no longer on this device")
        self.digest = digest


class CloudNotSetUpError(DdxError):
    """No tenant and client are set for cloud sign-in. Local sign-in needs neither."""

    code: ClassVar[str] = "cloud.not_set_up"


class CloudUnreachableError(DdxError):
    """The issuer of cloud identities does not answer. Local sign-in goes on."""

    code: ClassVar[str] = "cloud.unreachable"
    retryable: ClassVar[bool] = True


class CloudSignInError(DdxError):
    """The cloud sign-in ended without an identity. reason: the issuer's own code."""

    code: ClassVar[str] = "cloud.sign_in_refused"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = re.sub(r"[^A-Za-z0-9_.-]", "_", reason)[:64] or "unknown"


class OtherIdentityError(DdxError):
    """The clinician is linked to another cloud identity. Nothing was changed."""

    code: ClassVar[str] = "cloud.other_identity"


class NoInstallerError(DdxError):
    """No installer of the application lies here for what was asked."""

    code: ClassVar[str] = "application.no_installer"


class NotLinkedError(DdxError):
    """The clinic is not linked to a server yet."""

    code: ClassVar[str] = "sync.not_linked"
