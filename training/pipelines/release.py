"""Data sets -> fitted models -> parity -> golden cases -> signed default bundle."""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from ddx.domain.artifacts import GOLDEN_CASES, META_MODEL
from ddx.engine import Engine
from ddx.inference.conformal import COMMON_CONFORMAL
from ddx.inference.outside import COMMON_OUTSIDE
from ddx.safety.recommend import RECOMMENDATIONS
from model_bundles import embedded, layout, selftest
from model_bundles.authoring import ceremony
from model_bundles.authoring.build import BuiltBundle, build_bundle
from model_bundles.authoring.keys import (
    OFFLINE_POLICY,
    SNAPSHOT,
    TARGETS,
    TIMESTAMP,
    KeyRing,
)
from model_bundles.authoring.repository import Repository
from model_bundles.errors import BundleError, BundleTamperedError
from model_bundles.verify import TARGETS_FOLDER, VerifiedBundle, open_verified
from training.evaluate import outside, real_patients
from training.evaluate.rare import RecallLine, evaluate_rare
from training.evaluate.rare_learned import learned_lines
from training.fit.common import CommonFit, fit_common
from training.fit.meta import MetaFit, fit_meta
from training.fit.outside import fit_outside
from training.fit.rare import RareFit
from training.fit.rare_learned import fit_learned
from training.fit.rare_rows import RareWorkbench
from training.knowledge.recommend import recommendation_member
from training.pipelines import worlds
from training.pipelines.card import card_json
from training.pipelines.golden import golden_cases
from training.pipelines.notices import notices
from training.pipelines.provenance import provenance_members
from training.pipelines.unsigned import UnsignedMembers
from training.pipelines.visits import measure_visits
from training.sources.endemic import endemic_knowledge
from training.sources.febrile import LineListMissingError
from training.sources.hpo import OntologyRelease, raw_files, read_ontology
from training.sources.phenopackets import read_phenopackets, tuning_cases
from training.vocabulary import phenotypes, vocabulary_members

DEFAULT = embedded.default_repository().parent
GATE_CASES = 1500
"""Cases of each world the gate is fitted on; more moved its accuracy by less than 0.1 point."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What one run made: the figures of each part and the bundle that was signed."""

    built: BuiltBundle
    common: CommonFit
    rare: RareFit
    meta: MetaFit
    card: bytes
    rare_lines: tuple[RecallLine, ...]


def release(data: Path, keys_folder: Path, *, say: Say, at: datetime | None = None) -> Release:
    """Fit everything on the sets in `data`, sign it, verify it, and make it the default bundle.

    keys_folder: signing keys; made on first use. They stay out of the repository.

    Raises:
        DataSetMissingError, CaseSourceError: says what to download and where to put it.
        BundleError: the signed bundle does not verify or fails its own golden cases.
    """
    created_at = (at or datetime.now(UTC)).replace(microsecond=0)
    version = next_version(created_at)
    say("1/7 common model: DDXPlus")
    common = fit_common(data, progress=say)
    say("2/7 rare ranker: HPO annotations")
    ontology = _phenotypes_only(read_ontology())
    bench = RareWorkbench.build(data, ontology)
    learned = fit_learned(bench, data, say)
    say("3/7 gate between both worlds: held-out cases")
    members = {
        **vocabulary_members(ontology),
        **common.members(),
        **bench.fit.members(),
        **learned.members,
        **_raw_hpo(),
        layout.NOTICES: notices(ontology.version),
        RECOMMENDATIONS: recommendation_member(),
    }
    meta = _fit_gate(members, version, common, data)
    members[META_MODEL] = meta.model.to_json()
    say("4/7 outside what the common model knows, interviews, conformal sets")
    material = _material(common)
    familiar = (visit.rows for visit in material.calibration())
    unknown = fit_outside(familiar, common.schema, common.bayes, material.source)
    members[COMMON_OUTSIDE] = unknown.to_json()
    engine = _engine(members, version)
    visits = measure_visits(engine, common.sample, common.split, say=say)
    members[COMMON_CONFORMAL] = visits.sets.to_json()
    say("5/7 golden cases and model card")
    members[GOLDEN_CASES] = golden_cases(_engine(members, version))
    lines = (*evaluate_rare(bench.fit, data), *learned_lines(bench, learned, data))
    card = card_json(
        version=version,
        hpo=ontology.version,
        at=created_at,
        common=common,
        visits=visits,
        rare=bench.fit,
        meta=meta,
        lines=lines,
        real_patients=_real_patients(_engine(members, version), data, say),
        outside=outside.measure(unknown, common.bayes, material, data),
    )
    members[layout.MODEL_CARD] = card
    members |= provenance_members(
        members,
        _engine(members, version),
        common.held_out_cases(GATE_CASES),
        version=version,
        at=created_at,
    )
    say("6/7 sign")
    built = build_bundle(members, version, created_at)
    publish_default(built, keys_folder, created_at)
    say("7/7 verify and self-test as a device would")
    report = selftest.run(
        open_verified(embedded.default_repository(), embedded.embedded_trust()),
        Engine.from_artifacts,
    )
    say(f"{report.cases} golden cases reproduced in {report.seconds:.1f} s")
    return Release(
        built=built, common=common, rare=bench.fit, meta=meta, card=card, rare_lines=lines
    )


def next_version(at: datetime) -> str:
    """Return year.month.number, one past the default bundle's when it is of the same month."""
    try:
        current = open_verified(embedded.default_repository(), embedded.embedded_trust()).version
        year, month, number = layout.version_key(current)
    except (OSError, BundleError):
        return f"{at.year}.{at.month}.1"
    follows = number + 1 if (year, month) == (at.year, at.month) else 1
    return f"{at.year}.{at.month}.{follows}"


def publish_default(
    built: BuiltBundle, keys_folder: Path, at: datetime, default: Path = DEFAULT
) -> None:
    """Replace the default repository by one that offers `built`, and embed its root.

    The repository for sticks is made beside it, with a root of its own that is embedded too; it
    names the same targets, so only its metadata is kept. Its targets, snapshot and timestamp keys
    lie in `sticks` under `keys_folder`; root, models and safety are those of the usual one.

    Written beside and swapped in at the end: a run that dies leaves the old bundle whole.
    """
    fresh = default.parent / f".default-{os.getpid()}"
    try:
        repository = Repository(fresh / "repository", KeyRing.ready(keys_folder))
        trust = repository.initialise(at)
        repository.publish(built, at=at)
        sticks = Repository(fresh / "sticks", _stick_keys(keys_folder), OFFLINE_POLICY)
        offline = sticks.initialise(at)
        ceremony.mirror(repository, sticks, at)
        shutil.rmtree(fresh / "sticks" / TARGETS_FOLDER)
        (fresh / "trust").mkdir(parents=True)
        (fresh / "trust" / "root.json").write_bytes(trust.root)
        (fresh / "trust" / "offline_root.json").write_bytes(offline.root)
        for part in ("repository", "sticks", "trust"):
            shutil.rmtree(default / part, ignore_errors=True)
            shutil.move(fresh / part, default / part)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def republish(
    keys_folder: Path, at: datetime | None = None, default: Path = DEFAULT
) -> VerifiedBundle:
    """Sign the members of the default bundle anew, fit nothing; return it as a device opens it.

    Version, members and digest stay, and so does every byte of the manifest; roots, dates and
    signatures are new.

    Raises:
        BundleError: the default bundle does not verify; nothing is changed.
        SigningError: a key file in `keys_folder` cannot be read.
    """
    before = open_verified(default / "repository", embedded.embedded_trust(default))
    built = build_bundle(
        {name: before.peek(name) for name in before.members},
        before.version,
        before.created_at,
        min_app_version=before.manifest.min_app_version,
    )
    if built.digest != before.digest:
        raise BundleTamperedError(f"{before.version} is not what its members give")
    at = (at or datetime.now(UTC)).replace(microsecond=0)
    publish_default(built, keys_folder, at, default)
    return open_verified(default / "repository", embedded.embedded_trust(default))


def _stick_keys(keys_folder: Path) -> KeyRing:
    own = {role: OFFLINE_POLICY[role] for role in (TARGETS, SNAPSHOT, TIMESTAMP)}
    online, sticks = KeyRing.ready(keys_folder), KeyRing.ready(keys_folder / "sticks", own)
    held = {role: online.signers(role) for role in OFFLINE_POLICY if role not in own}
    return KeyRing({**held, **{role: sticks.signers(role) for role in own}})


def _phenotypes_only(release: OntologyRelease) -> OntologyRelease:
    """Return the release cut to the terms a bundle's vocabulary holds, in the same order."""
    return OntologyRelease(version=release.version, terms=phenotypes(release))


def _raw_hpo() -> dict[str, bytes]:
    return {f"vocabulary/{name}": content for name, content in raw_files().items()}


def _engine(members: Mapping[str, bytes], version: str) -> Engine:
    return Engine.from_artifacts(UnsignedMembers(members, version))


def _material(common: CommonFit) -> outside.Material:
    return outside.Material.of(
        common.sample, common.split, common.schema, common.diseases, endemic_knowledge()
    )


def _real_patients(engine: Engine, data: Path, say: Say) -> dict[str, Any] | None:
    """Return the figures on published line lists; None, and a line, where they are absent."""
    try:
        return real_patients.measure(engine, data)
    except LineListMissingError as error:
        say(f"real patients not measured: {error}")
        return None


def _fit_gate(members: Mapping[str, bytes], version: str, common: CommonFit, data: Path) -> MetaFit:
    engine = _engine({**members, META_MODEL: worlds.ungated().to_json()}, version)
    rng = np.random.default_rng(20261123)
    published = [c for c in tuning_cases(read_phenopackets(data)) if c.case.present]
    chosen = rng.permutation(len(published))[:GATE_CASES]
    return fit_meta(
        worlds.common_answers(engine, common.held_out_cases(GATE_CASES), rng),
        worlds.rare_answers(engine, [published[i] for i in chosen], rng),
        views=worlds.VIEWS,
    )
