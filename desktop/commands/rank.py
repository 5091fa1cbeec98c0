"""`vereda rank`: phenopackets or case files in, rare diseases ranked with their reasons out.

    vereda rank CASE.json
    vereda rank --batch CASES.jsonl.gz --out ranks.tsv

Exit codes: 0 all ranked; 1 the model cannot be used; 2 something given cannot be used (of a
batch, the good lines are ranked all the same).
"""

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TextIO

from ddx.domain.artifacts import Artifacts
from ddx.engine import Engine
from ddx.errors import ModelError
from ddx.features.rare_sources import SourcedAnnotations, SourceRemoval, StandIns, source_id
from ddx.phenopackets.features import FeatureCodes
from ddx.rare_list import RareList, rank_rare
from ddx.terminology.catalogue import Language
from desktop.commands import rank_words
from desktop.commands.case_file import CaseFileError
from desktop.commands.packet_file import Patient, PatientReader, UnusablePatientError
from desktop.commands.rank_report import Ranked, report
from desktop.commands.rank_words import say
from model_bundles.embedded import open_embedded_bundle
from model_bundles.errors import BundleError

OK, NO_MODEL, BAD_INPUT = 0, 1, 2
COLUMNS: Final = ("id", "position", "disease_id", "probability")
TOPS: Final = (1, 3, 10)
PROGRESS_EVERY: Final = 50
BETWEEN_CODES: Final = "|"
DEFAULT_TABLE: Final = Path("ranks.tsv")

EXAMPLE: Final = """\
CASE.json is a GA4GH phenopacket v2, or a case as `vereda diagnose` reads it:
  {"id": "case-1", "subject": {"id": "case-1", "sex": "MALE",
     "timeAtLastEncounter": {"age": {"iso8601duration": "P14Y"}}},
   "phenotypicFeatures": [{"type": {"id": "HP:0001083"}},
                          {"type": {"id": "HP:0001166"}},
                          {"type": {"id": "HP:0002616"}, "excluded": true}]}
CASES.jsonl holds one such object a line. docs/command_line_rank.md says what is read, what each
column means and which annotation rows --exclude-source takes out.
"""


class RankDesk:
    """The engine of one bundle and what takes papers out of its annotations."""

    def __init__(self, bundle: Artifacts, arguments: argparse.Namespace) -> None:
        self.engine = Engine.from_artifacts(bundle)
        codes = FeatureCodes.from_artifacts(bundle, self.engine.catalogue)
        self.reader = PatientReader(self.engine.catalogue, codes)
        self.language = Language(arguments.lang)
        self._named: frozenset[str] = frozenset(arguments.exclude_source)
        self._own: bool = arguments.exclude_own_source
        self._keep_shared: bool = arguments.keep_shared_rows
        self._removal: SourceRemoval | None = None
        if self._named or self._own:
            annotations = SourcedAnnotations.from_artifacts(bundle)
            self._removal = SourceRemoval(self.engine.rare.index, annotations)

    def rank(self, patient: Patient) -> Ranked:
        """Return the list of one patient. Raises UnusablePatientError when nothing is seen."""
        sources = self._named | (frozenset(patient.sources) if self._own else frozenset())
        stand_ins: StandIns | None = None
        unknown: tuple[str, ...] = ()
        if self._removal is not None:
            stand_ins = self._removal.without(sources, keep_shared=self._keep_shared)
            unknown = tuple(sorted(s for s in sources if not self._removal.knows(s)))
        ranked = rank_rare(self.engine, patient.case, stand_ins)
        if not len(ranked.order):
            raise UnusablePatientError(patient.issues)
        return Ranked(patient=patient, ranked=ranked, removed=sources, unknown_sources=unknown)


def main(
    argv: Sequence[str] | None = None,
    open_bundle: Callable[[], Artifacts] = open_embedded_bundle,
) -> int:
    """Rank what the arguments name; return the exit code.

    open_bundle: opens a verified bundle, the embedded one unless a test brings its own.
    """
    arguments = _parser().parse_args(argv)
    language = Language(arguments.lang)
    if (arguments.case is None) is (arguments.batch is None):
        return _complain(say("what_file", language))
    if arguments.batch is None and arguments.out is not None:
        return _complain(say("out_of_one", language))
    try:
        desk = RankDesk(open_bundle(), arguments)
        return _one(desk, arguments) if arguments.batch is None else _batch(desk, arguments)
    except CaseFileError as error:
        return _complain("\n".join(rank_words.problem(error, language)))
    except (BundleError, ModelError) as error:
        _complain(say("no_model", language, code=error.code, reason=error))
        return NO_MODEL


def _one(desk: RankDesk, arguments: argparse.Namespace) -> int:
    patient = desk.reader.one(arguments.case)
    try:
        ranked = desk.rank(patient)
    finally:
        for issue in patient.issues:
            _complain(rank_words.issue(issue, desk.engine.catalogue, desk.language))
    sys.stdout.write(
        report(ranked, desk.engine, desk.language, arguments.limit, explained=arguments.explain)
    )
    return OK


def _batch(desk: RankDesk, arguments: argparse.Namespace) -> int:
    """Rank line by line into the table; a bad line is told and does not stop the rest."""
    if not arguments.batch.exists():  # before an older table is overwritten
        raise CaseFileError("missing", path=str(arguments.batch))
    table, tally = arguments.out or DEFAULT_TABLE, _Tally()
    try:
        with table.open("w", encoding="utf-8", newline="") as out:
            _rank_lines(desk, arguments, out, tally)
    except OSError as error:
        params = {"path": str(table), "reason": error.strerror or str(error)}
        return _complain(say("cannot_write", desk.language, **params))
    sys.stdout.write(tally.told(desk.language, table))
    return BAD_INPUT if tally.bad else OK


def _rank_lines(
    desk: RankDesk, arguments: argparse.Namespace, out: TextIO, tally: "_Tally"
) -> None:
    table = csv.writer(out, delimiter="\t", lineterminator="\n")
    table.writerow(COLUMNS)
    shown = sys.stderr.isatty()
    for number, patient in desk.reader.each(arguments.batch):
        try:
            if isinstance(patient, CaseFileError):
                raise patient
            ranked = desk.rank(patient)
        except CaseFileError as error:
            tally.bad += 1
            for said in rank_words.problem(error, desk.language):
                _complain(say("line", desk.language, line=number, said=said))
            continue
        tally.add(ranked)
        for entry in ranked.ranked.first(arguments.limit):
            codes = BETWEEN_CODES.join(entry.diseases)
            table.writerow((patient.id, entry.position, codes, f"{entry.probability:.6g}"))
        if shown and tally.good % PROGRESS_EVERY == 0:
            sys.stderr.write("\r" + say("progress", desk.language, n=tally.good))
            sys.stderr.flush()
    if shown:
        sys.stderr.write("\r\033[K")


class _Tally:
    """How many lines went well, where the diagnosis stood, and what was doubtful."""

    def __init__(self) -> None:
        self.good = self.bad = 0
        self._known = self._unlisted = 0
        self._reciprocal = 0.0
        self._within = dict.fromkeys(TOPS, 0)
        self._issues: Counter[str] = Counter()

    def add(self, answer: Ranked) -> None:
        """Count one ranked patient."""
        self.good += 1
        self._issues.update(issue.code for issue in answer.patient.issues)
        if answer.patient.truths:
            self._add_position(answer.ranked, answer.patient)

    def _add_position(self, ranked: RareList, patient: Patient) -> None:
        self._known += 1
        position = ranked.position_of(patient.truths)
        if position is None:
            self._unlisted += 1
            return
        self._reciprocal += 1 / position
        for top in TOPS:
            self._within[top] += position <= top

    def told(self, language: Language, out: Path) -> str:
        """Return the closing lines."""
        lines = [say("batch", language, good=self.good, bad=self.bad, out=out)]
        if self._known:
            shares = {f"top{top}": f"{n / self._known:.4f}" for top, n in self._within.items()}
            mrr = f"{self._reciprocal / self._known:.4f}"
            counts = {"n": self._known, "unlisted": self._unlisted}
            lines.append(say("scored", language, **counts, **shares, mrr=mrr))
        if self._issues:
            counted = ", ".join(f"{code} {n}" for code, n in self._issues.most_common())
            lines.append(say("issues", language, counted=counted))
        return "\n".join(lines) + "\n"


def _complain(text: str) -> int:
    sys.stderr.write(text + "\n")
    return BAD_INPUT


def _source(text: str) -> str:
    source = source_id(text)
    if source is None:
        raise argparse.ArgumentTypeError(f"{text!r}: write PMID:12345678")
    return source


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r}: write a whole number, 0 or more")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vereda rank",
        description="Rank rare diseases for phenopackets, without window or network.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("case", nargs="?", type=Path, help="a phenopacket or case as JSON")
    parser.add_argument(
        "--batch", type=Path, metavar="CASES", help="one phenopacket a line, .jsonl or .jsonl.gz"
    )
    parser.add_argument(
        "--out", type=Path, metavar="TABLE", help=f"table of a batch (default {DEFAULT_TABLE})"
    )
    parser.add_argument(
        "--lang",
        choices=[lang.value for lang in Language],
        default="es",
        help="language of what is printed (default es)",
    )
    parser.add_argument(
        "--limit", type=_count, default=10, metavar="N", help="diseases a case (default 10)"
    )
    parser.add_argument(
        "--explain", type=_count, default=0, metavar="N", help="explain the first N in words"
    )
    parser.add_argument(
        "--exclude-source",
        type=_source,
        action="append",
        default=[],
        metavar="PMID",
        help="leave out every annotation row that names this paper, of every disease; repeatable",
    )
    parser.add_argument(
        "--exclude-own-source",
        action="store_true",
        help="leave out the rows that name the paper of the packet itself",
    )
    parser.add_argument(
        "--keep-shared-rows",
        action="store_true",
        help="of these rows, keep those that another source supports too",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
