"""One problem of a phenopacket: where, what, and what would mend it.

Codes, with their params. An ERROR was left out of the case, a WARNING was used as told:

packet.nothing_usable: no feature could be read, or none was observed
packet.version_1 {field}: a field of the superseded version 1, read all the same
feature.not_an_object, feature.no_type
feature.malformed_id {id}: suggestion is the id it may mean, or empty
feature.unknown_id {id, version}: not in our release of HPO: a slip, or newer than it
feature.other_vocabulary {id}: not an HPO code and not one of ours; suggestion by its label
feature.replaced {id, replacement}: an alternative or obsolete id; the replacement was used
feature.obsolete {id}: obsolete, and HPO names no successor
feature.not_a_phenotype {id}: an inheritance, onset or modifier term, nothing a patient shows
feature.repeated {id}: stated before in the same way
feature.contradiction {id}: both observed and excluded; it counts as observed
feature.excluded_kind {present, excluded}: excludes what an observed feature is a kind of
feature.excluded_unreadable {text}: neither true nor false; nobody knows which was meant
severity.not_kept {id}: we keep mild, moderate and severe
onset.unreadable {text}, onset.after_encounter {days}
age.missing, age.unreadable {text}, age.before_birth, age.no_number,
age.too_high {text, limit_years}
sex.unreadable {text}, sex.other
hpo.not_stated {ours}, hpo.other_version {theirs, ours}
disease.unreadable {id}: a diagnosis in a code we do not rank; no position can be told for it
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ddx.errors import DdxError
from ddx.intake.issues import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketIssue:
    """One problem. place: path in the JSON, `phenotypicFeatures[3].type.id`, as it is written.

    suggestion: what may have been meant or what to write instead; empty when there is none.
    """

    level: Level
    place: str
    code: str
    params: Mapping[str, str] = field(default_factory=dict)
    suggestion: str = ""


class PhenopacketError(DdxError):
    """What was given is no phenopacket at all. reason: stable name of what is wrong."""

    code: ClassVar[str] = "phenopacket.not_one"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
