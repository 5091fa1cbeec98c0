"""Every attack of docs/trust.md, carried out: it ends as the page says; then a diagnosis."""

import pytest
from support.arena import arena
from support.attacks import ATTACKS, carry_out


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_ends_as_the_page_says_and_the_device_still_diagnoses(attack, tmp_path):
    if not attack.possible:
        pytest.skip(f"needs {attack.needs}, which this tree has not got")
    with arena(tmp_path / "arena") as place:
        assert place.diagnosis() == ("active", "2026.11.1")
        outcome = carry_out(attack, place)
    assert outcome.code == attack.ends, outcome.reason
    assert (outcome.origin, outcome.version) == (attack.serving, attack.version)
