"""Zstandard, deterministic on the way in and bounded on the way out."""

from typing import Final

import zstandard

from model_bundles import layout
from model_bundles.errors import BundleTamperedError

LEVEL: Final = 19
MAX_WINDOW_BYTES: Final = 2**23
"""Window of level 19 for large inputs (8 MiB); a frame that asks for more is refused."""
_LEAST_WINDOW_LOG: Final = 10
"""Smallest window of the format (RFC 8878, 3.1.1.1.2)."""


def pack(raw: bytes) -> bytes:
    """Return `raw` as one zstd frame; equal bytes in, equal bytes out."""
    return zstandard.ZstdCompressor(level=LEVEL, write_content_size=True).compress(raw)


def pack_quickly(raw: bytes) -> bytes:
    """Return `raw` as one zstd frame for this disk only: fast, and larger than `pack`'s."""
    return zstandard.ZstdCompressor(level=3, write_content_size=True).compress(raw)


def make_patch(old: bytes, new: bytes) -> bytes | None:
    """Return a frame that `apply_patch` turns into `new` where `old` is at hand.

    None for members over `layout.MAX_PATCHED_BYTES` together.
    """
    if len(old) + len(new) > layout.MAX_PATCHED_BYTES:
        return None
    parameters = zstandard.ZstdCompressionParameters.from_level(
        LEVEL, window_log=_window_log(len(old) + len(new)), enable_ldm=True, write_content_size=True
    )
    compressor = zstandard.ZstdCompressor(dict_data=_prefix(old), compression_params=parameters)
    return compressor.compress(new)


def apply_patch(old: bytes, patch: bytes, length: int) -> bytes:
    """Return the `length` bytes that `patch` makes of `old`; memory is bounded as in `unpack`.

    The result is not trusted: another `old` gives other bytes. The caller holds it to its hash.

    Raises:
        BundleTamperedError: not a patch, or not exactly `length` bytes.
    """
    if len(old) + length > layout.MAX_PATCHED_BYTES:
        raise BundleTamperedError("a patch for members too large to be patched")
    decompressor = zstandard.ZstdDecompressor(
        dict_data=_prefix(old), max_window_size=2 ** _window_log(len(old) + length)
    )
    return _read_exactly(decompressor, patch, length)


def _prefix(old: bytes) -> zstandard.ZstdCompressionDict:
    return zstandard.ZstdCompressionDict(old, dict_type=zstandard.DICT_TYPE_RAWCONTENT)


def _window_log(length: int) -> int:
    """Return the least window that reaches over `length` bytes, as a power of two."""
    return max(_LEAST_WINDOW_LOG, length.bit_length())


def unpack(stored: bytes, length: int) -> bytes:
    """Return the `length` raw bytes that `stored` holds.

    Reads from a stream, `length` + 1 bytes at most: `max_output_size` of python-zstandard is
    ignored when the frame header declares a size, so a header could ask for gigabytes.

    Raises:
        BundleTamperedError: not one zstd frame, or not exactly `length` bytes.
    """
    return _read_exactly(
        zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES), stored, length
    )


def _read_exactly(decompressor: zstandard.ZstdDecompressor, stored: bytes, length: int) -> bytes:
    try:
        with decompressor.stream_reader(stored) as reader:
            raw = reader.read(length + 1)
    except zstandard.ZstdError as error:
        raise BundleTamperedError(f"member cannot be decompressed: {error}") from error
    if len(raw) != length:
        raise BundleTamperedError(f"member does not hold its {length} bytes")
    return raw
