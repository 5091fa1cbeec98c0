"""What a protocol leaves of the profile of a diagnosis, and how recall goes with it.

Taking a paper out of a profile can leave all of it, or nothing. A recall over all cases mixes
both; this cuts it up by the share of the annotated terms that remain.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ddx.features.rare_query import read_case
from training.evaluate.rare import Protocol
from training.fit.rare_rows import RareWorkbench, stand_ins_of
from training.sources.phenopackets import LabelledCase

PARTS: Final = (
    ("nothing", -1.0, 0.0),
    ("under a quarter", 0.0, 0.25),
    ("a quarter to a half", 0.25, 0.5),
    ("a half to three quarters", 0.5, 0.75),
    ("three quarters or more", 0.75, 1.0),
    ("everything: nothing was taken", 1.0, 2.0),
)
"""Name, and share of terms that remain: from (included, but for "nothing") to (excluded)."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What remains for one case.

    share: of the annotated terms of its disease, 0..1. own: share of the case's findings that
    the profile still describes, themselves or a kind of them.
    """

    share: float
    own: float


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLine:
    """The cases of one part.

    own: mean of `Kept.own`. ratio: share in the first ten by likelihood ratio. first, ten: in
    the first place and in the first ten by the learned ranking.
    """

    protocol: Protocol
    part: str
    cases: int
    own: float
    ratio: float
    first: float
    ten: float


def kept_of(bench: RareWorkbench, labelled: LabelledCase, protocol: Protocol) -> Kept:
    """Return what the protocol leaves; of several codes, the one that keeps most."""
    query = read_case(labelled.case, bench.fit.index.ontology)
    findings = [term.index for term in query.present]
    stand_ins = stand_ins_of(bench, labelled, protocol)
    best = Kept(0.0, 0.0)
    for code in bench.main_codes(labelled.truths):
        number = bench.fit.index.number_of(code)
        whole, own = len(bench.tables.profile(number)[0]), stand_ins.get(number)
        left = whole if own is None else len(own.terms)
        described = [
            (bench.fit.index.frequency(number, t) if own is None else own.shares[t]) > 0
            for t in findings
        ]
        share = left / whole if whole else 0.0
        best = max(best, Kept(share, float(np.mean(described or [False]))), key=lambda k: k.share)
    return best


def kept_lines(
    bench: RareWorkbench,
    cases: Sequence[LabelledCase],
    protocol: Protocol,
    answers: NDArray[np.void],
) -> Iterator[KeptLine]:
    """Yield a line per part that has cases. answers: positions by method, "ratio" and "learned"."""
    kept = [kept_of(bench, labelled, protocol) for labelled in cases]
    shares, own = np.array([k.share for k in kept]), np.array([k.own for k in kept])
    for part, low, high in PARTS:
        inside = shares <= 0 if low < 0 else (shares >= low) & (shares < high) & (shares > 0)
        if inside.any():
            ratio, learned = answers["ratio"][inside], answers["learned"][inside]
            yield KeptLine(
                protocol=protocol,
                part=part,
                cases=int(inside.sum()),
                own=float(own[inside].mean()),
                ratio=_share(ratio <= 10),
                first=_share(learned == 1),
                ten=_share(learned <= 10),
            )


def _share(hits: NDArray[Any]) -> float:
    return float(np.mean(hits))
