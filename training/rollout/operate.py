"""Carries out what the controller decides: offers, orders, ledger, registry, alerts.

Every effect is safe to carry out twice, so a process that dies half-way is simply started again.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from model_bundles.authoring.repository import Repository
from model_bundles.manifest import Release
from model_bundles.orders import Downgrade, Orders, Reason
from model_bundles.rollout import Rollout
from training.monitor.notify import Message, Notifier
from training.pipelines.steps import Say
from training.publish.ledger import Event, Ledger
from training.rollout.control import Alert, Effect, Offer, Promote, RollBack

CHANNEL = "stable"


class Stages(Protocol):
    """The registry's part in a rollout."""

    def promote(self, release: Release, at: datetime) -> None:
        """Make a release the production one."""

    def archive(self, release: Release, reason: str) -> None:
        """Take it out of Staging or Production."""

    def restore(self, release: Release, at: datetime) -> None:
        """Make it the production one again, if it ever was one here."""


@dataclass(frozen=True, kw_only=True)
class Operator:
    """release: that goes out. before: what everybody had until now; both are published."""

    repository: Repository
    ledger: Ledger
    registry: Stages
    notifier: Notifier
    release: Release
    before: Release
    say: Say

    def carry_out(self, effects: Iterable[Effect], at: datetime) -> None:
        """Do what the controller asks, in order."""
        for effect in effects:
            match effect:
                case Offer(percent=percent):
                    self._offer(percent, at)
                case RollBack(signal=signal):
                    self._roll_back(signal.value, at)
                case Promote():
                    self._promote(at)
                case Alert():
                    self._alert(effect)

    def _offer(self, percent: int, at: datetime) -> None:
        share = Rollout(basis_points=percent * 100, salt=self.release.version, before=self.before)
        self.repository.offer(self.release.version, CHANNEL, at, rollout=share)
        self.ledger.once(Event.OFFERED, self.release, at, channel=CHANNEL, **share.to_json())
        self.say(f"offered to {percent} % of the devices")

    def _roll_back(self, reason: str, at: datetime) -> None:
        self.repository.offer(self.before.version, CHANNEL, at)
        orders = self.repository.orders()
        back = Downgrade(release=self.release, to=self.before, reason=Reason.WRONG_ANSWERS)
        if orders is None or back not in orders.downgrades:
            first = Orders(number=1, issued_at=at, downgrades=(back,))
            following = (
                first
                if orders is None
                else replace(
                    orders,
                    number=orders.number + 1,
                    issued_at=at,
                    downgrades=(*orders.downgrades, back),
                )
            )
            self.repository.order(following, at)
        before = self.before.to_json()
        self.ledger.once(
            Event.ROLLED_BACK, self.release, at, channel=CHANNEL, reason=reason, before=before
        )
        self.registry.archive(self.release, f"rolled back: {reason}")
        if self._was_promoted():
            self.registry.restore(self.before, at)
            self.ledger.once(Event.PROMOTED, self.before, at, method="rollback")
        self.say(f"rolled back ({reason}): every device returns to {self.before.version}")

    def _was_promoted(self) -> bool:
        promoted = (e.release for e in self.ledger.entries() if e.event is Event.PROMOTED)
        return self.release in promoted

    def _promote(self, at: datetime) -> None:
        self.registry.promote(self.release, at)
        self.ledger.once(Event.PROMOTED, self.release, at, method="canary_release")
        self.ledger.once(Event.ARCHIVED, self.before, at, by=self.release.version)
        self.say(f"{self.release.version} is the production model; {self.before.version} archived")

    def _alert(self, alert: Alert) -> None:
        signal = alert.signal.value if alert.signal else ""
        message = Message(
            severity=alert.severity.value,
            key=f"{self.release.digest[:16]}-{alert.code}-{signal}",
            title=f"{self.release.version}: {alert.code.replace('.', ' ').replace('_', ' ')}",
            facts={
                "signal": signal or "none",
                "figure": f"{alert.figure:.2f}",
                "limit": f"{alert.limit:.2f}",
            },
        )
        for line in self.notifier.send(message):
            self.say(line)
