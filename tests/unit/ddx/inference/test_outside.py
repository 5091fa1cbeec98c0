"""Cases no common disease explains: scores by hand, the stated rate kept, silence when unsure."""

import json
from dataclasses import replace

import numpy as np
import pytest

from ddx.domain.case import Case, Sex
from ddx.domain.differential import NOT_ASSESSED, Fit
from ddx.domain.finding import Finding, Presence
from ddx.engine import Engine
from ddx.errors import ModelError, SchemaMismatchError
from ddx.features.schema import Column, ColumnKind, FeatureSchema
from ddx.inference.bayes import STEPS as TABLE_STEPS
from ddx.inference.bayes import BayesTable
from ddx.inference.outside import (
    STEPS,
    FamiliarBand,
    OutsideModel,
    explained,
    outside_of,
)
from model_bundles.embedded import open_embedded_bundle

NAN = np.nan
SCHEMA = FeatureSchema(
    (
        Column(ColumnKind.SEX_FEMALE),
        Column(ColumnKind.PRESENCE, "VF:cough"),
        Column(ColumnKind.PRESENCE, "VF:rash"),
    )
)


def table() -> BayesTable:
    """Two even diseases: the first coughs, the second has a rash and is a woman's."""
    ratios = [[0, 0], [0, 1], [-1, 0], [2, -3], [0, -1], [-2, 1]]  # absent, present by column
    return BayesTable(
        schema_hash=SCHEMA.hash,
        prior=np.log([0.5, 0.5]),
        edges=np.full((3, 1), 0.5, dtype=np.float32),
        first=np.array([0, 2, 4], dtype=np.int32),
        steps=(np.array(ratios) * TABLE_STEPS).astype(np.int16),
    )


def scored(*row: float) -> tuple[int, float]:
    seen = explained(np.array([row], dtype=np.float32), SCHEMA, table())
    return int(seen.present[0]), float(seen.score[0])


def test_a_score_is_what_the_believed_diseases_say_of_the_findings_present():
    # margins: 2 and -3, so the first has 1 / (1 + e^-5) of the belief
    belief = 1.0 / (1.0 + np.exp(-5.0))
    assert scored(NAN, 1, NAN) == (1, pytest.approx(2 * belief - 3 * (1 - belief)))


def test_what_is_excluded_and_the_sex_weigh_diseases_and_are_not_explained():
    # rash excluded speaks 0 and -1, a woman 0 and 1, cough 2 and -3: margins 2 and -3 again
    belief = 1.0 / (1.0 + np.exp(-5.0))
    assert scored(1, 1, 0) == (1, pytest.approx(2 * belief - 3 * (1 - belief)))
    assert scored(1, NAN, 0) == (0, 0.0)


def test_findings_no_disease_has_together_score_below_either():
    together = scored(NAN, 1, 1)[1]
    assert together < scored(NAN, 1, NAN)[1]
    assert together < scored(NAN, NAN, 1)[1]


def familiar(scores, present_to=None) -> FamiliarBand:
    return FamiliarBand.of(present_to, np.asarray(scores, dtype=np.float64))


def model(*bands: FamiliarBand, rate=0.05, least_present=1, others=None) -> OutsideModel:
    """Both diseases of one source; with `others`, those bands are of the second disease."""
    return OutsideModel(
        bayes_digest=table().digest,
        rate=rate,
        least_present=least_present,
        source=(0, 0) if others is None else (0, 1),
        bands=(bands,) if others is None else (bands, others),
    )


def test_a_p_value_is_the_share_of_familiar_visits_explained_no_better():
    band = familiar(np.arange(1, 1000))  # 999 visits: every tenth is kept
    assert band.p_value(9.5) == 0.01  # nine below: (9 + 1) / 1000
    assert band.p_value(10) == 0.02
    assert band.p_value(499.5) == pytest.approx(0.50)
    assert band.p_value(2000) == 1.0


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.2])
def test_of_new_familiar_visits_no_more_than_the_rate_is_told(rate):
    rng = np.random.default_rng(11)
    told = []
    for _ in range(200):
        band = familiar(rng.normal(size=250))
        told.append(np.mean([band.p_value(score) <= rate for score in rng.normal(size=100)]))
    error = 2.5 * np.std(told) / np.sqrt(len(told))
    assert np.mean(told) <= rate + error
    assert np.mean(told) >= rate - error - 1 / 250  # ranks are whole: a little below at most


COUGH, RASH, BOTH = ((NAN, 1, NAN), (NAN, NAN, 1), (NAN, 1, 1))


def p_values(made: OutsideModel, *rows) -> list[float]:
    return made.p_values(np.array(rows, dtype=np.float32), SCHEMA, table()).tolist()


def test_a_band_is_chosen_by_the_number_of_findings():
    low, high = familiar(np.full(100, -50.0), 1), familiar(np.full(100, 50.0))
    assert p_values(model(low, high), COUGH, BOTH) == [1.0, 0.01]


def test_a_band_is_chosen_by_the_source_of_the_most_believed_disease():
    low, high = familiar(np.full(100, -50.0)), familiar(np.full(100, 50.0))
    assert p_values(model(low, others=(high,)), COUGH, RASH) == [1.0, 0.01]


def test_with_too_few_findings_nothing_is_said():
    made = model(familiar(np.arange(200.0)), least_present=2)
    assert np.isnan(p_values(made, COUGH)[0])
    assert not np.isnan(p_values(made, BOTH)[0])


def test_a_row_is_told_with_its_p_value_or_not_assessed():
    made = model(familiar(np.linspace(0.0, 3.0, 300)))
    cough = np.array([NAN, 1, NAN], dtype=np.float32)
    both = np.array([NAN, 1, 1], dtype=np.float32)
    nothing = np.full(3, NAN, dtype=np.float32)
    assert made.assess(explained(cough[np.newaxis], SCHEMA, table())).fit is Fit.EXPLAINED
    told = made.assess(explained(both[np.newaxis], SCHEMA, table()))
    assert (told.fit, told.p_value) == (Fit.UNEXPLAINED, 0.01)
    assert made.assess(explained(nothing[np.newaxis], SCHEMA, table())) == NOT_ASSESSED


def test_the_member_survives_json():
    made = model(familiar(np.arange(150.0), 5), familiar(np.arange(99.0)))
    assert OutsideModel.from_json(made.to_json()) == made


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"rate": 0},
        {"least_present": 0},
        {"source": []},
        {"source": [0, 2]},
        {"bands": []},
        {"bands": [[]]},
        {"bands": [[{"present_to": 3, "cases": 99, "scores": list(range(STEPS - 1))}]]},
        {"bands": [[{"present_to": None, "cases": 99, "scores": [1, 2]}]]},
        {"bands": [[{"present_to": None, "cases": 99, "scores": list(range(STEPS - 1, 0, -1))}]]},
        {"bands": [[{"present_to": None, "cases": 99, "scores": ["x"] * (STEPS - 1)}]]},
    ],
)
def test_a_member_that_means_nothing_is_refused(change):
    raw = json.loads(model(familiar(np.arange(99.0))).to_json())
    with pytest.raises(ModelError, match="common_outside"):
        OutsideModel.from_json(json.dumps(raw | change).encode())


def test_too_few_visits_make_no_band():
    with pytest.raises(ModelError, match="98 visits"):
        familiar(np.arange(98.0))


class With:
    """The bundle that ships, and one member more or another."""

    def __init__(self, bundle, **changed):
        self.version, self.digest = bundle.version, bundle.digest
        self._bundle, self._changed = bundle, changed

    def read(self, name):
        given = self._changed.get(name.rsplit("/", 1)[-1].split(".")[0])
        if given == b"":
            raise ModelError(f"no member {name}")
        return given or self._bundle.read(name)


@pytest.fixture(scope="module")
def bundle():
    return open_embedded_bundle()


def case_of(*present):
    findings = tuple(Finding(id=f, presence=Presence.PRESENT) for f in present)
    return Case(age_days=12_000, sex=Sex.FEMALE, findings=findings)


def test_without_the_member_an_engine_says_not_assessed(bundle):
    engine = Engine.from_artifacts(With(bundle, common_outside=b""))
    answer = engine.diagnose(case_of("HP:0001945", "HP:0012735", "HP:0033050"))
    assert answer.common_fit == NOT_ASSESSED


def test_an_engine_tells_what_its_member_says_whatever_the_probabilities(bundle):
    plain = Engine.from_artifacts(With(bundle, common_outside=b""))
    made = OutsideModel(
        bayes_digest=plain.common.bayes.digest,
        rate=0.05,
        least_present=3,
        source=(0,) * len(plain.common.diseases),
        bands=((familiar(np.linspace(1.0, 12.0, 500)),),),
    )
    engine = Engine.from_artifacts(With(bundle, common_outside=made.to_json()))
    throat = case_of("HP:0001945", "HP:0012735", "HP:0033050")
    unrelated = case_of("VF:bite.fang-marks", "VF:cough.whooping", "HP:0000508", "HP:0200042")
    assert engine.diagnose(throat).common_fit.fit is Fit.EXPLAINED
    assert engine.diagnose(unrelated).common_fit.fit is Fit.UNEXPLAINED
    assert engine.diagnose(case_of("HP:0001945")).common_fit == NOT_ASSESSED
    same = replace(engine.diagnose(unrelated), common_fit=NOT_ASSESSED)
    assert same == plain.diagnose(unrelated)


def test_scores_made_with_another_table_are_refused(bundle):
    foreign = model(familiar(np.arange(99.0)))
    with pytest.raises(SchemaMismatchError, match="another Bayes table"):
        Engine.from_artifacts(With(bundle, common_outside=foreign.to_json()))
    with pytest.raises(SchemaMismatchError):
        outside_of(With(bundle, common_outside=foreign.to_json()), None)
