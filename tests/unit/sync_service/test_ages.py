"""What time tells of a person, made coarse before it leaves."""

from dataclasses import replace

import pytest
from support.sync_records import PSEUDONYM, a_receipt

from ddx.domain.canonical import digest_of
from sync_service.client.outgoing import diagnosis_payload
from sync_service.protocol.ages import coarse_age_days, coarse_onset_days
from sync_service.protocol.allowlist import objection_to_sending


@pytest.mark.parametrize(
    ("days", "coarse"),
    [(0, 0), (3, 3), (30, 30), (31, 30), (59, 30), (60, 60), (365, 360), (366, 366), (7000, 6940)],
)
def test_an_onset_leaves_in_days_months_or_years(days, coarse):
    assert coarse_onset_days(days) == coarse
    assert coarse_onset_days(coarse) == coarse


def test_an_onset_at_birth_does_not_tell_the_age_in_days():
    receipt = a_receipt(age_days=12_345)
    since_birth = replace(receipt.case.findings[0], onset_days=12_345)
    case = replace(receipt.case, findings=(since_birth, *receipt.case.findings[1:]))
    payload = diagnosis_payload(replace(receipt, case=case), patient_pseudonym=PSEUDONYM)
    assert payload["case"]["findings"][0]["onset_days"] == coarse_age_days(12_345)
    assert objection_to_sending("diagnosis", payload, digest_of(payload)) is None
    payload["case"]["findings"][0]["onset_days"] = 12_345
    kept = objection_to_sending("diagnosis", payload, digest_of(payload))
    assert kept is not None
    assert "onset_days" in kept.where
