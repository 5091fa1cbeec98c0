import tracemalloc

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from model_bundles import compression
from model_bundles.errors import BundleTamperedError


@given(st.binary(max_size=4096))
def test_what_is_packed_is_unpacked(raw):
    assert compression.unpack(compression.pack(raw), len(raw)) == raw


def test_packing_is_deterministic():
    raw = bytes(range(256)) * 500
    assert compression.pack(raw) == compression.pack(raw)


def test_nine_megabytes_fit_the_window_limit():
    raw = bytes(range(251)) * (9 * 2**20 // 251)
    assert compression.unpack(compression.pack(raw), len(raw)) == raw


@pytest.mark.parametrize("declared", [True, False], ids=["size declared", "size hidden"])
def test_a_bomb_is_refused_without_being_unpacked(declared):
    bomb = zstandard.ZstdCompressor(write_content_size=declared).compress(bytes(256 * 2**20))
    assert len(bomb) < 32_768
    tracemalloc.start()
    with pytest.raises(BundleTamperedError):
        compression.unpack(bomb, 1000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 * 2**20


def test_a_frame_that_asks_for_a_giant_window_is_refused():
    parameters = zstandard.ZstdCompressionParameters(window_log=27)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    frame = compressor.compress(b"x" * 1000) + compressor.flush()
    with pytest.raises(BundleTamperedError, match="decompressed"):
        compression.unpack(frame, 1000)


@pytest.mark.parametrize("length", [0, 99, 101])
def test_a_member_of_another_length_is_refused(length):
    with pytest.raises(BundleTamperedError):
        compression.unpack(compression.pack(b"x" * 100), length)


@pytest.mark.parametrize("stored", [b"", b"not zstd", compression.pack(b"x" * 100)[:-3]])
def test_what_is_not_a_whole_frame_is_refused(stored):
    with pytest.raises(BundleTamperedError):
        compression.unpack(stored, 100)
