import os
from pathlib import Path
from stat import S_ISDIR

import pytest
from support.lock_holder import holding

from model_bundles import files
from model_bundles.errors import BundleBusyError, BundleStateError, BundleStorageError
from model_bundles.floors import FileFloors


def test_a_write_replaces_the_whole_file_and_leaves_no_other(tmp_path):
    path = tmp_path / "folder" / "pointer.json"
    files.write_durably(path, b"one")
    files.write_durably(path, b"two")
    assert path.read_bytes() == b"two"
    assert [p.name for p in path.parent.iterdir()] == ["pointer.json"]


def test_a_write_that_fails_leaves_the_old_bytes_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "pointer.json"
    files.write_durably(path, b"one")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="space"):
        files.write_durably(path, b"two")
    assert path.read_bytes() == b"one"
    assert list(tmp_path.iterdir()) == [path]


def test_bytes_reach_the_disk_before_their_name_and_the_name_before_the_return(
    tmp_path, monkeypatch
):
    steps = []
    replace = Path.replace
    monkeypatch.setattr(
        os, "fsync", lambda fd: steps.append("folder" if S_ISDIR(os.fstat(fd).st_mode) else "file")
    )
    monkeypatch.setattr(
        Path, "replace", lambda self, to: (steps.append("name"), replace(self, to))[1]
    )
    files.write_durably(tmp_path / "pointer.json", b"one")
    assert steps == ["file", "name", "folder"]


def test_what_python_tuf_wrote_is_forced_to_the_disk(workshop, tmp_path, monkeypatch):
    workshop.publish()
    synced = set()
    monkeypatch.setattr(os, "fsync", lambda fd: synced.add(os.fstat(fd).st_ino))
    workshop.client(tmp_path / "device").offered()
    written = [p for p in (tmp_path / "device" / "metadata").rglob("*") if not p.is_symlink()]
    assert {p.stat().st_ino for p in written} <= synced


def test_a_read_never_takes_more_than_its_limit(tmp_path):
    (tmp_path / "big").write_bytes(bytes(1000))
    assert files.read_bounded(tmp_path / "big", 10) == bytes(11)
    assert files.read_bounded(tmp_path / "none", 10) is None
    assert files.read_bounded(tmp_path, 10) is None


def test_disk_errors_become_ours_and_name_no_path(tmp_path):
    with pytest.raises(BundleStorageError) as refusal, files.storage_errors():
        (tmp_path / "no" / "such").read_bytes()
    assert str(tmp_path) not in str(refusal.value)


def test_a_lock_is_free_again_after_its_holder_was_killed(tmp_path):
    lock = tmp_path / "lock"
    with holding(lock), pytest.raises(BundleBusyError), files.process_lock(lock, patience_s=0.1):
        pass
    with files.process_lock(lock, patience_s=0.1):
        assert lock.exists()


def test_floors_only_rise(tmp_path):
    floors = FileFloors(tmp_path / "floors.json")
    assert floors.read() == {}
    floors.raise_to({"bundle": (2026, 11, 2), "timestamp@a": (7,)})
    floors.raise_to({"bundle": (2026, 11, 1), "models@b": (3,)})
    assert floors.read() == {"bundle": (2026, 11, 2), "timestamp@a": (7,), "models@b": (3,)}


@pytest.mark.parametrize("content", [b"", b"{}", b'{"floors":[]}', b'{"floors":{"bundle":"x"}}'])
def test_damaged_floors_are_an_error_and_not_permission(tmp_path, content):
    (tmp_path / "floors.json").write_bytes(content)
    with pytest.raises(BundleStateError):
        FileFloors(tmp_path / "floors.json").read()
    with pytest.raises(BundleStateError):
        FileFloors(tmp_path / "floors.json").raise_to({"bundle": (1,)})
