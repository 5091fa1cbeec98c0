"""GET /health (is the process alive) and GET /ready (may it be given work)."""

from fastapi import APIRouter, Response
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from cloud_api.diagnose.service import DiagnosisService
from cloud_api.stream.log import EventStream


class Readiness(BaseModel):
    """What works. engine: ready, loading, or the code that keeps it from serving."""

    ready: bool
    database: str
    engine: str
    stored_events: int


def router(stream: EventStream, diagnosis: DiagnosisService) -> APIRouter:
    """Return the two routes."""
    routes = APIRouter(tags=["health"])

    @routes.get("/health")
    async def health() -> dict[str, str]:
        """Answer while the process is alive."""
        return {"status": "alive"}

    @routes.get("/ready", responses={503: {"model": Readiness}})
    async def ready(response: Response) -> Readiness:
        """Answer 200 when database and engine serve, 503 with the same content otherwise."""
        try:
            stored, database = await stream.head(), "ready"
        except SQLAlchemyError as error:
            stored, database = 0, type(error).__name__
        serving = database == "ready" and diagnosis.state == "ready"
        response.status_code = 200 if serving else 503
        return Readiness(
            ready=serving, database=database, engine=diagnosis.state, stored_events=stored
        )

    return routes
