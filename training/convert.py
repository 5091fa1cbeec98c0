"""Published patients as case files, so that anyone can score an outside set.

    python -m training.convert ddxplus ROWS --out CASES.jsonl --evidence-budget 5 --seed 1
    vereda diagnose --batch CASES.jsonl --out out.tsv

ROWS: a file with the columns of DDXPlus (AGE, SEX, PATHOLOGY, EVIDENCES; csv, csv.gz, zip or
parquet). Each line of the result is `{"id", "truth", "case"}` as `desktop.commands` reads it.
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
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import pyarrow.parquet

from ddx.domain.case import Case, Sex
from ddx.domain.wire import case_to_json
from ddx.errors import DdxError
from training import knowledge
from training.sources.ddxplus import Patient, Vocabulary, case_of, with_budget

_TOKEN: Final = re.compile(r"E_\d+(?:_@_\w+)?")
_SEX: Final = {"F": Sex.FEMALE, "M": Sex.MALE}
_UNLIMITED: Final = 10_000


class RowsError(DdxError):
    """The rows cannot be read as DDXPlus publishes them."""

    code: ClassVar[str] = "training.rows_unusable"


def read_rows(path: Path) -> Iterator[Patient]:
    """Yield the patients of a file with the columns of DDXPlus.

    Raises:
        RowsError: the file is missing, of another kind, or a row is not one of theirs.
    """
    try:
        for number, raw in enumerate(_raw_rows(path)):
            yield _patient(number, raw)
    except FileNotFoundError as error:
        raise RowsError(f"there is no file {path}") from error
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise RowsError(f"{path} does not read as rows of DDXPlus: {error!r}") from error


def _raw_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    if path.suffix == ".parquet":
        names = ["AGE", "SEX", "PATHOLOGY", "EVIDENCES"]
        for batch in pyarrow.parquet.ParquetFile(path).iter_batches(columns=names):
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
    patients: Iterable[Patient], vocabulary: Vocabulary, *, present: int, excluded: int, seed: int
) -> Iterator[dict[str, object]]:
    """Yield one line per patient: id, truth and case.

    present, excluded: at most so many findings of each kind, drawn evenly. What is drawn of a
    patient depends on the seed and on its row only. Raises RowsError for an unknown condition.
    """
    for patient in patients:
        if patient.condition not in vocabulary.disease_of_condition:
            raise RowsError(f"row {patient.row}: unknown condition {patient.condition!r}")
        rng = np.random.default_rng((seed, patient.row))
        case = with_budget(
            case_of(patient, vocabulary), present=present, excluded=excluded, rng=rng
        )
        yield {
            "id": str(patient.row),
            "truth": vocabulary.disease_of_condition[patient.condition],
            "case": _written(case),
        }


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
