"""Case files: JSON as a person or a program writes it, read into a draft and checked by intake.

    {"age_years": 34, "sex": "female",
     "findings": [{"id": "HP:0001945", "presence": "present"}],
     "vitals": {"temperature_c": 38.5}}

`age_days` may stand instead of `age_years`. `findings` may also be given as two lists of codes,
`present` and `excluded`. What else a line of a batch holds: `id` (any text), `truth` (a disease
code or several) and `opening` (the present finding the visit began with), beside the case or
around it (`{"id": ..., "truth": ..., "opening": ..., "case": {...}}`).
"""

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from ddx.domain.case import Case, Sex
from ddx.domain.finding import Presence
from ddx.domain.identifiers import DiseaseId, FindingId, disease_id
from ddx.errors import DdxError, IdentifierError
from ddx.intake.check import admit
from ddx.intake.draft import AgeUnit, Draft, DraftFinding
from ddx.terminology.catalogue import Catalogue

Json = Mapping[str, Any]
_EnumT = TypeVar("_EnumT", bound=StrEnum)


class CaseFileError(DdxError):
    """A case file is missing or is not written as a case.

    problem: stable name of what is wrong; params: what to name in the message.
    """

    code: ClassVar[str] = "case_file.unreadable"

    def __init__(self, problem: str, **params: str) -> None:
        super().__init__(f"{problem}: {params}")
        self.problem, self.params = problem, params


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLine:
    """One case of a file.

    number: line, from 1. truths: the diagnosis, if the file tells it. opening: the complaint.
    """

    number: int
    id: str
    draft: Draft
    truths: tuple[DiseaseId, ...] = ()
    opening: str | None = None

    def case(self, catalogue: Catalogue) -> Case:
        """Return the case. Raises DraftRefusedError with every issue at once."""
        return admit(self.draft, catalogue)

    def opening_of(self, case: Case, catalogue: Catalogue) -> FindingId | None:
        """Return the complaint the file names for `case`; None when it names none.

        Raises:
            CaseFileError: it is no present finding of the case.
        """
        if self.opening is None:
            return None
        named = FindingId(self.opening)
        if named in catalogue:
            named = catalogue.resolve(named)
        if all(finding.id != named for finding in case.present):
            raise CaseFileError("bad_opening", value=self.opening, line=str(self.number))
        return named


def read_case(path: Path) -> CaseLine:
    """Return the one case of a JSON file. Raises CaseFileError."""
    return _line(_parsed("\n".join(_lines(path))), number=1, name=path.stem)


def read_batch(path: Path) -> Iterator[CaseLine | CaseFileError]:
    """Yield the cases of a file with one JSON object a line; a bad line is yielded as its error.

    A name that ends in .gz is read as gzip. Blank lines are passed over. Raises CaseFileError when
    the file cannot be read.
    """
    for number, text in enumerate(_lines(path), start=1):
        if not text.strip():
            continue
        try:
            yield _line(_parsed(text), number=number, name=str(number))
        except CaseFileError as error:
            error.params["line"] = str(number)
            yield error


def case_line(raw: Json, *, number: int, name: str) -> CaseLine:
    """Return the case that an object already read holds. Raises CaseFileError."""
    return _line(raw, number=number, name=name)


def _lines(path: Path) -> Iterator[str]:
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8") as lines:
            yield from lines
    except FileNotFoundError as error:
        raise CaseFileError("missing", path=str(path)) from error
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise CaseFileError("unreadable", path=str(path), reason=str(error)) from error


def _parsed(text: str) -> Json:
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise CaseFileError("not_json", reason=str(error)) from error
    if not isinstance(raw, dict):
        raise CaseFileError("not_an_object")
    return raw


def _line(raw: Json, *, number: int, name: str) -> CaseLine:
    case = raw.get("case", raw)
    if not isinstance(case, dict):
        raise CaseFileError("not_an_object")
    truth = raw.get("truth", ())
    try:
        truths = tuple(disease_id(t) for t in ([truth] if isinstance(truth, str) else truth))
    except (IdentifierError, TypeError) as error:
        raise CaseFileError("bad_truth", value=str(truth)) from error
    opening = raw.get("opening", case.get("opening"))
    if opening is not None and not isinstance(opening, str):
        raise CaseFileError("bad_opening", value=json.dumps(opening))
    return CaseLine(
        number=number,
        id=str(raw.get("id", name)),
        draft=_draft(case),
        truths=truths,
        opening=opening or None,
    )


def _draft(raw: Json) -> Draft:
    age, unit = _age(raw)
    return Draft(
        age_text=age,
        age_unit=unit,
        sex=_choice(Sex, "sex", raw.get("sex", Sex.UNKNOWN.value)),
        findings=tuple(_findings(raw)),
        vitals={name: _typed(value) for name, value in _object(raw, "vitals").items()},
    )


def _age(raw: Json) -> tuple[str, AgeUnit]:
    given = {unit for unit in AgeUnit if raw.get(f"age_{unit}") is not None}
    if len(given) > 1:
        raise CaseFileError("two_ages")
    if not given:
        return "", AgeUnit.YEARS
    unit = given.pop()
    return _typed(raw[f"age_{unit}"]), unit


def _findings(raw: Json) -> Iterator[DraftFinding]:
    for listed in _list(raw, "findings"):
        if not isinstance(listed, dict) or not isinstance(listed.get("id"), str):
            raise CaseFileError("bad_finding", value=json.dumps(listed, ensure_ascii=False))
        yield DraftFinding(
            id=listed["id"],
            presence=_choice(Presence, "presence", listed.get("presence", "present")),
            grade=_number(listed, "grade"),
            onset_days=_days(listed),
        )
    for presence in (Presence.PRESENT, Presence.EXCLUDED):
        for code in _list(raw, presence.value):
            if not isinstance(code, str):
                raise CaseFileError("bad_finding", value=json.dumps(code, ensure_ascii=False))
            yield DraftFinding(id=code, presence=presence)


def _choice(kind: type[_EnumT], name: str, value: object) -> _EnumT:
    try:
        return kind(str(value))
    except ValueError as error:
        allowed = ", ".join(member.value for member in kind)
        raise CaseFileError("bad_choice", name=name, value=str(value), allowed=allowed) from error


def _number(raw: Json, name: str) -> float | None:
    value = raw.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CaseFileError("not_a_number", name=name, value=str(value))
    return float(value)


def _days(raw: Json) -> int | None:
    value = _number(raw, "onset_days")
    if value is not None and not value.is_integer():
        raise CaseFileError("not_a_number", name="onset_days", value=str(value))
    return None if value is None else int(value)


def _object(raw: Json, name: str) -> Json:
    value = raw.get(name, {})
    if not isinstance(value, dict):
        raise CaseFileError("bad_shape", name=name, shape="{}")
    return value


def _list(raw: Json, name: str) -> list[Any]:
    value = raw.get(name, [])
    if not isinstance(value, list):
        raise CaseFileError("bad_shape", name=name, shape="[]")
    return value


def _typed(value: object) -> str:
    """Return a JSON value as a form would hold it; intake says what is wrong with it."""
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, bool | int | float) else str(value)
