"""Diagnosis with a memory: the same question of the same organisation is computed once an hour."""

import time
from collections.abc import Awaitable, Callable
from typing import Any, Literal

from opentelemetry.trace import Tracer

from cloud_api.cache.answers import AnswerCache, Question
from cloud_api.diagnose.schemas import ExplainResponse, PredictRequest
from cloud_api.diagnose.service import DiagnosisService
from cloud_api.diagnose.told import AnswerHead, ToldAnswer
from cloud_api.metrics.metrics import Metrics
from cloud_api.observability.traces import NO_TRACES
from ddx.domain.case import Case
from ddx.domain.identifiers import DiseaseId
from ddx.domain.wire import explanation_to_json

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
            began = time.perf_counter()
            with self._tracer.start_as_current_span(
                "engine", record_exception=False, set_status_on_exception=False
            ):
                made = await make()
            self._metrics.engine_seconds.labels(route).observe(time.perf_counter() - began)
            return made

        question = Question(
            tenant_id=tenant_id,
            route=route,
            bundle_digest=self._service.engine.digest,
            asked=asked,
        )
        return await self._cache.answer(question, timed)

    def _count(self, head: AnswerHead) -> None:
        self._metrics.triage.labels(str(head.triage_level)).inc()
        for first in head.leading[:1]:
            self._metrics.predictions.labels(first.world, first.band).inc()
