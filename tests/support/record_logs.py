"""What every adapter of the three logs must do. Subclass, and give a fixture `log`."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cloud_api.db.online import online_event
from cloud_api.records.ports import (
    AuditDraft,
    AuditTip,
    FeedbackField,
    FeedbackRecord,
    LeadingCandidate,
    PredictionField,
    PredictionRecord,
    RecordConflictError,
    Window,
    audit_hash,
)
from ddx.domain.identifiers import new_record_id
from sync_service.protocol.codes import EventKind

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
OURS, THEIRS = "san-juan", "el-alto"


def an_id(minute=0):
    return new_record_id(unix_ms=int((NOON + timedelta(minutes=minute)).timestamp() * 1000))


def a_prediction(minute=0, *, disease="VD:dengue", **changes):
    head = LeadingCandidate(disease=disease, probability=0.8125, band="very_likely", world="common")
    made = PredictionRecord(
        tenant_id=OURS,
        id=an_id(minute),
        at=NOON + timedelta(minutes=minute),
        actor="person:oid-ana",
        bundle_version="2026.11.1",
        bundle_digest="b" * 64,
        case_digest="c" * 64,
        answer_digest="d" * 64,
        triage_level=3,
        leading=(head, replace(head, disease="OMIM:154700", probability=0.1, world="rare")),
    )
    return replace(made, **changes)


def a_decision(minute=0, **changes):
    made = FeedbackRecord(
        tenant_id=OURS,
        id=an_id(minute),
        prediction_id="0198a000-0000-7000-8000-000000000001",
        at=NOON + timedelta(minutes=minute),
        received_at=NOON + timedelta(minutes=minute, seconds=3),
        actor="person:oid-ana",
        outcome="overridden",
        verb="refuse",
        reason="not_my_judgement",
    )
    return replace(made, **changes)


def a_draft(minute=0, **changes):
    made = AuditDraft(
        tenant_id=OURS,
        id=an_id(minute),
        at=NOON + timedelta(minutes=minute),
        actor="person:oid-ana",
        role="MedicoAdmin",
        action="device_revoked",
        subject="0198a000-0000-7000-8000-000000000002",
        detail={"count": 1, "forced": False, "code": "lost"},
    )
    return replace(made, **changes)


def an_event(record, device_id="0198a000-0000-7000-8000-00000000000d"):
    """The event a decision goes with, of the device that asked."""
    payload = {"feedback_id": record.id, "diagnosis_id": record.prediction_id}
    return online_event(
        EventKind.FEEDBACK, record.id, payload, device_id=device_id, bundle="2026.11.1", at=NOON
    )


async def decided(log, *records):
    for record in records:
        await log.append(record, an_event(record))
    return records


async def stored(log, *records):
    for record in records:
        await log.append(record)
    return records


class PredictionLogContract:
    async def test_a_record_comes_back_whole(self, log):
        (record,) = await stored(log, a_prediction())
        assert await log.get(OURS, record.id) == record

    async def test_the_same_record_again_changes_nothing(self, log):
        record, _ = await stored(log, *[a_prediction()] * 2)
        assert await log.search(OURS) == [record]

    async def test_another_record_with_a_taken_id_is_refused(self, log):
        (record,) = await stored(log, a_prediction())
        with pytest.raises(RecordConflictError):
            await log.append(replace(record, triage_level=1))
        assert await log.get(OURS, record.id) == record

    async def test_many_at_once_are_all_kept_and_one_that_clashes_is_refused_alone(self, log):
        (known,) = await stored(log, a_prediction())
        ours = [a_prediction(minute) for minute in range(1, 6)]
        theirs = a_prediction(9, tenant_id=THEIRS)
        clash = replace(known, triage_level=1)
        ends = await asyncio.gather(
            *(log.append(record) for record in (*ours, clash, known, theirs)),
            return_exceptions=True,
        )
        assert [type(end) for end in ends if end] == [RecordConflictError]
        assert await log.search(OURS) == [known, *ours]
        assert await log.search(THEIRS) == [theirs]

    async def test_nothing_of_another_organisation_is_found_or_counted(self, log):
        (theirs,) = await stored(log, a_prediction(tenant_id=THEIRS))
        assert await log.get(OURS, theirs.id) is None
        assert await log.search(OURS) == []
        assert await log.tally(OURS, PredictionField.LEADING_DISEASE) == {}
        assert await log.get(THEIRS, theirs.id) == theirs

    async def test_two_organisations_may_use_one_id(self, log):
        ours = a_prediction()
        theirs = replace(ours, tenant_id=THEIRS, triage_level=1)
        await stored(log, ours, theirs)
        assert await log.get(OURS, ours.id) == ours
        assert await log.get(THEIRS, ours.id) == theirs

    async def test_pages_follow_each_other_without_gap_or_repetition(self, log):
        records = await stored(log, *[a_prediction(minute) for minute in range(5)])
        first = await log.search(OURS, limit=2)
        rest = await log.search(OURS, after=first[-1].id)
        assert [*first, *rest] == list(records)

    async def test_windows_are_half_open_and_filters_narrow(self, log):
        early, late = await stored(
            log, a_prediction(0), a_prediction(10, bundle_version="2026.11.2")
        )
        assert await log.search(OURS, window=Window(until=late.at)) == [early]
        assert await log.search(OURS, window=Window(since=late.at)) == [late]
        assert await log.search(OURS, bundle_version="2026.11.2") == [late]

    async def test_records_are_counted_by_each_field(self, log):
        await stored(
            log,
            a_prediction(0),
            a_prediction(1, disease="VD:malaria"),
            a_prediction(2, triage_level=1),
        )
        assert await log.tally(OURS, PredictionField.LEADING_DISEASE) == {
            "VD:dengue": 2,
            "VD:malaria": 1,
        }
        assert await log.tally(OURS, PredictionField.TRIAGE_LEVEL) == {"3": 2, "1": 1}
        assert await log.tally(OURS, PredictionField.LEADING_WORLD) == {"common": 3}
        late = Window(since=NOON + timedelta(minutes=2))
        assert await log.tally(OURS, PredictionField.BUNDLE_VERSION, window=late) == {
            "2026.11.1": 1
        }


class FeedbackLogContract:
    """events: the service's event log, an `EventStream`."""

    async def test_a_decision_comes_back_whole_and_is_new_once(self, log):
        record = a_decision()
        assert await log.append(record, an_event(record)) is True
        later = replace(record, received_at=NOON + timedelta(days=1))
        assert await log.append(later, an_event(later)) is False
        assert await log.get(OURS, record.id) == record

    async def test_another_decision_with_a_taken_id_is_refused(self, log, events):
        (record,) = await decided(log, a_decision())
        other = replace(record, verb="custom", disease="VD:malaria")
        with pytest.raises(RecordConflictError):
            await log.append(other, replace(an_event(other), id="another"))
        assert await log.search(OURS) == [record]
        assert [e.id for e in await events.read(after=0, limit=9)] == [an_event(record).id]

    async def test_a_decision_is_on_the_event_log_once_in_the_order_of_arrival(self, log, events):
        first, second = a_decision(0), a_decision(1)
        await decided(log, first, second, first)
        told = await events.read(after=0, limit=9)
        assert [e.id for e in told] == [an_event(first).id, an_event(second).id]
        assert [(e.epoch, e.sequence) for e in told] == [(0, 1), (0, 2)]
        assert [e.server_sequence for e in told] == [1, 2]
        assert told[0].payload == an_event(first).payload

    async def test_nothing_of_another_organisation_is_found_or_counted(self, log):
        (theirs,) = await decided(log, a_decision(tenant_id=THEIRS))
        assert await log.get(OURS, theirs.id) is None
        assert await log.search(OURS) == []
        assert await log.tally(OURS, FeedbackField.VERB) == {}

    async def test_pages_windows_and_filters(self, log):
        records = await decided(
            log, *[a_decision(minute, prediction_id=an_id(minute)) for minute in range(4)]
        )
        first = await log.search(OURS, limit=3)
        assert [*first, *await log.search(OURS, after=first[-1].id)] == list(records)
        assert await log.search(OURS, window=Window(since=records[3].at)) == [records[3]]
        assert await log.search(OURS, prediction_id=records[1].prediction_id) == [records[1]]

    async def test_decisions_are_counted_by_each_field(self, log):
        agreed = a_decision(1, verb="agree", outcome="accepted", reason="", disease="VD:dengue")
        await decided(log, a_decision(0), agreed)
        assert await log.tally(OURS, FeedbackField.OUTCOME) == {"overridden": 1, "accepted": 1}
        assert await log.tally(OURS, FeedbackField.REASON) == {"not_my_judgement": 1, "": 1}


class AuditLogContract:
    async def test_links_are_numbered_and_chained_within_their_organisation(self, log):
        first, theirs, second = [
            await log.append(draft)
            for draft in (a_draft(0), a_draft(1, tenant_id=THEIRS), a_draft(2, role=""))
        ]
        assert (first.sequence, theirs.sequence, second.sequence) == (1, 1, 2)
        assert second.previous == first.hash
        for link in (first, second):
            expected = audit_hash(link, sequence=link.sequence, previous=link.previous)
            assert link.hash == expected
        assert await log.search(OURS) == [first, second]
        assert await log.get(OURS, 2) == second
        assert await log.tip(OURS) == AuditTip(sequence=2, hash=second.hash)
        assert await log.tip("nobody") == AuditTip()

    async def test_appends_at_once_each_get_their_place(self, log):
        links = await asyncio.gather(*[log.append(a_draft(minute)) for minute in range(12)])
        assert sorted(link.sequence for link in links) == list(range(1, 13))
        found = await log.search(OURS)
        assert [link.previous for link in found[1:]] == [link.hash for link in found[:-1]]

    async def test_nothing_of_another_organisation_is_found(self, log):
        await log.append(a_draft(tenant_id=THEIRS))
        assert await log.search(OURS) == []
        assert await log.get(OURS, 1) is None

    async def test_pages_windows_and_filters(self, log):
        links = [
            await log.append(a_draft(minute, action=f"act_{minute % 2}", actor=f"person:{minute}"))
            for minute in range(4)
        ]
        assert await log.search(OURS, after=2, limit=1) == [links[2]]
        assert await log.search(OURS, window=Window(until=links[1].at)) == [links[0]]
        assert await log.search(OURS, action="act_1") == [links[1], links[3]]
        assert await log.search(OURS, actor="person:2") == [links[2]]
