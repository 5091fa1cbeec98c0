"""How a rank is counted: ties, equivalent codes, missing diseases, and the paper removed."""

import numpy as np
import pytest

from ddx.domain.case import Case, Sex
from ddx.domain.finding import Finding, Presence
from training.evaluate.rare import MISSED, Protocol, ranks, recall_line, table
from training.fit.rare import fit_rare
from training.sources.hpo import AnnotationRelease, AnnotationRow, OntologyRelease, Term
from training.sources.phenopackets import LabelledCase

ROOT, THUMB, TOE = "HP:0000118", "HP:0000011", "HP:0000012"
ONTOLOGY = OntologyRelease(
    "toy",
    (Term(ROOT, "root"), Term(THUMB, "thumb", parents=(ROOT,)), Term(TOE, "toe", parents=(ROOT,))),
)


def row(disease, term, *papers):
    return AnnotationRow(disease, disease, term, False, None, None, None, papers, "PCS", "P")


@pytest.fixture
def fit():
    rows = (
        row("OMIM:1", THUMB, "PMID:1"),
        row("OMIM:1", TOE, "PMID:1", "PMID:2"),
        row("OMIM:2", THUMB, "PMID:5"),
        row("OMIM:3", TOE, "PMID:6"),
        row("ORPHA:4", THUMB, "PMID:7"),
    )
    return fit_rare(ONTOLOGY, AnnotationRelease("toy", rows))


def patient(*truths, seen=(THUMB,), excluded=(), pmid=None):
    findings = [Finding(id=f, presence=Presence.PRESENT) for f in seen]
    findings += [Finding(id=f, presence=Presence.EXCLUDED) for f in excluded]
    case = Case(age_days=None, sex=Sex.UNKNOWN, findings=tuple(findings))
    return LabelledCase(id=f"case of {truths}", case=case, truths=truths, pmid=pmid)


def test_equal_scores_stand_in_the_order_the_device_shows_them(fit):
    cases = [patient("OMIM:1"), patient("OMIM:2"), patient("ORPHA:4"), patient("OMIM:3")]
    assert ranks(fit, cases).tolist() == [1, 2, 3, 4]


def test_the_best_of_several_codes_for_one_disease_counts(fit):
    assert ranks(fit, [patient("ORPHA:4", "OMIM:2")]).tolist() == [2]


def test_a_disease_outside_the_index_is_missed_not_left_out(fit):
    found = ranks(fit, [patient("OMIM:999"), patient("OMIM:1")])
    assert found.tolist() == [MISSED, 1]
    line = recall_line(
        "set", Protocol.AS_PUBLISHED, [patient("OMIM:999"), patient("OMIM:1")], found
    )
    assert line.recall == {1: 0.5, 3: 0.5, 10: 0.5, 200: 0.5}
    assert (line.cases, line.unranked) == (2, 1)
    assert line.mean_reciprocal_rank == pytest.approx(0.5)


def test_taking_the_paper_out_costs_the_disease_what_only_that_paper_says(fit):
    seen_both = patient("OMIM:1", seen=(THUMB, TOE), pmid="PMID:1")
    toe_only = patient("OMIM:1", seen=(TOE,), pmid="PMID:1")
    assert ranks(fit, [seen_both, toe_only], Protocol.AS_PUBLISHED).tolist() == [1, 1]
    # Sole source: the thumb goes, the toe stays; the disease still ties with the toe's other one.
    assert ranks(fit, [toe_only], Protocol.SOLE_SOURCE_REMOVED).tolist() == [1]
    # Every row naming the paper: nothing stays, all others stand before it.
    assert ranks(fit, [seen_both, toe_only], Protocol.PAPER_REMOVED).tolist() == [4, 4]


def test_a_case_of_a_paper_nobody_annotated_ranks_the_same_under_every_protocol(fit):
    case = patient("OMIM:2", seen=(THUMB, TOE), pmid="PMID:404")
    assert len({ranks(fit, [case], protocol)[0] for protocol in Protocol}) == 1


def test_exclusions_can_be_left_out_of_the_measurement(fit):
    case = patient("OMIM:1", seen=(THUMB,), excluded=(TOE,))
    assert ranks(fit, [case]).tolist() == [3]
    assert ranks(fit, [case], use_excluded=False).tolist() == [1]


def test_the_interval_holds_the_estimate_and_widens_when_papers_repeat():
    positions = np.array([1, 500] * 50)
    apart = [patient("OMIM:1", pmid=f"PMID:{n}") for n in range(100)]
    together = [patient("OMIM:1", pmid=f"PMID:{n % 2}") for n in range(100)]
    narrow = recall_line("set", Protocol.AS_PUBLISHED, apart, positions)
    wide = recall_line("set", Protocol.AS_PUBLISHED, together, positions)
    assert narrow.low[1] < narrow.recall[1] == 0.5 < narrow.high[1]
    assert (wide.low[1], wide.high[1]) == (0.0, 1.0)
    assert 0.08 < (narrow.high[1] - narrow.low[1]) / 2 < 0.12  # 1.96 x sqrt(.25 / 100) = .098


def test_the_table_shows_one_row_a_line(fit):
    line = recall_line("PhenoBrain", Protocol.AS_PUBLISHED, [patient("OMIM:1")], np.array([2]))
    *_, last = table([line]).splitlines()
    assert last.startswith("| PhenoBrain | as published | 1 | 0 | 0.000 (0.000-0.000) | 1.000")
    assert last.endswith("| 0.500 |")
