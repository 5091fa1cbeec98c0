"""The Bayes table of a bundle: sums by hand, silence about the unknown, and refusals."""

import io
import math

import numpy as np
import pytest
from support.tiny_patients import Members, fit, vocabulary

from ddx.domain.artifacts import COMMON_BAYES
from ddx.errors import ModelError, SchemaMismatchError
from ddx.features.encode import encode
from ddx.inference.bayes import STEPS, BayesTable
from ddx.inference.common import CommonModel, anchored
from ddx.inquiry.interview import with_budget
from training.sources.ddxplus import case_of

UNKNOWN = np.nan
PRIOR = np.array([0.75, 0.25])


def by_hand():
    """Age with bands from 0, 5 and 60; one finding. Two diseases, ratios in whole steps."""
    ratios = [[0.5, -1.0], [0.0, 0.25], [-0.5, 2.0], [-0.25, 0.125], [1.5, -3.0]]
    return BayesTable(
        schema_hash="h",
        prior=np.log(PRIOR),
        edges=np.array([[5.0, 60.0], [0.5, np.inf]], dtype=np.float32),
        first=np.array([0, 3], dtype=np.int32),
        steps=np.rint(np.array(ratios) * STEPS).astype(np.int16),
    )


def row(*values):
    return np.array(values, dtype=np.float32)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (row(UNKNOWN, UNKNOWN), [0.0, 0.0]),
        (row(4.9, UNKNOWN), [0.5, -1.0]),
        (row(5.0, UNKNOWN), [0.0, 0.25]),
        (row(60.0, 1.0), [-0.5 + 1.5, 2.0 - 3.0]),
        (row(UNKNOWN, 0.0), [-0.25, 0.125]),
    ],
)
def test_margin_is_prior_and_the_ratio_of_each_known_value(values, expected):
    table = by_hand()
    wanted = np.log(PRIOR) + np.array(expected)
    np.testing.assert_allclose(table.margins(values), wanted, atol=1e-12)
    np.testing.assert_allclose(table.margins_of(values[np.newaxis])[0], wanted, atol=1e-12)
    for disease in range(2):
        weights = table.contributions(values, disease)
        assert math.log(PRIOR[disease]) + weights.sum() == pytest.approx(wanted[disease])
        assert not weights[np.isnan(values)].any()


def test_many_rows_some_of_them_empty_agree_with_one_at_a_time():
    rows = np.stack([row(UNKNOWN, UNKNOWN), row(70.0, 1.0), row(UNKNOWN, UNKNOWN), row(3.0, 0.0)])
    table = by_hand()
    np.testing.assert_allclose(table.margins_of(rows), [table.margins(r) for r in rows], atol=1e-12)


def test_bundle_member_reads_back_and_equal_tables_give_equal_bytes():
    table = by_hand()
    again = BayesTable.from_npz(table.to_npz())
    assert again.digest == table.digest
    assert again.to_npz() == table.to_npz()
    np.testing.assert_array_equal(again.margins(row(1.0, 1.0)), table.margins(row(1.0, 1.0)))


def test_another_ratio_is_another_table():
    other = by_hand()
    steps = other.steps.copy()
    steps[0, 0] += 1
    changed = BayesTable(
        schema_hash="h", prior=other.prior, edges=other.edges, first=other.first, steps=steps
    )
    assert changed.digest != other.digest


def damaged(**arrays):
    with np.load(io.BytesIO(by_hand().to_npz())) as stored:
        whole = {name: stored[name] for name in stored} | arrays
    out = io.BytesIO()
    np.savez(out, **whole)
    return out.getvalue()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no archive",
        damaged(first=np.array([0, 2], dtype=np.int32)),
        damaged(prior=np.zeros(3)),
        damaged(prior=np.array([0.0, np.nan])),
        damaged(steps=np.zeros((4, 2), dtype=np.int16)),
    ],
)
def test_malformed_table_is_a_model_error(raw):
    with pytest.raises(ModelError):
        BayesTable.from_npz(raw)


def test_trees_boosted_from_another_table_are_refused():
    own = fit().bayes
    other = BayesTable(
        schema_hash=own.schema_hash,
        prior=own.prior,
        edges=own.edges,
        first=own.first,
        steps=own.steps + np.int16(1),
    )
    with pytest.raises(SchemaMismatchError, match="another Bayes table"):
        CommonModel.from_artifacts(Members({**fit().members(), COMMON_BAYES: other.to_npz()}))


def test_bundle_without_its_table_is_a_model_error():
    members = {name: raw for name, raw in fit().members().items() if name != COMMON_BAYES}
    with pytest.raises(ModelError):
        CommonModel.from_artifacts(Members(members))


def test_margins_of_the_model_are_those_of_the_table_and_what_trees_add():
    rng = np.random.default_rng(3)
    model = CommonModel.from_artifacts(Members(fit().members()))
    case = with_budget(case_of(fit().patients[1], vocabulary()), present=2, excluded=2, rng=rng)
    values = encode(case, model.schema).values
    added = model.margins_of(values[np.newaxis])[0] - fit().bayes.margins(values)
    assert np.abs(added).max() < 5.0
    assert np.ptp(added) > 0.01


def test_anchored_diseases_keep_the_share_that_bayes_gives_them():
    rng = np.random.default_rng(4)
    bayes, trees = rng.normal(size=(20, 5)), rng.normal(size=(20, 5))
    trees[:, 3:] = 0.0
    shifted = anchored(bayes, bayes + trees, corrected=3)

    def share(margins):
        weights = np.exp(margins)
        return weights[:, :3].sum(axis=1) / weights.sum(axis=1)

    np.testing.assert_allclose(share(shifted), share(bayes), atol=1e-12)
    between = shifted[:, :3] - (bayes + trees)[:, :3]
    np.testing.assert_allclose(np.ptp(between, axis=1), 0.0, atol=1e-12)
