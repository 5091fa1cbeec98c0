"""What arrived of a file before the link broke, kept on the disk for the next connection.

    <folder>/<sha256 of the address>.part    the bytes, from the first one on
    <folder>/<sha256 of the address>.etag    which file they are of, as the server names it

Nothing here is trusted: the whole file is hashed by whoever asked for it. A partial that was
spoiled on the disk costs one failed download, for it is gone once it was handed over whole.
"""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

WORTH_KEEPING_BYTES: Final = 16_384
"""Files shorter than this start again: a request costs about as much as they do."""

KEPT_BYTES: Final = 64 * 2**20
"""All partials together: one whole bundle, as `model_bundles.layout` limits a member."""

_CHUNK_BYTES: Final = 65_536
_MAX_ETAG_BYTES: Final = 256


@dataclass(frozen=True, slots=True)
class Partial:
    """The part of one file that is on the disk already."""

    path: Path
    etag: str
    length: int

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes kept, exactly `length` of them. Raises OSError."""
        left = self.length
        with self.path.open("rb") as handle:
            while left and (chunk := handle.read(min(left, _CHUNK_BYTES))):
                left -= len(chunk)
                yield chunk


class Partials:
    """Partials of one device in `folder`, by address. A disk that refuses keeps none."""

    def __init__(self, folder: Path, *, kept_bytes: int = KEPT_BYTES) -> None:
        self._folder, self._kept_bytes = folder, kept_bytes

    def find(self, url: str) -> Partial | None:
        """Return what is here of the file at `url`, or None."""
        body, name = self._paths(url)
        try:
            etag = name.read_bytes()[: _MAX_ETAG_BYTES + 1].decode("ascii")
            length = body.stat().st_size
        except (OSError, UnicodeDecodeError):
            return None
        if not length or len(etag) > _MAX_ETAG_BYTES or not etag.startswith('"'):
            return None
        return Partial(body, etag, length)

    def begin(self, url: str, etag: str) -> BinaryIO | None:
        """Return a file to write the first bytes of `url` to; None where the disk refuses."""
        body, name = self._paths(url)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._make_room()
            name.write_bytes(etag.encode("ascii"))
            return body.open("wb", buffering=0)
        except (OSError, UnicodeEncodeError):
            self.drop(url)
            return None

    def go_on(self, partial: Partial) -> BinaryIO | None:
        """Return a file to write what follows `partial` to; None where the disk refuses."""
        try:
            return partial.path.open("ab", buffering=0)
        except OSError:
            return None

    def drop(self, url: str) -> None:
        """Forget what is here of the file at `url`."""
        for path in self._paths(url):
            with suppress(OSError):
                path.unlink()

    def _paths(self, url: str) -> tuple[Path, Path]:
        name = hashlib.sha256(url.encode()).hexdigest()
        return self._folder / f"{name}.part", self._folder / f"{name}.etag"

    def _make_room(self) -> None:
        """Remove the oldest partials while all of them together are over the limit."""
        kept = sorted(self._folder.glob("*.part"), key=lambda path: path.stat().st_mtime_ns)
        total = sum(path.stat().st_size for path in kept)
        for path in kept:
            if total <= self._kept_bytes:
                return
            total -= path.stat().st_size
            path.unlink()
            path.with_suffix(".etag").unlink(missing_ok=True)
