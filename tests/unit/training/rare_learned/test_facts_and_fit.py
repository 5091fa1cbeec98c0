"""Merged codes, disease facts, and a forest that survives its export."""

import gzip
from dataclasses import replace

import numpy as np
import pytest

from ddx.domain.identifiers import DiseaseId
from ddx.features.rare_facts import FACTS, RareFacts
from ddx.features.rare_pairs import FEATURES
from ddx.features.rare_tables import RareTables
from ddx.inference.rare_learned import RareCalibration
from ddx.inference.session import ModelSession
from training.evaluate.rare_learned import first_stage_positions, learned_positions
from training.export.onnx import onnx_of
from training.fit.rare import fit_rare
from training.fit.rare_facts import (
    LATENT_DIMENSIONS,
    facts_member,
    fit_facts,
    merge_equivalents,
    profile_of,
)
from training.fit.rare_learned import (
    LESS_IS_BETTER,
    MIN_DESCRIBED,
    MORE_IS_BETTER,
    UNKNOWN_SHARE,
    CrossFit,
    LearnedSettings,
    TrainingRows,
    claims_of,
    fit_calibration,
    fit_ranker,
    fold_of,
    margins_of,
    ranker_forest,
    tree_margins,
)
from training.fit.rare_rows import CaseRows
from training.sources.hpo import (
    AnnotationRelease,
    AnnotationRow,
    OntologyRelease,
    Term,
    parse_frequency,
)
from training.sources.phenopackets import CaseSourceError

ANY = "HP:0000118"
TERMS = [f"HP:00100{i:02d}" for i in range(40)]
RELEASE = OntologyRelease(
    "toy",
    (
        Term("HP:0000001", "All"),
        Term(ANY, "any", parents=("HP:0000001",)),
        *(Term(t, t, parents=(ANY,)) for t in TERMS),
    ),
)
SMALL = LearnedSettings(rounds=30, hardest=5, others=5, simulated=0)


def row(disease, term, *, source="PMID:1", frequency="2/4", aspect="P"):
    shown = parse_frequency(frequency)
    name, references = f"Name {disease}", (source,)
    return AnnotationRow(
        DiseaseId(disease), name, term, False, shown, None, None, references, "PCS", aspect
    )


def write(path, header, *lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "# a comment\n" + "\n".join("\t".join(line) for line in (header, *lines)) + "\n"
    path.write_bytes(gzip.compress(text.encode()))


@pytest.fixture
def folder(tmp_path):
    sssom = ("subject_id", "object_id")
    write(tmp_path / "mondo/mondo_exactmatch_omim.sssom.tsv.gz", sssom, ("MONDO:1", "OMIM:1"))
    write(
        tmp_path / "mondo/mondo_exactmatch_orphanet.sssom.tsv.gz",
        sssom,
        ("MONDO:1", "Orphanet:7"),
        ("MONDO:2", "Orphanet:8"),
    )
    write(
        tmp_path / "orphanet/xrefs.tsv.gz",
        ("orpha", "source", "ref", "rel"),
        ("9", "OMIM", "2", "BTNT"),
    )
    write(
        tmp_path / "orphanet/prevalence.tsv.gz",
        ("orpha", "cls"),
        ("7", "1-9 / 100 000"),
        ("9", "1-9 / 1 000 000"),
        ("7", "Unknown"),
    )
    write(
        tmp_path / "orphanet/disorders.tsv.gz",
        ("orpha", "onset", "inh"),
        ("7", "Infancy|Childhood", "Autosomal recessive"),
    )
    return tmp_path


@pytest.fixture
def release():
    many = [row(f"OMIM:{100 + i}", TERMS[i]) for i in range(40)]
    own = [
        row("OMIM:1", TERMS[0], source="PMID:5", frequency="3/6"),
        row("OMIM:2", TERMS[1]),
        row("ORPHA:7", TERMS[2], source="ORPHA:7", frequency="HP:0040281"),
        row("ORPHA:8", TERMS[3]),
    ]
    return AnnotationRelease("toy", (*own, *many))


def test_codes_of_one_disease_are_ranked_under_its_omim_code(release, folder):
    merged = merge_equivalents(release, folder)
    assert merged.codes["OMIM:1"] == ("OMIM:1", "ORPHA:7")
    assert merged.main_code["ORPHA:7"] == "OMIM:1"
    assert merged.main_code["ORPHA:8"] == "ORPHA:8"
    pooled = {r.hpo_id for r in merged.release.rows if r.disease_id == "OMIM:1"}
    assert pooled == {TERMS[0], TERMS[2]}


def test_a_missing_map_is_named(release, tmp_path):
    with pytest.raises(CaseSourceError, match="mondo_exactmatch_omim"):
        merge_equivalents(release, tmp_path)


def test_facts_come_from_every_code_and_cross_reference(release, folder):
    merged = merge_equivalents(release, folder)
    fit = fit_rare(RELEASE, merged.release)
    facts = RareFacts.from_npz(facts_member(fit_facts(fit, merged, folder)))
    of = {
        d: dict(zip(FACTS, facts.facts[fit.index.number_of(DiseaseId(d))].tolist(), strict=True))
        for d in ("OMIM:1", "OMIM:2", "ORPHA:8")
    }
    assert of["OMIM:1"]["prevalence"] == pytest.approx(-4.3)
    assert of["OMIM:2"]["prevalence"] == pytest.approx(-5.3)  # of the broader ORPHA:9
    assert np.isnan(of["ORPHA:8"]["prevalence"])
    assert of["OMIM:1"]["onset_last"] == 11
    assert (of["OMIM:1"]["recessive"], of["OMIM:1"]["dominant"]) == (1, 0)
    assert of["OMIM:1"]["papers"] == pytest.approx(np.log(3))  # PMID:5 and ORPHA:7
    assert of["OMIM:1"]["patients"] == pytest.approx(np.log(7))
    assert (of["ORPHA:8"]["omim"], of["OMIM:1"]["codes"]) == (0, 2)


def test_a_profile_of_all_rows_is_the_profile_of_the_index(release, folder):
    merged = merge_equivalents(release, folder)
    fit = fit_rare(RELEASE, merged.release)
    tables = RareTables(fit.index, RareFacts(fit_facts(fit, merged, folder)))
    disease = DiseaseId("OMIM:1")
    number = fit.index.number_of(disease)
    profile = profile_of(fit, tables.facts, disease, fit.rows[disease])
    for term in range(len(fit.index.ontology)):
        assert profile.shares[term] == pytest.approx(fit.index.frequency(number, term))
    np.testing.assert_allclose(profile.facts, tables.facts.facts[number], equal_nan=True)
    assert sorted(profile.terms.tolist()) == sorted(tables.profile(number)[0].tolist())


def test_latent_space_has_its_dimensions(release, folder):
    merged = merge_equivalents(release, folder)
    arrays = fit_facts(fit_rare(RELEASE, merged.release), merged, folder)
    assert arrays["disease_vectors"].shape[1] == LATENT_DIMENSIONS


def cases(count, *, seed=0, retrieved=True):
    """Cases of 10 candidates; the diagnosis is the one of highest simgic, never the first by lr."""
    rng = np.random.default_rng(seed)
    made = []
    for i in range(count):
        features = rng.normal(size=(10, len(FEATURES))).astype(np.float32)
        features[rng.random(features.shape) < 0.1] = np.nan
        features[:, list(FEATURES).index("lr")] = np.arange(10, 0, -1) / 10
        features[:, list(FEATURES).index("case_present")] = 5
        simgic = features[:, list(FEATURES).index("simgic")] = rng.random(10)
        right = np.zeros(10, dtype=bool)
        right[int(simgic.argmax())] = retrieved
        made.append(
            CaseRows(
                id=f"{i}",
                paper=f"PMID:{i}",
                group=(DiseaseId(f"OMIM:{i % 30}"),),
                numbers=np.arange(10, dtype=np.int32),
                features=features,
                right=right,
                first_stage=int(simgic.argmax()) + 1 if retrieved else 300,
                described=MIN_DESCRIBED,
            )
        )
    return made


def rows(*, seed=0):
    made = cases(120, seed=seed)
    return TrainingRows(tuple(made), (1.0,) * len(made))


def test_the_ranker_learns_what_tells_the_diagnosis_and_beats_the_first_stage():
    test = cases(60, seed=1)
    margins = margins_of(fit_ranker(rows(), SMALL), test)
    learned = (learned_positions(test, margins) == 1).mean()
    assert learned > 0.6
    assert (first_stage_positions(test) == 1).mean() < 0.3


def test_the_export_answers_like_the_booster_with_and_without_nan():
    booster = fit_ranker(rows(), SMALL)
    features = np.concatenate([c.features for c in cases(20, seed=2)])
    assert np.isnan(features).any()
    theirs = ModelSession.from_bytes(onnx_of(ranker_forest(booster))).run(features)[:, 0]
    ours = tree_margins(booster, features)
    np.testing.assert_allclose(theirs, ours, atol=1e-5)


def test_more_shared_closure_never_lowers_the_margin():
    booster = fit_ranker(rows(), SMALL)
    one = cases(1, seed=3)[0].features[:1]
    raised = np.repeat(one, 50, axis=0)
    raised[:, list(FEATURES).index("simgic")] = np.linspace(0, 1, 50)
    margins = ModelSession.from_bytes(onnx_of(ranker_forest(booster))).run(raised)[:, 0]
    assert (np.diff(margins) >= -1e-6).all()
    assert margins[-1] > margins[0]


def test_constrained_columns_exist_and_have_one_direction():
    assert set(FEATURES).issuperset(MORE_IS_BETTER | LESS_IS_BETTER)
    assert not MORE_IS_BETTER & LESS_IS_BETTER


def test_rows_without_a_disease_hold_none_of_its_cases():
    left = rows().without([DiseaseId("OMIM:3")])
    assert len(left.cases) == len(left.weights) == 116
    assert all(c.group != ("OMIM:3",) for c in left.cases)


def test_cross_fitting_answers_every_case_in_its_order():
    test = cases(30, seed=4)
    answers = CrossFit.of(rows(), [c.group for c in test], SMALL).margins(test)
    fold = fold_of(test[0].group)
    own = {d for c in (*test, *rows().cases) if fold_of(c.group) == fold for d in c.group}
    alone = margins_of(fit_ranker(rows().without(own), SMALL), [test[0]])[0]
    assert [len(a) for a in answers] == [10] * 30
    np.testing.assert_array_equal(answers[0], alone)


def test_a_diagnosis_that_was_not_retrieved_keeps_its_first_stage_position():
    lost = cases(1, retrieved=False)
    assert learned_positions(lost, [np.zeros(10)]).tolist() == [300]


def test_calibration_learns_how_often_nothing_fits():
    found, lost = cases(60, seed=5), cases(60, seed=6, retrieved=False)
    margins = [c.features[:, list(FEATURES).index("simgic")].astype(np.float64) for c in found]
    margins += [np.zeros(10)] * 60
    together = TrainingRows((*found, *lost), (1.0,) * 120)
    calibration = fit_calibration(together, margins)
    none = [calibration.probabilities(m, 0.2)[-1] for m in margins]
    assert isinstance(calibration, RareCalibration)
    # Half are lost; of the half found, a fifth counts as if nobody had described the disease.
    assert np.mean(none) == pytest.approx(0.5 + 0.5 * UNKNOWN_SHARE, abs=0.05)
    assert np.mean(none[60:]) > np.mean(none[:60])


def test_cases_whose_paper_took_the_profile_along_do_not_teach_that_nothing_fits():
    found = cases(60, seed=5)
    margins = [c.features[:, list(FEATURES).index("simgic")].astype(np.float64) for c in found]
    plain = fit_calibration(TrainingRows(tuple(found), (1.0,) * 60), margins)
    gutted = [replace(c, described=MIN_DESCRIBED - 1) for c in cases(60, seed=6, retrieved=False)]
    both = TrainingRows((*found, *gutted), (1.0,) * 120)
    with_gutted = fit_calibration(both, [*margins, *([np.zeros(10)] * 60)])
    assert (with_gutted.none, with_gutted.scale) == pytest.approx((plain.none, plain.scale))


def test_claims_of_a_case_without_its_diagnosis_are_made_of_the_others():
    calibration = RareCalibration(
        blend=0.0, evidence_weight=0.0, scale=1.0, none=0.0, none_slope=0.0
    )
    (case,) = cases(1, seed=7)
    margins = np.where(case.right, 2.0, 0.0)
    first, none = claims_of(calibration, [case], [margins])
    # e^2 beside nine of 1 and "none" of 1; without the diagnosis nine of 1 and "none"
    assert (first[0], none[0]) == pytest.approx(
        (np.exp(2) / (np.exp(2) + 10), 1 / (np.exp(2) + 10))
    )
    first, none = claims_of(calibration, [case], [margins], hidden=True)
    assert (first[0], none[0]) == pytest.approx((0.1, 0.1))


def test_nothing_to_learn_from_is_an_error():
    lost = tuple(cases(3, retrieved=False))
    with pytest.raises(ValueError, match="retrieved"):
        fit_ranker(TrainingRows(lost, (1.0,) * 3), SMALL)
