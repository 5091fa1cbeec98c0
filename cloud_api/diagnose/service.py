"""The engine of the served bundle: loaded once off the loop, asked off the loop."""

import asyncio
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from cloud_api.diagnose.answer import Answering, answer
from cloud_api.diagnose.schemas import PredictRequest
from cloud_api.diagnose.told import ToldAnswer
from cloud_api.errors import EngineNotReadyError
from ddx.domain.case import Case
from ddx.domain.explanation import Explanation
from ddx.domain.identifiers import DiseaseId
from ddx.errors import DdxError
from ddx.terminology.catalogue import Catalogue

log = logging.getLogger(__name__)
T = TypeVar("T")


class ClinicalEngine(Answering, Protocol):
    """What the service needs of `ddx.engine.Engine`."""

    @property
    def version(self) -> str:
        """Version of the bundle."""

    @property
    def digest(self) -> str:
        """Digest of the bundle."""

    def explain(self, case: Case, disease: DiseaseId) -> Explanation:
        """Return why a disease stands where it stands."""


class DiagnosisService:
    """Answers cases with the engine `open_engine` returns; inference never blocks the loop."""

    def __init__(self, open_engine: Callable[[], ClinicalEngine]) -> None:
        self._open_engine = open_engine
        self._engine: ClinicalEngine | None = None
        self.state = "loading"
        """loading, ready, or the code of the error that keeps the engine from serving."""
        self._threads = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="engine")

    async def load(self) -> None:
        """Open the engine in a thread. A bundle that cannot serve leaves a code in `state`."""
        try:
            self._engine = await asyncio.to_thread(self._open_engine)
        except DdxError as error:
            self.state = error.code
            log.error("the served bundle cannot be used: %s", error.code)  # noqa: TRY400 - a code says it
        except Exception:
            self.state = DdxError.code
            log.exception("the engine did not start")
        else:
            self.state = "ready"

    @property
    def engine(self) -> ClinicalEngine:
        """The engine. Raises EngineNotReadyError while there is none."""
        if self._engine is None:
            raise EngineNotReadyError(self.state)
        return self._engine

    async def answer(self, case: Case, asked: PredictRequest) -> ToldAnswer:
        """Return all there is to say of `case`, ready to be sent. Raises UnknownFindingError."""
        engine = self.engine
        _known(case, engine.catalogue)
        return await self._off_the_loop(lambda: ToldAnswer.of(answer(engine, case, asked)))

    async def explain(self, case: Case, disease: DiseaseId) -> Explanation:
        """Return the explanation of one disease for `case`.

        Raises:
            UnknownFindingError, UnknownDiseaseError: the bundle has no such finding, disease.
        """
        engine = self.engine
        _known(case, engine.catalogue)
        return await self._off_the_loop(lambda: engine.explain(case, disease))

    async def _off_the_loop(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _known(case: Case, catalogue: Catalogue) -> None:
    """Refuse a code the catalogue lacks: left out in silence, it would look like a healthy sign."""
    for finding in case.findings:
        catalogue.resolve(finding.id)
