"""Fits what the learned rare ranker knows of a disease: merged codes, facts, latent space.

OMIM and ORPHA often describe one disease twice. Mondo's exact matches say which codes are the
same; their annotations are pooled under one code before the index is fitted, so the disease has
one place in the list and all the evidence. (Orphanet's own exact cross references were tried
too: they join a few hundred more, and rank slightly worse on the tuning cases.)
"""

import csv
import gzip
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils.extmath import randomized_svd

from ddx.domain.identifiers import DiseaseId
from ddx.features.rare_annotations import pool, propagate
from ddx.features.rare_facts import FACTS, RareFacts
from ddx.features.rare_index import FREQUENCY_STEPS
from ddx.features.rare_tables import Profile
from training.fit.rare import RareFit
from training.sources.hpo import AnnotationRelease, AnnotationRow
from training.sources.phenopackets import CaseSourceError

MONDO_MAPS: Final = ("mondo_exactmatch_omim.sssom.tsv.gz", "mondo_exactmatch_orphanet.sssom.tsv.gz")
LATENT_DIMENSIONS: Final = 32

PREVALENCE: Final = {
    ">1 / 1000": -2.7,
    "6-9 / 10 000": -3.1,
    "1-5 / 10 000": -3.5,
    "1-9 / 100 000": -4.3,
    "1-9 / 1 000 000": -5.3,
    "<1 / 1 000 000": -6.5,
}
"""log10 of the middle of each Orphanet prevalence class (Orphadata, product 9)."""

ONSET_YEARS: Final = {
    "HP:0030674": (0, 0), "HP:0011460": (0, 0), "HP:0011461": (0, 0), "HP:0034199": (0, 0),
    "HP:0034198": (0, 0), "HP:0034197": (0, 0), "HP:0003577": (0, 0), "HP:0003623": (0, 0.08),
    "HP:0003593": (0.08, 1), "HP:0011463": (1, 5), "HP:0003621": (5, 15), "HP:0003581": (16, 90),
    "HP:0011462": (16, 40), "HP:0025708": (16, 19), "HP:0025709": (19, 25), "HP:0025710": (25, 40),
    "HP:0003596": (40, 60), "HP:0003584": (60, 90),
    "Antenatal": (0, 0), "Neonatal": (0, 0.08), "Infancy": (0.08, 2), "Childhood": (2, 11),
    "Adolescent": (12, 18), "Adult": (19, 65), "Elderly": (65, 90), "All ages": (0, 90),
}  # fmt: skip
"""Onset of disease in years: definitions of the children of HP:0003674, and Orphanet's words."""

INHERITANCE: Final = {
    "dominant": ("HP:0000006", "Autosomal dominant"),
    "recessive": ("HP:0000007", "Autosomal recessive"),
    "x_linked": (
        *("HP:0001417", "HP:0001419", "HP:0001423"),
        *("X-linked dominant", "X-linked recessive"),
    ),
}

_SERIAL: Final = re.compile(
    r"[,\s]+(?:(?:type|subtype|group|form)\s+)?(?:\d+[a-z]{0,2}\d?|[ivx]+[ab]?|[a-z]\d?)$"
)


@dataclass(frozen=True, slots=True)
class MergedAnnotations:
    """Annotations under one code per disease.

    release: rows under the code and the name of the disease they now belong to.
    codes: every code of a disease by the one it is ranked under, that one first.
    main_code: the code a disease is ranked under, by every code it has.
    names: what the source of each code calls the disease.
    """

    release: AnnotationRelease
    codes: Mapping[DiseaseId, tuple[DiseaseId, ...]]
    main_code: Mapping[DiseaseId, DiseaseId]
    names: Mapping[DiseaseId, str]

    @property
    def also(self) -> dict[DiseaseId, tuple[tuple[DiseaseId, str], ...]]:
        """Return the other codes of every disease that has several, each with its name."""
        return {
            main: tuple((code, self.names[code]) for code in others)
            for main, (_, *others) in self.codes.items()
            if others
        }


def merge_equivalents(release: AnnotationRelease, folder: Path) -> MergedAnnotations:
    """Pool the annotations of codes that Mondo matches exactly; OMIM speaks for ORPHA.

    folder: the clinical data sets. Raises CaseSourceError when a map is missing or malformed.
    """
    names = {row.disease_id: row.disease_name for row in reversed(release.rows)}
    known = names.keys()
    by_mondo: dict[str, set[DiseaseId]] = defaultdict(set)
    for name in MONDO_MAPS:
        for row in _table(folder / "mondo" / name):
            code = DiseaseId(row["object_id"].replace("Orphanet:", "ORPHA:"))
            if code in known:
                by_mondo[row["subject_id"]].add(code)
    main: dict[DiseaseId, DiseaseId] = {}
    for codes in by_mondo.values():
        joined = {c for code in codes for c in (code, main.get(code, code))}
        first = min(joined, key=lambda code: (not code.startswith("OMIM"), code))
        main.update({c: first for c in main if main[c] in joined} | dict.fromkeys(joined, first))
    rows = tuple(
        replace(r, disease_id=main[r.disease_id], disease_name=names[main[r.disease_id]])
        if r.disease_id in main
        else r
        for r in release.rows
    )
    codes_of: dict[DiseaseId, list[DiseaseId]] = defaultdict(list)
    for code in sorted(known, key=lambda c: (main.get(c, c) != c, c)):
        codes_of[main.get(code, code)].append(code)
    return MergedAnnotations(
        AnnotationRelease(release.version, rows),
        {d: tuple(c) for d, c in codes_of.items()},
        {code: d for d, codes in codes_of.items() for code in codes},
        names,
    )


def fit_facts(fit: RareFit, merged: MergedAnnotations, folder: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of `ddx.features.rare_facts.ARRAYS` for a fitted index."""
    diseases = fit.index.diseases
    rows: dict[DiseaseId, list[AnnotationRow]] = defaultdict(list)
    for row in merged.release.rows:
        rows[row.disease_id].append(row)
    orphanet = _Orphanet.read(folder, merged)
    table = np.array(
        [_facts(rows[d], merged.codes[d], fit.rows[d], orphanet) for d in diseases],
        dtype=np.float32,
    )
    stems = [family_name(name) for name in fit.names]
    _, family = np.unique(stems, return_inverse=True)
    terms, vectors = _latent(fit)
    return {
        "facts": table,
        "family": family.astype(np.int32),
        "term_vectors": terms.astype(np.float16),
        "disease_vectors": vectors.astype(np.float16),
    }


def facts_member(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return the bundle member `models/rare_facts.npz`."""
    RareFacts(arrays)
    packed = io.BytesIO()
    np.savez(packed, allow_pickle=False, **arrays)
    return packed.getvalue()


def family_name(name: str) -> str:
    """Return a disease name without its serial number or subtype letter, lower case."""
    stem = name.partition(";")[0].lower().strip()
    while (shorter := _SERIAL.sub("", stem)) != stem:
        stem = shorter
    return stem


def profile_of(
    fit: RareFit, facts: RareFacts, disease: DiseaseId, rows: Iterable[AnnotationRow]
) -> Profile:
    """Return what a disease would look like if `rows` were all its annotations."""
    kept = tuple(rows)
    graph = fit.index.ontology
    pooled = pool(kept, graph, fit.settings)
    shares = np.zeros(len(graph), dtype=np.float32)
    for term, share in propagate(pooled, graph).items():
        shares[term] = max(1, round(share * FREQUENCY_STEPS)) / FREQUENCY_STEPS
    table = facts.facts[fit.index.number_of(disease)].copy()
    names = tuple(FACTS)
    table[names.index("papers")], table[names.index("patients")] = _depth(kept)
    stated = [np.nan if f.stated is None else f.stated for f in pooled.values()]
    return Profile(
        terms=np.array(list(pooled), dtype=np.int32),
        stated=np.array(stated, dtype=np.float32),
        shares=shares,
        facts=table,
    )


@dataclass(frozen=True, slots=True)
class _Orphanet:
    """Prevalence, onset and inheritance by main code, cross references included."""

    prevalence: dict[DiseaseId, list[float]]
    onset: dict[DiseaseId, set[str]]
    inheritance: dict[DiseaseId, set[str]]

    @classmethod
    def read(cls, folder: Path, merged: MergedAnnotations) -> "_Orphanet":
        """Read the Orphadata tables. Raises CaseSourceError."""
        main = merged.main_code
        reached: dict[str, set[DiseaseId]] = defaultdict(set)
        for row in _table(folder / "orphanet" / "xrefs.tsv.gz"):
            if (code := DiseaseId(f"OMIM:{row['ref']}")) in main:
                reached[row["orpha"]].add(main[code])
        found = cls(defaultdict(list), defaultdict(set), defaultdict(set))
        for row in _table(folder / "orphanet" / "prevalence.tsv.gz"):
            if row["cls"] in PREVALENCE:
                for disease in _diseases(row["orpha"], main, reached):
                    found.prevalence[disease].append(PREVALENCE[row["cls"]])
        for row in _table(folder / "orphanet" / "disorders.tsv.gz"):
            for disease in _diseases(row["orpha"], main, reached):
                found.onset[disease].update(row["onset"].split("|"))
                found.inheritance[disease].update(row["inh"].split("|"))
        return found


def _diseases(
    orpha: str, main: Mapping[DiseaseId, DiseaseId], reached: Mapping[str, set[DiseaseId]]
) -> set[DiseaseId]:
    own = main.get(DiseaseId(f"ORPHA:{orpha}"))
    return reached.get(orpha, set()) | ({own} if own else set())


def _facts(
    rows: list[AnnotationRow],
    codes: tuple[DiseaseId, ...],
    phenotypic: tuple[AnnotationRow, ...],
    orphanet: _Orphanet,
) -> list[float]:
    disease = codes[0]
    words = {r.hpo_id for r in rows if r.aspect in {"C", "I"}} | {r.onset or "" for r in rows}
    words |= orphanet.onset[disease] | orphanet.inheritance[disease]
    spans = [ONSET_YEARS[w] for w in words if w in ONSET_YEARS]
    modes = {name: not words.isdisjoint(codes_) for name, codes_ in INHERITANCE.items()}
    papers, patients = _depth(phenotypic)
    prevalence = orphanet.prevalence[disease]
    values = {
        "prevalence": float(np.median(prevalence)) if prevalence else np.nan,
        "papers": papers,
        "patients": patients,
        "onset_first": min((s[0] for s in spans), default=np.nan),
        "onset_last": max((s[1] for s in spans), default=np.nan),
        **{name: float(yes) if any(modes.values()) else np.nan for name, yes in modes.items()},
        "omim": float(any(c.startswith("OMIM") for c in codes)),
        "codes": float(len(codes)),
    }
    return [values[name] for name in FACTS]


def _depth(rows: Iterable[AnnotationRow]) -> tuple[float, float]:
    """Return log(1 + references) and log(1 + patients examined) of annotation rows."""
    rows = tuple(rows)
    references = {ref for row in rows for ref in row.references}
    examined = [row.frequency.examined or 0 for row in rows if row.frequency]
    return float(np.log1p(len(references))), float(np.log1p(max(examined, default=0)))


def _latent(fit: RareFit) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return term vectors (n_columns, k) and unit disease vectors of the propagated index."""
    offsets, n = fit.arrays["posting_offsets"], len(fit.index.diseases)
    counts = np.diff(offsets)
    column = np.repeat(np.arange(len(counts)), counts)
    content = -np.log(np.maximum(counts, 1) / n)
    codes: NDArray[Any] = fit.arrays["posting_codes"]
    shares = codes / FREQUENCY_STEPS * content[column]
    matrix = sparse.csr_matrix(
        (shares, (fit.arrays["posting_diseases"], column)), shape=(n, len(counts))
    )
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    scaled = sparse.diags(1 / np.maximum(lengths, 1e-9)) @ matrix
    _, _, terms = randomized_svd(scaled, LATENT_DIMENSIONS, random_state=0)
    vectors = matrix @ terms.T
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return terms.T, vectors


def _table(path: Path) -> Iterator[dict[str, str]]:
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
            body = (line for line in lines if not line.startswith("#"))
            yield from csv.DictReader(body, delimiter="\t")
    except (OSError, EOFError, csv.Error) as error:
        raise CaseSourceError(f"{path.name} cannot be read ({error})") from error
