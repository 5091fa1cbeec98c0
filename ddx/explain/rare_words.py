"""Why a rare disease stands where it stands, in words: its own published frequencies first.

"Sube mucho: subluxación del cristalino, presente en el 56 % de los pacientes descritos." A
finding the disease is not known for says so; an exclusion names what it argues against.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from ddx.domain.finding import Presence
from ddx.domain.identifiers import FindingId
from ddx.explain.narrate import Direction, label_within, strength_of
from ddx.explain.phrases import LEADS, Texts
from ddx.explain.rare import Described, RareReason
from ddx.features.rare_index import STATED_STEPS
from ddx.terminology.catalogue import Catalogue, Language


def _both(es: str, en: str) -> Texts:
    return MappingProxyType({Language.ES: es, Language.EN: en})


REASONS: Final[Mapping[tuple[Presence, Described], Texts]] = MappingProxyType(
    {
        (Presence.PRESENT, Described.STATED): _both(
            "{finding}, presente en {share} de los pacientes descritos",
            "{finding}, present in {share} of described patients",
        ),
        (Presence.PRESENT, Described.UNSTATED): _both(
            "{finding}, que consta en esta enfermedad sin frecuencia publicada",
            "{finding}, listed for this disease without a published frequency",
        ),
        (Presence.PRESENT, Described.NEVER): _both(
            "{finding}, que no tenía ninguno de los pacientes examinados",
            "{finding}, which none of the examined patients had",
        ),
        (Presence.PRESENT, Described.NARROWER): _both(
            "{finding}; de esta enfermedad se describe {kin}{kin_share}",
            "{finding}; described in this disease: {kin}{kin_share}",
        ),
        (Presence.PRESENT, Described.BROADER): _both(
            "{finding}, que no consta como tal; sí algo más general: {kin}{kin_share}",
            "{finding}, not listed as such; something more general is: {kin}{kin_share}",
        ),
        (Presence.PRESENT, Described.RELATED): _both(
            "{finding}, que no consta como tal; sí algo afín: {kin}{kin_share}",
            "{finding}, not listed as such; something related is: {kin}{kin_share}",
        ),
        (Presence.PRESENT, Described.NOT): _both(
            "{finding}, que no consta en esta enfermedad",
            "{finding}, not listed for this disease",
        ),
        (Presence.EXCLUDED, Described.STATED): _both(
            "no hay {finding}, presente en {share} de los pacientes descritos",
            "no {finding}, present in {share} of described patients",
        ),
        (Presence.EXCLUDED, Described.UNSTATED): _both(
            "no hay {finding}, que consta en esta enfermedad sin frecuencia publicada",
            "no {finding}, listed for this disease without a published frequency",
        ),
        (Presence.EXCLUDED, Described.NEVER): _both(
            "no hay {finding}, como en los pacientes examinados",
            "no {finding}, as in the patients examined",
        ),
        (Presence.EXCLUDED, Described.NARROWER): _both(
            "no hay {finding}; de esta enfermedad se describe {kin}{kin_share}",
            "no {finding}; described in this disease: {kin}{kin_share}",
        ),
        (Presence.EXCLUDED, Described.BROADER): _both(
            "no hay {finding}, que no consta en esta enfermedad",
            "no {finding}, not listed for this disease",
        ),
        (Presence.EXCLUDED, Described.RELATED): _both(
            "no hay {finding}, que no consta en esta enfermedad",
            "no {finding}, not listed for this disease",
        ),
        (Presence.EXCLUDED, Described.NOT): _both(
            "no hay {finding}, que no consta en esta enfermedad",
            "no {finding}, not listed for this disease",
        ),
    }
)
"""What is said of a finding, by its state and by how the disease's profile holds it."""

_NOT_LISTED: Final = frozenset({Described.NOT, Described.BROADER, Described.RELATED})

SHARES: Final[Mapping[str, Texts]] = MappingProxyType(
    {
        "all": _both("el 100 %", "100 %"),
        "some": _both("el {percent} %", "{percent} %"),
        "few": _both("menos del 1 %", "less than 1 %"),
    }
)

CLASSES: Final = MappingProxyType({0.895: "80-99", 0.545: "30-79", 0.17: "5-29", 0.025: "1-4"})
"""Middle of a frequency class of HPO, as `FREQUENCY_TERMS` has it -> its range in percent. A
counted share that happens to be that middle lies in the range, so the range is true of it too."""

SHORT_UNKNOWN: Final = _both("sin frecuencia", "no frequency")
SHORT_NOT: Final = _both("no consta", "not listed")
SHORT_KIN: Final = _both("afín", "related")
UNLISTED: Final = _both(
    "no hay {findings}, que no constan en esta enfermedad",
    "no {findings}, not listed for this disease",
)
OR: Final = _both(" ni ", " or ")
KIN_SHARE: Final = _both(" ({share} de los pacientes)", " ({share} of patients)")


def share_in_words(share: float, language: Language) -> str:
    """Return a share of patients as "el 80 %"; it never rounds to none or to all.

    Where only a class was published the ranker computes with its middle; its range is said.
    """
    for middle, span in CLASSES.items():
        if abs(share - middle) <= 0.5 / STATED_STEPS:
            return SHARES["some"][language].format(percent=span)
    percent = min(max(round(share * 100), 1), 99)
    code = "all" if share >= 1 else "few" if share < 0.01 else "some"
    return SHARES[code][language].format(percent=percent)


def say_reason(reason: RareReason, catalogue: Catalogue, language: Language = Language.ES) -> str:
    """Return one reason as a sentence."""
    lead = _lead(reason.weight, reason.share, language)
    share = "" if reason.frequency is None else share_in_words(reason.frequency, language)
    kin = "" if reason.kin is None else label_within(reason.kin, catalogue, language)
    said = REASONS[reason.presence, reason.described][language].format(
        finding=label_within(reason.subject, catalogue, language),
        share=share,
        kin=kin,
        kin_share=KIN_SHARE[language].format(share=share) if share else "",
    )
    return f"{lead}: {said}."


def say_reasons(
    reasons: Iterable[RareReason], catalogue: Catalogue, language: Language = Language.ES
) -> tuple[str, ...]:
    """Return every reason in words, in the order given.

    Exclusions of findings the disease is not known for say little each: they share the last
    sentence.
    """
    told = list(reasons)
    unlisted = [r for r in told if r.presence is Presence.EXCLUDED and r.described in _NOT_LISTED]
    if len(unlisted) < 2:
        return tuple(say_reason(reason, catalogue, language) for reason in told)
    others = (say_reason(r, catalogue, language) for r in told if r not in unlisted)
    names = [label_within(r.subject, catalogue, language) for r in unlisted]
    findings = ", ".join(names[:-1]) + OR[language] + names[-1]
    lead = _lead(sum(r.weight for r in unlisted), sum(r.share for r in unlisted), language)
    return (*others, f"{lead}: {UNLISTED[language].format(findings=findings)}.")


def say_briefly(reason: RareReason, catalogue: Catalogue, language: Language = Language.ES) -> str:
    """Return one reason for a table: the finding and its frequency, "fiebre (el 80 %)"."""
    return f"{label_within(reason.subject, catalogue, language)} ({_brief(reason, language)})"


def say_expected(
    finding: FindingId,
    frequency: float | None,
    catalogue: Catalogue,
    language: Language = Language.ES,
) -> str:
    """Return a finding to look for, with the share of described patients who have it."""
    label = label_within(finding, catalogue, language)
    share = SHORT_UNKNOWN[language] if frequency is None else share_in_words(frequency, language)
    return f"{label} ({share})"


def _lead(weight: float, share: float, language: Language) -> str:
    direction = Direction.RAISES if weight > 0 else Direction.LOWERS
    return LEADS[direction][strength_of(share)][language]


def _brief(reason: RareReason, language: Language) -> str:
    match reason.described:
        case Described.STATED if reason.frequency is not None:
            return share_in_words(reason.frequency, language)
        case Described.UNSTATED:
            return SHORT_UNKNOWN[language]
        case Described.NEVER:
            return "0 %"
        case Described.NARROWER | Described.BROADER | Described.RELATED:
            return SHORT_KIN[language]
        case _:
            return SHORT_NOT[language]
