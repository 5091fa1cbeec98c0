"""A bundle is built again after its lake version is gone; what was erased is gone from the copy."""

from types import SimpleNamespace

import pyarrow.parquet
import pytest
from support import tiny_loop
from support.gold_lake import write_gold

from training.change_plan import change_plan
from training.commands import monitor, retrain
from training.commands.workspace import Workspace
from training.fit.fitter import EMBEDDED
from training.lake.gold import GoldMissingError, read_cases
from training.lake.place import Lake
from training.lake.tables import GOLD_CASES
from training.lake.upkeep import tidy
from training.pipelines import kept_rows
from training.pipelines.lineage import LineageError


@pytest.fixture
def lake(tmp_path):
    """Return a lake of 120 cases."""
    place = tmp_path / "lake"
    write_gold(place, tiny_loop.cases(120))
    return place


def let_go(lake):
    """Take in more cases and let every older version go."""
    write_gold(lake, tiny_loop.cases(5, seed=8), first=500)
    tidy(Lake(str(lake)), lambda _: None, tables=(GOLD_CASES,), retention_days=0)


def erase(lake, case_id):
    Lake(str(lake)).open(GOLD_CASES).delete(f"case_id = '{case_id}'")


def test_rows_the_lake_let_go_are_read_from_the_copy(lake, tmp_path):
    request, said = tiny_loop.request(lake), []
    kept_rows.keep(tmp_path / "rows", read_cases(lake))
    let_go(lake)
    with pytest.raises(GoldMissingError):
        _ = tiny_loop.retraining(tmp_path / "run", lake, request).gold
    run = tiny_loop.retraining(tmp_path / "run", lake, request, said.append, kept=tmp_path / "rows")
    assert run.gold.rows_sha256 == request.rows.rows_sha256
    assert said == ["the lake no longer holds version 0; reading the kept rows"]
    assert run.gold.table.equals(rows_before(request, tmp_path))


def held(path):
    """Return the ids of the cases in a copy."""
    return set(pyarrow.parquet.read_table(path).column("case_id").to_pylist())


def rows_before(request, tmp_path):
    """Return the same 120 cases as another lake holds them."""
    write_gold(tmp_path / "same", tiny_loop.cases(120))
    same = read_cases(tmp_path / "same")
    assert same.rows_sha256 == request.rows.rows_sha256
    return same.table


def test_what_a_clinic_erased_leaves_the_copy_and_the_rebuild_says_so(lake, tmp_path):
    request = tiny_loop.request(lake)
    path = kept_rows.keep(tmp_path / "rows", read_cases(lake))
    erased = read_cases(lake).table.column("case_id")[7].as_py()
    assert erased in held(path)
    erase(lake, erased)
    let_go(lake)
    said = []
    assert kept_rows.forget(tmp_path / "rows", lake, said.append) == 1
    assert said == ["1 rows erased in the lake were erased from the kept rows"]
    assert erased not in held(path)
    run = tiny_loop.retraining(tmp_path / "run", lake, request, kept=tmp_path / "rows")
    with pytest.raises(LineageError, match="1 of the 120 rows were erased"):
        _ = run.gold
    assert kept_rows.forget(tmp_path / "rows", lake, said.append) == 0


def test_a_copy_of_another_lake_is_left_alone_and_named(lake, tmp_path):
    path = kept_rows.keep(tmp_path / "rows", read_cases(lake))
    before, said = path.read_bytes(), []
    write_gold(tmp_path / "other", tiny_loop.cases(3, seed=9), first=900)
    assert kept_rows.forget(tmp_path / "rows", tmp_path / "other", said.append) == 0
    assert path.read_bytes() == before
    assert "of another lake" in said[0]


def test_a_registered_run_keeps_its_rows_and_the_daily_watch_erases(
    lake, tmp_path, monkeypatch, capsys
):
    space = Workspace(tmp_path / "learning")
    given = ["--root", str(space.root), "--lake", str(lake), "--data", str(tmp_path)]
    asked = retrain._parser().parse_args([*given, "--held-out", "40"])
    good = SimpleNamespace(promote=True)
    monkeypatch.setattr(retrain.Retraining, "run", lambda run: good)
    assert retrain._run(asked, space, change_plan(), EMBEDDED, lambda _: None) is good
    (path,) = space.kept_rows.iterdir()
    assert path.stem == read_cases(lake).rows_sha256

    erase(lake, "case-000007")
    monitor.main(["--root", str(space.root), "--lake", str(lake), "--no-page", "--dry-run"])
    assert "case-000007" in held(path)
    monitor.main(["--root", str(space.root), "--lake", str(lake), "--no-page"])
    assert "1 rows erased" in capsys.readouterr().out
    assert "case-000007" not in held(path)
