"""Body sites named once in sites.tsv, asked in four questions: one finding for each."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteQuestion:
    """One question about a site of the body.

    group: also the stem of the finding id (`VF:pain-site.knee-left` for `pain.site`).
    evidence: the DDXPlus question. implies: column of sites.tsv with the implied HPO term.
    otherwise: HPO term implied where that column is empty.
    lay_es, lay_en: lay words, completed with each lay word of the site.
    """

    group: str
    evidence: str
    implies: str
    otherwise: str
    en: str
    es: str
    question_en: str
    question_es: str
    lay_es: str
    lay_en: str


SITE_QUESTIONS: Final = (
    SiteQuestion(
        group="pain.site",
        evidence="E_55",
        implies="pain",
        otherwise="HP:0012531",  # Pain
        en="Pain",
        es="Dolor",
        question_en="Where does it hurt?",
        question_es="¿Dónde le duele?",
        lay_es="dolor de {}",
        lay_en="{} pain",
    ),
    SiteQuestion(
        group="pain.radiation",
        evidence="E_57",
        implies="pain",
        otherwise="HP:0012531",  # Pain
        en="Pain radiating to",
        es="Dolor irradiado",
        question_en="Does the pain spread to another place? Where?",
        question_es="¿El dolor se corre a otro lado? ¿A dónde?",
        lay_es="se corre a {}",
        lay_en="spreads to {}",
    ),
    SiteQuestion(
        group="skin.site",
        evidence="E_133",
        implies="",
        otherwise="HP:0000951",  # Abnormality of the skin
        en="Skin lesion",
        es="Lesión de piel",
        question_en="Where on the body is the skin lesion?",
        question_es="¿En qué parte del cuerpo está la lesión de la piel?",
        lay_es="ronchas en {}",
        lay_en="{} rash",
    ),
    SiteQuestion(
        group="swelling.site",
        evidence="E_152",
        implies="swelling",
        otherwise="HP:0000969",  # Edema
        en="Swelling",
        es="Hinchazón",
        question_en="Which part of the body is swollen?",
        question_es="¿Qué parte del cuerpo está hinchada?",
        lay_es="hinchazón de {}",
        lay_en="{} swelling",
    ),
)


def expand(question: SiteQuestion, sites: Iterable[Mapping[str, str]]) -> Iterator[dict[str, str]]:
    """Yield one row per site, in the columns of findings.tsv."""
    for site in sites:
        implied = site[question.implies] if question.implies else ""
        yield {
            "id": f"VF:{question.group.replace('.', '-')}.{site['site']}",
            "kind": "choice",
            "group": question.group,
            "ddxplus": f"{question.evidence}@{site['ddxplus']}",
            "implies": implied or question.otherwise,
            "antecedent": "0",
            "en": f"{question.en}: {site['en']}",
            "es": f"{question.es}: {site['es']}",
            "question_en": question.question_en,
            "question_es": question.question_es,
            "lay_es": _lay(question.lay_es, site["lay_es"]),
            "lay_en": _lay(question.lay_en, site["lay_en"]),
            "source": f"DDXPlus (Fansi Tchango et al., 2022), {question.evidence}",
        }


def _lay(pattern: str, words: str) -> str:
    return "|".join(pattern.format(word) for word in words.split("|") if word)
