"""What an operation says of itself: who may call it, what it takes, what it answers, how it fails.

`operation(...)` gives the keyword arguments of a route. Everything in it reaches the OpenAPI
document, and tests hold that examples fit their schemas and that no other status is answered.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from fastapi import Depends
from pydantic import BaseModel, Field

from cloud_api.advice import advice
from cloud_api.auth.access import Access
from cloud_api.auth.guard import Admission, Declaration, Guard
from cloud_api.errors import PROBLEM_TYPE, problem_of

JSON: Final = "application/json"
_TOKEN: Final = ("auth.missing", "auth.token_refused", "role.denied")
_SIGNATURE: Final = (
    "auth.missing",
    "auth.unsigned",
    "auth.unknown_device",
    "auth.signature_invalid",
    "auth.clock_skew",
    "auth.replayed",
)
_BODY: Final = (
    "sync.malformed",
    "sync.too_large",
    "sync.encoding_unsupported",
    "sync.schema_unsupported",
)
_ALWAYS: Final = ("limit.address", "limit.too_many", "sync.too_fast", "sync.busy", "internal")

SECURITY_SCHEMES: Final = {
    "person": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "OpenID Connect access token of this API, RS256, with exactly one role; "
        "checked as RFC 8725 asks.",
    },
    "device": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Vereda-Signature",
        "description": "Ed25519 signature of an enrolled device; see docs/sync.md.",
    },
}


class Problem(BaseModel):
    """RFC 9457 problem details. code: stable, for programs; title: in the caller's language."""

    type: str = Field(pattern=r"^urn:vereda:problem:")
    title: str
    status: int = Field(ge=400, le=599)
    code: str
    detail: str | None = Field(default=None, description="What to do next, like the title.")
    reason: str | None = Field(default=None, description="For developers, in English.")
    where: str | None = Field(default=None, description="First field that does not fit.")
    limit_bytes: int | None = None
    server_time_s: float | None = Field(default=None, description="For clocks that are off.")


def operation(
    guard: Guard | None,
    access: Access,
    *,
    answer: type[BaseModel] | None = None,
    example: Mapping[str, Any] | None = None,
    body: type[BaseModel] | None = None,
    sent: Mapping[str, Any] | None = None,
    problems: Sequence[str] = (),
    status: int = 200,
    asks: bool = False,
    first: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Return the keyword arguments of a route.

    guard: who holds `access`; None where the operation is open or knows its callers by itself.
    example, sent: an answer and a request to show. problems: codes of its own failures.
    asks: whether it reads its query, which may be malformed. first: see `Admission`.
    """
    shown = {} if example is None else {status: example}
    check = Declaration(access, shown) if guard is None else Admission(guard, access, shown, first)
    extra: dict[str, Any] = {"security": _security(access)}
    if body is not None:
        extra["requestBody"] = _request(body, sent or {})
    codes = [*_who(access), *(_BODY if body else ()), *problems, *_ALWAYS]
    responses: dict[int | str, Any] = _failures([*codes, *(["sync.malformed"] if asks else [])])
    return {
        "dependencies": [Depends(check)],
        "response_model": answer,
        "status_code": status,
        "responses": responses,
        "openapi_extra": extra,
    }


def _who(access: Access) -> tuple[str, ...]:
    return (*(_TOKEN if access.people else ()), *(_SIGNATURE if access.devices else ()))


def _security(access: Access) -> list[dict[str, list[str]]]:
    kinds = {"person": access.people, "device": access.devices}
    return [{kind: []} for kind, serves in kinds.items() if serves]


def _request(body: type[BaseModel], sent: Mapping[str, Any]) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{body.__name__}"}
    return {"required": True, "content": {JSON: {"schema": schema, "example": sent}}}


def _failures(codes: Sequence[str]) -> dict[int | str, Any]:
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in dict.fromkeys(codes):
        by_status[problem_of(code).status].append(code)
    return {status: _failure(status, of) for status, of in sorted(by_status.items())}


def _failure(status: int, codes: Sequence[str]) -> dict[str, Any]:
    examples = {
        f"{code} ({language})": {"value": _problem(code, status, language)}
        for code in codes
        for language in ("es", "en")
    }
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": "; ".join(problem_of(code).en for code in codes),
        "content": {PROBLEM_TYPE: {"schema": schema, "examples": examples}},
    }


def _problem(code: str, status: int, language: str) -> dict[str, Any]:
    problem = problem_of(code)
    return {
        "type": f"urn:vereda:problem:{code}",
        "title": problem.es if language == "es" else problem.en,
        "status": status,
        "code": code,
        **({"detail": said} if (said := advice(code, language)) else {}),
    }
