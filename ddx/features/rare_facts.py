"""What the learned rare ranker knows of each disease beside its findings, in compact arrays.

One bundle member, `models/rare_facts.npz`, written by `training.fit.rare_learned`. Diseases are
numbered as in `RareIndex`; terms go by their column there (ascending by ontology id).
"""

import io
import zipfile
from collections.abc import Mapping
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from ddx.errors import ModelError

FACTS: Final = {
    "prevalence": "log10 of the best known prevalence (Orphanet class midpoints), nan unknown",
    "papers": "log(1 + distinct references of its annotations)",
    "patients": "log(1 + largest number of patients one annotation examined)",
    "onset_first": "age in years at the earliest annotated onset (HPO, Orphanet), nan unknown",
    "onset_last": "age in years at the end of the latest annotated onset, nan unknown",
    "dominant": "1 when autosomal dominant inheritance is annotated, 0 when only others are",
    "recessive": "1 when autosomal recessive inheritance is annotated, 0 when only others are",
    "x_linked": "1 when X-linked inheritance is annotated, 0 when only others are",
    "omim": "1 when one of its codes is OMIM",
    "codes": "number of codes merged into it (Mondo exact matches)",
}
"""Columns of the table `facts` and what each holds. Sources: phenotype.hpoa, Orphadata, Mondo."""

ARRAYS: Final = {
    "facts": (np.float32, 2),
    "family": (np.int32, 1),
    "term_vectors": (np.float16, 2),
    "disease_vectors": (np.float16, 2),
}
"""facts: (n_diseases, len(FACTS)). family: (n_diseases,), same number for diseases whose names
differ by a serial number or subtype letter only. term_vectors (n_columns, k) and disease_vectors
(n_diseases, k): latent space of the annotations (truncated SVD), disease vectors of length 1.
"""


class RareFacts:
    """The arrays of `rare_facts.npz`, checked against each other; see ARRAYS."""

    __slots__ = ("disease_vectors", "facts", "family", "term_vectors")

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take the arrays over. Raises ModelError when one is missing or does not fit."""
        for name, (dtype, dimensions) in ARRAYS.items():
            if name not in arrays or arrays[name].dtype != dtype:
                raise ModelError(f"rare facts: {name} is missing or mistyped")
            if arrays[name].ndim != dimensions:
                raise ModelError(f"rare facts: {name} has {arrays[name].ndim} dimensions")
        self.facts: NDArray[np.float32] = arrays["facts"]
        self.family: NDArray[np.int32] = arrays["family"]
        self.term_vectors: NDArray[np.float32] = arrays["term_vectors"].astype(np.float32)
        self.disease_vectors: NDArray[np.float32] = arrays["disease_vectors"].astype(np.float32)
        lengths = {len(self.facts), len(self.family), len(self.disease_vectors)}
        widths = {self.term_vectors.shape[1], self.disease_vectors.shape[1]}
        if len(lengths) > 1 or len(widths) > 1 or self.facts.shape[1] != len(FACTS):
            raise ModelError("rare facts: arrays do not fit each other")

    @classmethod
    def from_npz(cls, raw: bytes) -> Self:
        """Read the bundle member `models/rare_facts.npz`. Raises ModelError."""
        try:
            with np.load(io.BytesIO(raw), allow_pickle=False) as stored:
                return cls({name: stored[name] for name in stored.files})
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise ModelError(f"the rare facts cannot be read: {error!r}") from error

    def __len__(self) -> int:
        return len(self.facts)
