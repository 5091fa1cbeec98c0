"""The reviewers' report: what a physician reads in five minutes before signing a candidate.

One self-contained page in Spanish and one in English: no script, nothing fetched.
"""

import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ddx.domain.case import Case
from ddx.domain.differential import Candidate
from ddx.domain.finding import Finding
from ddx.domain.identifiers import DiseaseId
from ddx.engine import Engine
from ddx.errors import UnknownDiseaseError
from training.evaluate.candidate import Comparison, Severity, groups_of, years
from training.evaluate.common import SEVERE, Estimate
from training.evaluate.gate import Check, Verdict

TEMPLATES: Final = Path(__file__).parent / "templates"
LANGUAGES: Final = ("es", "en")
SAMPLES: Final = 6
"""Cases shown of each kind: what can be read in two of the five minutes."""

CONFUSED: Final = 14
"""Diseases of the confusion matrix: the ones most often confused; a table of 70 is not read."""

WEIGHED_CASES: Final = 120
WEIGHED_FINDINGS: Final = 12
FINDINGS_SHOWN: Final = 14
BAR_PX: Final = 160
BINS: Final = (0.0, 0.3, 0.5, 0.7, 0.9, 1.0)
OLDEST: Final = 90
"""Ages from here on are pooled: a very old patient of a small village is a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """What the page tells besides the comparison. lineage: (name, value) lines."""

    trained: int
    signatures: int
    run: str
    lineage: Sequence[tuple[str, str]]


def pages(
    compared: Comparison,
    verdict: Verdict,
    engines: tuple[Engine, Engine],
    severity: Severity,
    background: Background,
) -> dict[str, bytes]:
    """Return file name -> page. engines: current and new, for words and contributions."""
    weights = _weights(compared, engines)
    return {
        f"report.{language}.html": _render(
            language,
            _page(
                language,
                compared,
                verdict,
                engine=engines[1],
                severity=severity,
                background=background,
                weights=weights,
            ),
        )
        for language in LANGUAGES
    }


@cache
def words() -> Mapping[str, Any]:
    """Return language -> words of the page."""
    return tomllib.loads((TEMPLATES / "words.toml").read_text(encoding="utf-8"))


def _render(language: str, page: Mapping[str, Any]) -> bytes:
    folder = FileSystemLoader(TEMPLATES)
    templates = Environment(loader=folder, autoescape=True, undefined=StrictUndefined)
    template = templates.get_template("report.html.j2")
    return template.render(language=language, w=words()[language], page=page).encode()


def _page(
    language: str,
    compared: Comparison,
    verdict: Verdict,
    *,
    engine: Engine,
    severity: Severity,
    background: Background,
    weights: Mapping[str, tuple[float, float]],
) -> dict[str, Any]:
    def label(disease: DiseaseId) -> str:
        return engine.catalogue.disease_label(disease, language)

    now, new = compared.figures_current, compared.figures_new
    return {
        "new": compared.new,
        "current": compared.current,
        "held_out": len(compared.held_out),
        "trained": background.trained,
        "signatures": background.signatures,
        "run": background.run,
        "lineage": background.lineage,
        "promote": verdict.promote,
        "checks": [_check_line(check, getattr(new, check.name, None)) for check in verdict.checks],
        "critical": _critical(compared, severity, label),
        "samples": _samples(compared, severity, engine, language),
        "confusion": _confusion(compared, label),
        "importance": _importance(weights, engine, language),
        "groups": _groups(compared),
        "bins": _bins(compared),
        "speed": {
            "current": (now.p50_ms, now.p95_ms, now.p99_ms),
            "new": (new.p50_ms, new.p95_ms, new.p99_ms),
        },
    }


def _check_line(check: Check, estimate: object) -> dict[str, Any]:
    small = check.name == "parity"
    tells = estimate.low if isinstance(estimate, Estimate) else None
    interval = f"{estimate.low:.3f}–{estimate.high:.3f}" if tells is not None else ""  # type: ignore[attr-defined]
    return {
        "name": check.name,
        "current": _figure(check.current, small=small),
        "new": _figure(check.new, small=small),
        "limit": _figure(check.limit, small=small),
        "outcome": check.outcome.value,
        "source": check.source,
        "interval": interval,
    }


def _figure(value: float | None, *, small: bool = False) -> str:
    if value is None:
        return "—"
    return f"{value:.1e}" if small else f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def _right(said: Sequence[DiseaseId | None], truth: Sequence[DiseaseId]) -> np.ndarray[Any, Any]:
    return np.array([s == t for s, t in zip(said, truth, strict=True)])


def _critical(
    compared: Comparison, severity: Severity, label: Callable[[DiseaseId], str]
) -> list[dict[str, Any]]:
    truth = compared.held_out.truth
    now, new = (_right(a.said, truth) for a in (compared.current, compared.new))
    lines = []
    for disease in sorted({d for d in truth if severity(d) in SEVERE}):
        of = np.array([d == disease for d in truth])
        lines.append(
            {
                "label": label(disease),
                "severity": severity(disease),
                "patients": int(of.sum()),
                "current": int(now[of].sum()),
                "new": int(new[of].sum()),
            }
        )
    return sorted(lines, key=lambda line: (line["new"] - line["current"], -line["patients"]))


def _samples(
    compared: Comparison, severity: Severity, engine: Engine, language: str
) -> list[dict[str, Any]]:
    truth = compared.held_out.truth
    now, new = (_right(a.said, truth) for a in (compared.current, compared.new))
    kinds = {"lost": now & ~new, "won": ~now & new, "wrong": ~now & ~new}
    found = []
    for name, mask in kinds.items():
        at = sorted(np.flatnonzero(mask), key=lambda i: (severity(truth[i]) or 9, i))
        shown = [_case(int(i), compared, severity, engine, language) for i in at[:SAMPLES]]
        found.append({"name": name, "total": len(at), "cases": shown})
    return found


def _case(
    i: int, compared: Comparison, severity: Severity, engine: Engine, language: str
) -> dict[str, Any]:
    case, truth = compared.held_out.cases[i], compared.held_out.truth[i]

    def answer(top: Iterable[Candidate]) -> list[dict[str, Any]]:
        return [
            {
                "label": engine.catalogue.disease_label(c.disease, language),
                "probability": f"{100 * c.probability:.0f} %",
                "hit": c.disease == truth,
            }
            for c in top
        ]

    return {
        "id": compared.held_out.ids[i][:12],
        "age": _pooled(case),
        "sex": case.sex.value,
        "truth": engine.catalogue.disease_label(truth, language),
        "critical": severity(truth) in SEVERE,
        "present": _labels(case.present, engine, language),
        "denied": _labels(case.excluded, engine, language),
        "current": answer(compared.current.top[i]),
        "new": answer(compared.new.top[i]),
    }


def _pooled(case: Case) -> str | None:
    age = years(case)
    return None if age is None else f"{OLDEST}+" if age >= OLDEST else str(age)


def _labels(findings: Sequence[Finding], engine: Engine, language: str) -> list[str]:
    known = [f.id for f in findings if f.id in engine.catalogue]
    named = [engine.catalogue.label(finding, language) for finding in known[:FINDINGS_SHOWN]]
    return named if len(known) <= FINDINGS_SHOWN else [*named, f"+{len(known) - FINDINGS_SHOWN}"]


def _confusion(compared: Comparison, label: Callable[[DiseaseId], str]) -> dict[str, Any]:
    truth = compared.held_out.truth
    both = [Counter(zip(truth, a.said, strict=True)) for a in (compared.current, compared.new)]
    errors: Counter[DiseaseId] = Counter()
    for counted in both:
        for (true, said), n in counted.items():
            if true != said:
                errors[true] += n
                if said is not None and said in truth:
                    errors[said] += n
    shown = sorted(d for d, _ in errors.most_common(CONFUSED))
    totals = Counter(truth)
    rows = [
        {"label": label(true), "cells": _cells(true, shown, both, totals[true])} for true in shown
    ]
    return {"columns": [*(label(d) for d in shown), ""], "rows": rows}


def _cells(
    true: DiseaseId, shown: Sequence[DiseaseId], both: Sequence[Counter[Any]], total: int
) -> list[dict[str, Any]]:
    now, new = ({said: n for (t, said), n in counted.items() if t == true} for counted in both)
    counts = [(now.get(d, 0), new.get(d, 0), d == true) for d in shown]
    rest = [sum(n for said, n in found.items() if said not in shown) for found in (now, new)]
    counts.append((rest[0], rest[1], False))
    return [
        {
            "count": after,
            "change": f"{after - before:+d}" if after != before else "",
            "self": own,
            "shade": f"{0.6 * after / max(total, 1):.2f}",
        }
        for before, after, own in counts
    ]


def _weights(
    compared: Comparison, engines: tuple[Engine, Engine]
) -> dict[str, tuple[float, float]]:
    """Return finding -> mean absolute contribution to the confirmed disease, current and new."""
    held_out = compared.held_out
    at = np.unique(np.linspace(0, len(held_out) - 1, WEIGHED_CASES).astype(int))
    sums: tuple[dict[str, float], ...] = (defaultdict(float), defaultdict(float))
    for i in at:
        for total, engine in zip(sums, engines, strict=True):
            try:
                told = engine.explain(held_out.cases[i], held_out.truth[i])
            except UnknownDiseaseError:
                continue
            for line in told.contributions:
                total[str(line.subject)] += abs(line.weight)
    return {s: (sums[0][s] / len(at), sums[1][s] / len(at)) for s in sorted({*sums[0], *sums[1]})}


def _importance(
    weights: Mapping[str, tuple[float, float]], engine: Engine, language: str
) -> list[dict[str, Any]]:
    most = sorted(weights.items(), key=lambda item: -abs(item[1][1] - item[1][0]))
    shown = most[:WEIGHED_FINDINGS]
    top = max((max(pair) for _, pair in shown), default=1.0) or 1.0
    return [
        {
            "label": engine.catalogue.label(subject, language)  # type: ignore[arg-type]
            if subject in engine.catalogue
            else subject,
            "current": now,
            "new": new,
            "old_width": round(BAR_PX * now / top),
            "new_width": round(BAR_PX * new / top),
        }
        for subject, (now, new) in shown
    ]


def _groups(compared: Comparison) -> list[dict[str, Any]]:
    truth = compared.held_out.truth
    names = sorted(set(truth))
    number = np.array([names.index(d) for d in truth], dtype=np.int64)
    both = [
        groups_of(compared.held_out, _right(a.said, truth), number)
        for a in (compared.current, compared.new)
    ]
    lines = []
    for now, new in zip((*both[0].sex, *both[0].age), (*both[1].sex, *both[1].age), strict=True):
        lines.append(
            {
                "name": now.group,
                "patients": now.patients,
                "current": f"{now.recall:.3f}",
                "new": f"{new.recall:.3f}",
            }
        )
    return lines


def _bins(compared: Comparison) -> list[dict[str, Any]]:
    right = _right(compared.new.said, compared.held_out.truth)
    confidence = compared.new.confidence
    at = np.clip(np.digitize(confidence, BINS[1:-1]), 0, len(BINS) - 2)
    return [
        {
            "said": f"{100 * BINS[b]:.0f}–{100 * BINS[b + 1]:.0f} %",
            "patients": int((at == b).sum()),
            "happened": f"{100 * right[at == b].mean():.0f} %" if (at == b).any() else "—",
        }
        for b in range(len(BINS) - 1)
    ]
