"""docs/trust.md says of every attack how it ends."""

import re
from pathlib import Path

from support.attacks import ATTACKS

PAGE = Path(__file__).parents[3] / "docs" / "trust.md"


def table():
    """Title -> how it ended, of the rows of the page."""
    cells = [line.strip("| \n").split(" | ") for line in PAGE.read_text().splitlines()]
    return {row[0]: row[1].strip("`") for row in cells if len(row) >= 3 and row[0] != "Attack"}


def test_the_page_has_a_row_for_every_attack_and_each_ended_as_it_should():
    said = {title: code for title, code in table().items() if not set(title) <= {"-", " "}}
    carried_out = {title for title, code in said.items() if code != "not carried out"}
    assert set(said) == {attack.title for attack in ATTACKS}
    assert {a.title: a.ends for a in ATTACKS if a.title in carried_out} == {
        title: said[title] for title in carried_out
    }
    assert len(carried_out) >= 30


def test_every_attack_has_a_title_of_its_own():
    assert len({a.title for a in ATTACKS}) == len(ATTACKS) == len({a.name for a in ATTACKS})


def test_the_page_counts_what_was_carried_out():
    said = [code for title, code in table().items() if not set(title) <= {"-", " "}]
    count = len(said) - said.count("not carried out")
    assert re.search(rf"^{count} attacks were carried out", PAGE.read_text(), re.MULTILINE)
