"""Zstandard, deterministic on the way in and bounded on the way out."""

from typing import Final

import zstandard

from model_bundles.errors import BundleTamperedError

LEVEL: Final = 19
MAX_WINDOW_BYTES: Final = 2**23
"""Window of level 19 for large inputs (8 MiB); a frame that asks for more is refused."""


def pack(raw: bytes) -> bytes:
    """Return `raw` as one zstd frame; equal bytes in, equal bytes out."""
    return zstandard.ZstdCompressor(level=LEVEL, write_content_size=True).compress(raw)


def unpack(stored: bytes, length: int) -> bytes:
    """Return the `length` raw bytes that `stored` holds.

    Reads from a stream, `length` + 1 bytes at most: `max_output_size` of python-zstandard is
    ignored when the frame header declares a size, so a header could ask for gigabytes.

    Raises:
        BundleTamperedError: not one zstd frame, or not exactly `length` bytes.
    """
    decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES)
    try:
        with decompressor.stream_reader(stored) as reader:
            raw = reader.read(length + 1)
    except zstandard.ZstdError as error:
        raise BundleTamperedError(f"member cannot be decompressed: {error}") from error
    if len(raw) != length:
        raise BundleTamperedError(f"member does not hold its {length} bytes")
    return raw
