from desktop.presenters.decision import matching, plain

NAMES = tuple(
    (name, plain(name))
    for name in ("Síndrome de Marfan", "Marfan syndrome", "Neonatal Marfan syndrome", "Neumonía")
)


def test_a_part_of_a_name_is_enough_and_a_beginning_comes_first():
    assert matching("marfan", NAMES, 10) == (
        "Marfan syndrome",
        "Síndrome de Marfan",
        "Neonatal Marfan syndrome",
    )


def test_accents_and_capitals_may_be_left_out():
    assert matching("NEUMONIA", NAMES, 10) == ("Neumonía",)
    assert matching("síndrome de m", NAMES, 10) == ("Síndrome de Marfan",)


def test_no_more_than_asked_for_and_nothing_for_blanks():
    assert len(matching("m", NAMES, 2)) == 2
    assert matching("  ", NAMES, 10) == ()
