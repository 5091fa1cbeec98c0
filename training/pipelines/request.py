"""What a retraining is pinned to when it starts: rows, time, code, sizes.

Pinned, because a run may be killed and go on after the lake has grown: the candidate must be the
one that would have come out without the interruption.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Final

import pyarrow.compute as pc

from ddx.domain.canonical import canonical_json
from model_bundles import files
from training.change_plan import ChangePlan
from training.fit.bayes import BayesSettings
from training.fit.boost import FitSettings
from training.fit.tune import SearchSettings
from training.lake.gold import GoldCases, read_cases
from training.lake.tables import GOLD_CASES
from training.pipelines.lineage import Code, Rows
from training.pipelines.steps import Say, StepError
from training.pipelines.visits import Sizes

REQUEST: Final = "request.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Size of a retraining. held_out: newest cases that judge. gate_cases: of each world.

    outside_patients: whom the scores of familiar visits are drawn from, at most.
    """

    search: SearchSettings
    held_out: int
    fit: FitSettings = field(default_factory=lambda: FitSettings(threads=1))
    gate_cases: int = 600
    outside_patients: int = 2000
    visits: Sizes = field(
        default_factory=lambda: Sizes(
            calibrated=3000, calibrated_interviews=400, simulated_calibrated=150
        )
    )

    def to_json(self) -> dict[str, Any]:
        """Return the settings as a request and the lineage keep them."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "Settings":
        """Read them back."""
        given = dict(raw)
        fit = dict(given.pop("fit"))
        bayes = BayesSettings(**fit.pop("bayes"))
        return cls(
            search=SearchSettings(**given.pop("search")),
            fit=FitSettings(bayes=bayes, **fit),
            visits=Sizes(**given.pop("visits")),
            **given,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What one run is pinned to. trigger: why it runs, as `training.monitor.triggers` names it."""

    at: datetime
    version: str
    trigger: str
    rows: Rows
    code: Code
    history: Mapping[str, str]
    replaces: str
    settings: Settings

    def to_json(self) -> bytes:
        """Return the file `request.json`."""
        return canonical_json(
            {
                "at": self.at.isoformat(),
                "version": self.version,
                "trigger": self.trigger,
                "rows": asdict(self.rows),
                "code": asdict(self.code),
                "history": dict(self.history),
                "replaces": self.replaces,
                "settings": self.settings.to_json(),
            }
        )

    @classmethod
    def from_json(cls, content: bytes) -> "Request":
        """Read that file."""
        raw = json.loads(content)
        return cls(
            at=datetime.fromisoformat(raw["at"]),
            version=raw["version"],
            trigger=raw["trigger"],
            rows=Rows(**raw["rows"]),
            code=Code(**raw["code"]),
            history=raw["history"],
            replaces=raw["replaces"],
            settings=Settings.from_json(raw["settings"]),
        )


class TooFewCasesError(StepError):
    """Too few confirmed cases to train on and judge by; nothing was started. More will come."""

    code: ClassVar[str] = "training.too_few_cases"


def pinned(
    lake: Path | str,
    *,
    since: datetime | None = None,
    new_since: datetime | None = None,
    until: datetime | None,
    version: int | None,
    held_out: int,
    plan: ChangePlan,
    say: Say,
) -> Rows:
    """Return the rows of a new run in today's lake: confirmed cases, the newest of which judge.

    since: exactly the visits from here on. new_since: where the current model's rows ended. Then
    the rows are all new ones, or the newest `held_out` and as many before them as the plan expects
    at most, whichever are more: few new cases judge together with older ones and still leave some
    to train on. What judges now never trained the current model: its own rows ended with cases
    apart, and the newest only grow newer.

    Raises:
        TooFewCasesError: fewer cases than can be trained on and judged by, or none that is new.
        GoldMissingError: the lake holds none.
    """
    gold = confirmed(read_cases(lake, since, until, version))
    new = _count_since(gold, new_since)
    if len(gold) <= held_out:
        raise TooFewCasesError(
            f"{len(gold)} confirmed cases, {held_out} of them judge: too few to train on. Wait "
            "for more, or widen --since"
        )
    if not new:
        raise TooFewCasesError(f"no confirmed case is newer than {new_since}: wait for some")
    expected = plan.data.window_expected
    if not expected.least.value <= new <= expected.most.value:
        say(
            f"note: {new:,} new cases; the plan expects {expected.least.value:,} to "
            f"{expected.most.value:,}"
        )
    begin = since
    wanted = max(new, held_out + expected.most.value)
    if since is None and wanted < len(gold):
        begin = gold.table.column("event_time")[-wanted].as_py()
        gold = replace(gold, table=gold.table.filter(pc.field("event_time") >= begin))
    return Rows(
        table=GOLD_CASES.name,
        table_id=gold.table_id,
        version=gold.version,
        since=None if begin is None else begin.isoformat(),
        until=None if until is None else until.isoformat(),
        rows_sha256=gold.rows_sha256,
        count=len(gold),
        held_out=held_out,
    )


def _count_since(gold: GoldCases, since: datetime | None) -> int:
    if since is None:
        return len(gold)
    return int(gold.table.filter(pc.field("event_time") >= since).num_rows)


def confirmed(gold: GoldCases) -> GoldCases:
    """Return the cases a person, a test or a publication stands for."""
    return replace(gold, table=gold.table.filter(pc.field("confirmed")))


def start(folder: Path, request: Request) -> Request:
    """Keep the request of a run, or return the one that is kept there already.

    Raises:
        StepError: the code changed since the run started; half of each would be nobody's model.
    """
    path = folder / REQUEST
    if path.is_file():
        kept = Request.from_json(path.read_bytes())
        if kept.code.sources_sha256 != request.code.sources_sha256:
            raise StepError(
                f"the code changed since {folder.name} started; go back to commit "
                f"{kept.code.commit[:12] or 'of then'}, or start anew with --restart"
            )
        return kept
    files.write_durably(path, request.to_json())
    return request


def moment() -> datetime:
    """Return now, UTC, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)
