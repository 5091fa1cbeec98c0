"""A repository on a disk (USB stick, package) read through the same client as one on a server."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from tuf.api.exceptions import DownloadError, DownloadHTTPError
from tuf.ngclient import FetcherInterface

_SCHEME: Final = "repository:///"
_CHUNK_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class RepositoryLocation:
    """Where a repository is: base addresses of its metadata and of its targets."""

    metadata_url: str
    targets_url: str


LOCAL: Final = RepositoryLocation(f"{_SCHEME}metadata/", f"{_SCHEME}targets/")
"""Location to give a BundleClient together with a LocalFetcher."""


class LocalFetcher(FetcherInterface):
    """Reads the files of one repository folder; never outside it, and never through a link."""

    def __init__(self, repository: Path) -> None:
        self._repository = repository.resolve()

    def _fetch(self, url: str) -> Iterator[bytes]:
        if not url.startswith(_SCHEME):
            raise DownloadError("not an address of a local repository")
        path = self._repository / unquote(url.removeprefix(_SCHEME))
        if path.resolve() != path or not path.is_relative_to(self._repository):
            raise DownloadHTTPError("no such file: a link, or a name that leads out", 404)
        if not path.is_file():
            raise DownloadHTTPError("no such file in the local repository", 404)
        return _chunks(path)


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as handle:
            while chunk := handle.read(_CHUNK_BYTES):
                yield chunk
    except OSError as error:  # the stick was pulled out
        raise DownloadError("the local repository cannot be read") from error
