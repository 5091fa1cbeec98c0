"""The historical set a retraining combines new cases with: DDXPlus, its split, what encodes it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from ddx.domain.case import Case
from ddx.domain.identifiers import DiseaseId
from ddx.features.encode import KindOf
from ddx.once import once
from ddx.terminology.ontology import Ontology
from training import knowledge
from training.fit.common import stacking_cases
from training.fit.endemic import MEASURED_PATIENTS, Purpose, Simulated, simulated
from training.fit.sample import Sample, Split, split_patients
from training.pipelines.lineage import sha256_of
from training.sources import hpo
from training.sources.ddxplus import (
    CONDITIONS,
    EVIDENCES,
    FOLDER,
    PARQUET,
    RELEASE_CSV,
    RELEASE_ZIP,
    Patient,
    Vocabulary,
    read_patients,
)
from training.sources.endemic import EndemicKnowledge, endemic_knowledge
from training.sources.phenopackets import LabelledCase, read_phenopackets, tuning_cases


@dataclass(frozen=True, kw_only=True)
class History:
    """Patients with every question answered, held once in memory.

    diseases: those of the patients, in the order of `sample.truth`. files: name -> SHA-256 of what
    was read. published: rare cases that may tune the gate between both worlds.
    """

    patients: tuple[Patient, ...]
    vocabulary: Vocabulary
    diseases: tuple[DiseaseId, ...]
    ontology: KindOf | None
    endemic: EndemicKnowledge | None
    files: Mapping[str, str]
    published: Callable[[], tuple[LabelledCase, ...]] = field(default=tuple)

    @classmethod
    def read(cls, data: Path) -> Self:
        """Return the set in `data`. Raises DataSetMissingError, DataSetMalformedError."""
        vocabulary = Vocabulary.of(knowledge.findings(), knowledge.diseases())
        release = hpo.read_ontology()
        patients = read_patients(data)
        return cls(
            patients=patients,
            vocabulary=vocabulary,
            diseases=tuple(
                sorted({vocabulary.disease_of_condition[p.condition] for p in patients})
            ),
            ontology=Ontology(
                release.version, ((t.id, t.parents, t.alt_ids) for t in release.terms)
            ),
            endemic=endemic_knowledge(),
            files=files_of(data),
            published=lambda: tuple(
                case for case in tuning_cases(read_phenopackets(data)) if case.case.present
            ),
        )

    @once
    def sample(self) -> Sample:
        """The patients packed."""
        return Sample.of(self.patients, self.vocabulary, self.diseases, self.ontology)

    @once
    def split(self) -> Split:
        """Who fits, who calibrates, who only measures."""
        return split_patients(self.patients)

    @property
    def model_diseases(self) -> tuple[DiseaseId, ...]:
        """Diseases of a model fitted on this set: those of the patients, then the endemic ones."""
        endemic = self.endemic.diseases if self.endemic else ()
        return (*self.diseases, *(disease.id for disease in endemic))

    def stacking_cases(self, n: int) -> tuple[Case, ...]:
        """Return up to n cases no model was fitted on."""
        return stacking_cases(self.patients, self.vocabulary, self.split, self._simulated(), n)

    def _simulated(self) -> Simulated | None:
        if self.endemic is None:
            return None
        return simulated(self.endemic, MEASURED_PATIENTS, len(self.diseases), Purpose.MEASURING)


def files_of(data: Path) -> dict[str, str]:
    """Return name -> SHA-256 of the historical files in `data`."""
    names = (PARQUET, RELEASE_CSV, RELEASE_ZIP, EVIDENCES, CONDITIONS)
    paths = (data / FOLDER / name for name in names)
    return {f"{FOLDER}/{path.name}": sha256_of(path) for path in paths if path.is_file()}
