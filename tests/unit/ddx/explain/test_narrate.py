"""An explanation read aloud: what is said, how strongly, and in which words."""

import string

import pytest

from ddx.domain.case import Case, Sex
from ddx.domain.differential import World
from ddx.domain.explanation import Contribution, Explanation
from ddx.domain.finding import Finding, Presence
from ddx.explain.narrate import (
    Direction,
    Strength,
    narrate,
    say,
    say_why_not,
    strength_of,
    tell,
)
from ddx.explain.phrases import LEADS, SEX, WHAT, WHY_NOT
from ddx.explain.why_not import Answer, Outcome, Standing, WhyNot
from ddx.terminology.catalogue import Language

PRESENT, EXCLUDED, UNKNOWN = Presence.PRESENT, Presence.EXCLUDED, Presence.UNKNOWN
FEVER, COUGH, PAIN, SMOKER = "HP:0001945", "HP:0012735", "VF:pain.intensity", "VF:habit.smoker"
DISEASE = "VD:pneumonia"


def explained(*contributions):
    parts = [Contribution(subject=s, presence=p, weight=w) for s, p, w in contributions]
    return Explanation(
        disease=DISEASE,
        world=World.COMMON,
        base=0.0,
        margin=sum(part.weight for part in parts),
        contributions=tuple(parts),
        expected=(),
    )


def case(*findings, age_days=30 * 366, sex=Sex.FEMALE):
    return Case(age_days=age_days, sex=sex, findings=findings)


def fever(**more):
    return Finding(id=FEVER, presence=PRESENT, **more)


def test_four_days_of_fever_raise_and_no_cough_lowers(catalogue):
    told = explained((FEVER, PRESENT, 1.0), (COUGH, EXCLUDED, -1.0))
    assert tell(told, case(fever(onset_days=4)), catalogue) == (
        "Sube mucho: fiebre de 4 días. Baja mucho: no hay tos."
    )
    assert tell(told, case(fever(onset_days=4)), catalogue, Language.EN) == (
        "Raises it a lot: fever for 4 days. Lowers it a lot: no cough."
    )


@pytest.mark.parametrize(
    ("finding", "said"),
    [
        (fever(), "Sube mucho: fiebre."),
        (fever(onset_days=0), "Sube mucho: fiebre desde hoy."),
        (fever(onset_days=1), "Sube mucho: fiebre de 1 día."),
    ],
)
def test_the_days_are_said_as_they_are_known(catalogue, finding, said):
    assert tell(explained((FEVER, PRESENT, 1.0)), case(finding), catalogue) == said


def test_a_grade_is_said_out_of_ten(catalogue):
    hurt = case(Finding(id=PAIN, presence=PRESENT, grade=8.0))
    assert tell(explained((PAIN, PRESENT, 1.0)), hurt, catalogue).endswith(", 8 de 10.")


def test_an_antecedent_is_reported_not_seen(catalogue):
    said = tell(explained((SMOKER, EXCLUDED, -1.0)), case(), catalogue)
    assert said.startswith("Baja mucho: no refiere: ")


@pytest.mark.parametrize(
    ("age_days", "said"),
    [
        (10, "Sube mucho: la edad (10 días)."),
        (300, "Sube mucho: la edad (9 meses)."),  # 300 / 30.44 = 9.86
        (12000, "Sube mucho: la edad (32 años)."),  # 12000 / 365.25 = 32.85
    ],
)
def test_the_age_is_said_in_the_unit_of_that_age(catalogue, age_days, said):
    assert tell(explained(("age", PRESENT, 1.0)), case(age_days=age_days), catalogue) == said


def test_the_sex_is_said(catalogue):
    assert tell(explained(("sex", PRESENT, 1.0)), case(), catalogue).endswith("sexo (mujer).")


# 6 + 3 + 1 = 10: shares 0.6, 0.3, 0.1; bounds 0.20 and 0.05
def test_the_word_follows_the_share_of_everything_that_moved_the_margin(catalogue):
    told = explained((FEVER, PRESENT, 6.0), (COUGH, PRESENT, 3.0), ("sex", PRESENT, -1.0))
    sentences = narrate(told, case(), catalogue)
    assert [s.share for s in sentences] == pytest.approx([0.6, 0.3, 0.1])
    assert [s.strength for s in sentences] == [Strength.STRONG, Strength.STRONG, Strength.CLEAR]
    assert [s.direction for s in sentences] == [Direction.RAISES] * 2 + [Direction.LOWERS]


@pytest.mark.parametrize(
    ("share", "word"), [(0.2, 3), (0.1999, 2), (0.05, 2), (0.0499, 1), (0.0, 1), (1.0, 3)]
)
def test_the_bounds_of_the_words_are_a_fifth_and_a_twentieth(share, word):
    assert strength_of(share) == word


def test_all_columns_of_one_finding_are_one_sentence(catalogue):
    told = explained((FEVER, PRESENT, 2.0), (FEVER, PRESENT, -0.5), (COUGH, EXCLUDED, -0.5))
    first, second = narrate(told, case(fever()), catalogue)
    assert (first.subject, first.share) == (FEVER, 0.75)  # 1.5 of 1.5 + 0.5
    assert second.subject == COUGH


def test_the_no_answers_of_one_question_are_one_sentence(catalogue):
    sites = [f for f in catalogue.findings if f.startswith("VF:pain-site.")][:3]
    told = explained(*((site, EXCLUDED, -w) for site, w in zip(sites, (1, 3, 2), strict=True)))
    (only,) = narrate(told, case(), catalogue)
    assert (only.subject, only.share) == (sites[1], 1.0)
    assert "ni otras 2 respuestas de la misma pregunta" in say(only, catalogue)


def test_two_places_that_hurt_are_two_sentences(catalogue):
    sites = [f for f in catalogue.findings if f.startswith("VF:pain-site.")][:2]
    told = explained(*((site, PRESENT, 1.0) for site in sites))
    assert len(narrate(told, case(), catalogue)) == 2


def test_what_was_not_asked_is_one_sentence_at_the_end(catalogue):
    told = explained((COUGH, UNKNOWN, -1.5), (FEVER, PRESENT, 1.0), ("age", UNKNOWN, -0.5))
    sentences = narrate(told, case(fever(), age_days=None), catalogue)
    assert [s.code for s in sentences] == ["present", "unasked"]
    assert sentences[1].share == pytest.approx(2 / 3)
    assert say(sentences[1], catalogue) == "Baja mucho: lo que no se ha preguntado."


def test_what_was_not_asked_may_weigh_both_ways(catalogue):
    told = explained((COUGH, UNKNOWN, -1.0), (FEVER, UNKNOWN, 1.1))  # 0.1 of 2.1
    (only,) = narrate(told, case(), catalogue)
    assert only.direction is Direction.BALANCED
    assert say(only, catalogue).startswith("Se compensa: lo que no se ha preguntado")


def test_nothing_moved_says_nothing(catalogue):
    assert narrate(explained(), case(), catalogue) == ()


def test_a_long_side_ends_in_one_sentence_for_the_rest(catalogue):
    many = list(catalogue.findings)[:9]
    told = explained(*((f, PRESENT, 1.0) for f in many))
    sentences = narrate(told, case(), catalogue)
    assert len(sentences) == 7
    assert (sentences[-1].code, sentences[-1].values["count"]) == ("others", 3)
    assert sum(s.share for s in sentences) == pytest.approx(1.0)


def why_not(outcome, *, rank, changes=()):
    return WhyNot(
        disease=DISEASE,
        outcome=outcome,
        before=Standing(rank=9, probability=0.01),
        after=Standing(rank=rank, probability=0.1),
        changes=changes,
        calls=5,
    )


ANSWERS = (
    Answer(finding=FEVER, presence=PRESENT),
    Answer(finding=COUGH, presence=EXCLUDED),
)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (
            why_not(Outcome.REACHED, rank=2, changes=ANSWERS),
            "Neumonía subiría (puesto 2) si se encontrara: fiebre, ausencia de tos.",
        ),
        (
            why_not(Outcome.NOT_ENOUGH, rank=5, changes=ANSWERS[:1]),
            "Ni con esto llegaría Neumonía a los tres primeros (puesto 5): fiebre.",
        ),
        (
            why_not(Outcome.NOT_ENOUGH, rank=None),
            "Nada de lo típico que falta preguntar haría subir a Neumonía (fuera de la lista).",
        ),
        (
            why_not(Outcome.ALREADY, rank=1),
            "Neumonía ya está entre los tres primeros (puesto 1).",
        ),
        (
            why_not(Outcome.STOPPED, rank=None),
            "La búsqueda no terminó y aún no halló nada que haga subir a Neumonía "
            "(fuera de la lista).",
        ),
    ],
)
def test_why_not_is_said_honestly(catalogue, told, said):
    assert say_why_not(told, catalogue) == said


def test_every_outcome_has_words():
    assert {outcome.value for outcome in Outcome} <= WHY_NOT.keys()


def test_both_languages_say_the_same_things():
    tables = [WHAT, SEX, WHY_NOT, *({str(k): v for k, v in t.items()} for t in LEADS.values())]
    for texts in (texts for table in tables for texts in table.values()):
        fields = [
            {name for _, name, _, _ in string.Formatter().parse(texts[language]) if name}
            for language in Language
        ]
        assert fields[0] == fields[1]
        assert all(texts.values())
