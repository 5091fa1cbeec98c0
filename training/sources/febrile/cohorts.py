"""The published studies behind the line lists: file, age, sex and what each row concluded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from ddx.domain.case import DAYS_PER_YEAR
from ddx.domain.identifiers import DiseaseId
from training.sources.febrile.readings import Cohort

Row = Mapping[str, Any]
Conclusion = tuple[str, tuple[DiseaseId, ...]]
"""What the study concluded, and the diseases of the knowledge base that this makes right."""

DENGUE_PLAIN: Final = DiseaseId("VD:dengue-without-warning-signs")
DENGUE_WARNING: Final = DiseaseId("VD:dengue-with-warning-signs")
DENGUE_SEVERE: Final = DiseaseId("VD:severe-dengue")
DENGUE: Final = (DENGUE_PLAIN, DENGUE_WARNING, DENGUE_SEVERE)
LEPTOSPIROSIS: Final = DiseaseId("VD:leptospirosis")
TYPHOID: Final = DiseaseId("VD:typhoid-fever")
SEPSIS: Final = DiseaseId("VD:sepsis")
CHIKUNGUNYA: Final = DiseaseId("VD:chikungunya")
INFLUENZA: Final = DiseaseId("VD:influenza")
TUBERCULOSIS: Final = DiseaseId("VD:tuberculosis")
MALARIA: Final = (DiseaseId("VD:malaria-vivax"), DiseaseId("VD:malaria-falciparum"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One study: where its file lies and how to read age, sex and conclusion of a row.

    source: key in sources.toml. sheet: empty for a semicolon-separated text file.
    id: column that names the patient; empty where none does, and the row number serves.
    fever: every patient had fever, by the entry criteria. laboratory: whether the conclusion of
    a row rests on a laboratory test; None where the file does not tell.
    """

    file: str
    source: str
    citation: str
    age_years: Callable[[Row], float]
    female: Callable[[Row], bool | None]
    truth: Callable[[Row], Conclusion]
    sheet: str = ""
    id: str = ""
    fever: bool = True
    laboratory: Callable[[Row], bool | None] = lambda _: None


def _foz_truth(row: Row) -> Conclusion:
    confirmed = row["CLASSI_FIN"] == "Chikungunya"
    return row["CLASSI_FIN"] or "open", (CHIKUNGUNYA,) if confirmed else ()


def _foz_laboratory(row: Row) -> bool | None:
    """Return whether a laboratory decided; the others went by symptoms and their surroundings."""
    return {"Laboratório": True, "Clínico epidemiológico": False}.get(row.get("CRITERIO", ""))


_SINAN_UNIT_YEARS: Final = {"1": 1 / 8766, "2": 1 / DAYS_PER_YEAR, "3": 1 / 12, "4": 1.0}
"""First digit of NU_IDADE_N: hours, days, months, years (SINAN data dictionary)."""


def _foz_age(row: Row) -> float:
    code = row["NU_IDADE_N"]
    return int(code[1:]) * _SINAN_UNIT_YEARS[code[0]]


def _vietnam_truth(row: Row) -> Conclusion:
    confirmed = row["Lab_Confirmed_Dengue"] == 1
    return ("dengue", DENGUE) if confirmed else ("other febrile illness", ())


_INDONESIA_TRUTHS: Final[Mapping[str, tuple[DiseaseId, ...]]] = MappingProxyType(
    {
        "Dengue": DENGUE,
        "Chikungunya": (CHIKUNGUNYA,),
        "Leptospira": (LEPTOSPIROSIS,),
        "Influenza": (INFLUENZA,),
        "Mycobacterium tuberculosis": (TUBERCULOSIS,),
    }
)
_INDONESIA_PATHOGENS: Final[Mapping[str, tuple[DiseaseId, ...]]] = MappingProxyType(
    {"Salmonella typhi": (TYPHOID,), "Malaria": MALARIA}
)
"""Pathogens that share a category with others; the species of malaria is not told."""


def _indonesia_truth(row: Row) -> Conclusion:
    if row["FINAL"] in _INDONESIA_PATHOGENS:
        return row["FINAL"], _INDONESIA_PATHOGENS[row["FINAL"]]
    category = row["FINAL Category"]
    return category, _INDONESIA_TRUTHS.get(category, ())


def _manila_truth(row: Row) -> Conclusion:
    """Dengue by NS1 or PCR; leptospirosis by culture, PCR or ELISA, free of those two.

    Sepsis: blood culture positive and SOFA of 2 or more (Sepsis-3). Typhoid: the study's own
    conclusion, which blood culture confirmed in 17 of 77.
    """
    if row["dengue_ns1"] == 1 or row["dengue_pcr"] == 1:
        return _manila_dengue(row)
    if any(row[k] == 1 for k in ("lept_cul", "lept_qpcr", "lept_eliza1st", "lept_eliza2nd")):
        return "leptospirosis", (LEPTOSPIROSIS,)
    septic = row["bc"] == 1 and row["sofa"] >= 2
    typhoid = row["clinical_diag"] == "Typhoid fever"
    truths = (SEPSIS,) * septic + (TYPHOID,) * typhoid
    return str(row["clinical_diag"]), truths


def _manila_dengue(row: Row) -> Conclusion:
    remark = str(row["otherdiag"]).lower()
    if row["findiag"] != "Dengue" or "severe" in remark:
        return "dengue, other form", ()
    if "warning" in remark and "without" not in remark:
        return "dengue with warning signs", (DENGUE_WARNING,)
    return "dengue without warning signs", (DENGUE_PLAIN,)


def _thailand_truth(row: Row) -> Conclusion:
    """Dengue fever stands for no warning signs, haemorrhagic fever 1-2 (leakage) for warning."""
    if row["dhf34"] == 1:
        return "dengue shock syndrome", (DENGUE_SEVERE,)
    if row["dhf"] == 1:
        return "dengue haemorrhagic fever", (DENGUE_WARNING,)
    return ("dengue fever", (DENGUE_PLAIN,)) if row["dengue"] == 1 else ("not dengue", ())


_WARNING_SIGNS: Final = (
    "WS_abdominal_pain",
    "WS_persistent_vomiting",
    "WS_fluid_accumulation",
    "WS_bleeding",
    "WS_restlessness",
    "WS_tender_liver",
    "WS_lab_result",
)


def _malaysia_truth(row: Row) -> Conclusion:
    """Confirmed by any of four laboratory criteria, split by the WHO 2009 warning signs."""
    if row["ConfirmDengue_YesNo_FourCriteria"] != "Confirmed dengue":
        return "not dengue", ()
    if any(row[sign] == "Yes" for sign in _WARNING_SIGNS):
        return "dengue with warning signs", (DENGUE_WARNING,)
    return "dengue without warning signs", (DENGUE_PLAIN,)


def _middle(row: Row) -> float:
    first, last = row["age2"].split("-")
    return (int(first) + int(last) + 1) / 2


PUBLICATIONS: Final[Mapping[Cohort, Publication]] = MappingProxyType(
    {
        Cohort.FOZ: Publication(
            file="latam/SINAN_chikungunya_2023.csv",
            source="sinan-foz-2023",
            citation="the Foz do Iguaçu chikungunya surveillance data set, 2023 (CC-BY 4.0)",
            age_years=_foz_age,
            female=lambda r: {"Feminino": True, "Masculino": False}.get(r["CS_SEXO"]),
            truth=_foz_truth,
            fever=False,
            laboratory=_foz_laboratory,
        ),
        Cohort.VIETNAM: Publication(
            file="febrile/dengue-data-01.xls",
            sheet="diagnosis",
            source="tuan-2015",
            citation="Tuan et al. 2015, PLoS Negl Trop Dis 9:e0003638",
            id="StudyNo",
            age_years=lambda r: r["Age"],
            female=lambda r: r["Sex"] == 2,
            truth=_vietnam_truth,
        ),
        Cohort.INDONESIA: Publication(
            file="febrile/dengue-data-07.xlsx",
            sheet="Lab Results",
            source="gasem-2020",
            citation="Gasem et al. 2020, PLoS Negl Trop Dis 14:e0007927",
            id="SUBJID",
            age_years=lambda r: r["Age (Converted from Days to Years)"],
            female=lambda r: r["Sex"] == 2,
            truth=_indonesia_truth,
        ),
        Cohort.MANILA: Publication(
            file="febrile/dengue-data-10.xlsx",
            sheet="BacteremiaStudy",
            source="saito-2022",
            citation="Saito et al. 2022, PLoS Negl Trop Dis 16:e0010414",
            id="sid",
            age_years=lambda r: r["age"],
            female=lambda r: r["sex"] == 0,
            truth=_manila_truth,
        ),
        Cohort.THAILAND: Publication(
            file="febrile/dengue-data-13.xlsx",
            sheet="dataset_PLoS NTD2_excel",
            source="park-2018",
            citation="Park et al. 2018, PLoS Negl Trop Dis 12:e0006799",
            age_years=_middle,
            female=lambda r: r["sex"] == 2,
            truth=_thailand_truth,
        ),
        Cohort.MALAYSIA: Publication(
            file="febrile/dengue-data-17.xls",
            sheet="Last try",
            source="ngim-2021",
            citation="Ngim et al. 2021, PLoS Negl Trop Dis 15:e0009445",
            id="PEID",
            age_years=lambda r: r["AgeEnrol"],
            female=lambda r: r["Gender"] == "Female",
            truth=_malaysia_truth,
        ),
    }
)
