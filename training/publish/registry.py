"""MLflow: every run with its parameters and figures, and the registry with its aliases.

`staging` and `production` are aliases, one version each; every version also carries a tag `stage`
(Staging, Production, Archived), for stages themselves are deprecated. MLflow is the window for
people; what decides and proves is the ledger, the approvals and the signed repository.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Final

from mlflow.entities import Metric, Param, RunTag
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from ddx.errors import DdxError
from model_bundles.manifest import Release
from training.pipelines.outcome import Outcome

MODEL: Final = "vereda-ensemble"
STAGING, PRODUCTION = "staging", "production"
SQLITE: Final = "sqlite:///"
LONGEST: Final = 500
"""Characters of a parameter's value, MLflow's own limit."""


class RegistryError(DdxError):
    """The MLflow server or database cannot be used. Nothing that decides depends on it."""

    code: ClassVar[str] = "training.registry"


@dataclass(frozen=True, slots=True)
class Registry:
    """Tracking and registry at `uri`: `sqlite:///…`, or a server's address."""

    uri: str
    client: MlflowClient = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "client", MlflowClient(self.uri, self.uri))

    def track(self, outcome: Outcome, *, trigger: str) -> str:
        """Record a run, its trials and its pages; return its id. The same run is recorded once.

        Raises:
            RegistryError: MLflow refuses.
        """
        try:
            experiment = self._experiment(f"retrain_{outcome.folder.name}")
            found = self._run_of(experiment, outcome.digest)
            return found or self._record(experiment, outcome, trigger)
        except MlflowException as error:
            raise RegistryError(f"MLflow at {self.uri}: {error}") from error

    def register(self, release: Release, run: str, source: Path, tags: Mapping[str, str]) -> str:
        """Return the registry's version of a release, in Staging; made once.

        Raises:
            RegistryError: MLflow refuses.
        """
        try:
            found = self._version_of(release)
            if found is None:
                self._model()
                found = self.client.create_model_version(
                    MODEL,
                    str(source),
                    run,
                    tags={"bundle": release.version, "digest": release.digest, **tags},
                    description=f"bundle {release.version}",
                )
                self._stage(found, "Staging", STAGING)
        except MlflowException as error:
            raise RegistryError(f"MLflow at {self.uri}: {error}") from error
        return str(found.version)

    def promote(self, release: Release, at: datetime, method: str = "canary_release") -> None:
        """Make a release the production one; what was there before is archived.

        Raises:
            RegistryError: it was never registered, or MLflow refuses.
        """
        version = self._known(release)
        try:
            for before in self._staged("Production"):
                if before.version != version.version:
                    self.client.set_model_version_tag(MODEL, before.version, "stage", "Archived")
            self._stage(version, "Production", PRODUCTION)
            number = version.version
            self.client.set_model_version_tag(MODEL, number, "deployed_at", at.isoformat())
            self.client.set_model_version_tag(MODEL, number, "deployment_method", method)
            self._drop_alias(STAGING, version)
        except MlflowException as error:
            raise RegistryError(f"MLflow at {self.uri}: {error}") from error

    def archive(self, release: Release, reason: str) -> None:
        """Take a release out of Staging or Production and write down why. Raises RegistryError."""
        version = self._known(release)
        try:
            self.client.set_model_version_tag(MODEL, version.version, "stage", "Archived")
            self.client.set_model_version_tag(MODEL, version.version, "reason", reason[:LONGEST])
            for alias in (STAGING, PRODUCTION):
                self._drop_alias(alias, version)
        except MlflowException as error:
            raise RegistryError(f"MLflow at {self.uri}: {error}") from error

    def restore(self, release: Release, at: datetime) -> None:
        """Make a release the production one again; one that was never registered stays outside.

        The bundle an application ships with is such a one. Raises RegistryError.
        """
        if self._version_of(release) is not None:
            self.promote(release, at, method="rollback")

    def stages(self) -> dict[str, str]:
        """Return bundle version -> Staging, Production or Archived."""
        found = self.client.search_model_versions(f"name='{MODEL}'")
        return {v.tags["bundle"]: v.tags["stage"] for v in found}

    def at_alias(self, alias: str) -> str | None:
        """Return the bundle version an alias points to, or None."""
        try:
            return str(self.client.get_model_version_by_alias(MODEL, alias).tags["bundle"])
        except MlflowException:
            return None

    def _experiment(self, name: str) -> str:
        found = self.client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        return str(self.client.create_experiment(name, self._artifacts()))

    def _artifacts(self) -> str | None:
        """Return where artifacts go: beside a database of our own; a server knows where."""
        if not self.uri.startswith(SQLITE):
            return None
        return (Path(self.uri.removeprefix(SQLITE)).resolve().parent / "artifacts").as_uri()

    def _run_of(self, experiment: str, digest: str) -> str | None:
        asked = f"tags.digest = '{digest}' and attributes.status = 'FINISHED'"
        found = self.client.search_runs([experiment], asked, max_results=1)
        return found[0].info.run_id if found else None

    def _record(self, experiment: str, outcome: Outcome, trigger: str) -> str:
        told = outcome.evaluation.json("evaluation.json")
        run = self.client.create_run(experiment, run_name=outcome.version).info.run_id
        tags = {"digest": outcome.digest, "report": outcome.report, "retrain_trigger": trigger}
        params = [Param(k, str(v)[:LONGEST]) for k, v in outcome.parameters().items()]
        self.client.log_batch(
            run,
            metrics=[Metric(k, v, 0, 0) for k, v in _metrics(told).items()],
            params=params,
            tags=[RunTag(k, v) for k, v in tags.items()],
        )
        for number, trial in enumerate(outcome.trials()):
            self._record_trial(experiment, run, number, trial)
        self.client.log_artifacts(run, str(outcome.evaluation.folder), "report")
        self.client.set_terminated(run)
        return str(run)

    def _record_trial(
        self, experiment: str, parent: str, number: int, trial: Mapping[str, Any]
    ) -> None:
        tags = {"mlflow.parentRunId": parent, "state": trial["state"]}
        made = self.client.create_run(experiment, run_name=f"trial {number + 1}", tags=tags)
        losses = trial.get("losses", ())
        metrics = [Metric("fold_loss", loss, 0, k) for k, loss in enumerate(losses)]
        if trial["value"] is not None:
            metrics.append(Metric("loss", trial["value"], 0, 0))
        params = [Param(k, str(v)) for k, v in trial["params"].items()]
        self.client.log_batch(made.info.run_id, metrics=metrics, params=params)
        self.client.set_terminated(made.info.run_id)

    def _model(self) -> None:
        if not self.client.search_registered_models(f"name='{MODEL}'"):
            self.client.create_registered_model(MODEL)

    def _stage(self, version: ModelVersion, stage: str, alias: str) -> None:
        self.client.set_model_version_tag(MODEL, version.version, "stage", stage)
        self.client.set_registered_model_alias(MODEL, alias, version.version)

    def _drop_alias(self, alias: str, version: ModelVersion) -> None:
        if self.at_alias(alias) == version.tags["bundle"]:
            self.client.delete_registered_model_alias(MODEL, alias)

    def _version_of(self, release: Release) -> ModelVersion | None:
        found = self.client.search_model_versions(f"name='{MODEL}'")
        return next((v for v in found if v.tags.get("digest") == release.digest), None)

    def _known(self, release: Release) -> ModelVersion:
        found = self._version_of(release)
        if found is None:
            raise RegistryError(f"bundle {release.version} was never registered")
        return found

    def _staged(self, stage: str) -> list[ModelVersion]:
        found = self.client.search_model_versions(f"name='{MODEL}'")
        return [v for v in found if v.tags.get("stage") == stage]


def _metrics(told: Mapping[str, Any]) -> dict[str, float]:
    """Return model.figure -> value, of both models."""
    found: dict[str, float] = {}
    for model, figures in told["figures"].items():
        for name, figure in figures.items():
            value = figure["value"] if isinstance(figure, dict) else figure
            if value is not None:
                found[f"{model}.{name}"] = float(value)
    found["promote"] = float(told["verdict"]["promote"])
    return found
