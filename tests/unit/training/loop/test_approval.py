"""Five physicians, five keys, one candidate and the report they read."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from model_bundles.authoring import keyfile
from training.change_plan import change_plan
from training.publish.approval import (
    ApprovalError,
    Decision,
    Signed,
    Subject,
    approvers,
    read_decisions,
    record,
    require,
    sign,
    verify,
)

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
SUBJECT = Subject(version="2026.11.7", bundle="a" * 64, report="b" * 64)
RULE = change_plan().approval
PASSPHRASE = "correct horse battery"


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """Return name -> (card, signer) of six physicians and an engineer."""
    folder = tmp_path_factory.mktemp("approvers")
    made = {}
    for name in ("Ana", "Beto", "Carla", "Dario", "Elsa", "Fabio", "Engineer"):
        role = "models" if name == "Engineer" else "medical"
        path = folder / f"{name}.key"
        card = keyfile.create(path, role=role, holder=name, passphrase=PASSPHRASE, scrypt_n=2)
        made[name] = (card, keyfile.open_key(path, PASSPHRASE))
    return folder, made


@pytest.fixture
def cards(people):
    return approvers(people[0], "medical")


@pytest.fixture
def by(people):
    def decide(name, decision=Decision.APPROVE, subject=SUBJECT, at=NOW, reason=""):
        card, signer = people[1][name]
        return sign(subject, decision, card, signer, at=at, reason=reason)

    return decide


FIVE = ("Ana", "Beto", "Carla", "Dario", "Elsa")


def test_five_signatures_are_enough_and_four_are_not(by, cards):
    four = [by(name) for name in FIVE[:4]]
    with pytest.raises(ApprovalError, match="4 of 5 physicians have signed, 1 missing"):
        require(verify(four, SUBJECT, cards, RULE, NOW))
    require(verify([*four, by("Elsa")], SUBJECT, cards, RULE, NOW))


def test_one_person_counts_once_whatever_keys_they_hold(by, cards, people, tmp_path):
    second = keyfile.create(
        tmp_path / "again.key", role="medical", holder="Ana", passphrase=PASSPHRASE, scrypt_n=2
    )
    signer = keyfile.open_key(tmp_path / "again.key", PASSPHRASE)
    again = sign(SUBJECT, Decision.APPROVE, second, signer, at=NOW)
    decisions = [*(by(name) for name in FIVE[:4]), again]
    found = verify(decisions, SUBJECT, {**cards, second.keyid: second}, RULE, NOW)
    assert len(found.approved) == 4
    assert not found.complete


@pytest.mark.parametrize("field", ["bundle", "report", "version"])
def test_a_signature_on_another_bundle_or_report_does_not_count(by, cards, field):
    other = replace(SUBJECT, **{field: "2026.11.8" if field == "version" else "c" * 64})
    decisions = [*(by(name) for name in FIVE[:4]), by("Elsa", subject=other)]
    assert len(verify(decisions, SUBJECT, cards, RULE, NOW).approved) == 4


def test_a_changed_statement_does_not_verify(by, cards):
    signed = by("Ana")
    forged = replace(
        signed, statement=replace(signed.statement, subject=replace(SUBJECT, bundle="d" * 64))
    )
    with pytest.raises(ApprovalError, match="does not verify"):
        verify([forged], SUBJECT, cards, RULE, NOW)


def test_who_is_no_approver_cannot_sign_nor_use_another_name(by, cards, people):
    with pytest.raises(ApprovalError, match="not among the approvers"):
        verify([by("Engineer")], SUBJECT, cards, RULE, NOW)
    signed = by("Ana")
    other = replace(signed, statement=replace(signed.statement, holder="Beto"))
    with pytest.raises(ApprovalError, match="not among the approvers"):
        verify([other], SUBJECT, cards, RULE, NOW)
    with pytest.raises(ApprovalError, match="not the one on the card"):
        sign(SUBJECT, Decision.APPROVE, people[1]["Ana"][0], people[1]["Beto"][1], at=NOW)


def test_one_refusal_stops_a_candidate_that_five_approved(by, cards):
    decisions = [*(by(name) for name in FIVE), by("Fabio", Decision.REFUSE, reason="misses sepsis")]
    with pytest.raises(ApprovalError, match="Fabio: misses sepsis"):
        require(verify(decisions, SUBJECT, cards, RULE, NOW))
    with pytest.raises(ApprovalError, match="reason"):
        by("Fabio", Decision.REFUSE)


def test_an_approval_goes_stale(by, cards):
    then = NOW - timedelta(days=RULE.valid_days.value + 1)
    decisions = [*(by(name) for name in FIVE[:4]), by("Elsa", at=then)]
    assert not verify(decisions, SUBJECT, cards, RULE, NOW).complete


def test_a_decision_is_kept_once_and_read_back(by, tmp_path):
    record(tmp_path, by("Ana"))
    with pytest.raises(ApprovalError, match="decided already"):
        record(tmp_path, by("Ana", Decision.REFUSE, reason="second thoughts"))
    assert read_decisions(tmp_path) == (by("Ana"),)
    with pytest.raises(ApprovalError):
        Signed.from_json(b"{}")


def test_a_folder_without_physicians_says_what_to_do(tmp_path):
    with pytest.raises(ApprovalError, match="vereda-keys create --role medical"):
        approvers(tmp_path, "medical")
