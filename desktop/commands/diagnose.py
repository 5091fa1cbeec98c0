"""`vereda diagnose`: a case file in, a ranked list, red flags and the next question out.

    vereda diagnose CASE.json
    vereda diagnose --batch CASES.jsonl --out out.tsv
    vereda diagnose --batch CASES.jsonl --out out.tsv --evidence-budget 5 --seed 1
    vereda diagnose --batch CASES.jsonl --out out.tsv --interview 10

Exit codes: 0 all answered; 1 the model cannot be used; 2 something given cannot be used (of a
batch, the good lines are answered all the same). docs/command_line.md tells the formats.
"""

import argparse
import csv
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from ddx.domain.artifacts import Artifacts
from ddx.domain.differential import Candidate, World
from ddx.domain.identifiers import DiseaseId, disease_id
from ddx.engine import Engine
from ddx.errors import IdentifierError, ModelError, UnknownDiseaseError
from ddx.inquiry.effort import FULL, RURAL_POST, WORDS_ONLY
from ddx.intake.check import check
from ddx.intake.issues import DraftRefusedError, Level
from ddx.terminology.catalogue import Language
from desktop.commands import words
from desktop.commands.case_file import CaseFileError, CaseLine, read_batch, read_case
from desktop.commands.playing import Play, Played, play
from desktop.commands.report import Answer, report
from desktop.commands.words import say
from model_bundles.embedded import open_embedded_bundle
from model_bundles.errors import BundleError

OK, NO_MODEL, BAD_INPUT = 0, 1, 2
EQUIPMENT: Final = {"words": WORDS_ONLY, "rural": RURAL_POST, "full": FULL}
COLUMNS: Final = (
    *("case", "rank", "disease", "name", "probability", "severity", "world", "truth"),
    *("not_excluded", "triage", "asked", "stop"),
)
TOPS: Final = (1, 3, 10)

EPILOG: Final = """\
example of CASE.json (codes: HPO, or VF:... of our own; presence: present, excluded or unknown):
  {"age_years": 34, "sex": "female",
   "findings": [{"id": "HP:0001945", "presence": "present"},
                {"id": "HP:0012735", "presence": "excluded"}],
   "vitals": {"temperature_c": 38.5, "spo2_percent": 96}}
a batch holds one such object a line (.jsonl, or .jsonl.gz); it may carry "id", "truth" (the
diagnosis, for scoring) and "opening" (the present finding the visit began with).

columns of the table, tab-separated, one row per case and rank:
  case          "id" of the line, else its number
  rank          1 for the most probable
  disease, name code and name
  probability   0..1, over everything the models know
  severity      1 (most severe) to 5; empty where no source grades it
  world         common or rare
  truth         "truth" of the line, codes joined by |
  not_excluded  yes or no: whether the disease cannot be set aside (a set that holds the right
                common disease nine times in ten); empty where the model cannot say
  triage        level of the case, 1 (immediate) to 5
  asked         with --interview: questions asked
  stop          with --interview: why it stopped (settled, little_to_gain, nothing_left); empty
                when the limit ended it
"""


class Desk:
    """The engine of one bundle, what is played of each case, and the language it answers in."""

    def __init__(self, bundle: Artifacts, language: Language, plan: Play) -> None:
        self.engine = Engine.from_artifacts(bundle)
        self.catalogue, self.language, self.plan = self.engine.catalogue, language, plan

    def play(self, line: CaseLine) -> Played:
        """Return the case of a line as the plan leaves it.

        Raises:
            DraftRefusedError: the case cannot be used.
            CaseFileError: its opening is no finding of it.
        """
        case = line.case(self.catalogue)
        opening = line.opening_of(case, self.catalogue)
        return play(case, line.id, opening, self.engine, self.plan)

    def answer(self, line: CaseLine, arguments: argparse.Namespace) -> Answer:
        """Return what there is to say of one case.

        Raises DraftRefusedError, CaseFileError, UnknownDiseaseError (the one of --why-not).
        """
        played = self.play(line)
        case, engine = played.case, self.engine
        assessed = engine.assess(case, equipment=self.plan.equipment, questions=arguments.questions)
        first = assessed.differential.candidates[:1]
        issues = check(line.draft, self.catalogue)
        return Answer(
            played=played,
            assessed=assessed,
            explanation=engine.explain(case, first[0].disease) if first else None,
            actions=engine.recommendations(first[0].disease, self.language) if first else (),
            why_not=arguments.why_not and engine.why_not(case, arguments.why_not),
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
    if arguments.excluded and arguments.evidence_budget is None:
        return _complain(say("excluded_alone", language))
    try:
        single = None if arguments.case is None else read_case(arguments.case)
        desk = Desk(open_bundle(), language, _plan(arguments))
    except CaseFileError as error:
        return _complain(problem(error, language))
    except (BundleError, ModelError) as error:
        _complain(say("no_model", language, code=error.code))
        return NO_MODEL
    return _one(desk, single, arguments) if single is not None else _batch(desk, arguments)


def _plan(arguments: argparse.Namespace) -> Play:
    return Play(
        present=arguments.evidence_budget,
        excluded=arguments.excluded,
        questions=arguments.interview,
        seed=arguments.seed,
        equipment=EQUIPMENT[arguments.equipment],
    )


def problem(error: CaseFileError, language: Language) -> str:
    """Return what is wrong with a case file, in words."""
    return say(error.problem, language, words.PROBLEMS, **error.params)


def _one(desk: Desk, line: CaseLine, arguments: argparse.Namespace) -> int:
    try:
        answer = desk.answer(line, arguments)
    except UnknownDiseaseError:
        return _complain(say("no_such_disease", desk.language, disease=arguments.why_not))
    except (CaseFileError, DraftRefusedError) as error:
        lines = [say("refused", desk.language), *(f"  - {said}" for said in desk.refusal(error))]
        return _complain("\n".join(lines))
    sys.stdout.write(report(answer, desk.catalogue, desk.language, arguments.limit))
    return OK


def _batch(desk: Desk, arguments: argparse.Namespace) -> int:
    """Answer line by line into the table; a bad line is told and does not stop the rest."""
    tally, started = _Tally(), time.monotonic()
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
    sys.stdout.write(tally.told(desk.language, arguments.out, time.monotonic() - started))
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
        played = desk.play(line)
    except (CaseFileError, DraftRefusedError) as error:
        tally.bad += 1
        number = error.params["line"] if isinstance(error, CaseFileError) else _number(line)
        for said in desk.refusal(error):
            _complain(say("line", desk.language, line=number, said=said))
        return
    assessed = desk.engine.assess(played.case, questions=0)
    candidates = assessed.differential.candidates
    tally.add(
        [c.disease in line.truths for c in candidates],
        known=bool(line.truths),
        asked=len(played.asked),
    )
    of_case = (
        "|".join(line.truths),
        assessed.triage.level.value,
        "" if desk.plan.questions is None else len(played.asked),
        played.stop or "",
    )
    write(
        (
            line.id,
            c.rank,
            c.disease,
            desk.catalogue.disease_label(c.disease, desk.language),
            f"{c.probability:.6f}",
            "" if c.severity is None else c.severity,
            c.world,
            of_case[0],
            _yes_or_no(c, assessed.not_excluded),
            *of_case[1:],
        )
        for c in candidates[: arguments.limit]
    )


def _yes_or_no(candidate: Candidate, not_excluded: frozenset[DiseaseId] | None) -> str:
    """Return whether a candidate cannot be set aside; sets speak of common diseases only."""
    if not_excluded is None or candidate.world is World.RARE:
        return ""
    return "yes" if candidate.disease in not_excluded else "no"


def _number(line: CaseLine | CaseFileError) -> int:
    return line.number if isinstance(line, CaseLine) else 0


class _Tally:
    """How many lines went well, and how often the diagnosis was in the first n."""

    def __init__(self) -> None:
        self.good = self.bad = self.known = self.asked = 0
        self._within = dict.fromkeys(TOPS, 0)

    def add(self, right: Sequence[bool], *, known: bool, asked: int) -> None:
        """Count one answered case; right: for each rank, whether it is the diagnosis."""
        self.good += 1
        self.asked += asked
        self.known += known
        for top in TOPS:
            self._within[top] += any(right[:top])

    def told(self, language: Language, out: Path, seconds: float) -> str:
        """Return the closing lines."""
        lines = [say("batch", language, good=self.good, bad=self.bad, out=out)]
        if self.good:
            rate = f"{self.good / max(seconds, 1e-9):.0f}"
            lines.append(say("rate", language, seconds=f"{seconds:.1f}", rate=rate))
        if self.asked:
            mean = f"{self.asked / self.good:.2f}"
            lines.append(say("asked_on_average", language, mean=mean))
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
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("case", nargs="?", type=Path, help="a case as JSON")
    parser.add_argument("--batch", type=Path, help="cases, one JSON object a line; .gz too")
    parser.add_argument("--out", type=Path, default=Path("out.tsv"), help="table of a batch")
    parser.add_argument("--lang", choices=[lang.value for lang in Language], default="es")
    parser.add_argument("--limit", type=_count, default=10, help="diseases shown (default 10)")
    parser.add_argument("--questions", type=_count, default=1, help="questions shown (default 1)")
    parser.add_argument("--equipment", choices=sorted(EQUIPMENT), default="rural")
    parser.add_argument(
        "--why-not", type=_disease, metavar="CODE", help="what would bring a disease to the top"
    )
    part = parser.add_mutually_exclusive_group()
    part.add_argument(
        "--evidence-budget",
        type=_count,
        metavar="K",
        help="keep at most K present findings of each case, drawn; all else is unknown",
    )
    part.add_argument(
        "--interview",
        type=_count,
        metavar="N",
        help="start from the opening complaint and ask at most N questions of the case",
    )
    parser.add_argument(
        "--excluded", type=_count, default=0, metavar="M", help="with a budget: excluded ones kept"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of the draws (default 1)")
    return parser


def _count(text: str) -> int:
    """Read a number that cannot be negative. argparse tells the user what a ValueError says."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{value} is below 0")
    return value


def _disease(text: str) -> DiseaseId:
    try:
        return disease_id(text)
    except IdentifierError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no disease code (VD:..., OMIM:...)"
        ) from error


if __name__ == "__main__":
    sys.exit(main())
