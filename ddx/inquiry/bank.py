"""Every question the common model can learn from, ready to be weighed.

A choice (`pain.site`) is one question whose answer is the set of its values; any other finding
is a question of its own. What each disease tends to answer is the `frequency` table that the
bundle carries beside the trees.
"""

import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from ddx.domain.artifacts import COMMON_TREES, Artifacts
from ddx.domain.identifiers import FindingId
from ddx.errors import ModelError, SchemaMismatchError
from ddx.features.schema import FeatureSchema
from ddx.inquiry.effort import COST, Equipment, Means, means_of
from ddx.inquiry.gain import DrawnAnswers, Floats, certainty
from ddx.once import once
from ddx.terminology.catalogue import Catalogue

SAMPLES: Final = 16
"""Answers drawn per disease for a choice: the standard error of its gain is below 0.05 bits."""

_SEED: Final = 20_261_123
"""Fixes the drawn answers, so that the same case gets the same questions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One question. subject: a finding id, or the group of a choice.

    findings, columns: what the answer settles, and where the model reads it.
    kinds: for each finding, the HPO terms it is a case of; antecedents are cases of nothing.
    is_choice: whether the answer is a set of values rather than yes or no.
    """

    subject: str
    findings: tuple[FindingId, ...]
    columns: tuple[int, ...]
    kinds: tuple[frozenset[FindingId], ...]
    means: Means

    is_choice: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_choice", len(self.findings) > 1)


class QuestionBank:
    """The questions of one bundle; what is told of several goes by their place in `items`.

    yes_no, choices: items by kind. frequency: float64 (n_diseases, n_columns), nan only where a
    column holds no finding. alone: places of `yes_no`; yes_no_frequency, certain: their columns
    and `gain.certainty` of these. first_column, is_choice, cost: (n_items,). place: by subject.
    place_of: by any finding the answer settles; opened_by: by the first of these. under: an HPO
    term -> the places of questions with a value that is a case of it.
    """

    def __init__(self, items: tuple[Item, ...], frequency: Floats) -> None:
        self.items = items
        self.frequency = frequency
        self.yes_no = tuple(item for item in items if not item.is_choice)
        self.choices = tuple(item for item in items if item.is_choice)
        self.is_choice = np.array([item.is_choice for item in items], dtype=bool)
        self.alone = np.flatnonzero(~self.is_choice)
        columns = [item.columns[0] for item in self.yes_no]
        self.yes_no_frequency = np.ascontiguousarray(frequency[:, columns])
        self.certain = certainty(self.yes_no_frequency)
        self.first_column = np.array([item.columns[0] for item in items], dtype=np.intp)
        self.cost = np.array([COST[item.means] for item in items])
        self.place = {item.subject: at for at, item in enumerate(items)}
        self.place_of = {f: at for at, item in enumerate(items) for f in item.findings}
        self.opened_by = {item.findings[0]: at for at, item in enumerate(items)}
        self.under = _places_by_kind(items)
        self._means = np.array([_MEANS.index(item.means) for item in items], dtype=np.intp)

    @classmethod
    def from_artifacts(
        cls, artifacts: Artifacts, schema: FeatureSchema, catalogue: Catalogue
    ) -> Self:
        """Return the questions of a bundle.

        Raises:
            ModelError: the trees member is missing or malformed.
            SchemaMismatchError: its table is not over the columns of `schema`.
            UnknownFindingError: the schema names a finding the catalogue lacks.
        """
        frequency, schema_hash = _read_frequency(artifacts)
        if schema_hash != schema.hash or frequency.shape[1] != len(schema):
            raise SchemaMismatchError("frequencies were counted on the columns of another schema")
        return cls(_items(schema, catalogue), frequency)

    def possible(self, equipment: Equipment) -> NDArray[np.bool_]:
        """Return which questions can be answered with `equipment`, bool (n_items,)."""
        can = np.array([equipment.can(means) for means in _MEANS])
        found: NDArray[np.bool_] = can[self._means]
        return found

    def under_any(self, kinds: Iterable[FindingId]) -> set[int]:
        """Return the places of the questions with a value that is a case of any of `kinds`."""
        return set[int]().union(*(self.under.get(kind, ()) for kind in kinds))

    @once
    def drawn(self) -> Mapping[int, DrawnAnswers]:
        """Drawn answers of every choice, by its place."""
        rng = np.random.default_rng(_SEED)
        drawn: dict[int, DrawnAnswers] = {}
        for item in self.choices:
            chance = self.frequency[:, item.columns]
            shape = (len(self.frequency), SAMPLES, len(item.columns))
            answers = rng.random(shape) < chance[:, np.newaxis, :]
            drawn[self.place[item.subject]] = DrawnAnswers.of(answers, chance)
        return drawn


_MEANS: Final = tuple(Means)


def _places_by_kind(items: Iterable[Item]) -> Mapping[FindingId, frozenset[int]]:
    under: dict[FindingId, set[int]] = {}
    for at, item in enumerate(items):
        for kind in frozenset[FindingId]().union(*item.kinds):
            under.setdefault(kind, set()).add(at)
    return {kind: frozenset(places) for kind, places in under.items()}


def _items(schema: FeatureSchema, catalogue: Catalogue) -> tuple[Item, ...]:
    """Return the questions in column order; a choice stands where its first value does."""
    grouped: dict[str, list[FindingId]] = {}
    for finding in schema.findings:
        grouped.setdefault(catalogue.term(finding).group or finding, []).append(finding)
    return tuple(
        _item(subject, tuple(findings), schema, catalogue) for subject, findings in grouped.items()
    )


def _item(
    subject: str,
    findings: tuple[FindingId, ...],
    schema: FeatureSchema,
    catalogue: Catalogue,
) -> Item:
    return Item(
        subject=subject,
        findings=findings,
        columns=tuple(schema.positions[finding] for finding in findings),
        kinds=tuple(_kinds(finding, catalogue) for finding in findings),
        means=means_of(catalogue.term(findings[0]), catalogue),
    )


def _kinds(finding: FindingId, catalogue: Catalogue) -> frozenset[FindingId]:
    """Return the term that `finding` is or implies and all above it; none for an antecedent."""
    term = catalogue.implied.get(finding, finding)
    if catalogue.term(finding).antecedent or term not in catalogue.ontology:
        return frozenset()
    return frozenset((catalogue.resolve(term), *catalogue.ontology.ancestors(term)))


def _read_frequency(artifacts: Artifacts) -> tuple[NDArray[np.float64], str]:
    """Return the table and the schema hash of the trees member, leaving the trees unread."""
    try:
        with np.load(io.BytesIO(artifacts.read(COMMON_TREES)), allow_pickle=False) as arrays:
            return arrays["frequency"].astype(np.float64), str(arrays["schema_hash"])
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"{COMMON_TREES} cannot be read: {error!r}") from error
