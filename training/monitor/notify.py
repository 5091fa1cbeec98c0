"""Tells people: Microsoft Teams (Workflows), Slack, PagerDuty (Events API v2).

The addresses are secrets and come from the environment; a service without one is skipped and said
to be. A message carries figures and names of releases, never a case.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Literal

import httpx

from ddx.errors import DdxError
from training.change_plan import ChangePlan
from training.lake.alarms import Alarm

Severity = Literal["critical", "high", "information"]

ADDRESSES: Final[Mapping[str, str]] = {
    "teams": "VEREDA_TEAMS_WEBHOOK",
    "slack": "VEREDA_SLACK_WEBHOOK",
    "pagerduty": "VEREDA_PAGERDUTY_URL",
}
"""Service -> variable with its address."""

ROUTING_KEY: Final = "VEREDA_PAGERDUTY_KEY"
TRIES: Final = 3
TIMEOUT_S: Final = 10.0
_PAGERDUTY: Final = {"critical": "critical", "high": "error", "information": "info"}
_COLOUR: Final = {"critical": "Attention", "high": "Warning", "information": "Good"}


class NotifyError(DdxError):
    """A service did not take a message. What is told has happened all the same."""

    code: ClassVar[str] = "training.notify"
    retryable: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One thing to tell. key: the same for the same matter, so that it is not told twice."""

    severity: Severity
    key: str
    title: str
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifier:
    """Sends by severity. routes: severity -> services. addresses: service -> address."""

    routes: Mapping[str, tuple[str, ...]]
    addresses: Mapping[str, str]
    routing_key: str = ""
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=TIMEOUT_S))
    wait: Callable[[float], None] = time.sleep

    def send(self, message: Message) -> Iterator[str]:
        """Send to every service of the message's severity; yield a line of what became of each.

        A service that cannot be reached stops none of the others, nor whoever tells.
        """
        for service in self.routes[message.severity]:
            if service not in self.addresses:
                yield f"{service}: not told ({ADDRESSES[service]} is not set): {message.title}"
                continue
            try:
                self._post(self.addresses[service], self._body(service, message))
                yield f"{service}: told"
            except NotifyError as error:
                yield f"{service}: NOT told: {error}"

    def _body(self, service: str, message: Message) -> dict[str, Any]:
        if service == "pagerduty":
            return pagerduty(message, self.routing_key)
        return teams(message) if service == "teams" else slack(message)

    def _post(self, address: str, body: Mapping[str, Any]) -> None:
        for attempt in range(1, TRIES + 1):
            try:
                answer = self.client.post(address, json=body)
            except httpx.HTTPError as error:
                reason = type(error).__name__  # its text holds the address, a secret
            else:
                if answer.is_success:
                    return
                reason = f"status {answer.status_code}"
                if answer.status_code < 500 and answer.status_code != 429:
                    break
            if attempt < TRIES:
                self.wait(2.0**attempt)
        raise NotifyError(f"{reason} after {attempt} tries")


def notifier(plan: ChangePlan) -> Notifier:
    """Return the notifier of the plan with the addresses of the environment."""
    found = {service: os.environ.get(name, "") for service, name in ADDRESSES.items()}
    return Notifier(
        routes=plan.notify.model_dump(),
        addresses={service: address for service, address in found.items() if address},
        routing_key=os.environ.get(ROUTING_KEY, ""),
    )


@dataclass(frozen=True, slots=True)
class AlarmChannel:
    """Carries the lake's alarms (`training.lake.alarms`). say: told what became of each."""

    notifier: Notifier
    say: Callable[[str], None]

    def notify(self, alarm: Alarm) -> None:
        """Send an alarm by its severity, and say it here too."""
        severity: Severity = "critical" if alarm.severity == "critical" else "high"
        facts = {str(number): fact for number, fact in enumerate(alarm.facts, start=1)}
        for line in (alarm.title, *alarm.facts):
            self.say(line)
        message = Message(severity=severity, key=alarm.code, title=alarm.title, facts=facts)
        for line in self.notifier.send(message):
            self.say(line)


def teams(message: Message) -> dict[str, Any]:
    """Return an Adaptive Card as a Workflows webhook takes it (schema 1.4)."""
    facts = [{"title": name, "value": value} for name, value in message.facts.items()]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            {
                "type": "TextBlock",
                "text": message.title,
                "weight": "Bolder",
                "wrap": True,
                "color": _COLOUR[message.severity],
            },
            {"type": "FactSet", "facts": facts},
        ],
    }
    content = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return {"type": "message", "attachments": [content]}


def slack(message: Message) -> dict[str, Any]:
    """Return a message in Slack's Block Kit, with the plain text for notifications."""
    lines = "\n".join(f"*{name}* {value}" for name, value in message.facts.items())
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": message.title[:150]}}
    ]
    if lines:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": lines[:3000]}})
    return {"text": message.title, "blocks": blocks}


def pagerduty(message: Message, routing_key: str) -> dict[str, Any]:
    """Return an event of the Events API v2; its key keeps one matter one incident."""
    return {
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": message.key[:255],
        "payload": {
            "summary": message.title[:1024],
            "source": "vereda-learning",
            "severity": _PAGERDUTY[message.severity],
            "custom_details": dict(message.facts),
        },
    }
