"""Records as a clinic would push them: valid payloads, identities, batches."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ddx.domain.audit import AuditAction, link
from ddx.domain.canonical import digest_of
from ddx.domain.case import Case, Sex, VitalSigns
from ddx.domain.differential import Alert, Band, Candidate, Differential, World
from ddx.domain.feedback import Feedback, OverrideReason, Verb
from ddx.domain.finding import Finding, Presence
from ddx.domain.identifiers import disease_id, finding_id, new_record_id
from ddx.domain.receipt import Receipt
from sync_service.client.identity import DeviceIdentity
from sync_service.client.outbox import EventKind
from sync_service.client.outgoing import audit_payload, diagnosis_payload
from sync_service.client.runner import Versions
from sync_service.protocol.decisions import feedback_payload
from sync_service.protocol.messages import SyncBatch, SyncEvent

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PSEUDONYM = "3f" * 32
SOFTWARE = Versions(app="0.1.0", bundle="2026.11.1")


def an_identity(epoch=1):
    """A device with a fresh key."""
    return DeviceIdentity.from_private_key(new_record_id(), epoch, Ed25519PrivateKey.generate())


def a_case(age_days=12_345, findings=6, dice=None):
    dice = dice or random.Random(1)
    numbers = dice.sample(range(1, 9_999_999), findings)
    return Case(
        age_days=age_days,
        sex=Sex.FEMALE,
        findings=tuple(
            Finding(
                id=finding_id(f"HP:{number:07d}"),
                presence=dice.choice((Presence.PRESENT, Presence.EXCLUDED)),
            )
            for number in numbers
        ),
        vitals=VitalSigns(temperature_c=38.5, heart_rate_bpm=112.0, spo2_percent=94.0),
    )


def a_known_case():
    """Return a case whose findings every catalogue of these tests holds, as does the release."""
    stated = {
        "HP:0001945": Presence.PRESENT,
        "HP:0002315": Presence.PRESENT,
        "HP:0012735": Presence.EXCLUDED,
    }
    findings = tuple(Finding(id=finding_id(code), presence=said) for code, said in stated.items())
    return replace(a_case(), findings=findings)


def a_differential(candidates=50, dice=None):
    dice = dice or random.Random(1)
    weights = sorted((dice.random() ** 4 for _ in range(candidates)), reverse=True)
    total = sum(weights) * 1.25
    return Differential(
        candidates=tuple(
            Candidate(
                rank=rank,
                disease=disease_id(f"OMIM:{dice.randrange(100_000, 620_000)}"),
                probability=weight / total,
                band=Band.POSSIBLE,
                world=World.RARE,
                severity=3,
            )
            for rank, weight in enumerate(weights, start=1)
        ),
        outside_probability=0.2,
        unused=(),
        alerts=(
            Alert(
                code="news2.high",
                urgent=True,
                evidence=("spo2_percent", "heart_rate_bpm"),
                source="Royal College of Physicians, NEWS2, 2017",
            ),
        ),
        bundle_version="2026.11.1",
        bundle_digest="b" * 64,
    )


def a_receipt(dice=None, **case):
    dice = dice or random.Random()
    return Receipt(
        diagnosis_id=new_record_id(),
        made_at=NOON,
        case=a_case(dice=dice, **case),
        feature_digest=f"{dice.getrandbits(256):064x}",
        differential=a_differential(dice=dice),
    )


def a_diagnosis(dice=None, **case):
    """Payload of one diagnosis."""
    receipt = a_receipt(dice, **case)
    seconds = 0.02 + int(receipt.digest[:2], 16) / 2000
    return diagnosis_payload(receipt, patient_pseudonym=PSEUDONYM, engine_seconds=seconds)


def a_refusal(diagnosis_id=None):
    """Payload of one decision against the proposal, with a note that must stay."""
    feedback = Feedback(
        id=new_record_id(),
        diagnosis_id=diagnosis_id or new_record_id(),
        verb=Verb.CUSTOM,
        disease=disease_id("VD:dengue"),
        reason=OverrideReason.NOT_MY_JUDGEMENT,
        outcome_at=NOON,
        note="Zenobia Quispe viene de la comunidad de arriba",
    )
    return feedback_payload(feedback)


def audit_entries(number, after=None):
    """Consecutive entries of a chain."""
    entries = []
    for count in range(number):
        after = link(
            after,
            id=new_record_id(),
            at=NOON + timedelta(seconds=count),
            actor=new_record_id(),
            action=AuditAction.DIAGNOSED,
            subject=new_record_id(),
            detail={"bundle_version": "2026.11.1", "candidates": 50},
        )
        entries.append(after)
    return entries


def a_visit(dice=None, after=None):
    """One visit as (kind, payload) pairs, and the last audit entry it left."""
    diagnosis = a_diagnosis(dice)
    entries = audit_entries(3, after)
    events = [
        (EventKind.DIAGNOSIS, diagnosis),
        (EventKind.FEEDBACK, a_refusal(diagnosis["diagnosis_id"])),
        (EventKind.AUDIT, audit_payload(entries)),
    ]
    return events, entries[-1]


def events_of(*payloads, first=1):
    """Return (kind, payload) pairs as the events of one batch, numbered from `first`."""
    return tuple(
        SyncEvent(
            id=new_record_id(),
            sequence=number,
            kind=kind.value,
            created_at=NOON,
            payload=payload,
            payload_sha256=digest_of(payload),
        )
        for number, (kind, payload) in enumerate(payloads, start=first)
    )


def push(clinic, *payloads, first=1):
    """Send (kind, payload) of an enrolled clinic in one batch; return a result for each."""
    events = events_of(*payloads, first=first)
    batch = SyncBatch(
        device_id=clinic.identity.device_id,
        epoch=1,
        batch_id=f"b{first}",
        app_version="0.1.0",
        sent_at=NOON,
        events=events,
    )
    return clinic.transport.push(batch).results
