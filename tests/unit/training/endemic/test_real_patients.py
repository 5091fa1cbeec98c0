"""Figures on a made-up line list: who is counted, what stands beside the model, what is written."""

import json
import shutil
from pathlib import Path

import pytest

from ddx.engine import Engine
from model_bundles.embedded import open_embedded_bundle

pytest.importorskip("training.sources.febrile", reason="python-calamine is not installed")

from training.evaluate import real_patients
from training.evaluate.real_patients_text import markdown

COLUMNS = [
    "FEBRE",
    "MIALGIA",
    "CEFALEIA",
    "EXANTEMA",
    "VOMITO",
    "NAUSEA",
    "DOR_COSTAS",
    "CONJUNTVIT",
    "ARTRITE",
    "ARTRALGIA",
    "PETEQUIA_N",
    "LEUCOPENIA",
    "LACO",
    "DOR_RETRO",
    "DIABETES",
    "HIPERTENSA",
    "RENAL",
]
TELLING = {"ARTRALGIA", "ARTRITE", "EXANTEMA"}
FOZ = [q for q in real_patients.QUESTIONS if q.key.startswith("chikungunya")]


def row(conclusion: str, criterion: str, present: set[str], age: int) -> str:
    cells = ["Sim" if column in present else "Não" for column in COLUMNS]
    sex = "Feminino" if age % 2 else "Masculino"
    return ";".join([*cells, "Não", sex, f"40{age}", conclusion, criterion])


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Thirty confirmed of whom most have joints and a rash, thirty discarded, two open."""
    lines = [";".join([*COLUMNS, "CS_GESTANT", "CS_SEXO", "NU_IDADE_N", "CLASSI_FIN", "CRITERIO"])]
    for i in range(30):
        criterion = "Laboratório" if i % 2 else "Clínico epidemiológico"
        joints = TELLING if i % 5 else set()
        lines.append(row("Chikungunya", criterion, {"FEBRE", *joints}, 20 + i))
        upset = {"VOMITO", "NAUSEA"} if i % 3 else {"ARTRALGIA"}
        lines.append(row("Descartado", criterion, {"FEBRE", *upset}, 20 + i))
    lines += [row("", "", {"FEBRE"}, 33)] * 2
    folder = tmp_path_factory.mktemp("lists")
    (folder / "latam").mkdir()
    (folder / "latam" / "SINAN_chikungunya_2023.csv").write_text("\n".join(lines), "utf-8")
    return folder


@pytest.fixture(scope="module")
def section(data):
    return real_patients.measure(Engine.from_artifacts(open_embedded_bundle()), data, FOZ)


def test_open_cases_are_left_out_and_a_laboratory_question_keeps_only_its_own(section):
    everybody, laboratory = section["questions"]
    assert (everybody["patients"], everybody["positive"], everybody["left_out"]) == (60, 30, 2)
    assert (laboratory["patients"], laboratory["positive"]) == (30, 15)


def test_model_regression_and_single_finding_stand_side_by_side(section):
    areas = section["questions"][0]["evidence"]["all"]
    # 24 of 30 have all three signs, 10 of 30 joint pain alone: the rest ties at worst
    assert areas["against_the_rest"]["value"] > 0.85
    assert areas["regression_cross_validated"]["value"] > 0.85
    assert areas["single_best"]["value"] == pytest.approx(0.9)  # 24 of 30 against none: 1 - 6/60
    assert areas["single_best"]["finding"] in {"HP:0000988", "VF:joint-swelling"}


def test_without_blood_counts_a_low_white_count_moves_nothing(data, section, tmp_path):
    shutil.copytree(data, tmp_path / "lists")
    table = tmp_path / "lists" / "latam" / "SINAN_chikungunya_2023.csv"
    before = section["questions"][0]["evidence"]
    lines = table.read_text("utf-8").splitlines()
    at = COLUMNS.index("LEUCOPENIA")
    counted = [line.split(";") for line in lines]
    for cells in counted[1::4]:
        cells[at] = "Sim"
    table.write_text("\n".join(";".join(cells) for cells in counted), "utf-8")
    engine = Engine.from_artifacts(open_embedded_bundle())
    changed = real_patients.measure(engine, tmp_path / "lists", FOZ[:1])
    after = changed["questions"][0]["evidence"]
    assert after["no_blood_count"] == before["no_blood_count"]
    assert after["all"] != before["all"]


def test_reliability_parts_hold_everybody_and_average_to_the_shares(section):
    worth = section["questions"][0]["probability"]
    parts = worth["reliability"]
    assert sum(part["patients"] for part in parts) == 60
    mean = sum(part["patients"] * part["said"] for part in parts) / 60
    assert mean == pytest.approx(worth["mean_said"])
    assert worth["observed"] == 0.5
    assert worth["brier_of_the_share"] == 0.25


def test_the_document_and_the_card_hold_every_figure(section):
    section = json.loads(json.dumps(section, allow_nan=False))
    text = markdown(section, "2026.1.1")
    for question in section["questions"]:
        area = question["evidence"]["all"]["against_the_rest"]
        assert f"{area['value']:.3f} ({area['low']:.3f}–{area['high']:.3f})" in text
    assert "Bundle 2026.1.1" in text


def test_without_the_data_the_command_says_what_to_download(tmp_path, capsys):
    asked = ["--data", str(tmp_path), "--out", str(tmp_path / "out.md")]
    assert real_patients.main(asked) == 2
    assert "Download the data file" in capsys.readouterr().err
    assert not (tmp_path / "out.md").exists()
