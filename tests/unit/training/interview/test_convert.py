"""Outside rows become case files that anyone can score."""

import gzip
import json
import zipfile

import pytest

from ddx.domain.wire import case_from_json
from ddx.inquiry.interview import rng_of, with_budget
from training.convert import main

HEADER = "AGE,DIFFERENTIAL_DIAGNOSIS,SEX,PATHOLOGY,EVIDENCES,INITIAL_EVIDENCE\n"
FLU = "34,[],F,Influenza,\"['E_91', 'E_201', 'E_55_@_V_89', 'E_56_@_7', 'E_53']\",E_91\n"
HERNIA = "70,[],M,Inguinal hernia,\"['E_53', 'E_55_@_V_16', 'E_56_@_4']\",E_53\n"


@pytest.fixture
def convert(tmp_path):
    """Return a function that converts a csv of that body: (exit code, lines)."""

    def run(body, *arguments, name="rows.csv"):
        rows, out = tmp_path / name, tmp_path / "cases.jsonl"
        rows.write_text(HEADER + body)
        code = main(["ddxplus", str(rows), "--out", str(out), *arguments])
        return code, [json.loads(line) for line in out.read_text().splitlines()]

    return run


def states(line):
    return {f["id"]: f["presence"] for f in line["case"]["findings"]}


def test_a_whole_row_keeps_every_answer(convert):
    code, (flu, hernia) = convert(FLU + HERNIA)
    assert code == 0
    assert (flu["truth"], hernia["truth"]) == ("VD:influenza", "VD:inguinal-hernia")
    assert states(flu)["HP:0001945"] == "present"
    assert states(hernia)["HP:0001945"] == "excluded"
    assert flu["case"]["sex"] == "female"
    assert 34 <= flu["case"]["age_days"] / 365.25 < 35
    grades = {f["id"]: f.get("grade") for f in flu["case"]["findings"]}
    assert grades["VF:pain.intensity"] == 7


def test_a_budget_keeps_so_many_present_findings_and_excludes_none(convert):
    _, (flu,) = convert(FLU, "--evidence-budget", "2")
    assert list(states(flu).values()) == ["present", "present"]


def test_excluded_findings_come_on_top_when_asked_for(convert):
    _, (flu,) = convert(FLU, "--evidence-budget", "2", "--excluded", "3")
    assert sorted(states(flu).values()) == ["excluded"] * 3 + ["present"] * 2


def test_what_is_drawn_of_a_row_depends_on_its_place_and_the_seed_only(convert):
    _, whole = convert(FLU + FLU + HERNIA, "--evidence-budget", "2", "--seed", "3")
    _, cut = convert(FLU + FLU + HERNIA, "--evidence-budget", "2", "--seed", "3", "--limit", "2")
    assert cut == whole[:2]
    _, other = convert(FLU + FLU + HERNIA, "--evidence-budget", "2", "--seed", "4")
    assert other != whole


def test_the_complaint_of_the_row_opens_the_case(convert):
    _, (flu, hernia) = convert(FLU + HERNIA)
    assert (flu["opening"], hernia["opening"]) == ("HP:0001945", "VF:pain")


def test_a_complaint_the_budget_left_out_or_the_file_lacks_opens_nothing(convert):
    _, lines = convert(FLU * 12, "--evidence-budget", "1")
    kept = [("opening" in line, "HP:0001945" in states(line)) for line in lines]
    assert set(kept) == {(True, True), (False, False)}
    _, (bare,) = convert(FLU.replace(']",E_91', ']",'))
    assert "opening" not in bare


def test_the_terminal_draws_what_the_converter_draws(convert):
    _, (flu,) = convert(FLU, "--evidence-budget", "3", "--seed", "5")
    _, (whole,) = convert(FLU)
    record = case_from_json(whole["case"])
    drawn = with_budget(record, present=3, excluded=0, rng=rng_of(5, whole["id"]))
    assert {f.id for f in drawn.findings} == set(states(flu))


def test_compressed_rows_read_the_same(tmp_path):
    plain, packed, zipped = (tmp_path / n for n in ("a.csv", "b.csv.gz", "c.zip"))
    plain.write_text(HEADER + FLU)
    packed.write_bytes(gzip.compress((HEADER + FLU).encode()))
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("release_test_patients", HEADER + FLU)
    outs = []
    for rows in (plain, packed, zipped):
        out = rows.with_suffix(".jsonl")
        assert main(["ddxplus", str(rows), "--out", str(out)]) == 0
        outs.append(out.read_text())
    assert outs[0] == outs[1] == outs[2]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (FLU.replace("Influenza", "Dengue"), "unknown condition 'Dengue'"),
        (FLU.replace("34", "old", 1), "does not read as rows of DDXPlus"),
        (FLU.replace(",F,", ",X,"), "does not read as rows of DDXPlus"),
    ],
)
def test_a_row_that_is_not_theirs_stops_the_conversion(convert, capsys, body, told):
    code, _ = convert(body)
    assert code == 2
    assert told in capsys.readouterr().err


def test_a_missing_file_is_named(tmp_path, capsys):
    arguments = ["ddxplus", str(tmp_path / "no.csv"), "--out", str(tmp_path / "out.jsonl")]
    assert main(arguments) == 2
    assert "no.csv" in capsys.readouterr().err
