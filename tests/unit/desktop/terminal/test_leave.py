"""`vereda leave`: erases only when told twice, and follows no link."""

from desktop.terminal import leave


def test_without_yes_nothing_is_erased(tmp_path, monkeypatch, capsys):
    (tmp_path / "clinic").mkdir()
    monkeypatch.setenv("VEREDA_HOME", str(tmp_path / "clinic"))
    assert leave.main([]) == leave.BAD_INPUT
    assert (tmp_path / "clinic").is_dir()


def test_the_clinic_of_this_account_is_erased_and_nothing_beside_it(tmp_path, monkeypatch):
    (tmp_path / "clinic" / "store").mkdir(parents=True)
    (tmp_path / "clinic" / "store" / "clinic.db").write_bytes(b"x")
    (tmp_path / "other").mkdir()
    monkeypatch.setenv("VEREDA_HOME", str(tmp_path / "clinic"))
    assert leave.main(["--yes"]) == leave.DONE
    assert [p.name for p in tmp_path.iterdir()] == ["other"]


def test_every_account_of_windows_is_visited(tmp_path, monkeypatch):
    for name in ("ana", "luis"):
        (tmp_path / name / leave.INSIDE).mkdir(parents=True)
    monkeypatch.setattr(leave, "profiles", lambda: [tmp_path / n for n in ("ana", "luis", "gone")])
    assert leave.main(["--every-account", "--yes"]) == leave.DONE
    assert not any((tmp_path / n / leave.INSIDE).exists() for n in ("ana", "luis"))
    assert (tmp_path / "ana" / "AppData" / "Local").is_dir()


def test_a_link_is_removed_and_what_it_points_to_stays(tmp_path):
    (tmp_path / "system").mkdir()
    (tmp_path / "clinic").symlink_to(tmp_path / "system")
    assert leave.erase(tmp_path / "clinic")
    assert (tmp_path / "system").is_dir()


def test_what_cannot_be_erased_is_said(tmp_path, monkeypatch, capsys):
    (tmp_path / "clinic").mkdir()
    monkeypatch.setenv("VEREDA_HOME", str(tmp_path / "clinic"))
    monkeypatch.setattr(leave.shutil, "rmtree", lambda *_a, **_k: None)  # held open by a program
    assert leave.main(["--yes"]) == leave.LEFT
    assert str(tmp_path / "clinic") in capsys.readouterr().err
