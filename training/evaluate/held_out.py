"""Held-out patients in the columns of the shipped model, for programs that measure it."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ddx.engine import Engine
from model_bundles.embedded import open_embedded_bundle
from training import knowledge
from training.evaluate.naive_bayes import NaiveBayes
from training.evaluate.panel import Panel
from training.fit.common import Sample, Split, split_patients
from training.sources.ddxplus import Vocabulary, read_patients

DATA: Final = Path(
    os.environ.get("VEREDA_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """The engine that ships, all patients as its model reads them, and their split."""

    engine: Engine
    everyone: Sample
    split: Split

    @classmethod
    def read(cls, data: Path) -> "HeldOut":
        """Return the patients in `data`/ddxplus. Raises DataSetMissingError, BundleError."""
        engine = Engine.from_artifacts(open_embedded_bundle())
        vocabulary = Vocabulary.of(knowledge.findings(), knowledge.diseases())
        patients = read_patients(data)
        diseases, ontology = engine.common.diseases, engine.catalogue.ontology
        return cls(
            engine=engine,
            everyone=Sample.of(patients, vocabulary, diseases, ontology),
            split=split_patients(patients),
        )

    @property
    def severity(self) -> NDArray[np.int64]:
        """Severity of each disease of the model, 1 (worst) to 5."""
        graded = (self.engine.catalogue.disease_severity(d) for d in self.engine.common.diseases)
        return np.array([5 if grade is None else grade for grade in graded])

    def some(self, rows: NDArray[np.int64], n: int, rng: np.random.Generator) -> Sample:
        """Return up to n of the patients at `rows`, drawn evenly."""
        return self.everyone.take(rng.permutation(rows)[:n])

    @property
    def prior(self) -> NDArray[np.float64]:
        """Share of each disease among the training patients, half a patient added to each."""
        train, n = self.everyone.truth[self.split.train], len(self.engine.common.diseases)
        counts = np.bincount(train, minlength=n) + 0.5
        shares: NDArray[np.float64] = counts / counts.sum()
        return shares

    def panel(self) -> Panel:
        """Return who asks held-out patients the questions the device would ask."""
        return Panel(self.engine)

    def naive_bayes(self) -> NaiveBayes:
        """Return naive Bayes counted on the training patients, of the diseases they have.

        Those are the first of the model's; it has others, described elsewhere.
        """
        schema, train = self.engine.common.schema, self.everyone.take(self.split.train)
        n_diseases = int(train.truth.max()) + 1
        return NaiveBayes.fitted(train.fully_asked(schema), train.truth, schema, n_diseases)
