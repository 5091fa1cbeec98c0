"""Keeps answers of /predict and /explain, apart for each organisation.

A key holds no word of the case: it is the SHA-256 of organisation, route, bundle and question in
canonical JSON, so that spelling and order of the JSON do not matter and a new bundle starts empty.
"""

import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from cloud_api.shared.ports import SharedMemory, SharedMemoryError
from ddx.domain.canonical import canonical_json

log = logging.getLogger(__name__)

KEEP_S: Final = 3600.0
"""Source: reference architecture, API Management, "Caching (1 hour)"."""

Outcome = Literal["hit", "miss", "unreachable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What an answer depends on, and whose it is.

    asked: the whole request as JSON values, language and options included.
    """

    tenant_id: str
    route: Literal["/predict", "/explain"]
    bundle_digest: str
    asked: Mapping[str, Any]

    def key(self) -> str:
        """Return the key, `answer:` and 64 hex digits."""
        parts = [self.tenant_id, self.route, self.bundle_digest, dict(self.asked)]
        return "answer:" + hashlib.sha256(canonical_json(parts)).hexdigest()


class AnswerCache:
    """Answers by question. counted: told how each look-up ended."""

    def __init__(
        self,
        memory: SharedMemory,
        *,
        keep_s: float = KEEP_S,
        counted: Callable[[Outcome], None] = lambda _: None,
    ) -> None:
        self._memory, self._keep_s, self._counted = memory, keep_s, counted

    async def answer(self, question: Question, make: Callable[[], Awaitable[bytes]]) -> bytes:
        """Return the kept answer, or that of `make`, which is then kept. Failures are not kept.

        A memory that does not answer costs time and nothing else.
        """
        key = question.key()
        kept = await self._kept(key)
        if kept is not None:
            return kept
        made = await make()
        try:
            await self._memory.put(key, made, keep_s=self._keep_s)
        except SharedMemoryError as error:
            log.warning("an answer is not kept: %s", error)
        return made

    async def _kept(self, key: str) -> bytes | None:
        try:
            kept = await self._memory.get(key)
        except SharedMemoryError:
            self._counted("unreachable")
            return None
        self._counted("miss" if kept is None else "hit")
        return kept
