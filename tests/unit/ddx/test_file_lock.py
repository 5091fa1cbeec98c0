"""A lock between threads and between processes."""

from support.lock_holder import holding

from ddx import file_lock


def test_one_holds_it_at_a_time_within_a_process_too(tmp_path):
    lock = tmp_path / "folder" / "lock"
    with file_lock.tried(lock) as first, file_lock.tried(lock) as second:
        assert first()
        assert not second()
    with file_lock.tried(lock) as third:
        assert third()
    assert lock.is_file()


def test_who_does_not_get_it_leaves_it_to_its_holder(tmp_path):
    lock = tmp_path / "lock"
    with file_lock.tried(lock) as holder:
        assert holder()
        with file_lock.tried(lock) as other:
            assert not other()
        with file_lock.tried(lock) as another:
            assert not another()


def test_it_is_free_again_after_its_holder_was_killed(tmp_path):
    lock = tmp_path / "lock"
    with holding(lock) as process, file_lock.tried(lock) as taken:
        assert not taken()
        process.kill()
        process.wait()
        assert taken()
