"""The OpenAPI document, with the requests FastAPI does not read itself."""

from collections.abc import Sequence
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from cloud_api import sync_docs
from cloud_api.audit import routes as audit_routes
from cloud_api.auth.access import everyone
from cloud_api.auth.door import Door, Operation
from cloud_api.clinic_settings import routes as settings_routes
from cloud_api.devices import routes as devices_routes
from cloud_api.diagnose import routes as diagnose_routes
from cloud_api.feedback import routes as feedback_routes
from cloud_api.operation import JSON, SECURITY_SCHEMES, Problem
from cloud_api.rollout import routes as rollout_routes
from sync_service.gateway import routes as gateway_routes

TITLE: Final = "Vereda"
DESCRIPTION: Final = (
    "Differential diagnosis, feedback, audit, registry and fleet of rural clinics. "
    "Errors are RFC 9457 problem details, in Spanish or English by Accept-Language."
)
TAGS: Final = {
    "diagnosis": "Severity, confidence, explanation and recommendations of a case.",
    "feedback": "What clinicians decided about predictions.",
    "predictions": "What was asked and answered, by digests.",
    "audit": "What was done, in one chain of hashes per organisation.",
    "registry": "Which models exist, and who was production when.",
    "rollout": "What is signed now, and decisions about releases.",
    "drift": "Counts, and whether they have changed.",
    "devices": "The computers of an organisation.",
    "settings": "What those computers are told.",
    "identity": "Who the service takes the caller for.",
    "sync": "Devices only: records up, settings and roles down.",
    "bundles": "Signed model bundles, for anybody.",
    "health": "Probes and Prometheus.",
}
READ_AND_WRITTEN_BY_HAND: Final[tuple[type[BaseModel], ...]] = (
    *gateway_routes.REQUEST_MODELS,
    *diagnose_routes.REQUEST_MODELS,
    *feedback_routes.REQUEST_MODELS,
    *audit_routes.REQUEST_MODELS,
    *devices_routes.REQUEST_MODELS,
    *settings_routes.REQUEST_MODELS,
    *rollout_routes.REQUEST_MODELS,
    *sync_docs.ANSWER_MODELS,
    Problem,
)
_ASSETS: Final = "/docs/assets"
_OPEN: Final = everyone("what may be asked is no secret")


def document_of(app: FastAPI, operations: Sequence[Operation]) -> dict[str, Any]:
    """Return the document of `app`, made once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            tags=[{"name": name, "description": said} for name, said in TAGS.items()],
        )
        _, schemas = models_json_schema(
            [(model, "validation") for model in READ_AND_WRITTEN_BY_HAND],
            ref_template="#/components/schemas/{model}",
        )
        components = document.setdefault("components", {})
        components.setdefault("schemas", {}).update(schemas.get("$defs", {}))
        components["securitySchemes"] = SECURITY_SCHEMES
        _show(document, operations)
        app.openapi_schema = document
    return app.openapi_schema


def install_page(door: Door) -> None:
    """Add /docs, with scripts of its own: it is read where nothing comes from elsewhere."""
    assets = StaticFiles(packages=[("fastapi_offline", "static")])
    door.let_in_files(_ASSETS, assets, "assets", _OPEN)

    async def page(request: Request) -> HTMLResponse:
        at = str(request.scope.get("root_path", "")).rstrip("/")
        return get_swagger_ui_html(
            openapi_url=f"{at}/openapi.json",
            title=TITLE,
            swagger_js_url=f"{at}{_ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f"{at}{_ASSETS}/swagger-ui.css",
            swagger_favicon_url=f"{at}{_ASSETS}/favicon.png",
        )

    door.app.add_route("/docs", page, include_in_schema=False)


def _show(document: dict[str, Any], operations: Sequence[Operation]) -> None:
    """Put the examples in: FastAPI would leave their nulls out, and an answer has them."""
    for operation in operations:
        for status, example in operation.shown.items():
            answers = document["paths"][operation.path][operation.method.lower()]["responses"]
            answers[str(status)]["content"][JSON]["example"] = example
