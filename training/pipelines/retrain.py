"""New cases of the lake -> a signed candidate with the report its reviewers read.

    cases -> search -> fit -> around -> answers -> bundle -> evaluation -> signed

Every step is done once (`steps`): a run that was killed goes on where it ended and gives the same
candidate digest. What the run depends on is pinned when it starts: the version of the lake, the
time, the bundle that is replaced, the sources of the code. Members the plan does not let change are
taken over byte for byte.
"""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from ddx.domain.artifacts import GOLDEN_CASES, META_MODEL
from ddx.engine import Engine
from ddx.errors import ModelError
from ddx.inference.conformal import COMMON_CONFORMAL
from ddx.inference.outside import COMMON_OUTSIDE
from ddx.once import once
from model_bundles import layout
from model_bundles.authoring.build import build_bundle
from model_bundles.authoring.keys import KeyRing
from model_bundles.authoring.repository import Repository
from model_bundles.manifest import write_manifest
from training.change_plan import ChangePlan
from training.evaluate import outside as outside_of
from training.evaluate import report
from training.evaluate.candidate import HeldOutCases, answer_both, compare
from training.evaluate.gate import judge
from training.fit.bayes import BayesSettings
from training.fit.boost import FitSettings
from training.fit.common import fit_exported
from training.fit.fitter import EMBEDDED, Fitter
from training.fit.material import Material
from training.fit.meta import fit_meta
from training.fit.outside import fit_outside
from training.fit.recorded import Recorded
from training.fit.tune import deal, tune
from training.lake.gold import GoldCases, GoldMissingError, read_cases
from training.pipelines import kept_rows, worlds
from training.pipelines.answers_file import answers_json, answers_of, figures_json
from training.pipelines.golden import golden_cases
from training.pipelines.history import History
from training.pipelines.lineage import LINEAGE, Lineage, LineageError
from training.pipelines.outcome import Outcome
from training.pipelines.provenance import provenance_members
from training.pipelines.request import Request, confirmed
from training.pipelines.steps import Done, Say, StepError, Steps
from training.pipelines.unsigned import UnsignedMembers
from training.pipelines.visits import calibrated_sets

STEPS: Final = 8
REFERENCE_CASES: Final = 1500
"""Recorded cases the drift reference counts, at most."""

CHANNEL: Final = "candidate"
"""Channel of the staging repository: no clinic's device reads it."""

LIBRARIES: Final = (
    "numpy",
    "xgboost",
    "xgboost-cpu",
    "optuna",
    "scikit-learn",
    "onnx",
    "onnxruntime",
)
"""Packages whose version can move a digest. XGBoost comes as one of two: with CUDA, or without."""


class Bundle(Protocol):
    """The bundle that is replaced."""

    @property
    def version(self) -> str:
        """Its version."""

    @property
    def digest(self) -> str:
        """Its digest."""

    @property
    def members(self) -> tuple[str, ...]:
        """Names of its members."""

    def read(self, name: str) -> bytes:
        """Return one member, verified."""


@dataclass(kw_only=True)
class Retraining:
    """One run. lake: folder or address. history: read when a step needs it, once.

    kept: folder with copies of the rows of registered runs, for versions the lake let go.
    current: the bundle that is replaced. check: raises for rows that may not train a model. clock:
    seconds, for the time a diagnosis takes. fitter: who boosts the trees, the same whoever does.
    """

    folder: Path
    request: Request
    lake: Path | str
    read_history: Callable[[], History]
    current: Bundle
    plan: ChangePlan
    say: Say
    kept: Path | None = None
    check: Callable[[GoldCases], None] = lambda _: None
    clock: Callable[[], float] = time.perf_counter
    fitter: Fitter = EMBEDDED
    dry_run: bool = False

    def __post_init__(self) -> None:
        if self.current.digest != self.request.replaces:
            raise StepError(
                f"the run replaces bundle {self.request.replaces[:12]}, "
                f"{self.current.digest[:12]} was given"
            )
        self.steps = Steps(self.folder / "steps", self.say, STEPS, self.dry_run)

    @once
    def history(self) -> History:
        """The historical set. Raises LineageError when its files are not the pinned ones."""
        history = self.read_history()
        if dict(history.files) != dict(self.request.history):
            raise LineageError("the historical files are not those this run started with")
        return history

    @once
    def gold(self) -> GoldCases:
        """The pinned rows. Raises LineageError when the lake no longer gives them."""
        rows = self.request.rows
        since, until = (
            None if t is None else datetime.fromisoformat(t) for t in (rows.since, rows.until)
        )
        try:
            gold = confirmed(read_cases(self.lake, since, until, rows.version))
        except GoldMissingError:
            copy = None if self.kept is None else kept_rows.read(self.kept, rows)
            if copy is None:
                raise
            self.say(f"the lake no longer holds version {rows.version}; reading the kept rows")
            gold = copy
        if (gold.table_id, gold.rows_sha256) != (rows.table_id, rows.rows_sha256):
            raise LineageError(
                f"{rows.table} version {rows.version} gives other rows than this run started with"
            )
        return gold

    def run(self) -> Outcome:
        """Do what is not done yet and return the signed candidate, or one the plan stops.

        Raises:
            StepError: on a dry run, or when a step cannot be done.
            LineageError: the lake or the historical files are not those of the request.
        """
        search, answers, bundle = self._made()
        evaluation = self._evaluation(answers, bundle)
        outcome = Outcome(
            folder=self.folder,
            version=self.request.version,
            digest=bundle.json("digest.json")["digest"],
            report=evaluation.digest,
            search=search,
            bundle=bundle,
            evaluation=evaluation,
            signed=None,
        )
        if not evaluation.json("evaluation.json")["verdict"]["promote"]:
            return outcome
        return replace(outcome, signed=self._signed(bundle).folder / "repository")

    def digest(self) -> str:
        """Do what a bundle needs, judge and sign nothing; return its digest. Raises as `run`."""
        return str(self._made()[-1].json("digest.json")["digest"])

    def _made(self) -> tuple[Done, Done, Done]:
        """Return the steps search, answers and bundle."""
        cases = self._cases()
        search = self._search(cases)
        fitted = self._fit(cases, search)
        around = self._around(fitted)
        answers = self._answers(cases, fitted, around)
        return search, answers, self._bundle(cases, search, fitted, around, answers)

    # -- steps ---------------------------------------------------------------------------------

    def _cases(self) -> Done:
        def make(folder: Path) -> None:
            self.check(self.gold)
            train, held_out = self._train_rows(), self._held_out_rows()
            ids = held_out.table.column("case_id").to_pylist()
            first = held_out.table.column("event_time")[0].as_py().isoformat()
            recorded = Recorded.of(
                train, self.history.vocabulary.findings, self.history.model_diseases
            )
            found = {
                "rows_sha256": self.gold.rows_sha256,
                "train": len(train),
                "trained_on": len(recorded.truth),
                "of_other_diseases": recorded.left_out,
                "held_out": len(held_out),
                "held_out_from": first,
                "held_out_sha256": hashlib.sha256("\n".join(ids).encode()).hexdigest(),
                "labels": dict(sorted(Counter(map(str, train.labels)).items())),
            }
            _write(folder / "cases.json", found)

        return self.steps.run("cases", {"rows": asdict(self.request.rows)}, make)

    def _search(self, cases: Done) -> Done:
        settings = self.request.settings

        def make(folder: Path) -> None:
            history, sample = self.history, self.history.sample
            train = sample.take(history.split.train)
            folds = tuple(
                deal(train, self._recorded, history.endemic, history.diseases, settings.search)
            )
            storage = self.folder / "search"  # outside the step: a killed search goes on
            best = tune(folds, settings.search, storage, settings.fit, self.say, fitter=self.fitter)
            _write(folder / "best.json", {"settings": asdict(best.settings), "loss": best.loss})
            _write(folder / "trials.json", {"shipped": best.shipped_loss, "trials": best.tried})

        given = {"cases": cases.digest, "settings": settings.to_json(), "sources": self._sources}
        return self.steps.run("search", given, make)

    def _fit(self, cases: Done, search: Done) -> Done:
        def make(folder: Path) -> None:
            history, settings = self.history, _fit_settings(search)
            made = fit_exported(
                history.sample,
                history.split,
                self._material(settings),
                settings,
                self.say,
                recorded=self._recorded,
                fitter=self.fitter,
            )
            _write_members(folder, made.members())
            _write(
                folder / "fit.json",
                {"parity": made.parity, "calibration": made.calibration_record.to_json()},
            )

        given = {"cases": cases.digest, "best": _sha(search.read("best.json"))}
        return self.steps.run("fit", given, make)

    def _around(self, fitted: Done) -> Done:
        settings = self.request.settings

        def make(folder: Path) -> None:
            history = self.history
            members = self._unchanged() | fitted.files("members")
            without = {COMMON_OUTSIDE, COMMON_CONFORMAL}  # of the replaced model
            members = {name: raw for name, raw in members.items() if name not in without}
            engine = self._engine({**members, META_MODEL: worlds.ungated().to_json()})
            rng = np.random.default_rng(20_261_126)
            published = history.published()
            chosen = rng.permutation(len(published))[: settings.gate_cases]
            meta = fit_meta(
                worlds.common_answers(engine, history.stacking_cases(settings.gate_cases), rng),
                worlds.rare_answers(engine, [published[i] for i in chosen], rng),
                views=worlds.VIEWS,
            )
            made = {META_MODEL: meta.model.to_json()}
            engine = self._engine({**members, **made})
            material = self._material_for_outside(engine)
            familiar = (v.rows for v in material.calibration(settings.outside_patients))
            bayes = engine.common.bayes
            if bayes is None:
                raise ModelError("the fitted model carries no table")
            unknown = fit_outside(familiar, engine.common.schema, bayes, material.source)
            made[COMMON_OUTSIDE] = unknown.to_json()
            engine = self._engine({**members, **made})
            sets = calibrated_sets(engine, history.sample, history.split, sizes=settings.visits)
            made[COMMON_CONFORMAL] = sets.to_json()
            _write_members(folder, made)
            _write(folder / "around.json", {"gate": meta.metrics})

        return self.steps.run(
            "around", {"fit": fitted.digest, "settings": settings.to_json()}, make
        )

    def _answers(self, cases: Done, fitted: Done, around: Done) -> Done:
        def make(folder: Path) -> None:
            members = self._unchanged() | fitted.files("members") | around.files("members")
            new = self._engine(members)
            held_out = self._held_out
            current, candidate = answer_both(self._current_engine, new, held_out, self.clock)
            _write(
                folder / "answers.json",
                {name: answers_json(a) for name, a in (("current", current), ("new", candidate))},
            )
            seconds = {"current": current.seconds.tolist(), "new": candidate.seconds.tolist()}
            _write(folder / "seconds.json", seconds)

        given = {"cases": cases.digest, "fit": fitted.digest, "around": around.digest}
        return self.steps.run("answers", given, make)

    def _bundle(self, cases: Done, search: Done, fitted: Done, around: Done, answers: Done) -> Done:
        said = answers.read("answers.json")

        def make(folder: Path) -> None:
            made = fitted.files("members") | around.files("members")
            engine = self._engine(self._unchanged() | made)
            made[GOLDEN_CASES] = golden_cases(engine)
            made[LINEAGE] = self._lineage(search).to_json()
            made[layout.MODEL_CARD] = self._card(cases, fitted, around, answers)
            reference = tuple(self._train_rows().cases())[-REFERENCE_CASES:]
            made |= provenance_members(
                self._unchanged() | made,
                engine,
                reference,
                version=self.request.version,
                at=self.request.at,
            )
            _write_members(folder, made)
            manifest = write_manifest(
                self._unchanged() | made,
                version=self.request.version,
                created_at=self.request.at,
            )
            _write(folder / "digest.json", {"digest": manifest.release.digest})
            _write(folder / "foreign.json", sorted(self._foreign(made, engine)))

        given = {
            "search": search.digest,
            "fit": fitted.digest,
            "around": around.digest,
            "answers": _sha(said),
            "version": self.request.version,
            "at": self.request.at.isoformat(),
            "sources": self._sources,
        }
        return self.steps.run("bundle", given, make)

    def _evaluation(self, answers: Done, bundle: Done) -> Done:
        def make(folder: Path) -> None:
            members = self._unchanged() | bundle.files("members")
            digest = bundle.json("digest.json")["digest"]
            current, new = self._current_engine, self._engine(members, digest)
            severity = new.catalogue.disease_severity
            both = answers_of(answers)
            fit = json.loads(members[layout.MODEL_CARD])["common"]
            compared = compare(
                self._held_out,
                both["current"],
                replace(both["new"], digest=digest),
                severity,
                parity=fit["parity_max_probability_difference"],
            )
            verdict = judge(compared, self.plan, bundle.json("foreign.json"))
            figures = {
                "current": figures_json(compared.figures_current),
                "new": figures_json(compared.figures_new),
            }
            _write(
                folder / "evaluation.json",
                {"digest": digest, "verdict": verdict.to_json(), "figures": figures},
            )
            background = report.Background(
                trained=self.request.rows.count - self.request.rows.held_out,
                signatures=self.plan.approval.signatures.value,
                run=self.folder.name,
                lineage=self._told_lineage(digest),
            )
            for name, page in report.pages(
                compared, verdict, (current, new), severity, background
            ).items():
                (folder / name).write_bytes(page)

        given = {"answers": answers.digest, "bundle": bundle.digest, "plan": self.plan.digest}
        return self.steps.run("evaluation", given, make)

    def _signed(self, bundle: Done) -> Done:
        def make(folder: Path) -> None:
            members = self._unchanged() | bundle.files("members")
            built = build_bundle(members, self.request.version, self.request.at)
            if built.digest != bundle.json("digest.json")["digest"]:
                raise StepError("the members give another digest than the one that was judged")
            keys = KeyRing.ready(self.folder.parent / "staging-keys")
            repository = Repository(folder / "repository", keys)
            repository.initialise()
            repository.publish(built, CHANNEL)

        return self.steps.run("signed", {"bundle": bundle.digest}, make)

    # -- what the steps share --------------------------------------------------------------------

    @property
    def _sources(self) -> str:
        return self.request.code.sources_sha256

    @once
    def _recorded(self) -> Recorded:
        return Recorded.of(
            self._train_rows(), self.history.vocabulary.findings, self.history.model_diseases
        )

    def _train_rows(self) -> GoldCases:
        last = len(self.gold) - self.request.rows.held_out
        return replace(self.gold, table=self.gold.table.slice(0, last))

    def _held_out_rows(self) -> GoldCases:
        last = len(self.gold) - self.request.rows.held_out
        return replace(self.gold, table=self.gold.table.slice(last))

    @once
    def _held_out(self) -> HeldOutCases:
        rows = self._held_out_rows()
        ids = rows.table.column("case_id").to_pylist()
        truth = tuple(label for label in rows.labels if label is not None)
        return HeldOutCases(ids=tuple(ids), cases=tuple(rows.cases()), truth=truth)

    def _material(self, settings: FitSettings) -> Material:
        history = self.history
        train = history.sample.take(history.split.train)
        return Material.of(train, history.diseases, history.endemic, settings.bayes, self._recorded)

    def _material_for_outside(self, engine: Engine) -> outside_of.Material:
        history = self.history
        made = self._material(FitSettings())
        return outside_of.Material(
            schema=engine.common.schema,
            diseases=engine.common.diseases,
            counts=made.counts,
            known=made.known,
            everyone=history.sample,
            split=history.split,
            endemic=history.endemic,
        )

    @once
    def _current_members(self) -> dict[str, bytes]:
        return {name: self.current.read(name) for name in self.current.members}

    def _unchanged(self) -> dict[str, bytes]:
        return dict(self._current_members)

    @once
    def _current_engine(self) -> Engine:
        return Engine.from_artifacts(
            UnsignedMembers(self._current_members, self.current.version, self.current.digest)
        )

    def _engine(self, members: Mapping[str, bytes], digest: str = "unsigned") -> Engine:
        return Engine.from_artifacts(UnsignedMembers(members, self.request.version, digest))

    def _foreign(self, made: Mapping[str, bytes], engine: Engine) -> set[str]:
        """Return what changed that the plan does not let change."""
        allowed, before = self.plan.changes, self._current_members
        changed = {name for name, raw in made.items() if before.get(name) != raw}
        found = changed - set(allowed.members)
        was = self._current_engine.common
        if allowed.same_diseases and set(was.diseases) != set(engine.common.diseases):
            found.add("diseases")
        if allowed.same_findings and set(was.schema.findings) != set(engine.common.schema.findings):
            found.add("findings")
        return found

    def _lineage(self, search: Done) -> Lineage:
        settings = {**self.request.settings.to_json(), "best": search.json("best.json")["settings"]}
        return Lineage(
            rows=self.request.rows,
            code=self.request.code,
            history=dict(self.request.history),
            replaces=self.request.replaces,
            parameters={
                "settings": settings,
                "at": self.request.at.isoformat(),
                "version": self.request.version,
                "trigger": self.request.trigger,
            },
            packages={name: v for name in LIBRARIES if (v := _version(name)) is not None},
        )

    def _card(self, cases: Done, fitted: Done, around: Done, answers: Done) -> bytes:
        """Return the model card: the replaced one's rare half, and what is new of this model."""
        before = json.loads(self._current_members[layout.MODEL_CARD])
        fit = fitted.json("fit.json")
        both = answers_of(answers)
        held_out, right = self._held_out, {}
        for name, said in both.items():
            hits = [a == t for a, t in zip(said.said, held_out.truth, strict=True)]
            right[name] = float(np.mean(hits))
        card = {
            "version": self.request.version,
            "created_at": self.request.at.isoformat(),
            "intended_use": before.get("intended_use", ""),
            "limits": before.get("limits", []),
            "hpo_release": before.get("hpo_release", ""),
            "common": {
                "retrained": True,
                "replaces": self.request.replaces,
                "trigger": self.request.trigger,
                "cases": cases.json("cases.json"),
                "parity_max_probability_difference": fit["parity"],
                "calibration": fit["calibration"],
                "held_out_top1": right,
            },
            "rare": before.get("rare", {}),
            "gate": around.json("around.json")["gate"],
        }
        return json.dumps(card, indent=1, ensure_ascii=False, sort_keys=True).encode()

    def _told_lineage(self, digest: str) -> list[tuple[str, str]]:
        request = self.request
        return [
            ("bundle", digest),
            ("replaces", request.replaces),
            (
                "rows",
                f"{request.rows.table} version {request.rows.version} of {request.rows.table_id}",
            ),
            ("window", f"{request.rows.since or '…'} – {request.rows.until or '…'}"),
            ("rows_sha256", request.rows.rows_sha256),
            ("commit", request.code.commit),
            ("sources_sha256", request.code.sources_sha256),
            ("trigger", request.trigger),
            ("plan", f"docs/pccp.yaml {self.plan.plan} ({self.plan.digest[:12]})"),
        ]


def _version(package: str) -> str | None:
    """Return the version of an installed package, None when it is not there."""
    try:
        return package_version(package)
    except PackageNotFoundError:
        return None


def _fit_settings(search: Done) -> FitSettings:
    raw = dict(search.json("best.json")["settings"])
    return FitSettings(bayes=BayesSettings(**raw.pop("bayes")), **raw)


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, sort_keys=True, indent=1), encoding="utf-8")


def _write_members(folder: Path, members: Mapping[str, bytes]) -> None:
    for name, raw in members.items():
        path = folder / "members" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
