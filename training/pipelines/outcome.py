"""What a retraining made: the candidate, the report on it, and how it came about."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.pipelines.lineage import LINEAGE
from training.pipelines.steps import Done, StoppedByPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run made.

    digest: of the bundle. report: digest of the evaluation step. signed: the staging repository;
    None when the candidate does not meet the plan.
    """

    folder: Path
    version: str
    digest: str
    report: str
    search: Done
    bundle: Done
    evaluation: Done
    signed: Path | None

    @property
    def promote(self) -> bool:
        """Whether the candidate meets the plan."""
        return self.signed is not None

    def parameters(self) -> dict[str, Any]:
        """Return what the winner was fitted with, and where the rows are."""
        lineage = json.loads(self.bundle.read(f"members/{LINEAGE}"))
        best = self.search.json("best.json")["settings"]
        flat = {f"fit.{k}": v for k, v in best.items() if k != "bayes"}
        flat |= {f"bayes.{k}": v for k, v in best["bayes"].items()}
        flat |= {f"rows.{k}": v for k, v in lineage["rows"].items()}
        return {**flat, **lineage["code"]}

    def trials(self) -> list[dict[str, Any]]:
        """Return every trial of the search."""
        return list(self.search.json("trials.json")["trials"])

    def failed(self) -> list[str]:
        """Return the names of the checks the candidate failed."""
        checks = self.evaluation.json("evaluation.json")["verdict"]["checks"]
        return [check["name"] for check in checks if check["outcome"] == "failed"]

    def require(self) -> Path:
        """Return the staging repository. Raises StoppedByPlan, naming what failed."""
        if self.signed is None:
            failed = ", ".join(self.failed())
            raise StoppedByPlan(
                f"candidate {self.version} does not meet the plan ({failed}); it is not signed. "
                f"The report is in {self.evaluation.folder}"
            )
        return self.signed
