"""Published patients as case files, so that anyone can score an outside set.

    python -m training.convert ddxplus ROWS --out CASES.jsonl
    vereda diagnose --batch CASES.jsonl --out out.tsv --interview 10

ROWS: a file with the columns of DDXPlus (AGE, SEX, PATHOLOGY, EVIDENCES; csv, csv.gz, zip or
parquet). Each line of the result is `{"id", "truth", "case"}` as `desktop.commands` reads it, and
"opening" when the rows name the complaint the visit began with (INITIAL_EVIDENCE).
"""

import argparse
import csv
import gzip
import io
import json
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import pyarrow.parquet

from ddx.domain.case import Case, Sex
from ddx.domain.identifiers import FindingId
from ddx.domain.wire import case_to_json
from ddx.errors import DdxError
from ddx.inquiry.interview import rng_of, with_budget
from training import knowledge
from training.sources.ddxplus import Patient, Vocabulary, case_of

COLUMNS: Final = ("AGE", "SEX", "PATHOLOGY", "EVIDENCES")
OPENING: Final = "INITIAL_EVIDENCE"
_TOKEN: Final = re.compile(r"E_\d+(?:_@_\w+)?")
_SEX: Final = {"F": Sex.FEMALE, "M": Sex.MALE}
_UNLIMITED: Final = 10_000


class RowsError(DdxError):
    """The rows cannot be read as DDXPlus publishes them."""

    code: ClassVar[str] = "training.rows_unusable"


@dataclass(frozen=True, slots=True)
class Row:
    """One row. opening: code of the evidence the visit began with; None when the file lacks it."""

    patient: Patient
    opening: str | None


def read_rows(path: Path) -> Iterator[Row]:
    """Yield the patients of a file with the columns of DDXPlus.

    Raises:
        RowsError: the file is missing, of another kind, or a row is not one of theirs.
    """
    try:
        for number, raw in enumerate(_raw_rows(path)):
            yield Row(_patient(number, raw), raw.get(OPENING) or None)
    except FileNotFoundError as error:
        raise RowsError(f"there is no file {path}") from error
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise RowsError(f"{path} does not read as rows of DDXPlus: {error!r}") from error


def _raw_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    if path.suffix == ".parquet":
        rows = pyarrow.parquet.ParquetFile(path)
        opening = [OPENING] if OPENING in rows.schema_arrow.names else []
        for batch in rows.iter_batches(columns=[*COLUMNS, *opening]):
            yield from batch.to_pylist()
    elif path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            name = next(n for n in archive.namelist() if not n.endswith("/"))
            with archive.open(name) as member:
                yield from csv.DictReader(io.TextIOWrapper(member, encoding="utf-8", newline=""))
    elif path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
            yield from csv.DictReader(lines)
    else:
        with path.open(encoding="utf-8", newline="") as lines:
            yield from csv.DictReader(lines)


def _patient(number: int, raw: Mapping[str, Any]) -> Patient:
    return Patient(
        row=number,
        age_years=int(raw["AGE"]),
        sex=_SEX[raw["SEX"]],
        condition=raw["PATHOLOGY"],
        evidences=tuple(_TOKEN.findall(raw["EVIDENCES"])),
    )


def converted(
    rows: Iterable[Row], vocabulary: Vocabulary, *, present: int, excluded: int, seed: int
) -> Iterator[dict[str, object]]:
    """Yield one line per patient: id, truth, case and, where it is known and kept, opening.

    present, excluded: at most so many findings of each kind, drawn evenly. What is drawn of a
    patient depends on the seed and on its row only, and is what `vereda diagnose` draws with the
    same budget and seed. Raises RowsError for an unknown condition.
    """
    for row in rows:
        patient = row.patient
        if patient.condition not in vocabulary.disease_of_condition:
            raise RowsError(
                f"row {patient.row}: unknown condition {patient.condition!r}; "
                "rows of the English release are read"
            )
        rng = rng_of(seed, str(patient.row))
        case = with_budget(
            case_of(patient, vocabulary), present=present, excluded=excluded, rng=rng
        )
        line: dict[str, object] = {
            "id": str(patient.row),
            "truth": vocabulary.disease_of_condition[patient.condition],
        }
        opening = _opening(row, case, vocabulary)
        yield line | ({} if opening is None else {"opening": opening}) | {"case": _written(case)}


def _opening(row: Row, case: Case, vocabulary: Vocabulary) -> FindingId | None:
    """Return the finding the visit began with; None when `case` does not hold it as present."""
    read = None if row.opening is None else vocabulary.read(row.opening)
    finding = None if read is None else vocabulary.findings[read[0]]
    return finding if any(f.id == finding for f in case.present) else None


def _written(case: Case) -> dict[str, object]:
    return {name: value for name, value in case_to_json(case).items() if value is not None}


def main(argv: Sequence[str] | None = None) -> int:
    """Convert; return 0, or 2 after saying what cannot be read."""
    asked = _parser().parse_args(argv)
    vocabulary = Vocabulary.of(knowledge.findings(), knowledge.diseases())
    whole = asked.evidence_budget is None
    lines = converted(
        read_rows(asked.rows),
        vocabulary,
        present=_UNLIMITED if whole else asked.evidence_budget,
        excluded=_UNLIMITED if whole else asked.excluded,
        seed=asked.seed,
    )
    count = 0
    try:
        with asked.out.open("w", encoding="utf-8") as out:
            for count, line in enumerate(lines, start=1):
                out.write(json.dumps(line, ensure_ascii=False) + "\n")
                if count == asked.limit:
                    break
    except (DdxError, OSError) as error:
        print(f"Stopped: {error}", file=sys.stderr)
        return 2
    print(f"{count:,} cases -> {asked.out}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.convert", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    formats = parser.add_subparsers(dest="format", required=True)
    ddxplus = formats.add_parser("ddxplus", help="rows as DDXPlus publishes them")
    ddxplus.add_argument("rows", type=Path)
    ddxplus.add_argument("--out", type=Path, required=True)
    ddxplus.add_argument(
        "--evidence-budget", type=int, metavar="K", help="at most K present findings, else all"
    )
    ddxplus.add_argument(
        "--excluded", type=int, default=0, metavar="M", help="with a budget: excluded findings"
    )
    ddxplus.add_argument("--seed", type=int, default=1)
    ddxplus.add_argument("--limit", type=int, help="stop after so many rows")
    return parser


if __name__ == "__main__":
    sys.exit(main())
