"""Diagnosis with a memory: the same question of the same organisation is computed once an hour."""

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Literal

from opentelemetry.trace import Tracer

from cloud_api.cache.answers import AnswerCache, Question
from cloud_api.diagnose.schemas import ExplainResponse, PredictRequest
from cloud_api.diagnose.service import DiagnosisService
from cloud_api.diagnose.told import AnswerHead, ToldAnswer
from cloud_api.errors import problem_of
from cloud_api.metrics.metrics import Metrics
from cloud_api.observability.traces import NO_TRACES
from ddx.domain.case import Case
from ddx.domain.identifiers import DiseaseId
from ddx.domain.wire import explanation_to_json
from ddx.errors import DdxError

SERVER_ERROR: Final = 500
"""Status from which on a failure is ours."""

Route = Literal["/predict", "/explain"]


class KeptDiagnosis:
    """Answers cases, from memory where it can, and counts what it answered."""

    def __init__(
        self,
        service: DiagnosisService,
        cache: AnswerCache,
        metrics: Metrics,
        tracer: Tracer = NO_TRACES,
    ) -> None:
        self._service, self._cache = service, cache
        self._metrics, self._tracer = metrics, tracer

    async def answer(
        self, tenant_id: str, case: Case, case_digest: str, asked: PredictRequest
    ) -> ToldAnswer:
        """Return all there is to say of `case`. Raises EngineNotReadyError."""
        made: list[ToldAnswer] = []  # filled unless the answer was kept

        async def make() -> bytes:
            made.append(await self._service.answer(case, asked))
            return made[0].to_bytes()

        question = {
            "case": case_digest,
            "limit": asked.limit,
            "explained": asked.explained,
            "language": asked.language,
            "equipment": asked.equipment,
        }
        kept = await self._kept("/predict", tenant_id, question, make)
        answer = made[0] if made else ToldAnswer.from_bytes(kept)
        self._count(answer.head)
        return answer

    async def explain(
        self, tenant_id: str, case: Case, case_digest: str, disease: DiseaseId
    ) -> bytes:
        """Return the JSON of `ExplainResponse`. Raises UnknownDiseaseError."""
        engine = self._service.engine

        async def make() -> bytes:
            explanation = await self._service.explain(case, disease)
            answer = ExplainResponse(
                explanation=explanation_to_json(explanation),
                bundle_version=engine.version,
                bundle_digest=engine.digest,
            )
            return answer.model_dump_json().encode()

        question = {"case": case_digest, "disease": disease}
        return await self._kept("/explain", tenant_id, question, make)

    async def _kept(
        self,
        route: Route,
        tenant_id: str,
        asked: dict[str, Any],
        make: Callable[[], Awaitable[bytes]],
    ) -> bytes:
        async def timed() -> bytes:
            began, bundle = time.perf_counter(), self._service.engine.version
            with (
                self._counting_errors(route, bundle),
                self._tracer.start_as_current_span(
                    "engine", record_exception=False, set_status_on_exception=False
                ),
            ):
                made = await make()
            took_s = time.perf_counter() - began
            self._metrics.engine_seconds.labels(route).observe(took_s)
            if route == "/predict":
                self._metrics.model_seconds.labels(bundle).observe(took_s)
            return made

        question = Question(
            tenant_id=tenant_id,
            route=route,
            bundle_digest=self._service.engine.digest,
            asked=asked,
        )
        return await self._cache.answer(question, timed)

    @contextmanager
    def _counting_errors(self, route: Route, bundle: str) -> Iterator[None]:
        """Count cases the model failed on; a question it cannot read is the caller's fault."""
        try:
            yield
        except Exception as error:
            theirs = isinstance(error, DdxError) and problem_of(error.code).status < SERVER_ERROR
            if route == "/predict" and not theirs:
                self._metrics.model_errors.labels(bundle).inc()
            raise

    def _count(self, head: AnswerHead) -> None:
        self._metrics.triage.labels(str(head.triage_level)).inc()
        for first in head.leading[:1]:
            self._metrics.predictions.labels(first.world, first.band).inc()
