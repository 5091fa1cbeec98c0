"""GET /health (is the process alive) and GET /ready (may it be given work)."""

from typing import Final, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from cloud_api.auth.access import everyone
from cloud_api.diagnose.service import DiagnosisService
from cloud_api.drain import Drain
from cloud_api.operation import operation
from cloud_api.stream.log import EventStream


class Readiness(BaseModel):
    """What works. engine: ready, loading, or the code that keeps it from serving.

    leaving: told to stop; it still answers what comes.
    """

    ready: bool
    database: str
    engine: str
    stored_events: int
    leaving: bool = False


class Health(BaseModel):
    """The process is alive."""

    status: Literal["alive"] = "alive"


_OPEN: Final = everyone("a probe has no identity; the answer names states, nothing else")
_READY: Final = {"ready": True, "database": "ready", "engine": "ready", "stored_events": 120}


def router(stream: EventStream, diagnosis: DiagnosisService, drain: Drain) -> APIRouter:
    """Return the two routes."""
    routes = APIRouter(tags=["health"])

    @routes.get("/health", **operation(None, _OPEN, answer=Health, example={"status": "alive"}))
    async def health() -> Health:
        """Answer while the process is alive."""
        return Health()

    described = operation(None, _OPEN, answer=Readiness, example=_READY)
    waiting = _READY | {"ready": False, "engine": "loading"}
    described["responses"][503] = {
        "model": Readiness,
        "description": "Not yet, or no longer",
        "content": {"application/json": {"example": waiting}},
    }

    @routes.get("/ready", **described)
    async def ready(response: Response) -> Readiness:
        """Answer 200 when database and engine serve, 503 with the same content otherwise.

        Not ready as well when told to stop: no new work should be sent.
        """
        try:
            stored, database = await stream.head(), "ready"
        except SQLAlchemyError as error:
            stored, database = 0, type(error).__name__
        serving = database == "ready" and diagnosis.state == "ready" and not drain.begun
        response.status_code = 200 if serving else 503
        return Readiness(
            ready=serving,
            database=database,
            engine=diagnosis.state,
            stored_events=stored,
            leaving=drain.begun,
        )

    return routes
