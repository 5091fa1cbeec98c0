"""Error codes -> HTTP status and RFC 9457 problem details, titled in Spanish or English.

Values a caller sent are answered to that caller and never logged.
"""

import json
import logging
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, cast

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud_api.advice import advice
from ddx.errors import DdxError
from sync_service.protocol.errors import (
    ClockSkewError,
    GatewayBusyError,
    MessageMalformedError,
    MessageTooLargeError,
)

log = logging.getLogger(__name__)

PROBLEM_TYPE: Final = "application/problem+json"


class EngineNotReadyError(DdxError):
    """No engine can answer: it is being loaded, or the served bundle cannot be used."""

    code = "engine.not_ready"
    retryable = True


class EngineBusyError(GatewayBusyError):
    """Too many questions wait already: this one would be answered too late to be of use."""

    code = "engine.busy"


class DatabaseBusyError(DdxError):
    """No connection to the database came free in time: more was asked than can be answered."""

    code = "database.busy"
    retryable = True


class RepositoryMissingError(DdxError):
    """The bundle repository is not there or does not verify. Nothing is offered."""

    code = "registry.missing"


class PredictionUnknownError(DdxError):
    """The caller's organisation has no prediction with this receipt id."""

    code = "prediction.unknown"


class DeviceUnknownError(DdxError):
    """The caller's organisation has no device with this id."""

    code = "device.unknown"


class BundleUnknownError(DdxError):
    """No signed bundle fits what was asked."""

    code = "bundle.unknown"


class ReleaseRefusedError(DdxError):
    """A bundle skipped a state on its way to the clinics. Nothing was written."""

    code = "release.refused"


@dataclass(frozen=True, slots=True)
class Problem:
    """Status and titles of one error code."""

    status: int
    es: str
    en: str


_UNAUTHORISED_ES: Final = "La petición no viene de un equipo inscrito"
_UNAUTHORISED_EN: Final = "The request does not come from an enrolled device"

PROBLEMS: Final = {
    "internal": Problem(500, "Error interno del servidor", "Internal server error"),
    "http": Problem(400, "Petición no atendida", "Request not served"),
    "http.404": Problem(404, "No existe", "Not found"),
    "http.405": Problem(405, "Método no permitido aquí", "Method not allowed here"),
    "identifier.malformed": Problem(422, "Identificador mal escrito", "Malformed identifier"),
    "finding.unknown": Problem(422, "Hallazgo desconocido", "Unknown finding"),
    "disease.unknown": Problem(404, "Enfermedad desconocida", "Unknown disease"),
    "case.invalid": Problem(422, "El caso no es válido", "The case is not valid"),
    "role.denied": Problem(403, "Sin permiso", "Not permitted"),
    "engine.not_ready": Problem(
        503, "El motor aún no puede responder", "The engine cannot answer yet"
    ),
    "engine.busy": Problem(
        503, "El servicio atiende ya demasiadas consultas", "Too many questions wait already"
    ),
    "registry.missing": Problem(
        503, "No hay paquete de modelos que ofrecer", "There is no model bundle to offer"
    ),
    "sync.protocol": Problem(400, "Mensaje no admitido", "Message not accepted"),
    "sync.malformed": Problem(422, "El mensaje está mal formado", "The message is malformed"),
    "sync.schema_unsupported": Problem(
        409, "Actualice la aplicación: versión no admitida", "Update the application: old version"
    ),
    "sync.conflict": Problem(
        409,
        "Todos los registros llevan el nombre de otros ya guardados",
        "Every record bears the name of another that is stored",
    ),
    "sync.too_large": Problem(413, "El envío es demasiado grande", "The body is too large"),
    "sync.encoding_unsupported": Problem(
        415, "Codificación no admitida", "Content encoding not supported"
    ),
    "sync.device_mismatch": Problem(
        403, "El lote nombra otro equipo", "The batch names another device"
    ),
    "lease.refused": Problem(
        403, "La identidad presentada no da una función aquí", "The identity lends no role here"
    ),
    "audit.head_not_signed": Problem(
        403, "La cabeza del registro no está firmada por el equipo", "The head is not the device's"
    ),
    "database.busy": Problem(503, "La base de datos está ocupada", "The database is busy"),
    "sync.busy": Problem(503, "El servidor pide esperar", "The server asks for patience"),
    "sync.too_fast": Problem(429, "Demasiados envíos seguidos", "Too many batches in a row"),
    "limit.too_many": Problem(429, "Demasiadas peticiones seguidas", "Too many requests in a row"),
    "limit.address": Problem(
        403, "No se atiende desde esta red", "Calls from this network are not accepted"
    ),
    "observability.monitor_missing": Problem(
        503, "Falta la biblioteca de las trazas", "The library of the traces is missing"
    ),
    "record.cosmos_missing": Problem(
        503, "Falta la biblioteca del registro", "The library of the record store is missing"
    ),
    "record.unreachable": Problem(
        503, "El registro no responde", "The record store does not answer"
    ),
    "shared.unreachable": Problem(
        503, "La memoria compartida no responde", "The shared memory does not answer"
    ),
    "usb.unreadable": Problem(422, "El archivo no se puede abrir", "The file cannot be opened"),
    "usb.signature": Problem(
        403, "La firma del archivo no corresponde", "The signature of the file does not fit"
    ),
    "stream.broker": Problem(503, "El bus de eventos no responde", "The broker does not answer"),
    "stream.kafka_missing": Problem(
        503, "Falta la biblioteca del bus de eventos", "The library of the broker is missing"
    ),
    "enrolment.refused": Problem(
        403, "El código de inscripción no sirve", "The enrolment code does not serve"
    ),
    "record.conflict": Problem(
        409, "El identificador ya es de otro registro", "The id belongs to another record"
    ),
    "prediction.unknown": Problem(404, "Predicción desconocida", "Unknown prediction"),
    "device.unknown": Problem(404, "Equipo desconocido", "Unknown device"),
    "bundle.unknown": Problem(404, "Paquete de modelos desconocido", "Unknown model bundle"),
    "release.refused": Problem(
        409, "El paquete no puede pasar a ese estado", "The bundle cannot pass to that state"
    ),
    "auth.missing": Problem(
        401,
        "Falta identificarse: token de acceso o firma del equipo",
        "Say who you are: an access token or a device signature",
    ),
    "auth.token_refused": Problem(
        401, "El token de acceso no sirve aquí", "The access token does not serve here"
    ),
    "auth.refused": Problem(401, _UNAUTHORISED_ES, _UNAUTHORISED_EN),
    "auth.unsigned": Problem(401, "Falta la firma del equipo", "The device signature is missing"),
    "auth.unknown_device": Problem(401, _UNAUTHORISED_ES, _UNAUTHORISED_EN),
    "auth.signature_invalid": Problem(
        401, "La firma del equipo no corresponde", "The device signature does not fit"
    ),
    "auth.clock_skew": Problem(
        401, "El reloj del equipo está mal", "The clock of the device is wrong"
    ),
    "auth.replayed": Problem(401, "Petición repetida", "Replayed request"),
}


_DEVICE_CHALLENGE: Final = 'Vereda-Device realm="vereda"'
_CHALLENGES: Final = {
    "auth.missing": f'Bearer realm="vereda", {_DEVICE_CHALLENGE}',
    "auth.token_refused": 'Bearer realm="vereda", error="invalid_token"',
}


def problem_of(code: str) -> Problem:
    """Return status and titles of a code; any code not listed is the server's own fault."""
    return PROBLEMS.get(code, PROBLEMS["internal"])


def language_of(accept_language: str) -> str:
    """Return "es" or "en", whichever the Accept-Language header prefers; Spanish by default.

    Source: RFC 9110, section 12.5.4.
    """
    best, best_weight = "es", 0.0
    for part in accept_language.split(","):
        tag, _, parameter = part.strip().partition(";")
        language = tag.strip().lower().split("-")[0]
        try:
            weight = float(parameter.strip().removeprefix("q=") or 1)
        except ValueError:
            weight = 0.0
        if language in {"es", "en"} and weight > best_weight:
            best, best_weight = language, weight
    return best


def problem_response(
    code: str, language: str, *, headers: dict[str, str] | None = None, **members: Any
) -> Response:
    """Return RFC 9457 problem details: `detail` says what to do next, as title in `language`.

    members: further ones; `reason` is for developers and in English.
    """
    problem = problem_of(code)
    status = members.pop("status", problem.status)
    body = {
        "type": f"urn:vereda:problem:{code}",
        "title": problem.es if language == "es" else problem.en,
        "status": status,
        "code": code,
        "detail": advice(code, language) or None,
        **{name: value for name, value in members.items() if value not in {None, ""}},
    }
    body = {name: value for name, value in body.items() if value is not None}
    sent = {"Content-Language": language, "Cache-Control": "no-store", **(headers or {})}
    text = json.dumps(body, ensure_ascii=False)
    return Response(text, status_code=status, media_type=PROBLEM_TYPE, headers=sent)


def install(app: FastAPI, now_s: Callable[[], float]) -> None:
    """Answer every error of `app` with problem details. now_s: told to devices that are off."""

    async def on_ddx(request: Request, error: Exception) -> Response:
        return _of_ddx_error(request, cast("DdxError", error), now_s)

    async def on_queue(request: Request, _: Exception) -> Response:
        return _of_ddx_error(request, DatabaseBusyError("no connection came free"), now_s)

    app.add_exception_handler(DdxError, on_ddx)
    app.add_exception_handler(PoolTimeoutError, on_queue)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _of_validation)


def _language(request: Request) -> str:
    return language_of(request.headers.get("accept-language", ""))


def _of_ddx_error(request: Request, error: DdxError, now_s: Callable[[], float]) -> Response:
    problem, headers = problem_of(error.code), {}
    members: dict[str, Any] = {}
    if problem.status < 500 and problem.status != 401 and error.code != "enrolment.refused":
        members["reason"] = str(error)
    if isinstance(error, MessageMalformedError):
        members["where"] = error.where
    if isinstance(error, MessageTooLargeError):
        members["limit_bytes"] = error.limit_bytes
        headers["Connection"] = "close"  # the rest of the body is not read
    if isinstance(error, ClockSkewError):
        members["server_time_s"] = round(now_s(), 3)
    if problem.status == 401:
        headers["WWW-Authenticate"] = _CHALLENGES.get(error.code, _DEVICE_CHALLENGE)
    if error.retryable and problem.status in {429, 503}:
        wait_s = error.retry_after_s if isinstance(error, GatewayBusyError) else 30
        headers["Retry-After"] = str(wait_s)
    log.info("refused: %s", error.code)
    return problem_response(error.code, _language(request), headers=headers, **members)


async def _of_http(request: Request, error: Exception) -> Response:
    refused = cast("HTTPException", error)
    code = f"http.{refused.status_code}"
    headers = dict(refused.headers or {})
    return problem_response(
        code if code in PROBLEMS else "http",
        _language(request),
        headers=headers,
        status=refused.status_code,
    )


async def _of_validation(request: Request, error: Exception) -> Response:
    refused = cast("RequestValidationError", error)
    where = ".".join(str(part) for part in refused.errors()[0]["loc"])
    return problem_response(MessageMalformedError.code, _language(request), where=where)


def refusal(scope: Scope, error: DdxError) -> Response:
    """Return what a middleware answers in place of the application."""
    return _of_ddx_error(Request(scope), error, time.time)


class LastResort:
    """Answers 500 to what nobody foresaw and logs where it happened, without any value."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application; turn an unforeseen exception into problem details."""
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception as error:
            if scope["type"] != "http":
                raise
            log.error("unforeseen %s at %s", type(error).__name__, where_of(error))  # noqa: TRY400
            if not started:
                answer = problem_response("internal", _language(Request(scope)))
                await answer(scope, receive, send)


def where_of(error: BaseException) -> str:
    """Return file, line and function of the innermost frames; messages may hold values."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return " < ".join(f"{f.filename.rsplit('/', 1)[-1]}:{f.lineno} {f.name}" for f in frames[::-1])
