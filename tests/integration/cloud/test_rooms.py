"""What people do through the interface, room by room, on a running server with a real database."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from support.cloud_server import wait_until
from support.sync_records import a_known_case

from cloud_api.db.engine import open_database
from cloud_api.db.online import online_device
from cloud_api.drift.service import LARGE, SOME, stability_index
from ddx.domain.canonical import digest_of
from ddx.domain.identifiers import new_record_id
from ddx.domain.wire import case_to_json
from sync_service.protocol.settings import SettingsPage

OURS, THEIRS = "san-juan", "el-alto"
CASE = case_to_json(a_known_case())


def predicted(person, organisation=OURS):
    answer = person("MedicoGeneral", organisation).post("/predict", {"case": CASE, "limit": 3})
    assert answer.status_code == 200, answer.text
    return answer.json()


def decision(receipt, **changes):
    return {
        "feedback_id": new_record_id(),
        "diagnosis_id": receipt,
        "outcome": "overridden",
        "outcomeTimestamp": "2026-11-26T12:05:00Z",
        "overrideReason": {"reason": {"code": "not_my_judgement"}},
        "verb": "custom",
        "disease": "VD:malaria",
    } | changes


# predictions


def test_an_answer_is_kept_under_its_receipt_by_digests_alone(person, cloud):
    said = predicted(person)
    kept = person("Auditor").get(f"/predictions/{said['receipt_id']}").json()
    assert kept["case_digest"] == digest_of(CASE)
    assert kept["answer_digest"] == digest_of(said["differential"])
    assert kept["bundle_digest"] == said["bundle_digest"]
    assert kept["triage_level"] == said["triage"]["level"]
    assert [c["disease"] for c in kept["leading"]] == [c["disease"] for c in said["candidates"]]
    (row,) = cloud.rows(f"SELECT * FROM prediction WHERE id = '{said['receipt_id']}'")
    assert not any(finding["id"] in str(dict(row)) for finding in CASE["findings"])


def test_a_device_predicts_for_the_organisation_it_joined(person, joined):
    said = joined(OURS).ask("/predict", {"case": CASE, "limit": 3}).json()
    path = f"/predictions/{said['receipt_id']}"
    assert person("Auditor", OURS).get(path).json()["actor"].startswith("device:")
    assert person("Auditor", THEIRS).get(path).status_code == 404


def test_pages_of_predictions_follow_each_other(person):
    receipts = [predicted(person)["receipt_id"] for _ in range(3)]
    auditor, seen, after = person("Auditor"), [], {}
    while True:
        page = auditor.get("/predictions", limit=2, **after).json()
        seen += [record["receipt_id"] for record in page["predictions"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert seen[-3:] == receipts
    assert seen == sorted(set(seen))


# feedback


def test_a_decision_is_stored_once_and_read_back(person):
    receipt = predicted(person)["receipt_id"]
    doctor, sent = person("MedicoGeneral"), decision(receipt)
    first, again = doctor.post("/feedback", sent), doctor.post("/feedback", sent)
    assert (first.status_code, first.json()["stored"]) == (201, True)
    assert (again.status_code, again.json()["stored"]) == (200, False)
    found = person("MedicoAdmin").get("/feedback", receipt_id=receipt).json()["feedback"]
    assert [(f["feedback_id"], f["verb"], f["reason"], f["disease"]) for f in found] == [
        (sent["feedback_id"], "custom", "not_my_judgement", "VD:malaria")
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"verb": "agree"}, (422, "case.invalid")),
        ({"verb": "shrug"}, (422, "case.invalid")),
        ({"overrideReason": None}, (422, "case.invalid")),
        ({"overrideReason": {"reason": {"code": "because"}}}, (422, "case.invalid")),
        ({"disease": None}, (422, "case.invalid")),
        ({"outcome": "accepted"}, (422, "case.invalid")),
        ({"outcomeTimestamp": "0001-01-01T00:00:00+14:00"}, (422, "case.invalid")),
        ({"outcomeTimestamp": "2026-11-26T12:05:00"}, (422, "sync.malformed")),
        ({"diagnosis_id": "0198a000-0000-7000-8000-00000000ffff"}, (404, "prediction.unknown")),
    ],
)
def test_a_decision_that_does_not_hold_is_refused(person, changes, expected):
    receipt = predicted(person)["receipt_id"]
    answer = person("MedicoGeneral").post("/feedback", decision(receipt, **changes))
    assert (answer.status_code, answer.json()["code"]) == expected


def test_another_decision_under_a_taken_id_is_a_conflict(person):
    receipt = predicted(person)["receipt_id"]
    doctor, sent = person("MedicoGeneral"), decision(receipt)
    doctor.post("/feedback", sent)
    answer = doctor.post("/feedback", sent | {"disease": "VD:dengue"})
    assert (answer.status_code, answer.json()["code"]) == (409, "record.conflict")


def test_nobody_decides_about_a_prediction_of_another_organisation(person):
    receipt = predicted(person, OURS)["receipt_id"]
    answer = person("MedicoGeneral", THEIRS).post("/feedback", decision(receipt))
    assert answer.status_code == 404


def told_about(cloud, receipt):
    """Return what readers of the event log see of decisions on one receipt."""
    rows = cloud.rows("SELECT device_id, epoch, payload FROM event WHERE kind = 'feedback'")
    return [row for row in rows if json.loads(row["payload"]).get("diagnosis_id") == receipt]


def test_a_decision_is_on_the_event_log_under_the_device_that_asked(person, joined, cloud):
    clinic = joined(OURS)
    receipt = clinic.ask("/predict", {"case": CASE, "limit": 3}).json()["receipt_id"]
    sent = decision(receipt, overrideReason={"reason": {"code": "other"}, "userComment": "Zenobia"})
    assert person("MedicoGeneral", THEIRS).post("/feedback", sent).status_code == 404
    assert told_about(cloud, receipt) == []
    assert person("MedicoGeneral", OURS).post("/feedback", sent).status_code == 201
    (told,) = told_about(cloud, receipt)
    assert (told["device_id"], told["epoch"]) == (clinic.identity.device_id, 0)
    kept = json.loads(told["payload"])
    assert kept.pop("outcomeTimestamp") == "2026-11-26T12:05:00+00:00"
    expected = sent | {"overrideReason": {"reason": {"code": "other"}}}
    assert kept == {name: expected[name] for name in kept}
    assert "Zenobia" not in told["payload"]


def test_a_decision_of_somebody_without_a_device_is_that_of_the_organisation(person, cloud):
    receipt = predicted(person, OURS)["receipt_id"]
    person("MedicoGeneral", OURS).post("/feedback", decision(receipt))
    (told,) = told_about(cloud, receipt)
    assert told["device_id"] == online_device(OURS)
    assert online_device(OURS) != online_device(THEIRS)


# devices


def test_a_revoked_device_is_refused_at_its_next_request(person, joined, cloud):
    clinic, admin = joined(), person("MedicoAdmin")
    device = clinic.identity.device_id
    assert clinic.ask("/predict", {"case": CASE}).status_code == 200
    revoked = admin.post(f"/devices/{device}/revoke", {"reason": "lost"}).json()
    assert revoked["revoked_at"] is not None
    answer = clinic.ask("/predict", {"case": CASE})
    assert (answer.status_code, answer.json()["code"]) == (401, "auth.unknown_device")
    again = admin.post(f"/devices/{device}/revoke", {"reason": "stolen"}).json()
    assert again["revoked_at"] == revoked["revoked_at"]
    links = person("Auditor").get("/audit", action="device_revoked").json()["links"]
    assert (device, {"reason": "lost"}) in [(link["subject"], link["detail"]) for link in links]


def test_devices_of_another_organisation_are_not_there(person, joined):
    device = joined(OURS).identity.device_id
    stranger = person("MedicoAdmin", THEIRS)
    listed = stranger.get("/devices").json()["devices"]
    assert device not in [found["device_id"] for found in listed]
    answer = stranger.post(f"/devices/{device}/revoke", {"reason": "lost"})
    assert (answer.status_code, answer.json()["code"]) == (404, "device.unknown")
    ours = person("MedicoAdmin", OURS).get("/devices").json()["devices"]
    assert next(d for d in ours if d["device_id"] == device)["revoked_at"] is None


# settings


def told(clinic):
    """Return what a device is told, as the device pulls it."""
    answer = clinic.transport.get("/sync/v1/settings?after=0", SettingsPage)
    return {setting.key: setting.value for setting in answer.settings}


def test_a_setting_reaches_the_devices_of_its_organisation_and_no_others(person, joined):
    ours, theirs = joined(OURS), joined(THEIRS)
    put = person("MedicoAdmin", OURS).put("/settings/DailyByteBudget", {"value": 5_000_000})
    assert put.status_code == 200
    assert told(ours)["DailyByteBudget"] == 5_000_000
    assert "DailyByteBudget" not in told(theirs)
    listed = person("MedicoAdmin", THEIRS).get("/settings").json()["settings"]
    assert "DailyByteBudget" not in [setting["key"] for setting in listed]


def test_a_setting_for_one_device_wins_there_and_the_newest_counts(person, joined):
    first, second, admin = joined(), joined(), person("MedicoAdmin")
    admin.put("/settings/LogLevel", {"value": "INFO"})
    one = {"value": "DEBUG", "device_id": first.identity.device_id}
    admin.put("/settings/LogLevel", one)
    assert (told(first)["LogLevel"], told(second)["LogLevel"]) == ("DEBUG", "INFO")
    admin.put("/settings/LogLevel", {"value": "WARNING"})
    listed = admin.get("/settings").json()["settings"]
    levels = {s["device_id"]: s["value"] for s in listed if s["key"] == "LogLevel"}
    assert levels == {None: "WARNING", first.identity.device_id: "DEBUG"}


def test_nobody_sets_anything_for_a_device_of_others(person, joined):
    device = joined(THEIRS).identity.device_id
    answer = person("MedicoAdmin", OURS).put(
        "/settings/LogLevel", {"value": "DEBUG", "device_id": device}
    )
    assert (answer.status_code, answer.json()["code"]) == (404, "device.unknown")


# audit


def test_what_was_done_elsewhere_is_reported_under_the_callers_name(person):
    admin = person("MedicoAdmin", subject="oid-luz")
    sent = {"action": "training_run", "subject": "2026.11.7", "detail": {"folds": 5, "good": True}}
    link = admin.post("/audit", sent).json()
    assert (link["actor"], link["role"]) == ("person:oid-luz", "MedicoAdmin")
    assert link["action"] == "reported.training_run"
    assert link["detail"] == {"folds": 5, "good": True}


@pytest.mark.parametrize(
    "detail", [{"note": "Zenobia Quispe, 34"}, {"n": 1.5}, {"deep": {"a": 1}}, {"A": 1}]
)
def test_no_text_gets_into_the_audit(person, detail):
    sent = {"action": "note", "subject": "x", "detail": detail}
    assert person("MedicoAdmin").post("/audit", sent).status_code == 422


def test_an_auditor_reads_the_chain_of_their_own_organisation_only(person):
    for organisation in ("chain-a", "chain-b"):
        sent = {"action": "note", "subject": organisation}
        assert person("MedicoAdmin", organisation).post("/audit", sent).json()["sequence"] == 1
    links = person("Auditor", "chain-a").get("/audit").json()["links"]
    assert {link["subject"] for link in links} == {"chain-a", "audit"}
    assert person("Auditor", "_service").get("/audit").status_code == 401


def test_whoever_reads_a_log_leaves_a_trace_in_the_audit(person):
    receipt = predicted(person)["receipt_id"]
    auditor = person("Auditor", subject="oid-eva")
    for path in ("/audit", "/predictions", f"/predictions/{receipt}", "/feedback"):
        assert auditor.get(path).status_code == 200
    traces = auditor.get("/audit", actor="person:oid-eva").json()["links"]
    assert [(trace["action"], trace["subject"]) for trace in traces] == [
        ("audit_searched", "audit"),
        ("predictions_searched", "predictions"),
        ("predictions_searched", receipt),
        ("feedback_searched", "feedback"),
        ("audit_searched", "audit"),
    ]


CHANGES = {
    "edited": "UPDATE audit_record SET actor = 'person:nobody' WHERE {mine} AND sequence = 2",
    "relinked": "UPDATE audit_record SET previous = hash WHERE {mine} AND sequence = 2",
    "gap": "DELETE FROM audit_record WHERE {mine} AND sequence = 2",
    "truncated": "DELETE FROM audit_record WHERE {mine} AND sequence >= 3",
}


@pytest.mark.parametrize("reason", CHANGES)
def test_a_change_behind_the_back_of_the_service_is_found(person, cloud, reason):
    organisation = f"attacked-{reason}"
    admin, auditor = person("MedicoAdmin", organisation), person("Auditor", organisation)
    for number in range(4):
        admin.post("/audit", {"action": "note", "subject": f"s{number}"})
    assert auditor.get("/audit/verify").json()["holds"] is True
    break_in(cloud, CHANGES[reason].format(mine=f"tenant_id = '{organisation}'"))
    found = auditor.get("/audit/verify").json()
    assert (found["holds"], found["reason"]) == (False, reason)
    assert found["broken_at"] == (3 if reason == "truncated" else 2)
    assert person("Auditor", OURS).get("/audit/verify").json()["holds"] is True


def break_in(cloud, statement):
    """Change the table as somebody with the database file and no regard for triggers."""

    async def change():
        engine = open_database(cloud.settings.database_address())
        async with engine.begin() as connection:
            for verb in ("update", "delete"):
                await connection.execute(text(f"DROP TRIGGER IF EXISTS audit_record_no_{verb}"))
            await connection.execute(text(statement))
        await engine.dispose()

    asyncio.run(change())


# registry and rollout


def decided(release, **changes):
    chosen = {"version": release.version, "digest": release.digest, "reason": "gates_passed"}
    return chosen | changes


def test_who_was_production_when(person, cloud, shop):
    scientist = person("DataScientist", "operator", subject="oid-eva")
    engineer = person("MLOpsEngineer", "operator", subject="oid-luz")
    auditor = person("Auditor", OURS)
    wait_until(lambda: auditor.get("/registry/releases").json()["entries"])
    shop.publish("2026.11.2")
    release = shop.opened().release
    listed = auditor.get("/registry/bundles").json()["bundles"]
    assert [bundle["version"] for bundle in listed] == ["2026.11.1", "2026.11.2"]

    wanted = decided(release, state="production", basis_points=10_000)
    early = engineer.post("/rollout/production", wanted)
    assert (early.status_code, early.json()["code"]) == (409, "release.refused")
    assert scientist.post("/rollout/staging", decided(release)).status_code == 201
    before = datetime.now(UTC)
    done = engineer.post("/rollout/production", wanted).json()
    assert (done["state"], done["decided_by"]) == ("production", "person:oid-luz")

    asyncio.run(observe(cloud))
    now = auditor.get("/registry/production", at=datetime.now(UTC).isoformat()).json()
    assert (now["version"], now["digest"]) == ("2026.11.2", release.digest)
    assert [(d["state"], d["decided_by"]) for d in now["decisions"]] == [
        ("staging", "person:oid-eva"),
        ("production", "person:oid-luz"),
    ]
    then = auditor.get("/registry/production", at=before.isoformat()).json()
    assert then["version"] == "2026.11.1"
    longer = (before - timedelta(days=400)).isoformat()
    assert auditor.get("/registry/production", at=longer).status_code == 404
    assert auditor.get("/registry/releases/verify").json()["holds"] is True
    assert auditor.get("/rollout").json()["release"]["version"] == "2026.11.2"


async def observe(cloud):
    """Look at the offer as the service does once a minute."""
    from cloud_api.app import utc_now
    from cloud_api.records.sql import SqlAuditLog
    from cloud_api.registry.repository import Repository
    from cloud_api.rollout.ledger import ReleaseLedger

    engine = open_database(cloud.settings.database_address())
    ledger = ReleaseLedger(SqlAuditLog(engine), Repository.of(cloud.settings), utc_now)
    await ledger.observe()
    await ledger.observe()  # the same offer again is not another line
    entries = await ledger.page(after=0, limit=100)
    await engine.dispose()
    observed = [entry.version for entry in entries if entry.state == "observed"]
    assert observed == ["2026.11.1", "2026.11.2"]


@pytest.mark.parametrize("changes", [{"digest": "f" * 64}, {"version": "2026.11.99"}])
def test_nothing_is_decided_about_what_is_not_signed(person, shop, changes):
    sent = decided(shop.opened().release, **changes)
    answer = person("DataScientist", "operator").post("/rollout/staging", sent)
    assert (answer.status_code, answer.json()["code"]) == (404, "bundle.unknown")


def test_a_withdrawn_bundle_goes_through_staging_again(person, shop):
    engineer, release = person("MLOpsEngineer", "operator"), shop.opened().release
    canary = decided(release, state="canary", basis_points=1_000)
    gone = decided(release, state="withdrawn", basis_points=0, reason="missed_emergency")
    engineer.post("/rollout/staging", decided(release))
    assert engineer.post("/rollout/production", canary).status_code == 201
    assert engineer.post("/rollout/production", gone).status_code == 201
    assert engineer.post("/rollout/production", canary).status_code == 409


# drift


def test_the_summary_counts_what_was_asked_and_decided(person):
    organisation = "counted"
    receipts = [predicted(person, organisation)["receipt_id"] for _ in range(3)]
    doctor = person("MedicoGeneral", organisation)
    doctor.post("/feedback", decision(receipts[0]))
    agreed = {"outcome": "accepted", "verb": "agree", "overrideReason": None}
    doctor.post("/feedback", decision(receipts[1], **agreed))
    admin = person("MedicoAdmin", organisation)
    said = admin.get("/metrics/summary", days=366).json()
    assert said["predictions"] == 3
    assert said["predictions_by"]["leading_disease"] == {"VD:dengue": 3}
    fields = {field["field"]: field for field in admin.get("/drift").json()["fields"]}
    assert (fields["leading_disease"]["records"], fields["leading_disease"]["level"]) == (
        3,
        "too_few",
    )
    assert said["feedback"] <= 2


def test_the_stability_index_is_that_of_a_hand_calculation():
    # shares with half a record added: (0.8, 0.2) and (0.5, 0.5)
    now, then = {"a": 79, "b": 19}, {"a": 49, "b": 49}
    here, there = (79.5 / 99, 19.5 / 99), (0.5, 0.5)
    by_hand = (here[0] - there[0]) * 0.47375 + (here[1] - there[1]) * -0.93165
    assert stability_index(now, then) == pytest.approx(by_hand, abs=1e-4)
    assert stability_index(then, then) == 0
    assert stability_index({}, {}) == 0
    assert SOME < LARGE < stability_index({"a": 100}, {"b": 100})


# errors


@pytest.mark.parametrize(
    ("language", "title", "detail"),
    [
        ("es", "Sin permiso", "Pida el permiso a quien administra la organización."),
        (
            "en-GB,en;q=0.9",
            "Not permitted",
            "Ask whoever administers the organisation for the permission.",
        ),
    ],
)
def test_errors_are_problem_details_in_the_language_asked_for(person, language, title, detail):
    answer = person("MedicoGeneral", language=language).get("/audit")
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-language"] == language[:2]
    said = answer.json()
    assert said["type"] == "urn:vereda:problem:role.denied"
    assert (said["title"], said["status"], said["detail"]) == (title, 403, detail)


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": "many"},
        {"since": "yesterday"},
        {"since": "2026-11-26T12:00:00"},
        {"until": "0001-01-01T00:00:00+14:00"},
        {"after": "1; DROP TABLE prediction"},
        {"bundle_version": "a b"},
    ],
)
def test_a_malformed_query_is_told_where(person, query):
    answer = person("Auditor").get("/predictions", **query)
    assert (answer.status_code, answer.json()["code"]) == (422, "sync.malformed")
    assert answer.json()["where"] == f"query.{next(iter(query))}"


def test_who_am_i(person):
    said = person("Auditor", subject="oid-eva").get("/me").json()
    assert (said["actor"], said["organisation"], said["role"]) == (
        "person:oid-eva",
        OURS,
        "Auditor",
    )
    assert "read_audit" in said["permissions"]


def test_answers_to_known_callers_are_not_stored_on_the_way(person):
    assert person("Auditor").get("/me").headers["cache-control"] == "no-store"
