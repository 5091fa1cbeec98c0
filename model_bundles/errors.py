"""What may be wrong with a bundle. Whatever is raised here, the active bundle stays active."""

from ddx.errors import DdxError, ModelError


class BundleError(DdxError):
    """A model bundle cannot be trusted or used. The active bundle stays active."""

    code = "bundle.unusable"


class BundleTamperedError(BundleError):
    """Bytes are not those that were signed, or the signatures do not reach our root."""

    code = "bundle.tampered"


class BundleRollbackError(BundleError):
    """What is offered is older than what this device has already accepted.

    offered, active: bundle versions (`2026.11.1`), or `<role> <number>` where the repository's
    own metadata went backwards.
    """

    code = "bundle.rollback"

    def __init__(self, offered: str, active: str) -> None:
        super().__init__(f"offered {offered}, this device has accepted {active}")
        self.offered, self.active = offered, active


class BundleExpiredError(BundleError):
    """The repository's metadata is past its date: install nothing new, go on serving."""

    code = "bundle.expired"


class BundleIncompatibleError(BundleError):
    """The bundle is genuine but written for a newer application or another format."""

    code = "bundle.incompatible"


class BundleMalformedError(BundleError):
    """The bundle breaks the layout: a forbidden name, a size over its limit, a member missing."""

    code = "bundle.malformed"


class BundleMemberMissingError(BundleError, ModelError):
    """A member was asked for that this bundle does not hold."""

    code = "bundle.member_missing"

    def __init__(self, name: str, version: str) -> None:
        super().__init__(f"bundle {version} holds no {name}")
        self.name, self.version = name, version


class BundleOfflineError(BundleError):
    """The repository cannot be reached now. Try again later."""

    code = "bundle.offline"
    retryable = True


class BundleBudgetError(BundleError):
    """Today's bytes are used up; what came so far is kept, the rest comes tomorrow.

    limit_bytes: of one day.
    """

    code = "bundle.budget"
    retryable = True

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"today's {limit_bytes} bytes are used up")
        self.limit_bytes = limit_bytes


class BundleMeteredError(BundleError):
    """The link is paid by the byte, and the settings keep new models for another one."""

    code = "bundle.metered"
    retryable = True


class BundleBusyError(BundleError):
    """Another process of this device is updating. Try again later."""

    code = "bundle.busy"
    retryable = True


class BundleStorageError(BundleError):
    """The disk refused (full, read only, no permission). Free some room, then try again."""

    code = "bundle.storage"
    retryable = True


class BundleStateError(BundleError):
    """This device's own memory of its bundles is damaged; installing waits for repair."""

    code = "bundle.state_damaged"


class BundleWithdrawnError(BundleError):
    """What was offered a moment ago is no longer in the repository. Ask for the offer again."""

    code = "bundle.withdrawn"
    retryable = True


class BundleRejectedError(BundleError):
    """This device went back from this very release once; it is not installed again."""

    code = "bundle.rejected"


class BundleBlockedError(BundleError):
    """The safety role has stopped this release; it is not installed and does not serve."""

    code = "bundle.blocked"


class BundleRevertedError(BundleError):
    """A release failed where it served, and the one before it serves in its place."""

    code = "bundle.reverted"


class TrialFailedError(BundleError):
    """The trial of a bundle in a process of its own was ended by its limits, or died."""

    code = "bundle.trial_failed"


class NoSuchReleaseError(BundleError):
    """There is nothing staged to activate, or nothing previous to go back to."""

    code = "bundle.no_such_release"


class VersionTakenError(BundleError):
    """The repository already holds this version. A version is published once."""

    code = "bundle.version_taken"

    def __init__(self, version: str) -> None:
        super().__init__(f"version {version} is already published; choose the next one")
        self.version = version


class SigningError(BundleError):
    """The keys at hand cannot sign: wrong passphrase, missing files, or not enough of them."""

    code = "bundle.signing"


class SelfTestFailedError(BundleError):
    """The bundle does not reproduce its own golden cases; it must not serve.

    case: index in `golden/cases.json` of the first case that differs, counted from 0.
    """

    code = "bundle.self_test_failed"

    def __init__(self, case: int, reason: str) -> None:
        super().__init__(f"golden case {case}: {reason}")
        self.case, self.reason = case, reason
