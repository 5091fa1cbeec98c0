"""What both parts of the common model are fitted on: training patients, counted."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ddx.domain.identifiers import DiseaseId
from ddx.features.schema import FeatureSchema
from ddx.inference.bayes import BayesTable
from ddx.once import once
from training import knowledge
from training.fit.bayes import BayesSettings, Counts, Known
from training.fit.endemic import (
    COUNTED_PATIENTS,
    ENDEMIC_PRIOR,
    Purpose,
    Simulated,
    background,
    described,
    implied_columns,
    simulated,
    with_endemic,
    write_implied,
)
from training.fit.interview import Interview
from training.fit.recorded import Recorded
from training.fit.sample import Sample, chunks, schema_of
from training.sources.ddxplus import Vocabulary
from training.sources.endemic import EndemicKnowledge


@dataclass(frozen=True, kw_only=True)
class Material:
    """What both parts of the model are fitted on.

    diseases: those of DDXPlus first, then the endemic ones.
    """

    train: Sample
    schema: FeatureSchema
    diseases: tuple[DiseaseId, ...]
    endemic: EndemicKnowledge | None
    known: Known
    counts: Counts

    @classmethod
    def of(
        cls,
        train: Sample,
        theirs: tuple[DiseaseId, ...],
        endemic: EndemicKnowledge | None,
        settings: BayesSettings,
        recorded: Recorded | None = None,
    ) -> "Material":
        """Count the training patients, and simulated ones of the endemic diseases.

        recorded: clinics' own visits; they move the prior and are not counted (see there).
        """
        schema = schema_of(train.answers, train.vocabulary)
        prior = np.bincount(train.truth, minlength=len(theirs)) / len(train.truth)
        diseases = theirs
        if endemic is not None:
            schema = with_endemic(schema, endemic)
            diseases = (*theirs, *(disease.id for disease in endemic.diseases))
            ours = np.full(len(endemic.diseases), ENDEMIC_PRIOR / len(endemic.diseases))
            prior = np.concatenate((prior * (1.0 - ENDEMIC_PRIOR), ours))
        if recorded is not None:
            prior = recorded.moved(prior)
        material = cls(
            train=train,
            schema=schema,
            diseases=diseases,
            endemic=endemic,
            known=Known(
                prior=prior,
                described=described(schema, train.vocabulary.findings, endemic, diseases),
                background=background(schema, endemic),
            ),
            counts=Counts.of(schema, len(diseases), settings),
        )
        material._count()
        return material

    def _count(self) -> None:
        implied = implied_columns(self.schema, knowledge.findings(), self.train.ontology)
        for some in chunks(np.arange(len(self.train.truth))):
            rows = self.train.take(some).fully_asked(self.schema)
            write_implied(rows, implied)
            self.counts.add(rows, self.train.truth[some], self.known.described[0])
        ours = self.simulated(COUNTED_PATIENTS, Purpose.COUNTING)
        if ours is not None:
            rows = ours.fully_asked(self.schema, self.train.ontology)
            self.counts.add(rows, ours.truth, self.known.described[-1])

    def simulated(self, n: int, purpose: Purpose) -> Simulated | None:
        """Return n patients of each endemic disease; None without a knowledge base."""
        if self.endemic is None:
            return None
        first = len(self.diseases) - len(self.endemic.diseases)
        return simulated(self.endemic, n, first, purpose)

    def table(self, *, selective: bool) -> BayesTable:
        """Return the Bayes table: what patients mention when selective, else plain."""
        return self.counts.table(self.known, selective=selective)

    @once
    def frequency(self) -> NDArray[np.float32]:
        """P(finding | disease) as the bundle carries it, (n_diseases, n_columns)."""
        return self.counts.frequency(self.known)

    @once
    def believed(self) -> NDArray[np.bool_]:
        """Which frequencies are counted rather than guessed, (n_diseases, n_columns)."""
        return self.counts.believed(self.known)

    def interview(self, bayes: BayesTable) -> Interview:
        """Return short interviews that ask only what the patients' own source asked."""
        asked = np.where(self.known.described[0], self.frequency, np.nan)
        return Interview(
            bayes=bayes,
            frequency=asked.astype(np.float64),
            question=_questions(self.schema, self.train.vocabulary),
        )


def _questions(schema: FeatureSchema, vocabulary: Vocabulary) -> NDArray[np.int64]:
    """Return a number per column, shared by the columns one question settles."""
    number = dict(zip(vocabulary.findings, vocabulary.questions.tolist(), strict=True))
    free = max(number.values()) + 1
    return np.array(
        [
            free + i if c.finding is None else number.get(c.finding, free + i)
            for i, c in enumerate(schema.columns)
        ],
        dtype=np.int64,
    )
