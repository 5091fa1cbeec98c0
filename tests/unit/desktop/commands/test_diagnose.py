"""A case file from a terminal: an answer, or what is wrong with it and what to do."""

import csv
import gzip
import json
from dataclasses import replace

import pytest

from ddx.domain.case import Case, Sex
from ddx.domain.differential import CommonFit, Fit
from ddx.engine import Engine
from ddx.terminology.catalogue import Language
from desktop.commands import words
from desktop.commands.diagnose import BAD_INPUT, COLUMNS, NO_MODEL, OK, main
from desktop.commands.playing import Played
from desktop.commands.report import Answer, report
from model_bundles.embedded import open_embedded_bundle
from model_bundles.errors import BundleStorageError

FEVER, COUGH = "HP:0001945", "HP:0012735"
CASE = {
    "age_years": 34,
    "sex": "female",
    "findings": [{"id": FEVER, "presence": "present"}, {"id": COUGH, "presence": "excluded"}],
    "vitals": {"temperature_c": 38.5, "spo2_percent": 86},
}


@pytest.fixture(scope="module")
def bundle():
    return open_embedded_bundle()


@pytest.fixture
def run(bundle, tmp_path, capsys):
    """Return a function that diagnoses a file of that content: (exit code, stdout, stderr)."""

    def diagnose(content, *arguments):
        path = tmp_path / "case.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        code = main([str(path), *arguments], lambda: bundle)
        said = capsys.readouterr()
        return code, said.out, said.err

    return diagnose


@pytest.fixture
def run_batch(bundle, tmp_path, capsys):
    def diagnose(*lines, out="out.tsv"):
        path = tmp_path / "cases.jsonl"
        texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
        path.write_text("\n".join(texts))
        code = main(["--batch", str(path), "--out", str(tmp_path / out)], lambda: bundle)
        said = capsys.readouterr()
        return code, said.out, said.err, tmp_path / out

    return diagnose


def test_a_case_gets_red_flags_first_then_the_list_then_what_to_ask(run):
    code, out, _ = run(CASE)
    assert code == OK
    flags, ranked, asked = (
        out.index(text) for text in ("Saturación menor de 90 %", "\n1    ", "SIGUIENTE PREGUNTA")
    )
    assert flags < ranked < asked
    assert "Rara, y ninguna de las conocidas encaja" in out


def test_the_same_case_in_english(run):
    code, out, _ = run(CASE, "--lang", "en")
    assert code == OK
    assert "Saturation below 90 %" in out
    assert "NEXT QUESTION" in out
    assert "Gravedad" not in out


@pytest.mark.parametrize("fit", list(Fit))
def test_one_sentence_says_whether_a_common_disease_explains_the_findings(bundle, fit):
    engine = Engine.from_artifacts(bundle)
    case = Case(age_days=9_000, sex=Sex.FEMALE, findings=())
    assessed = engine.assess(case)
    found = replace(assessed.differential, common_fit=CommonFit(fit=fit))
    answer = Answer(
        played=Played(case=case),
        assessed=replace(assessed, differential=found),
        explanation=None,
        actions=(),
    )
    text = report(answer, engine.catalogue, Language.EN, 3)
    said = [other for other in Fit if words.FITS[other][1] in text]
    assert said == [fit]


def test_a_case_of_few_findings_is_told_how_many_it_takes(run, bundle):
    few = words.FITS[Fit.NOT_ASSESSED][0]
    assert "al menos tres presentes" in few
    assert Engine.from_artifacts(bundle).outside.least_present == 3
    assert few in run({"present": [FEVER, COUGH]})[1]
    assert few not in run({"present": [FEVER, COUGH, "HP:0002315"]})[1]


def test_as_many_diseases_and_questions_as_wanted(run):
    _, out, _ = run(CASE, "--limit", "2", "--questions", "3")
    assert "\n2    " in out
    assert "\n3    " not in out
    assert out.count("información esperada") == 3
    assert "SIGUIENTE PREGUNTA" not in run(CASE, "--questions", "0")[1]


def test_two_lists_of_codes_are_a_case_too(run):
    listed = {"age_years": 34, "sex": "female", "present": [FEVER], "excluded": [COUGH]}
    spelt = {k: v for k, v in CASE.items() if k != "vitals"}
    assert run(listed)[1] == run(spelt)[1]


def test_a_finding_no_model_reads_is_shown(run, bundle):
    engine = Engine.from_artifacts(bundle)
    read = {*engine.common.schema.findings, *engine.catalogue.implied}
    unread = next(f for f in engine.catalogue.findings if f not in read and f.startswith("VF:"))
    _, out, _ = run({"age_years": 30, "present": [FEVER, unread]})
    assert f"Ningún modelo lee: {engine.catalogue.label(unread)} ({unread})" in out
    assert f"({FEVER})" not in out


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "No es JSON"),
        ("[1]", "entre llaves"),
        ({**CASE, "age_years": -3}, "Edad -3: no puede ser negativa. ¿Quiso decir 3?"),
        ({**CASE, "age_years": "tres"}, "Edad «tres»"),
        ({**CASE, "age_days": 3}, "La edad está dos veces"),
        ({**CASE, "findings": [{"id": "HP:001945"}]}, "¿Quiso decir Fiebre (HP:0001945)?"),
        ({**CASE, "present": [FEVER], "excluded": [FEVER]}, "está como presente y como ausente"),
        ({**CASE, "findings": []}, "No hay ningún hallazgo"),
        ({**CASE, "findings": [7]}, "Hallazgo 7"),
        ({**CASE, "findings": {}}, "findings se escribe como []"),
        ({**CASE, "findings": [{"id": FEVER, "presence": "maybe"}]}, "present, excluded, unknown"),
        ({**CASE, "findings": [{"id": FEVER, "grade": "high"}]}, "grade: «high» no es un número"),
        ({**CASE, "sex": "F"}, "female, male, unknown"),
        ({**CASE, "vitals": {"temperature_c": 385}}, "¿Quiso decir 38.5?"),
        ({**CASE, "vitals": {"pulse": 80}}, "«pulse» no es un signo vital conocido"),
        ({**CASE, "truth": "influenza"}, "no es un código de enfermedad"),
    ],
)
def test_bad_input_is_refused_with_what_to_do(run, content, told):
    code, out, err = run(content)
    assert code == BAD_INPUT
    assert told in err
    assert out == ""


def test_every_problem_of_a_case_is_told_at_once(run):
    bad = {"age_years": -3, "present": [FEVER, "Fiver"], "excluded": [FEVER]}
    _, _, err = run(bad)
    assert err.count("  - ") == 3


def test_a_missing_file_is_named(bundle, tmp_path, capsys):
    assert main([str(tmp_path / "nowhere.json")], lambda: bundle) == BAD_INPUT
    assert "nowhere.json" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["case.json", "--batch", "cases.jsonl"]])
def test_one_case_or_one_batch_has_to_be_named(bundle, arguments, capsys):
    assert main(arguments, lambda: bundle) == BAD_INPUT
    assert "vereda diagnose" in capsys.readouterr().err


def test_a_model_that_cannot_be_used_says_so(tmp_path, capsys):
    def refused():
        raise BundleStorageError("gone")

    path = tmp_path / "case.json"
    path.write_text(json.dumps(CASE))
    assert main([str(path)], refused) == NO_MODEL
    assert BundleStorageError.code in capsys.readouterr().err


def test_a_batch_is_scored_against_the_diagnoses_it_brings(run_batch):
    hernia = {"id": "a", "truth": "VD:inguinal-hernia", "age_years": 50, "sex": "male"}
    code, out, err, table = run_batch(
        {**hernia, "present": ["VF:pain-site.groin-right", "VF:pain.worse-cough-or-strain"]},
        {"id": "b", "case": {"present": [FEVER, COUGH]}},
    )
    assert (code, err) == (OK, "")
    with table.open() as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    assert [row["case"] for row in rows] == ["a"] * 10 + ["b"] * 10
    assert rows[0]["disease"] == rows[0]["truth"] == "VD:inguinal-hernia"
    assert rows[10]["truth"] == ""
    assert "2 casos calculados, 0 rechazados" in out
    assert "de 1 con diagnóstico: primero 1.0000" in out


def test_a_bad_line_is_told_by_its_number_and_the_rest_is_answered(run_batch):
    good = {"id": "good", "present": [FEVER]}
    code, out, err, table = run_batch(good, "", "not json", {"present": ["HP:99"]}, good)
    assert code == BAD_INPUT
    assert "línea 3: No es JSON" in err
    assert "línea 4: «HP:99»" in err
    assert "2 casos calculados, 2 rechazados" in out
    assert len(table.read_text().splitlines()) == 1 + 20


def test_a_table_that_cannot_be_written_is_told(run_batch):
    code, _, err, _ = run_batch({"present": [FEVER]}, out="no/such/folder.tsv")
    assert code == BAD_INPUT
    assert "--out" in err


def rows_of(table):
    with table.open() as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


RECORD = {
    "id": "record",
    "truth": "VD:inguinal-hernia",
    "age_years": 50,
    "sex": "male",
    "present": ["VF:pain", "VF:pain-site.testicle-right", "VF:pain.worse-cough-or-strain", FEVER],
    "excluded": [COUGH, "HP:0002094", "HP:0000988"],
}


@pytest.fixture
def play_batch(bundle, tmp_path, capsys):
    """Return a function that runs a batch with further arguments: (code, rows, stdout, stderr)."""

    def run(lines, *arguments, name="cases.jsonl"):
        path, out = tmp_path / name, tmp_path / "out.tsv"
        text = "\n".join(json.dumps(line) for line in lines).encode()
        path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
        code = main(["--batch", str(path), "--out", str(out), *arguments], lambda: bundle)
        said = capsys.readouterr()
        return code, rows_of(out) if out.exists() else [], said.out, said.err

    return run


def test_the_answer_says_how_soon_why_and_what_to_do(run):
    _, out, _ = run(CASE, "--lang", "en")
    assert out.startswith("TRIAGE, level 1 of 5: Red: immediate.")
    assert "Raises it a lot: fever (present in " in out
    assert "FIRST ACTIONS WHEN SUSPECTED" in out


def test_why_not_tells_what_would_bring_a_disease_to_the_top(run):
    _, out, _ = run(CASE, "--lang", "en", "--why-not", "VD:appendicitis")
    assert "would rise (rank" in out
    code, _, err = run(CASE, "--why-not", "VD:no-such-disease")
    assert code == BAD_INPUT
    assert "VD:no-such-disease" in err


def test_a_packed_batch_reads_the_same(play_batch):
    plain, packed = play_batch([RECORD]), play_batch([RECORD], name="cases.jsonl.gz")
    assert plain[1] == packed[1] != []


def test_a_file_that_only_claims_to_be_packed_is_told(bundle, tmp_path, capsys):
    path = tmp_path / "cases.jsonl.gz"
    path.write_text(json.dumps(RECORD))
    assert main(["--batch", str(path), "--out", str(tmp_path / "o")], lambda: bundle) == BAD_INPUT
    assert "cases.jsonl.gz" in capsys.readouterr().err


def test_every_row_says_triage_and_what_the_sets_say(play_batch):
    _, rows, *_ = play_batch([RECORD])
    assert tuple(rows[0]) == COLUMNS
    assert {row["triage"] for row in rows} <= set("12345")
    assert {row["asked"] + row["stop"] for row in rows} == {""}


def test_a_budget_keeps_what_the_seed_draws_whatever_else_is_in_the_file(play_batch):
    budget = ("--evidence-budget", "1", "--seed", "7")
    alone = play_batch([RECORD], *budget)[1]
    among = play_batch([{**RECORD, "id": "other"}, RECORD], *budget)[1]
    assert [row for row in among if row["case"] == "record"] == alone
    drawn = {json.dumps(play_batch([RECORD], *budget[:3], str(n))[1]) for n in range(8)}
    assert len(drawn) > 1
    assert play_batch([RECORD])[1] != alone


def test_a_budget_above_the_record_leaves_only_what_is_present(play_batch):
    present = {key: value for key, value in RECORD.items() if key != "excluded"}
    budget = play_batch([RECORD], "--evidence-budget", "9")[1]
    assert budget == play_batch([present])[1]
    assert (
        play_batch([RECORD], "--evidence-budget", "9", "--excluded", "9")[1]
        == (play_batch([RECORD])[1])
    )


def test_an_interview_asks_until_the_limit_and_counts(play_batch):
    opened = {**RECORD, "opening": "VF:pain"}
    asked = [play_batch([opened], "--interview", str(n))[1][0] for n in (0, 4)]
    assert [row["asked"] for row in asked] == ["0", "4"]
    assert asked[0]["probability"] != asked[1]["probability"]
    _, _, out, _ = play_batch([opened], "--interview", "4", "--lang", "en")
    assert "questions per case: 4.00" in out


def test_the_complaint_alone_is_known_when_nothing_is_asked(play_batch):
    alone = {"id": "record", "age_years": 50, "sex": "male", "present": ["VF:pain"]}
    told = play_batch([{**RECORD, "opening": "VF:pain"}], "--interview", "0")[1]
    assert [row["probability"] for row in told] == [
        row["probability"] for row in play_batch([alone])[1]
    ]


def test_an_interview_that_runs_out_says_why_it_stopped(play_batch):
    _, rows, *_ = play_batch([RECORD], "--interview", "400")
    assert rows[0]["stop"] in {"settled", "little_to_gain", "nothing_left"}
    assert int(rows[0]["asked"]) < 400


def test_the_questions_of_one_case_are_shown_with_what_the_record_answers(run):
    _, out, _ = run({**RECORD, "opening": "VF:pain"}, "--interview", "4", "--lang", "en")
    assert "INTERVIEW: opens with Pain" in out
    assert "questions: 4" in out
    assert "(the case does not say)" in out


def test_an_opening_the_case_does_not_show_is_refused(play_batch):
    code, _, _, err = play_batch([RECORD, {**RECORD, "opening": COUGH}], "--interview", "2")
    assert code == BAD_INPUT
    assert f"línea 2: opening «{COUGH}»" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ("--interview", "2", "--evidence-budget", "3"),
        ("--interview", "-1"),
        ("--why-not", "appendicitis"),
    ],
)
def test_arguments_that_do_not_go_together_or_mean_nothing_are_refused(run, arguments):
    with pytest.raises(SystemExit) as refused:
        run(CASE, *arguments)
    assert refused.value.code == BAD_INPUT


def test_excluded_without_a_budget_is_refused(run):
    code, _, err = run(CASE, "--excluded", "3")
    assert code == BAD_INPUT
    assert "--evidence-budget" in err
