"""The rare-disease index of a bundle: what is described of each disease, in compact arrays.

Two views of the same annotations. *Postings* answer "which diseases show this term?": each
annotation is propagated to every ancestor and quantised. *Profiles* answer "what is described
of this disease?": the annotations as curated, with the frequency they state. Written by
`training.fit.rare`, read here; the features of the learned ranker start from it too.
"""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass, fields
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from ddx.domain.artifacts import RARE_DISEASES, RARE_INDEX, Artifacts
from ddx.domain.identifiers import DiseaseId, FindingId, disease_id
from ddx.errors import IdentifierError, ModelError, UnknownDiseaseError
from ddx.once import once
from ddx.terminology.ontology import Ontology

FREQUENCY_STEPS: Final = 255
"""A propagated frequency is `code / 255`; codes start at 1, a posting is never "0 %"."""

STATED_STEPS: Final = 254
"""A stated frequency of a profile is `code / 254` …"""

NOT_STATED: Final = 255
"""… and this code means that the annotation states none."""

OFTEN: Final = 512
"""Diseases from which on a term is looked up in a whole row instead of in its postings."""

ARRAYS: Final = {
    "terms": np.uint32,
    "background": np.float32,
    "posting_offsets": np.int32,
    "posting_diseases": np.uint16,
    "posting_codes": np.uint8,
    "profile_offsets": np.int32,
    "profile_terms": np.uint16,
    "profile_codes": np.uint8,
    "parameters": np.float64,
}
"""Arrays of `models/rare_index.npz` and their types.

terms: numeric part of the HPO id of each column, ascending. background: per column, mean
frequency over all diseases. posting_*: by column, diseases ascending. profile_*: by disease,
columns and stated frequencies.
"""

_UNREADABLE: Final = (
    ValueError,
    KeyError,
    TypeError,
    EOFError,
    zipfile.BadZipFile,
    IdentifierError,
)
"""What numpy, zipfile and json raise on bytes that are not a rare index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RareParameters:
    """Constants of the likelihood ratio; chosen and explained in `training.fit.rare`.

    noise: share of findings that have nothing to do with the disease, 0..1.
    ancestor_weight, ancestor_exponent: belief in what only an ancestor of the finding is
    annotated for: weight * ratio ** exponent, each 0..1.
    excluded_strength: how surely an exclusion refutes an obligate finding, 0..1 (< 1).
    excluded_exponent: >= 1, how much less one refutes a finding that is not obligate.
    excluded_weight: weight of an exclusion beside a finding seen.
    """

    noise: float
    ancestor_weight: float
    ancestor_exponent: float
    excluded_strength: float
    excluded_exponent: float
    excluded_weight: float

    def as_array(self) -> NDArray[np.float64]:
        """Return the values in field order: the `parameters` array of the index."""
        return np.array(astuple(self), dtype=np.float64)

    @classmethod
    def from_array(cls, values: NDArray[np.float64]) -> Self:
        """Return what `as_array` wrote. Raises ModelError for another length."""
        names = [f.name for f in fields(cls)]
        if len(values) != len(names):
            raise ModelError(f"rare index: {len(values)} parameters, {len(names)} expected")
        return cls(**dict(zip(names, values.tolist(), strict=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """What each disease shows, one disease after another.

    starts: int32, n + 1. terms: int32, ontology indexes. codes: uint8, frequencies.
    """

    starts: NDArray[np.int32]
    terms: NDArray[np.int32]
    codes: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class _OftenShown:
    """The terms that OFTEN diseases or more show, whole (about 4 MB, twice).

    rows: int32 by ontology index, the row of a term or -1. by_term: uint8 (n_rows, n_diseases),
    frequency codes; by_disease: the same turned round, for the few diseases of one query.
    """

    rows: NDArray[np.int32]
    by_term: NDArray[np.uint8]
    by_disease: NDArray[np.uint8]


class RareIndex:
    """Annotations of every rare disease.

    Diseases are numbered 0..len(diseases) - 1, ascending by id; terms go by ontology index.
    One disease may have several codes (OMIM and ORPHA, say): `diseases` holds the one it is
    listed under, `codes` all of them, that one first.
    background: float64 per ontology index, mean propagated frequency over all diseases,
    0 where no disease shows the term.
    """

    def __init__(
        self,
        ontology: Ontology,
        arrays: Mapping[str, NDArray[Any]],
        diseases: tuple[DiseaseId, ...],
        codes: tuple[tuple[DiseaseId, ...], ...] | None = None,
    ) -> None:
        """Join the arrays of an index with the ontology of the same bundle.

        codes: of every disease; None when each has the one it is listed under.

        Raises:
            ModelError: an array is missing, mistyped or does not fit the others, a term is not
            in the ontology, or two diseases claim one code.
        """
        _check(arrays, len(diseases))
        self.ontology, self.diseases, self._arrays = ontology, diseases, arrays
        self.parameters = RareParameters.from_array(arrays["parameters"])
        ids = [FindingId(f"HP:{number:07d}") for number in arrays["terms"].tolist()]
        if strangers := [id_ for id_ in ids if id_ not in ontology]:
            raise ModelError(f"rare index: {strangers[0]} is not in HPO {ontology.version}")
        self._term_of_column = np.array([ontology.index_of(i) for i in ids], dtype=np.int32)
        self._column_of_term = np.full(len(ontology), -1, dtype=np.int32)
        self._column_of_term[self._term_of_column] = np.arange(len(ids), dtype=np.int32)
        self.background = np.zeros(len(ontology))
        self.background[self._term_of_column] = arrays["background"]
        self.codes = codes or tuple((disease,) for disease in diseases)
        self._numbers = _numbers(diseases, self.codes)

    @classmethod
    def from_artifacts(cls, artifacts: Artifacts, ontology: Ontology) -> Self:
        """Return the index of a bundle. Raises ModelError when it cannot be read."""
        try:
            with np.load(io.BytesIO(artifacts.read(RARE_INDEX)), allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in ARRAYS}
            listed = json.loads(artifacts.read(RARE_DISEASES))["diseases"]
            codes = tuple(_codes(entry) for entry in listed)
        except _UNREADABLE as error:
            raise ModelError(f"the rare index cannot be read: {error!r}") from error
        return cls(ontology, arrays, tuple(own[0] for own in codes), codes)

    def number_of(self, disease: DiseaseId) -> int:
        """Return the number of the disease that has this code. Raises UnknownDiseaseError."""
        try:
            return self._numbers[disease]
        except KeyError as error:
            raise UnknownDiseaseError(disease) from error

    def __contains__(self, disease: object) -> bool:
        return disease in self._numbers

    def postings(self, term: int) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
        """Return the diseases that show the term (ascending) and their frequency codes."""
        column = self._column_of_term[term]
        if column < 0:
            return _NO_DISEASES, _NO_CODES
        span = _span(self._arrays["posting_offsets"], column)
        return self._arrays["posting_diseases"][span], self._arrays["posting_codes"][span]

    def frequency(self, disease: int, term: int) -> float:
        """Return the propagated frequency of a term in a disease, 0 where not annotated."""
        diseases, codes = self.postings(term)
        at = int(np.searchsorted(diseases, disease))
        found = at < len(diseases) and diseases[at] == disease
        return int(codes[at]) / FREQUENCY_STEPS if found else 0.0

    def shares_of(self, disease: int) -> dict[int, float]:
        """Return what `frequency` gives for a disease, by term; only terms that it shows."""
        shown = self._shown
        span = _span(shown.starts, disease)
        shares = (shown.codes[span] / FREQUENCY_STEPS).tolist()
        return dict(zip(shown.terms[span].tolist(), shares, strict=True))

    def codes_of(self, terms: NDArray[np.int32], diseases: NDArray[np.int32]) -> NDArray[np.uint8]:
        """Return the frequency code of each term in each disease, 0 where not annotated.

        uint8 (len(terms), len(diseases)); terms: distinct ontology indexes.
        """
        codes = np.zeros((len(terms), len(diseases)), dtype=np.uint8)
        often = self._often_shown
        rows = often.rows.take(terms)
        at = np.flatnonzero(rows >= 0)
        codes[at] = often.by_disease.take(diseases, axis=0).T[rows[at]]
        self._add_rare_codes(codes, np.flatnonzero(rows < 0), terms, diseases)
        return codes

    def _add_rare_codes(
        self,
        codes: NDArray[np.uint8],
        at: NDArray[np.intp],
        terms: NDArray[np.int32],
        diseases: NDArray[np.int32],
    ) -> None:
        """Write the codes of the terms at some rows, which few diseases show."""
        columns = self._column_of_term.take(terms[at])
        at, columns = at[columns >= 0], columns[columns >= 0]
        starts = self._arrays["posting_offsets"].take(columns)
        sizes = self._arrays["posting_offsets"].take(columns + 1) - starts
        posting = np.repeat(starts - (np.cumsum(sizes) - sizes), sizes)
        posting += np.arange(len(posting), dtype=posting.dtype)
        place = np.full(len(self.diseases), -1, dtype=np.int32)
        place[diseases] = np.arange(len(diseases), dtype=np.int32)
        places = place.take(self._arrays["posting_diseases"].take(posting))
        kept = np.flatnonzero(places >= 0)
        stated = self._arrays["posting_codes"].take(posting.take(kept))
        codes[np.repeat(at, sizes).take(kept), places.take(kept)] = stated

    def warm(self, pause: Callable[[], object] = lambda: None) -> None:
        """Turn the postings now rather than with the first case. pause: between two steps."""
        _ = self._shown
        pause()
        _ = self._often_shown

    def row_of(self, term: int) -> NDArray[np.uint8] | None:
        """Return the frequency code of a term in every disease; None unless OFTEN show it."""
        often = self._often_shown
        row = int(often.rows[term])
        return None if row < 0 else often.by_term[row]

    @once
    def _often_shown(self) -> _OftenShown:
        columns = np.flatnonzero(np.diff(self._arrays["posting_offsets"]) >= OFTEN)
        rows = np.full(len(self.ontology), -1, dtype=np.int32)
        rows[self._term_of_column[columns]] = np.arange(len(columns), dtype=np.int32)
        whole = np.zeros((len(columns), len(self.diseases)), dtype=np.uint8)
        for row, column in enumerate(columns.tolist()):
            diseases, codes = self.postings(int(self._term_of_column[column]))
            whole[row, diseases] = codes
        return _OftenShown(rows=rows, by_term=whole, by_disease=np.ascontiguousarray(whole.T))

    @once
    def _shown(self) -> "_Shown":
        """The postings turned round: by disease."""
        diseases, offsets = self._arrays["posting_diseases"], self._arrays["posting_offsets"]
        order = np.argsort(diseases, kind="stable")
        counts = np.bincount(diseases, minlength=len(self.diseases))
        return _Shown(
            starts=np.concatenate(([0], np.cumsum(counts))).astype(np.int32),
            terms=np.repeat(self._term_of_column, np.diff(offsets))[order],
            codes=self._arrays["posting_codes"][order],
        )

    def profile(self, disease: int) -> tuple[tuple[int, float | None], ...]:
        """Return the annotated terms of a disease and the frequency each states, if any."""
        span = _span(self._arrays["profile_offsets"], disease)
        terms = self._term_of_column[self._arrays["profile_terms"][span]].tolist()
        codes = self._arrays["profile_codes"][span].tolist()
        return tuple(
            (term, None if code == NOT_STATED else code / STATED_STEPS)
            for term, code in zip(terms, codes, strict=True)
        )

    @property
    def profile_codes(self) -> NDArray[np.uint8]:
        """Stated frequencies of all profiles one after another, as stored."""
        codes: NDArray[np.uint8] = self._arrays["profile_codes"]
        return codes

    def profiles(self) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
        """Return what `profile` gives, of all diseases one after another.

        starts: int32, n + 1. terms: int32, ontology indexes. stated: float32, nan where none is.
        """
        codes = self._arrays["profile_codes"]
        stated = np.where(codes == NOT_STATED, np.nan, codes / STATED_STEPS).astype(np.float32)
        terms = self._term_of_column[self._arrays["profile_terms"]]
        return self._arrays["profile_offsets"], terms, stated


_NO_DISEASES: Final = np.zeros(0, dtype=np.uint16)
_NO_CODES: Final = np.zeros(0, dtype=np.uint8)


def _codes(entry: Mapping[str, Any]) -> tuple[DiseaseId, ...]:
    """Return the codes of one entry of `models/rare_diseases.json`, its own first."""
    also = (disease_id(other["id"]) for other in entry.get("also", ()))
    return (disease_id(entry["id"]), *also)


def _numbers(
    diseases: tuple[DiseaseId, ...], codes: tuple[tuple[DiseaseId, ...], ...]
) -> dict[DiseaseId, int]:
    numbers = {code: number for number, own in enumerate(codes) for code in own}
    if tuple(own[0] for own in codes) != diseases or len(numbers) != sum(map(len, codes)):
        raise ModelError("rare index: codes are not those of its diseases")
    return numbers


def _span(offsets: NDArray[np.int32], row: int) -> slice:
    return slice(int(offsets[row]), int(offsets[row + 1]))


def _check(arrays: Mapping[str, NDArray[Any]], n_diseases: int) -> None:
    """Raise ModelError unless the arrays are typed, sized and bounded as one index."""
    for name, dtype in ARRAYS.items():
        if name not in arrays or arrays[name].dtype != dtype or arrays[name].ndim != 1:
            raise ModelError(f"rare index: {name} is missing or mistyped")
    n_terms = len(arrays["terms"])
    fits = (
        len(arrays["background"]) == n_terms
        and _covers(arrays["posting_offsets"], n_terms, arrays["posting_codes"])
        and _covers(arrays["profile_offsets"], n_diseases, arrays["profile_codes"])
        and len(arrays["posting_diseases"]) == len(arrays["posting_codes"])
        and len(arrays["profile_terms"]) == len(arrays["profile_codes"])
        and int(arrays["posting_diseases"].max(initial=0)) < max(n_diseases, 1)
        and int(arrays["profile_terms"].max(initial=0)) < max(n_terms, 1)
    )
    if not fits:
        raise ModelError("rare index: arrays do not fit each other")


def _covers(offsets: NDArray[np.int32], rows: int, values: NDArray[np.uint8]) -> bool:
    return (
        len(offsets) == rows + 1
        and int(offsets[0]) == 0
        and int(offsets[-1]) == len(values)
        and bool(np.all(np.diff(offsets) >= 0))
    )
