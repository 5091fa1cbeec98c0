"""Messages arrive at a real receiver in each service's own shape; a deaf one stops nobody."""

from training.change_plan import change_plan
from training.monitor.notify import ADDRESSES, ROUTING_KEY, Message, Notifier, notifier

MESSAGE = Message(
    severity="critical",
    key="2026-11-26-drift",
    title="Model 2026.11.7 rolled back",
    facts={"signal": "errors", "figure": "8.10"},
)


def told(address, services=("teams", "slack", "pagerduty"), **more):
    waited = []
    sender = Notifier(
        routes={"critical": services},
        addresses={s: f"{address}/{s}" for s in services},
        routing_key="k" * 32,
        wait=waited.append,
        **more,
    )
    return list(sender.send(MESSAGE)), waited


def test_each_service_gets_its_own_shape(receiver):
    address, received, _ = receiver
    lines, _ = told(address)
    assert lines == ["teams: told", "slack: told", "pagerduty: told"]
    bodies = dict(received)
    card = bodies["/teams"]["attachments"][0]["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert card["body"][1]["facts"][0] == {"title": "signal", "value": "errors"}
    assert bodies["/slack"]["blocks"][0]["text"]["text"] == MESSAGE.title
    event = bodies["/pagerduty"]
    assert (event["event_action"], event["dedup_key"]) == ("trigger", MESSAGE.key)
    assert event["payload"]["severity"] == "critical"
    assert event["routing_key"] == "k" * 32


def test_a_service_that_stumbles_is_tried_again_and_one_that_refuses_is_not(receiver):
    address, received, answers = receiver
    answers[:] = [503, 429, 202]
    assert told(address, ("slack",)) == (["slack: told"], [2.0, 4.0])
    answers[:] = [403]
    lines, waited = told(address, ("slack",))
    assert (lines, waited) == (["slack: NOT told: status 403 after 1 tries"], [])
    assert len(received) == 4


def test_a_deaf_service_does_not_stop_the_others_and_its_address_is_not_told(receiver):
    address, received, _ = receiver
    sender = Notifier(
        routes={"critical": ("teams", "slack")},
        addresses={"teams": "http://127.0.0.1:9/secret", "slack": f"{address}/slack"},
        wait=lambda _: None,
    )
    lines = list(sender.send(MESSAGE))
    assert lines == ["teams: NOT told: ConnectError after 3 tries", "slack: told"]
    assert len(received) == 1


def test_addresses_come_from_the_environment_and_a_missing_one_is_named(monkeypatch):
    for name in (*ADDRESSES.values(), ROUTING_KEY):
        monkeypatch.delenv(name, raising=False)
    lines = list(notifier(change_plan()).send(MESSAGE))
    assert len(lines) == len(change_plan().notify.critical)
    assert all("is not set" in line for line in lines)
