"""Names of findings and diseases in the language of the window."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from ddx.domain.identifiers import DiseaseId, FindingId
from ddx.errors import UnknownDiseaseError, UnknownFindingError
from desktop.presenters.visit_state import Sentence, WhyNot
from desktop.ui.i18n import Translators, translate

if TYPE_CHECKING:  # the store and the engine load after the first paint
    from ddx.explain.narrate import Sentence as Narrated
    from ddx.explain.why_not import WhyNot as FoundWhyNot
    from ddx.terminology.catalogue import Catalogue
    from ddx.terminology.catalogue import Language as CatalogueLanguage

GRADED = "graded"  # ddx.terminology.catalogue.FindingKind, which loads the ontology

RARE_PREFIX = "rare:"  # ddx.explain.phrases.RARE, which loads it too


def with_code(name: str, disease: DiseaseId) -> str:
    """Return a name that another disease shares, with the code that tells it apart."""
    return f"{name} ({disease})"


@dataclass(frozen=True, slots=True)
class Labels:
    """What the active catalogue calls things; the code itself when it knows no name."""

    catalogue: "Catalogue"
    translators: Translators

    @property
    def language(self) -> str:
        """Language code of the window."""
        return self.translators.language.value

    def finding(self, identifier: str) -> str:
        """Return the label of a finding."""
        try:
            return self.catalogue.label(FindingId(identifier), self.language)
        except UnknownFindingError:
            return identifier

    def disease(self, identifier: str) -> str:
        """Return the name of a disease."""
        try:
            return self.catalogue.disease_label(DiseaseId(identifier), self.language)
        except UnknownDiseaseError:
            return identifier

    def subject(self, identifier: str) -> str:
        """Return the label of what a reason is about: a finding, age, sex, or the disease."""
        if identifier == "age":
            return translate("Words", "Edad")
        if identifier == "sex":
            return translate("Words", "Sexo")
        if identifier.startswith(RARE_PREFIX):
            from ddx.explain.phrases import RARE  # noqa: PLC0415 -- loads the ontology

            said = {language.value: text for language, text in RARE[identifier].items()}
            return said[self.language]
        return self.finding(identifier)

    def graded(self, identifier: str) -> bool:
        """Whether a finding takes an intensity 0..10."""
        if identifier not in self.catalogue:
            return False
        return self.catalogue.term(FindingId(identifier)).kind == GRADED

    def question(self, identifier: str) -> str:
        """Return how to ask for a finding."""
        try:
            return self.catalogue.question(FindingId(identifier), self.language)
        except UnknownFindingError:
            return identifier

    def group(self, identifier: str) -> str:
        """Return the question a value of a choice answers; empty for any other finding."""
        known = identifier in self.catalogue
        return self.catalogue.term(FindingId(identifier)).group if known else ""

    def reason(self, sentence: Sentence) -> str:
        """Return one reason as a sentence."""
        from ddx.explain.narrate import say  # noqa: PLC0415 -- loads the ontology

        return say(cast("Narrated", sentence), self.catalogue, self._language())

    def why_not(self, told: WhyNot) -> str:
        """Return what would bring a disease to the first three, as a sentence."""
        from ddx.explain.narrate import say_why_not  # noqa: PLC0415 -- as above

        return say_why_not(cast("FoundWhyNot", told), self.catalogue, self._language())

    def _language(self) -> "CatalogueLanguage":
        from ddx.terminology.catalogue import Language  # noqa: PLC0415 -- as above

        return Language(self.language)

    def alert(self, code: str) -> str:
        """Return what a red flag says; one without words is still shown, by its code."""
        from ddx.safety.messages import ALL_MESSAGES  # noqa: PLC0415 -- loads the ontology

        said = ALL_MESSAGES.get(code)
        if said is None:
            return translate("Words", "Señal de alarma: {code}").format(code=code)
        return next(text for language, text in said.items() if language.value == self.language)

    def names_of(self, diseases: Iterable[DiseaseId]) -> list[tuple[str, DiseaseId]]:
        """Return each of the diseases by each of its names in the language of the window."""
        return [
            (name, disease)
            for disease in diseases
            for name in self.catalogue.disease_names(disease, self.language)
        ]


def told_apart(named: Sequence[tuple[str, DiseaseId]]) -> dict[str, DiseaseId]:
    """Return diseases by name; those of the same name (one per nomenclature) with their code."""
    count = Counter(name for name, _ in named)
    return {
        name if count[name] == 1 else with_code(name, disease): disease for name, disease in named
    }
