"""The rare benchmark's own arithmetic: baselines, positions, and what the report says."""

from types import SimpleNamespace

import numpy as np
import pytest
import xgboost

from ddx.domain.case import Case, Sex
from ddx.domain.finding import Finding, Presence
from ddx.features.rare_evidence import gather
from ddx.features.rare_facts import FACTS, RareFacts
from ddx.features.rare_query import read_case
from ddx.features.rare_tables import RareTables
from ddx.inference.rare import RareRanker
from ddx.inference.rare_learned import RARE_CALIBRATION, RareCalibration
from training.evaluate.rare import MISSED, Protocol, RecallLine
from training.evaluate.rare_baselines import SimilarityBaseline, of_evidence
from training.evaluate.rare_cost import Latency, PeerCost
from training.evaluate.rare_kept import Kept, KeptLine, kept_lines, kept_of
from training.evaluate.rare_learned import (
    ANSWER,
    NOISY,
    VARIANTS,
    Answered,
    BenchmarkSet,
    Examiner,
    bins,
    learned_positions,
    load_fit,
    noise_losses,
    save_fit,
    state_of,
)
from training.evaluate.rare_report import (
    BARS,
    NOISY_LABEL,
    UNCHANGED_LABEL,
    Cost,
    MethodLine,
    NoiseLoss,
    Report,
    Worth,
    markdown,
)
from training.fit.rare import DEFAULT_SETTINGS, fit_rare
from training.fit.rare_learned import FOLDS, CrossFit, LearnedFit, evidence_of
from training.fit.rare_rows import RareWorkbench, rows_of_case
from training.sources import phenopackets
from training.sources.hpo import (
    AnnotationRelease,
    AnnotationRow,
    OntologyRelease,
    Term,
    parse_frequency,
)
from training.sources.phenopackets import LabelledCase
from training.sources.published_set import MatchedBy

ROOT, HAND, THUMB, INDEX, EYE, LENS = (f"HP:00001{n:02d}" for n in (18, 20, 21, 22, 30, 31))
PARENTS = {
    "HP:0000001": (),
    ROOT: ("HP:0000001",),
    HAND: (ROOT,),
    THUMB: (HAND,),
    INDEX: (HAND,),
    EYE: (ROOT,),
    LENS: (EYE,),
}
ANNOTATIONS = [
    ("OMIM:1", THUMB, "4/5"),
    ("OMIM:1", LENS, "0/5"),
    ("OMIM:2", INDEX, ""),
    ("OMIM:2", EYE, "1/5"),
    ("OMIM:3", LENS, "HP:0040281"),
    ("OMIM:4", HAND, ""),
]


@pytest.fixture(scope="module")
def tables() -> RareTables:
    terms = tuple(Term(i, i, parents=p) for i, p in PARENTS.items())
    rows = tuple(
        AnnotationRow(d, d, t, False, parse_frequency(f), None, None, ("PMID:1",), "PCS", "P")
        for d, t, f in ANNOTATIONS
    )
    fit = fit_rare(OntologyRelease("toy", terms), AnnotationRelease("toy", rows))
    n, columns = len(fit.index.diseases), len(fit.arrays["terms"])
    facts = {
        "facts": np.zeros((n, len(FACTS)), dtype=np.float32),
        "family": np.arange(n, dtype=np.int32),
        "term_vectors": np.eye(columns, 3, dtype=np.float16),
        "disease_vectors": np.eye(n, 3, dtype=np.float16),
    }
    return RareTables(fit.index, RareFacts(facts))


def query_of(tables, *seen):
    findings = tuple(Finding(id=t, presence=Presence.PRESENT) for t in seen)
    case = Case(age_days=None, sex=Sex.UNKNOWN, findings=findings)
    return read_case(case, tables.index.ontology)


@pytest.mark.parametrize("seen", [(), (THUMB,), (THUMB, LENS), (HAND, EYE), (INDEX, EYE)])
def test_similarity_to_all_at_once_is_that_of_the_evidence_one_by_one(tables, seen):
    query = query_of(tables, *seen)
    fast = SimilarityBaseline(tables).similarities(query)
    everything = np.arange(len(tables.index.diseases), dtype=np.int32)
    slow = of_evidence(gather(tables, query, everything))
    np.testing.assert_allclose(fast.phenomizer, slow.phenomizer, atol=1e-6)
    np.testing.assert_allclose(fast.best_match_average, slow.best_match_average, atol=1e-6)


def test_resnik_by_hand(tables):
    # Thumb is shown by 1 of 4 diseases, hand by 3 of 4: contents log 4 and log 4/3.
    both = SimilarityBaseline(tables).similarities(query_of(tables, THUMB))
    np.testing.assert_allclose(
        both.phenomizer, [np.log(4), np.log(4 / 3), 0, np.log(4 / 3)], atol=1e-6
    )
    # The second disease has two annotations, one of which (index finger) shares the hand.
    assert both.best_match_average[1] == pytest.approx((np.log(4 / 3) + np.log(4 / 3) / 2) / 2)


def test_the_robustness_line_is_the_one_that_was_asked_for():
    assert (NOISY.vague, NOISY.unrelated) == (0.3, 2)
    assert VARIANTS[NOISY_LABEL] is NOISY
    assert UNCHANGED_LABEL in VARIANTS


def line(name, protocol, top10):
    recall = {1: top10 / 2, 3: top10 * 0.8, 10: top10, 200: 0.9}
    return RecallLine(
        name=name,
        protocol=protocol,
        cases=10,
        unranked=0,
        recall=recall,
        low=recall,
        high=recall,
        mean_reciprocal_rank=0.4,
    )


def report():
    lines = []
    for bar in BARS:
        recall = line(bar.name, bar.protocol, 0.60)
        lines.append(MethodLine(method="learned", variant=UNCHANGED_LABEL, whole=True, line=recall))
    part = line("clean", Protocol.AS_PUBLISHED, 0.53)
    lines.append(MethodLine(method="learned", variant=NOISY_LABEL, whole=False, line=part))
    loss = NoiseLoss(
        name="clean",
        protocol=Protocol.AS_PUBLISHED,
        method="learned",
        cases=10,
        before=0.60,
        after=0.53,
        low=0.02,
        high=0.12,
    )
    latency = Latency(cases=5, processor_p50=1, processor_p99=2, clock_p50=3, clock_p99=4)
    peer = PeerCost(cases=2, difference=1e-6, peer_s=2.0, ours_ms=10.0, similarity_ms=5.0)
    sizes = {"models/a": (1_000, 500), "models/b": (2_000, 700)}
    pairs = ((0.1, 0.2), (0.5, 0.4))
    worth = Worth(
        name="clean", protocol=Protocol.AS_PUBLISHED, mix="as it is", top=pairs, none=pairs
    )
    return Report(
        lines=lines,
        noise=[loss],
        kept=[
            KeptLine(
                protocol=Protocol.PAPER_REMOVED,
                part=part,
                cases=cases,
                own=0.04,
                ratio=0.1,
                first=0.02,
                ten=0.125,
            )
            for part, cases in (("nothing", 1), ("under a quarter", 3))
        ],
        worth=[worth],
        cost=Cost(sizes=sizes, latency=latency, resident_mb=(80.0, 200.0), peer=peer),
        matched=[MatchedBy.SAME_ID, MatchedBy.FAMILY],
        minutes=3,
        every=2,
    )


def test_the_report_says_what_was_met_and_what_was_not():
    text = markdown(report())
    assert "| clean | as published | top-10 | 0.600 | 0.55 | met |" in text
    assert "| PhenoBrain | as published | top-10 | 0.600 | 0.68 | NOT met |" in text
    lost = "| clean | as published | 10 | learned | 0.600 | 0.530 | 7.0 (2.0-12.0) | NOT met |"
    assert lost in text
    assert "one case of the 4,917 set in 2" in text


def test_the_report_adds_up_bytes_and_names_the_ratio():
    text = markdown(report())
    assert "| together (bar: 12 MB) | 3,000 | 1,200 |" in text
    assert "200 times ours" in text
    assert "| paper removed | under a quarter | 3 (75%) | 0.04 | 0.100 | 0.020 | 0.125 |" in text
    assert "0.10 → 0.20, 0.50 → 0.40 | 0.100 |" in text


def test_a_case_of_which_nothing_can_be_read_has_no_candidates_and_counts_as_missed(tables):
    bench = RareWorkbench(
        fit=SimpleNamespace(index=tables.index),
        merged=SimpleNamespace(main_code={"OMIM:1": "OMIM:1"}),
        arrays={},
        ranker=RareRanker(tables.index),
        tables=tables,
    )
    bench.fit.rows = dict.fromkeys(tables.index.diseases, ())
    onset = Finding(id="HP:0003577", presence=Presence.PRESENT)  # no phenotype
    case = Case(age_days=None, sex=Sex.UNKNOWN, findings=(onset,))
    labelled = LabelledCase(id="x", case=case, truths=("OMIM:1",))
    rows = rows_of_case(bench, labelled, Protocol.AS_PUBLISHED)
    assert len(rows.numbers) == len(rows.features) == rows.first_stage == 0
    assert learned_positions([rows], [np.zeros(0)]).tolist() == [MISSED]
    assert evidence_of(rows) == 0


class OneFold:
    """Prefers what the likelihood ratio puts last; counts how often it is asked."""

    def __init__(self):
        self.asked = 0

    def margins(self, cases):
        self.asked += len(cases)
        return [np.arange(len(c.right), dtype=np.float64) for c in cases]


def bench_of(tables, rows=()):
    codes = {d: d for d in tables.index.diseases}
    own = dict.fromkeys(codes, rows)
    fit = SimpleNamespace(index=tables.index, rows=own, settings=DEFAULT_SETTINGS)
    merged = SimpleNamespace(main_code=codes)
    return RareWorkbench(fit, merged, {}, RareRanker(tables.index), tables)


def labelled(tables, id, truth, *seen):
    findings = tuple(Finding(id=t, presence=Presence.PRESENT) for t in seen)
    case = Case(age_days=None, sex=Sex.UNKNOWN, findings=findings)
    return LabelledCase(id=id, case=case, truths=(truth,), pmid=f"PMID:{id}")


def test_every_method_is_asked_once_of_a_case_and_the_same_case(tables):
    folds, bench = OneFold(), bench_of(tables)
    calibration = RareCalibration(
        blend=0.0, evidence_weight=0.0, scale=1.0, none=0.0, none_slope=0.0
    )
    examiner = Examiner(bench, folds, calibration)
    cases = (labelled(tables, "a", "OMIM:1", THUMB), labelled(tables, "b", "OMIM:3", LENS))
    first = BenchmarkSet(name="x", protocol=Protocol.AS_PUBLISHED, cases=cases, whole=True)
    answers = examiner.answers(first)
    assert answers["ratio"].tolist() == answers["phenomizer"].tolist() == [1, 1]
    assert answers["learned"].tolist() == [4, 4]  # of four candidates, the last is preferred
    assert answers["retrieved"].all()
    # No row names the papers of these cases: the other protocol changes nothing.
    again = BenchmarkSet(name="x", protocol=Protocol.PAPER_REMOVED, cases=cases[::-1])
    assert examiner.answers(again).tolist() == answers[::-1].tolist()
    assert folds.asked == 2


def test_what_taking_a_paper_out_leaves_is_counted_in_terms_and_in_findings(tables):
    """OMIM:1 is annotated with the thumb and (0 %) the lens; all rows name the same paper."""
    rows = tuple(
        AnnotationRow("OMIM:1", "x", t, False, parse_frequency(f), None, None, papers, "PCS", "P")
        for t, f, papers in ((THUMB, "4/5", ("PMID:a",)), (LENS, "0/5", ("PMID:a", "PMID:b")))
    )
    bench = bench_of(tables, rows)
    case = labelled(tables, "a", "OMIM:1", THUMB, INDEX)
    assert kept_of(bench, case, Protocol.AS_PUBLISHED) == Kept(1.0, 0.5)
    assert kept_of(bench, case, Protocol.SOLE_SOURCE_REMOVED) == Kept(0.5, 0.0)
    assert kept_of(bench, case, Protocol.PAPER_REMOVED) == Kept(0.0, 0.0)
    assert (
        kept_of(bench, labelled(tables, "a", "OMIM:999", THUMB), Protocol.PAPER_REMOVED).share == 0
    )

    answers = np.zeros(2, dtype=ANSWER)
    answers["ratio"], answers["learned"] = (11, 3), (1, 20)
    other = labelled(tables, "z", "OMIM:1", THUMB)  # no row names its paper
    cut, whole = kept_lines(bench, (case, other), Protocol.SOLE_SOURCE_REMOVED, answers)
    assert (cut.part, cut.cases, cut.ratio, cut.first, cut.ten) == (
        "a half to three quarters",
        1,
        0.0,
        1.0,
        1.0,
    )
    assert (whole.cases, whole.own, whole.ratio, whole.ten) == (1, 1.0, 1.0, 0.0)


def answered(variant, positions, *, protocol=Protocol.AS_PUBLISHED):
    answers = np.zeros(len(positions), dtype=ANSWER)
    answers["ratio"] = answers["learned"] = positions
    answers["first"], answers["none"] = 0.5, 0.25
    answers["none_hidden"] = 0.75
    answers["retrieved"] = True
    cases = tuple(
        LabelledCase(id=f"{i}", case=Case(age_days=None, sex=Sex.UNKNOWN, findings=()), truths=())
        for i in range(len(positions))
    )
    chosen = BenchmarkSet(name="x", protocol=protocol, cases=cases, variant=variant, whole=True)
    return Answered(chosen, answers)


def test_what_noise_costs_is_the_difference_of_the_same_cases():
    calm, noisy = answered(UNCHANGED_LABEL, [1, 10, 11, 2]), answered(NOISY_LABEL, [1, 11, 10, 30])
    ratio, learned = noise_losses([calm, noisy])
    assert (learned.before, learned.after) == (0.75, 0.5)
    assert learned.low <= 0.25 <= learned.high
    assert ratio.method == "likelihood ratio"


def test_a_disease_nobody_described_weighs_its_share_in_what_claims_are_worth():
    as_it_is, mixed = answered(UNCHANGED_LABEL, [1, 1, 2, 2] * 10).worth()
    assert {true for _, true in as_it_is.none} == {0.0}
    # 80 % of the weight claims .25 and is retrieved; 20 % claims .75 and is not.
    claimed = sum(c for c, _ in mixed.none) / len(mixed.none)
    assert claimed == pytest.approx(0.8 * 0.25 + 0.2 * 0.75)
    assert sum(true for _, true in mixed.none) / len(mixed.none) == pytest.approx(0.2)


def test_bins_hold_equal_weight_and_rise():
    claimed, true = np.array([0.9, 0.1, 0.2, 0.8]), np.array([True, False, False, True])
    low, high = bins(claimed, true, np.ones(4), 2)
    assert (low, high) == (pytest.approx((0.15, 0.0)), pytest.approx((0.85, 1.0)))


def test_a_fit_is_read_back_whole_or_not_at_all(tmp_path):
    assert load_fit(tmp_path) is None
    rng = np.random.default_rng(0)
    matrix = xgboost.DMatrix(rng.normal(size=(20, 3)), rng.random(20))
    boosters = tuple(
        xgboost.train({"seed": n, "max_depth": 2}, matrix, n + 1) for n in range(FOLDS)
    )
    calibration = RareCalibration(
        blend=0.1, evidence_weight=0.2, scale=2.0, none=1.0, none_slope=-0.2, none_level=1.0
    )
    fit = LearnedFit({RARE_CALIBRATION: calibration.to_json()}, CrossFit(boosters), calibration)
    save_fit(fit, tmp_path)
    read = load_fit(tmp_path)
    assert (read.members, read.calibration) == (fit.members, calibration)
    for ours, theirs in zip(read.folds.boosters, boosters, strict=True):
        np.testing.assert_array_equal(ours.predict(matrix), theirs.predict(matrix))


def test_what_was_measured_on_other_data_is_not_read_again(tmp_path):
    for name in (phenopackets.PHENOPACKETS, phenopackets.PHENOBRAIN, phenopackets.PUBLISHED_SET):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    before = state_of(tmp_path, 1)
    assert state_of(tmp_path, 1) == before
    assert state_of(tmp_path, 2) != before
    (tmp_path / phenopackets.PHENOBRAIN).write_bytes(b"another release")
    assert state_of(tmp_path, 1) != before
