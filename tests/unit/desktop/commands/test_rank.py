"""`vereda rank` from a terminal: a table with reasons, a batch, or what to do about bad input."""

import csv
import gzip
import json

import pytest

from ddx.features.rare_sources import SourcedAnnotations
from desktop.app import COMMANDS
from desktop.commands.rank import BAD_INPUT, COLUMNS, NO_MODEL, OK, main
from model_bundles.embedded import open_embedded_bundle
from model_bundles.errors import BundleStorageError

LENS, FINGERS, AORTA, FEVER = "HP:0001083", "HP:0001166", "HP:0002616", "HP:0001945"
MARFAN = "OMIM:154700"


def packet(id="p1", seen=(LENS, FINGERS, AORTA), excluded=(), **more):
    features = [{"type": {"id": f}} for f in seen]
    features += [{"type": {"id": f}, "excluded": True} for f in excluded]
    subject = {"id": id, "sex": "MALE", "timeAtLastEncounter": {"age": {"iso8601duration": "P9Y"}}}
    resources = [{"id": "hp", "version": "2025-01-16"}]
    return {
        "id": id,
        "subject": subject,
        "phenotypicFeatures": features,
        "metaData": {"resources": resources},
        **more,
    }


def diagnosed(id, disease, **more):
    return packet(id, diseases=[{"term": {"id": disease}}], **more)


@pytest.fixture(scope="module")
def bundle():
    return open_embedded_bundle()


@pytest.fixture
def run(bundle, tmp_path, capsys):
    """Return a function that ranks a file of that content: (exit code, stdout, stderr)."""

    def rank(content, *arguments):
        path = tmp_path / "case.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        code = main([str(path), *arguments], lambda: bundle)
        said = capsys.readouterr()
        return code, said.out, said.err

    return rank


@pytest.fixture
def run_batch(bundle, tmp_path, capsys):
    def rank(lines, *arguments, name="cases.jsonl", out="ranks.tsv"):
        path = tmp_path / name
        texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
        raw = "\n".join(texts).encode()
        path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
        code = main(
            ["--batch", str(path), "--out", str(tmp_path / out), *arguments], lambda: bundle
        )
        said = capsys.readouterr()
        return code, said.out, said.err, tmp_path / out

    return rank


def rows(table):
    with table.open() as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def test_the_command_is_one_of_the_application():
    assert COMMANDS["rank"] == "desktop.commands.rank"


def test_a_packet_gets_a_table_with_codes_and_reasons(run):
    code, out, err = run(packet(), "--limit", "200")
    assert (code, err) == (OK, "")
    head, *lines = out.splitlines()
    assert head.split() == ["N.º", "Prob.", "Enfermedad", "rara", "Código"]
    marfan = next(i for i, line in enumerate(lines) if f" {MARFAN}" in line)
    assert "Marfan syndrome" in lines[marfan]
    assert lines[marfan + 1].strip().startswith("+ ")
    assert " %)" in lines[marfan + 1]
    assert "quien decide es el clínico" in out


def test_the_explanation_says_why_and_what_to_look_for(run):
    obligate = "HP:0000768"
    code, out, _ = run(packet(excluded=[obligate]), "--explain", "1", "--lang", "en")
    assert code == OK
    told = out[out.index("\n\n1. ") :]
    assert "Raises it" in told
    assert "of described patients" in told
    assert "Not asked yet" in told
    assert "Sube" not in out


def test_as_many_diseases_as_wanted(run):
    _, out, _ = run(packet(), "--limit", "2")
    assert "\n   2  " in out
    assert "\n   3  " not in out


def test_our_own_case_file_ranks_like_the_packet(run):
    own = {"age_years": 9, "sex": "male", "present": [LENS, FINGERS, AORTA]}
    assert run(own)[1] == run(packet())[1]


def test_a_packet_inside_a_collection_is_found(run):
    assert (
        run({"path": "a/b.json", "phenotypicFeatures": None, "phenopacket": packet()})[1]
        == (run(packet())[1])
    )


def test_issues_are_told_with_place_and_suggestion_and_the_rest_is_ranked(run):
    code, out, err = run(packet(seen=[LENS, "HP:1166"]), "--lang", "en")
    assert code == OK
    assert "Not used: phenotypicFeatures[1].type.id" in err
    assert f"Suggestion: {FINGERS} (Arachnodactyly)" in err
    assert "Ectopia lentis".lower() in out


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "No es JSON"),
        ("[1]", "--batch"),
        ('{"a": 1}', "falta phenotypicFeatures"),
        ({"proband": {}, "id": "f"}, "Family"),
        ({"members": [], "id": "c"}, "Cohort"),
        (packet(seen=[]), "al menos un hallazgo presente"),
        (packet(seen=[], excluded=[LENS]), "al menos un hallazgo presente"),
        (packet(seen=["fiebre"]), f"Sugerencia: {FEVER}"),
        ({"age_years": 9, "present": ["HP:99"]}, "no está en el vocabulario"),
        ({"age_years": 9, "findings": {}}, "findings se escribe como []"),
    ],
)
def test_bad_input_is_refused_with_what_to_do(run, content, told):
    code, out, err = run(content)
    assert code == BAD_INPUT
    assert told in err
    assert out == ""


def test_a_missing_file_is_named(bundle, tmp_path, capsys):
    path, out = str(tmp_path / "nowhere.json"), tmp_path / "ranks.tsv"
    for given in ([path], ["--batch", path, "--out", str(out)]):
        assert main(given, lambda: bundle) == BAD_INPUT
        assert "nowhere.json" in capsys.readouterr().err
        assert not out.exists()


@pytest.mark.parametrize("arguments", [[], ["case.json", "--batch", "cases.jsonl"]])
def test_one_case_or_one_batch_has_to_be_named(bundle, arguments, capsys):
    assert main(arguments, lambda: bundle) == BAD_INPUT
    assert "vereda rank" in capsys.readouterr().err


@pytest.mark.parametrize("bad", [["--exclude-source", "a paper"], ["--limit", "-1"]])
def test_a_bad_argument_says_what_to_write(bundle, bad, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["case.json", *bad], lambda: bundle)
    assert stopped.value.code == BAD_INPUT
    assert "write" in capsys.readouterr().err


def test_a_model_that_cannot_be_used_says_so(tmp_path, capsys):
    def refused():
        raise BundleStorageError("gone")

    path = tmp_path / "case.json"
    path.write_text(json.dumps(packet()))
    assert main([str(path)], refused) == NO_MODEL
    assert BundleStorageError.code in capsys.readouterr().err


@pytest.mark.parametrize("name", ["cases.jsonl", "cases.jsonl.gz"])
def test_a_batch_is_a_table_and_a_score(run_batch, name):
    lines = [
        diagnosed("a", MARFAN),
        "",
        diagnosed("b", "OMIM:999999"),
        packet("c", seen=[FEVER]),
    ]
    code, out, err, table = run_batch(lines, "--limit", "3000", name=name)
    assert (code, err) == (OK, "")
    found = rows(table)
    assert tuple(found[0]) == COLUMNS
    assert [r["position"] for r in found if r["id"] == "a"] == [str(n) for n in range(1, 3001)]
    position = next(
        int(r["position"]) for r in found if r["id"] == "a" and MARFAN in r["disease_id"].split("|")
    )
    assert "3 casos ordenados, 0 líneas rechazadas" in out
    assert "de 2 con diagnóstico (1 fuera del índice)" in out
    assert f"rango recíproco medio {0.5 / position:.4f}" in out
    assert all(0 <= float(r["probability"]) <= 1 for r in found)


def test_a_bad_line_is_told_by_its_number_and_the_rest_is_answered(run_batch):
    good = packet("good")
    code, out, err, table = run_batch([good, "not json", {"a": 1}, packet(seen=[]), good])
    assert code == BAD_INPUT
    assert "línea 2: No es JSON" in err
    assert "línea 3: Es JSON, pero no un fenopaquete" in err
    assert "línea 4: No hay nada que ordenar" in err
    assert "2 casos ordenados, 3 líneas rechazadas" in out
    assert len(rows(table)) == 20


def test_a_packet_without_an_id_goes_by_its_line(run_batch):
    *_, table = run_batch(["", packet(id="")], "--limit", "1")
    assert [r["id"] for r in rows(table)] == ["2"]


def test_an_archive_that_breaks_off_is_told(bundle, tmp_path, capsys):
    path = tmp_path / "cases.jsonl.gz"
    whole = gzip.compress("\n".join(json.dumps(packet(f"p{n}")) for n in range(200)).encode())
    path.write_bytes(whole[: len(whole) // 2])
    out = tmp_path / "ranks.tsv"
    assert main(["--batch", str(path), "--out", str(out)], lambda: bundle) == BAD_INPUT
    assert "cases.jsonl.gz" in capsys.readouterr().err


def test_a_table_of_one_packet_is_refused_rather_than_forgotten(run, tmp_path):
    code, out, err = run(packet(), "--out", str(tmp_path / "ranks.tsv"))
    assert (code, out) == (BAD_INPUT, "")
    assert "--batch" in err
    assert not (tmp_path / "ranks.tsv").exists()


def test_a_table_that_cannot_be_written_is_told(run_batch):
    code, _, err, _ = run_batch([packet()], out="no/such/folder.tsv")
    assert code == BAD_INPUT
    assert "--out" in err


def test_the_paper_of_each_packet_is_left_out_of_its_own_ranking_only(run_batch, bundle):
    annotations = SourcedAnnotations.from_artifacts(bundle)
    paper, disease = next(
        (source, disease)
        for source in annotations.sources
        if source.startswith("PMID:") and len(annotations.named(source)) == 1
        for disease in annotations.named(source)
        if len(annotations.rows(disease)) > 5
        and all(r.references == (source,) and not r.excluded for r in annotations.rows(disease))
    )
    seen = [r.hpo_id for r in annotations.rows(disease)]
    named = {"metaData": {"externalReferences": [{"id": paper}]}}
    lines = [
        diagnosed("with", disease, seen=seen),
        diagnosed("own", disease, seen=seen) | named,
    ]

    def positions(*arguments):
        *_, table = run_batch(lines, "--limit", "20000", *arguments)
        right = (r for r in rows(table) if r["disease_id"] == disease)
        return {r["id"]: int(r["position"]) for r in right}

    as_published = positions()
    assert as_published["with"] == as_published["own"] <= 3
    own_left_out = positions("--exclude-own-source")
    assert own_left_out["with"] == as_published["with"]
    assert own_left_out["own"] > 1000
    named_left_out = positions("--exclude-source", paper)
    assert named_left_out == {"with": own_left_out["own"], "own": own_left_out["own"]}
    assert positions("--exclude-source", paper, "--keep-shared-rows") == named_left_out


def test_what_was_left_out_is_told(run):
    _, out, _ = run(packet(), "--exclude-source", "PMID:99999999")
    assert "Ninguna anotación nombra PMID:99999999" in out
