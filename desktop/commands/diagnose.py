"""`vereda diagnose`: a case file in, a ranked list, red flags and the next question out.

    vereda diagnose CASE.json
    vereda diagnose --batch CASES.jsonl --out out.tsv

Exit codes: 0 all answered; 1 the model cannot be used; 2 something given cannot be used (of a
batch, the good lines are answered all the same).
"""

import argparse
import csv
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from ddx.domain.artifacts import Artifacts
from ddx.engine import Engine
from ddx.errors import ModelError
from ddx.inquiry.effort import FULL, RURAL_POST, WORDS_ONLY
from ddx.inquiry.inquirer import Inquirer
from ddx.inquiry.stop import reason_to_stop
from ddx.intake.check import check
from ddx.intake.issues import DraftRefusedError, Level
from ddx.terminology.catalogue import Language
from desktop.commands import words
from desktop.commands.case_file import CaseFileError, CaseLine, read_batch, read_case
from desktop.commands.report import Answer, report
from desktop.commands.words import say
from model_bundles.embedded import open_embedded_bundle
from model_bundles.errors import BundleError

OK, NO_MODEL, BAD_INPUT = 0, 1, 2
EQUIPMENT: Final = {"words": WORDS_ONLY, "rural": RURAL_POST, "full": FULL}
COLUMNS: Final = ("case", "rank", "disease", "name", "probability", "severity", "world", "truth")
TOPS: Final = (1, 3, 10)

EXAMPLE: Final = """\
example of CASE.json (codes: HPO, or VF:... of our own; presence: present or excluded):
  {"age_years": 34, "sex": "female",
   "findings": [{"id": "HP:0001945", "presence": "present"},
                {"id": "HP:0012735", "presence": "excluded"}],
   "vitals": {"temperature_c": 38.5, "spo2_percent": 96}}
a batch holds one such object a line; it may carry "id" and "truth" (the diagnosis, for scoring).
"""


class Desk:
    """The engine and the inquirer of one bundle, and the language they answer in."""

    def __init__(self, bundle: Artifacts, language: Language) -> None:
        self.engine = Engine.from_artifacts(bundle)
        self.catalogue, self.language = self.engine.catalogue, language
        self.inquirer = Inquirer.from_artifacts(bundle, self.catalogue, self.engine.common)

    def answer(self, line: CaseLine, arguments: argparse.Namespace) -> Answer:
        """Return what there is to say of one case. Raises DraftRefusedError."""
        case = line.case(self.catalogue)
        differential = self.engine.diagnose(case)
        asked = self.inquirer.next_questions(
            case, EQUIPMENT[arguments.equipment], max(arguments.questions, 1)
        )
        stop = reason_to_stop(differential, asked) is not None or arguments.questions == 0
        issues = check(line.draft, self.catalogue)
        return Answer(
            case=case,
            differential=differential,
            questions=() if stop else asked,
            warnings=tuple(issue for issue in issues if issue.level is Level.WARNING),
        )

    def refusal(self, error: CaseFileError | DraftRefusedError) -> list[str]:
        """Return what is wrong with a case, one problem a line."""
        if isinstance(error, CaseFileError):
            return [problem(error, self.language)]
        return [words.issue(issue, self.catalogue, self.language) for issue in error.issues]


def main(
    argv: Sequence[str] | None = None,
    open_bundle: Callable[[], Artifacts] = open_embedded_bundle,
) -> int:
    """Diagnose what the arguments name; return the exit code.

    open_bundle: opens a verified bundle, the embedded one unless a test brings its own.
    """
    arguments = _parser().parse_args(argv)
    language = Language(arguments.lang)
    if (arguments.case is None) is (arguments.batch is None):
        return _complain(say("what_file", language))
    try:
        single = None if arguments.case is None else read_case(arguments.case)
        desk = Desk(open_bundle(), language)
    except CaseFileError as error:
        return _complain(problem(error, language))
    except (BundleError, ModelError) as error:
        _complain(say("no_model", language, code=error.code))
        return NO_MODEL
    return _one(desk, single, arguments) if single is not None else _batch(desk, arguments)


def problem(error: CaseFileError, language: Language) -> str:
    """Return what is wrong with a case file, in words."""
    return say(error.problem, language, words.PROBLEMS, **error.params)


def _one(desk: Desk, line: CaseLine, arguments: argparse.Namespace) -> int:
    try:
        answer = desk.answer(line, arguments)
    except DraftRefusedError as error:
        lines = [say("refused", desk.language), *(f"  - {said}" for said in desk.refusal(error))]
        return _complain("\n".join(lines))
    sys.stdout.write(report(answer, desk.catalogue, desk.language, arguments.limit))
    return OK


def _batch(desk: Desk, arguments: argparse.Namespace) -> int:
    """Answer line by line into the table; a bad line is told and does not stop the rest."""
    tally = _Tally()
    try:
        with arguments.out.open("w", encoding="utf-8", newline="") as out:
            table = csv.writer(out, delimiter="\t", lineterminator="\n")
            table.writerow(COLUMNS)
            for line in read_batch(arguments.batch):
                _batch_line(desk, line, arguments, table.writerows, tally)
    except CaseFileError as error:
        return _complain(problem(error, desk.language))
    except OSError as error:
        params = {"path": str(arguments.out), "reason": error.strerror or str(error)}
        return _complain(say("cannot_write", desk.language, **params))
    sys.stdout.write(tally.told(desk.language, arguments.out))
    return BAD_INPUT if tally.bad else OK


def _batch_line(
    desk: Desk,
    line: CaseLine | CaseFileError,
    arguments: argparse.Namespace,
    write: Callable[[Iterable[Iterable[object]]], object],
    tally: "_Tally",
) -> None:
    try:
        if isinstance(line, CaseFileError):
            raise line
        case = line.case(desk.catalogue)
    except (CaseFileError, DraftRefusedError) as error:
        tally.bad += 1
        number = error.params["line"] if isinstance(error, CaseFileError) else _number(line)
        for said in desk.refusal(error):
            _complain(say("line", desk.language, line=number, said=said))
        return
    candidates = desk.engine.diagnose(case).candidates
    tally.add([c.disease in line.truths for c in candidates], known=bool(line.truths))
    truth = "|".join(line.truths)
    write(
        (
            line.id,
            c.rank,
            c.disease,
            desk.catalogue.disease_label(c.disease, desk.language),
            f"{c.probability:.6f}",
            "" if c.severity is None else c.severity,
            c.world,
            truth,
        )
        for c in candidates[: arguments.limit]
    )


def _number(line: CaseLine | CaseFileError) -> int:
    return line.number if isinstance(line, CaseLine) else 0


class _Tally:
    """How many lines went well, and how often the diagnosis was in the first n."""

    def __init__(self) -> None:
        self.good = self.bad = self.known = 0
        self._within = dict.fromkeys(TOPS, 0)

    def add(self, right: Sequence[bool], *, known: bool) -> None:
        """Count one answered case; right: for each rank, whether it is the diagnosis."""
        self.good += 1
        self.known += known
        for top in TOPS:
            self._within[top] += any(right[:top])

    def told(self, language: Language, out: Path) -> str:
        """Return the closing lines."""
        lines = [say("batch", language, good=self.good, bad=self.bad, out=out)]
        if self.known:
            shares = {f"top{top}": f"{n / self.known:.4f}" for top, n in self._within.items()}
            lines.append(say("scored", language, n=self.known, **shares))
        return "\n".join(lines) + "\n"


def _complain(text: str) -> int:
    sys.stderr.write(text + "\n")
    return BAD_INPUT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vereda diagnose",
        description="Rank the diseases of a case file, without window or network.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("case", nargs="?", type=Path, help="a case as JSON")
    parser.add_argument("--batch", type=Path, help="cases, one JSON object a line")
    parser.add_argument("--out", type=Path, default=Path("out.tsv"), help="table of a batch")
    parser.add_argument("--lang", choices=[lang.value for lang in Language], default="es")
    parser.add_argument("--limit", type=int, default=10, help="diseases shown (default 10)")
    parser.add_argument("--questions", type=int, default=1, help="questions shown (default 1)")
    parser.add_argument("--equipment", choices=sorted(EQUIPMENT), default="rural")
    return parser


if __name__ == "__main__":
    sys.exit(main())
