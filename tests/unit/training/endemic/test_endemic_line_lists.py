"""Line lists of febrile patients: three-valued cells, and errors that say what to download."""

from pathlib import Path

import pytest

from ddx.domain.case import Sex
from ddx.domain.finding import Presence

febrile = pytest.importorskip("training.sources.febrile", reason="python-calamine is not installed")

HEADER = (
    "FEBRE;MIALGIA;CEFALEIA;EXANTEMA;VOMITO;NAUSEA;DOR_COSTAS;CONJUNTVIT;ARTRITE;ARTRALGIA;"
    "PETEQUIA_N;LEUCOPENIA;LACO;DOR_RETRO;DIABETES;HIPERTENSA;RENAL;CS_GESTANT;CS_SEXO;"
    "NU_IDADE_N;CLASSI_FIN"
)
WOMAN = (
    "Sim;Não;;Não;Não;Não;Não;Não;Não;Sim;Não;Não;Não;Não;Não;Não;Não;2o trimestre;Feminino;"
    "4031;Chikungunya"
)
INFANT = (
    "Não;Não;Sim;Não;Não;Não;Não;Não;Não;Não;Não;Não;Não;Não;Não;Não;Não;Não se aplica;Ignorado;"
    "3006;Descartado"
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "latam").mkdir()
    table = tmp_path / "latam" / "SINAN_chikungunya_2023.csv"
    table.write_text(f"{HEADER}\n{WOMAN}\n{INFANT}\n", encoding="utf-8")
    return tmp_path


def test_a_notified_case_is_read_with_what_was_asked_and_what_was_not(data):
    woman, infant = febrile.read_cohort(data, febrile.Cohort.FOZ)
    assert woman.truths == ("VD:chikungunya",)
    assert woman.case.sex is Sex.FEMALE
    assert woman.case.age_years == pytest.approx(31, abs=0.01)
    assert woman.case.presence_of("HP:0002829") is Presence.PRESENT
    assert woman.case.presence_of("HP:0003326") is Presence.EXCLUDED
    assert woman.case.presence_of("HP:0002315") is Presence.UNKNOWN
    assert woman.case.presence_of("VF:context.pregnant") is Presence.PRESENT
    assert infant.truths == ()
    assert infant.case.sex is Sex.UNKNOWN
    assert infant.case.age_years == pytest.approx(0.5, abs=0.01)


def test_fever_is_not_assumed_where_it_was_no_entry_criterion(data):
    _, infant = febrile.read_cohort(data, febrile.Cohort.FOZ)
    assert infant.case.presence_of("HP:0001945") is Presence.EXCLUDED


@pytest.mark.parametrize("cohort", list(febrile.Cohort))
def test_a_missing_line_list_names_the_article_to_download(tmp_path, cohort):
    with pytest.raises(febrile.LineListMissingError, match=r"Download the data file of .+") as told:
        febrile.read_cohort(tmp_path, cohort)
    assert str(told.value.path) in str(told.value)


def test_a_line_list_without_an_expected_column_is_refused_by_its_row(data):
    table = data / "latam" / "SINAN_chikungunya_2023.csv"
    table.write_text(table.read_text("utf-8").replace("FEBRE", "FEVER"), encoding="utf-8")
    with pytest.raises(febrile.LineListMalformedError, match=r"row 2: KeyError\('FEBRE'\)"):
        febrile.read_cohort(data, febrile.Cohort.FOZ)


def test_a_damaged_workbook_is_refused(tmp_path):
    (tmp_path / "febrile").mkdir()
    (tmp_path / "febrile" / "dengue-data-17.xls").write_bytes(b"not a workbook")
    with pytest.raises(febrile.LineListMalformedError, match=r"dengue-data-17\.xls cannot be read"):
        febrile.read_cohort(tmp_path, febrile.Cohort.MALAYSIA)


def test_cohorts_kept_for_tests_are_never_counted():
    assert febrile.HELD_OUT.isdisjoint(febrile.COUNTED)
    assert febrile.HELD_OUT | set(febrile.COUNTED) == set(febrile.Cohort)


def test_a_finding_never_seen_is_rare_and_not_impossible():
    count = febrile.CountedFrequency(
        disease="VD:zika", finding="HP:0001945", source="x", present=0, asked=49
    )
    assert count.probability == pytest.approx(0.5 / 50)  # (0 + 1/2) / (49 + 1)
