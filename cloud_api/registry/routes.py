"""GET /bundles/…: the signed repository as files (ETag, Range) and a summary of the offer.

No authentication: every byte is signed, and a device that lost its enrolment still gets safety
fixes.
"""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Final

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from cloud_api.auth.access import everyone
from cloud_api.auth.door import Door
from cloud_api.operation import operation
from cloud_api.registry.repository import Repository
from sync_service.protocol.versions import BUNDLE_METADATA_PATH, BUNDLE_TARGETS_PATH


class SignedFiles(StaticFiles):
    """Files of the repository; a folder that is not there (yet) holds none of them."""

    async def check_config(self) -> None:
        """Raise 404 while the folder does not exist."""
        if self.directory is None or not Path(self.directory).is_dir():
            raise HTTPException(404)


class OfferSummary(BaseModel):
    """What the channel offers. size_bytes: stored size, at most what a device downloads."""

    channel: str
    version: str
    digest: str
    created_at: datetime
    size_bytes: int


_OPEN: Final = everyone("every byte is signed, and safety fixes reach devices whatever happened")
_OFFER: Final = {
    "channel": "stable",
    "version": "2026.11.6",
    "digest": "b" * 64,
    "created_at": "2026-11-20T08:00:00Z",
    "size_bytes": 4100000,
}


def install(door: Door, repository: Repository) -> None:
    """Let the registry's routes in."""
    routes = APIRouter(tags=["bundles"])

    @routes.get(
        "/bundles/offer",
        **operation(
            None, _OPEN, answer=OfferSummary, example=_OFFER, problems=("registry.missing",)
        ),
    )
    async def offer() -> OfferSummary:
        """Return a summary of the offered bundle; devices rely on the signed files alone."""
        bundle = await asyncio.to_thread(repository.open)
        return OfferSummary(
            channel=repository.channel,
            version=bundle.version,
            digest=bundle.digest,
            created_at=bundle.created_at,
            size_bytes=bundle.size_bytes,
        )

    door.let_in(routes)
    for path, folder in ((BUNDLE_METADATA_PATH, "metadata"), (BUNDLE_TARGETS_PATH, "targets")):
        files = SignedFiles(directory=repository.folder / folder, check_dir=False)
        door.let_in_files(path.rstrip("/"), files, folder, _OPEN)
