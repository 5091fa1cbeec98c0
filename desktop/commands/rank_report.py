"""One ranked patient as text for a terminal."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ddx.domain.finding import Presence
from ddx.domain.identifiers import DiseaseId
from ddx.engine import Engine
from ddx.explain.rare import RareReason, expected_with_frequency, reasons_of
from ddx.explain.rare_words import say_briefly, say_expected, say_reasons
from ddx.rare_list import CALIBRATED_FIRST, RareEntry, RareList
from ddx.terminology.catalogue import Language
from desktop.commands.packet_file import Patient
from desktop.commands.rank_words import say

WIDTH: Final = 100
NAME_WIDTH: Final = 50
SHOWN_FOR: Final = 3
SHOWN_AGAINST: Final = 2
"""Reasons of a row of the table; all of them are told by --explain."""
CODES_SHOWN: Final = 2
UNBROKEN: Final = "\u00a0"
"""Keeps a figure and its % on one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """The list of one patient. removed: sources taken out; unknown_sources: named by no row."""

    patient: Patient
    ranked: RareList
    removed: frozenset[str] = frozenset()
    unknown_sources: tuple[str, ...] = ()


def report(answer: Ranked, engine: Engine, language: Language, limit: int, explained: int) -> str:
    """Return the table, the explanations asked for, and what stands under them."""
    teller = _Teller(answer.ranked, engine, language)
    parts = (
        teller.table(answer.ranked.first(limit)),
        *(teller.explanation(entry) for entry in answer.ranked.first(explained)),
        "\n".join(_wrapped(note, "") for note in _notes(answer, engine, language)),
    )
    return "\n\n".join(part for part in parts if part) + "\n"


class _Teller:
    """Tells of one list in one language."""

    def __init__(self, ranked: RareList, engine: Engine, language: Language) -> None:
        self._ranked, self._engine, self._language = ranked, engine, language
        self._catalogue = engine.catalogue

    def table(self, entries: tuple[RareEntry, ...]) -> str:
        """Return a row for each place, and under it what speaks for and against."""
        heads = (say(k, self._language) for k in ("rank", "probability", "disease", "codes"))
        lines = ["{:>4}  {:<12}{:<52}{}".format(*heads)]
        for entry in entries:
            name = self._name(entry)
            short = name if len(name) <= NAME_WIDTH else name[: NAME_WIDTH - 1] + "…"
            codes = " ".join(entry.diseases[:CODES_SHOWN])
            probability = probability_in_words(entry.probability)
            lines.append(f"{entry.position:>4}  {probability:<12}{short:<52}{codes}")
            lines += self._why(entry)
        return "\n".join(lines)

    def explanation(self, entry: RareEntry) -> str:
        """Return everything that moved one disease, in words, and what to look for next."""
        codes = ", ".join(entry.diseases)
        lines = [f"{entry.position}. {self._name(entry)} ({codes})"]
        told = say_reasons(self._reasons(entry), self._catalogue, self._language)
        lines += [_wrapped(said, "   ") for said in told]
        expected = expected_with_frequency(
            self._engine.rare, self._ranked.query, _first(entry), self._ranked.stand_ins
        )
        if expected:
            said = (say_expected(f, s, self._catalogue, self._language) for f, s in expected)
            text = f"{say('expected', self._language)}: {'; '.join(said)}."
            lines.append(_wrapped(text, "   "))
        return "\n".join(lines)

    def _why(self, entry: RareEntry) -> Iterator[str]:
        reasons = self._reasons(entry)
        speaking = [r for r in reasons if r.weight > 0 and r.presence is Presence.PRESENT]
        against = [r for r in reasons if r.weight < 0]
        for mark, chosen in (("+", speaking[:SHOWN_FOR]), ("-", against[:SHOWN_AGAINST])):
            if chosen:
                said = "; ".join(self._brief(reason) for reason in chosen)
                yield _wrapped(f"{mark} {said}", " " * 6)

    def _brief(self, reason: RareReason) -> str:
        said = say_briefly(reason, self._catalogue, self._language)
        excluded = reason.presence is Presence.EXCLUDED
        return f"{say('no', self._language)} {said}" if excluded else said

    def _reasons(self, entry: RareEntry) -> tuple[RareReason, ...]:
        return reasons_of(
            self._engine.rare, self._ranked.query, _first(entry), self._ranked.stand_ins
        )

    def _name(self, entry: RareEntry) -> str:
        return self._catalogue.disease_label(_first(entry), self._language)


def probability_in_words(probability: float) -> str:
    """Return a probability with three decimals; never 0 or 1, which nothing here is."""
    if probability < 0.001:
        return "< 0.001"
    return "> 0.999" if probability > 0.999 else f"{probability:.3f}"


def _wrapped(text: str, indent: str) -> str:
    """Return the text in lines of a terminal, those after the first set in further."""
    filled = textwrap.fill(
        text.replace(" %", f"{UNBROKEN}%"),
        width=WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return filled.replace(UNBROKEN, " ")


def _first(entry: RareEntry) -> DiseaseId:
    return entry.diseases[0]


def _notes(answer: Ranked, engine: Engine, language: Language) -> Iterator[str]:
    """Yield what the figures mean, what was left out, and which model spoke."""
    none = probability_in_words(answer.ranked.none)
    yield say("meaning", language, none=none, first=CALIBRATED_FIRST)
    yield say("frequencies", language)
    labels = engine.catalogue
    for finding in answer.ranked.query.dropped:
        yield say("not_read", language, finding=f"{labels.label(finding, language)} ({finding})")
    if answer.removed:
        touched = answer.ranked.stand_ins
        changed = 0 if touched is None else len(touched.numbers)
        sources = ", ".join(sorted(answer.removed))
        yield say("removed", language, sources=sources, changed=changed)
    if answer.unknown_sources:
        yield say("unknown_source", language, sources=", ".join(answer.unknown_sources))
    yield f"{say('model', language)} {engine.version} {engine.digest[:12]}. " + say(
        "support", language
    )
