"""Finds the 4,917 cases of the published comparison in today's phenopacket-store.

The comparison named its cases by the file names of its time; many were renamed since (a hyphen
became an underscore, "26" became "Individual_26", one cohort got its paper in front). Names are
matched in four steps, each stricter about what it may ignore than the next, and only where both
sides are unique among what earlier steps left: no case is guessed. What is not found left the
store or was renumbered.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_WORDS: Final = re.compile(r"[a-z]+|[0-9]+")
_PAPER: Final = re.compile(r"PMID_(\d+)_?")

PERSON_WORDS: Final = frozenset(
    (
        *("pmid", "individual", "patient", "subject", "case", "proband", "participant", "person"),
        *("p", "pt"),
    )
)
FAMILY_WORDS: Final = frozenset(("family", "fam", "kindred"))
"""Words of an id that say what kind of thing is numbered, not which one."""


class MatchedBy(StrEnum):
    """How a case of the comparison was recognised."""

    SAME_ID = "same id"
    SPELLING = "same id but for case and punctuation"
    PAPER_PREFIX = "same id behind the number of a paper"
    INDIVIDUAL = "same paper and individual"
    FAMILY = "same paper, family and individual"


@dataclass(frozen=True, slots=True)
class PacketName:
    """What names a phenopacket. paper: digits of its PMID, None when the source names none."""

    id: str
    subject: str
    paper: str | None


def match_published(
    names: Collection[str], packets: Collection[PacketName]
) -> dict[str, tuple[str, MatchedBy]]:
    """Return phenopacket id -> (name in the comparison, how it was recognised)."""
    found: dict[str, tuple[str, MatchedBy]] = {}
    for how, (of_name, of_packet) in _STEPS.items():
        taken = {name for name, _ in found.values()}
        open_names = ((n, of_name(n)) for n in names if n not in taken)
        open_packets = ((p.id, of_packet(p)) for p in packets if p.id not in found)
        by_name, by_packet = _unique(open_names), _unique(open_packets)
        for key, name in by_name.items():
            if key in by_packet:
                found[by_packet[key]] = (name, how)
    return found


Keys = Iterable[Hashable]


def _unique(keyed: Iterable[tuple[str, Keys]]) -> dict[Hashable, str]:
    """Return what each key stands for, where it stands for one thing only."""
    owners: dict[Hashable, set[str]] = defaultdict(set)
    for owner, keys in keyed:
        for key in keys:
            owners[key].add(owner)
    return {key: next(iter(names)) for key, names in owners.items() if len(names) == 1}


def _folded(text: str) -> str:
    return "".join(_WORDS.findall(text.lower()))


def _behind_paper(name: str) -> Iterator[str]:
    if _PAPER.match(name) is None:
        yield _folded(name)


def _individual(text: str, paper: str | None, ignored: frozenset[str]) -> Iterator[Hashable]:
    """Yield (paper, which individual of it), where the text says which."""
    words = [w for w in _WORDS.findall(text.lower()) if w != paper and w not in ignored]
    which = tuple(w.lstrip("0") or "0" if w.isdigit() else w for w in words)
    if paper and which:
        yield paper, which


def _by_individual(ignored: frozenset[str]) -> tuple[Callable[[str], Keys], Callable[..., Keys]]:
    def of_name(name: str) -> Keys:
        paper = _PAPER.match(name)
        return _individual(name, paper[1] if paper else None, ignored)

    def of_packet(packet: PacketName) -> Keys:
        texts = (packet.id, packet.subject)
        return {key for text in texts for key in _individual(text, packet.paper, ignored)}

    return of_name, of_packet


_STEPS: Final[Mapping[MatchedBy, tuple[Callable[[str], Keys], Callable[[PacketName], Keys]]]] = {
    MatchedBy.SAME_ID: (lambda name: (name,), lambda packet: (packet.id,)),
    MatchedBy.SPELLING: (lambda name: (_folded(name),), lambda packet: (_folded(packet.id),)),
    MatchedBy.PAPER_PREFIX: (
        _behind_paper,
        lambda packet: (_folded(_PAPER.sub("", packet.id, 1)),),
    ),
    MatchedBy.INDIVIDUAL: _by_individual(PERSON_WORDS),
    MatchedBy.FAMILY: _by_individual(PERSON_WORDS | FAMILY_WORDS),
}
