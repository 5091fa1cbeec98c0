"""Patients for `vereda rank`: phenopackets, or case files of our own, one or one a line.

A line may also hold the packet under "phenopacket", as collections of packets store it beside
their path. A file whose name ends in .gz is unpacked while it is read.
"""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO, cast

from ddx.domain.case import Case
from ddx.domain.identifiers import DiseaseId
from ddx.intake.check import check
from ddx.intake.issues import CaseIssue, DraftRefusedError, Level
from ddx.phenopackets.features import FeatureCodes
from ddx.phenopackets.issues import PacketIssue, PhenopacketError
from ddx.phenopackets.read import is_phenopacket, read_phenopacket
from ddx.terminology.catalogue import Catalogue
from desktop.commands.case_file import CaseFileError, case_line

OWN_MARKS: Final = ("case", "findings", "present", "excluded", "vitals", "age_years", "age_days")
"""Fields that only our own case files have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """One patient to rank. truths: the diagnosis, if told. sources: papers the file names."""

    id: str
    case: Case
    truths: tuple[DiseaseId, ...] = ()
    sources: tuple[str, ...] = ()
    issues: tuple[PacketIssue | CaseIssue, ...] = ()


class UnusablePatientError(CaseFileError):
    """The file reads, but nothing of it can be ranked. issues: why, all of them."""

    def __init__(self, issues: tuple[PacketIssue | CaseIssue, ...]) -> None:
        super().__init__("unusable")
        self.issues = issues


class PatientReader:
    """Reads patients with the vocabulary of one bundle."""

    def __init__(self, catalogue: Catalogue, codes: FeatureCodes) -> None:
        self._catalogue, self._codes = catalogue, codes

    def one(self, path: Path) -> Patient:
        """Return the one patient of a JSON file.

        Raises:
            CaseFileError: no such file, not JSON, no patient in it, or nothing of it usable.
        """
        with _opened(path) as lines:
            text = _all(lines, path)
        return self._patient(text, number=1, name=path.name.partition(".")[0])

    def each(self, path: Path) -> Iterator[tuple[int, Patient | CaseFileError]]:
        """Yield line number and patient of a file with one object a line, as it is read.

        A bad line is yielded as its error, a blank one is passed over.

        Raises:
            CaseFileError: no such file, or it cannot be read on.
        """
        with _opened(path) as lines:
            for number, text in enumerate(_guarded(lines, path), start=1):
                if text.strip():
                    try:
                        yield number, self._patient(text, number=number, name=str(number))
                    except CaseFileError as error:
                        yield number, error

    def _patient(self, text: str, *, number: int, name: str) -> Patient:
        try:
            raw = json.loads(text)
        except ValueError as error:
            raise CaseFileError("not_json", reason=str(error)) from error
        except RecursionError as error:
            raise CaseFileError("not_json", reason="nested too deeply") from error
        if not isinstance(raw, Mapping):
            raise CaseFileError("not_an_object")
        wrapped = raw.get("phenopacket")
        packet = wrapped if isinstance(wrapped, Mapping) else raw
        if not is_phenopacket(packet) and any(mark in raw for mark in OWN_MARKS):
            return self._own(raw, number=number, name=name)
        return self._packet(packet, name)

    def _packet(self, raw: Mapping[str, Any], name: str) -> Patient:
        try:
            read = read_phenopacket(raw, self._codes)
        except PhenopacketError as error:
            raise CaseFileError(error.reason) from error
        if read.case is None:
            raise UnusablePatientError(read.issues)
        return Patient(
            id=read.id or name,
            case=read.case,
            truths=read.truths,
            sources=read.sources,
            issues=read.issues,
        )

    def _own(self, raw: Mapping[str, Any], *, number: int, name: str) -> Patient:
        line = case_line(raw, number=number, name=name)
        try:
            case = line.case(self._catalogue)
        except DraftRefusedError as error:
            raise UnusablePatientError(error.issues) from error
        doubts = (i for i in check(line.draft, self._catalogue) if i.level is Level.WARNING)
        return Patient(id=line.id, case=case, truths=line.truths, issues=tuple(doubts))


def _opened(path: Path) -> TextIO:
    try:
        if path.suffix == ".gz":
            return cast("TextIO", gzip.open(path, "rt", encoding="utf-8-sig"))
        return path.open(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise CaseFileError("missing", path=str(path)) from error
    except OSError as error:
        raise _unreadable(path, error) from error


def _guarded(lines: TextIO, path: Path) -> Iterator[str]:
    """Yield the lines; a file that breaks off half-way is told, not taken for its end."""
    try:
        yield from lines
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise _unreadable(path, error) from error


def _all(lines: TextIO, path: Path) -> str:
    return "".join(_guarded(lines, path))


def _unreadable(path: Path, error: Exception) -> CaseFileError:
    reason = getattr(error, "strerror", None) or str(error)
    return CaseFileError("unreadable", path=str(path), reason=reason)
