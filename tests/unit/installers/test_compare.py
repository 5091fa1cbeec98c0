"""Two builds compared: nothing that differs goes unsaid."""

import pytest

from installers.compare import differences, main


@pytest.fixture
def builds(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name / "lib").mkdir(parents=True)
        (tmp_path / name / "lib" / "same").write_bytes(b"same")
        (tmp_path / name / "link").symlink_to("lib/same")
    return tmp_path / "a", tmp_path / "b"


def test_equal_builds_differ_in_nothing(builds, capsys):
    assert main([str(b) for b in builds]) == 0
    assert capsys.readouterr().out == "0 of 2 files differ\n"


def test_content_links_and_missing_files_are_named(builds):
    first, second = builds
    (first / "lib" / "same").write_bytes(b"SAME")
    (second / "more").write_bytes(b"")
    (second / "link").unlink()
    (second / "link").symlink_to("lib")
    assert list(differences(first, second)) == [
        "differs: lib/same",
        "differs: link",
        "only in one: more",
    ]
