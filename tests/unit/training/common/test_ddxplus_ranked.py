"""The second test set: French codes become ours, and what cannot be read is said."""

import csv
import gzip
import json

import numpy as np
import pytest
from support.tiny_patients import SEVERITY, fit, vocabulary

from ddx.domain.finding import Presence
from training.evaluate.ranked import evaluate_ranked
from training.sources.ddxplus import (
    CODE_MAP,
    CONDITIONS,
    FOLDER,
    RANKED,
    DataSetMalformedError,
    DataSetMissingError,
)
from training.sources.ddxplus_ranked import has_ranked, opened_case, read_ranked

COLUMNS = ["AGE", "SEX", "PATHOLOGY", "EVIDENCES", "INITIAL_EVIDENCE"]
HERNIA = [
    [
        "40",
        "F",
        "Hernie",
        "['fievre', 'douleur_ou_@_aine', 'douleur_intens_@_7']",
        "douleur_ou_@_aine",
    ],
    ["61", "M", "Hernie", "['douleur_ou_@_aine']", "douleur_ou_@_aine"],
]


def published(tmp_path, rows):
    folder = tmp_path / FOLDER
    folder.mkdir()
    with gzip.open(folder / RANKED, "wt", newline="") as out:
        csv.writer(out).writerows([COLUMNS, *rows])
    codes = {
        "f2e": {"fievre": "E_91", "douleur_ou": "E_55", "douleur_intens": "E_56"},
        "cols": {"fievre": "E_91", "douleur_ou_@_aine": "E_55_@_V_16"},
    }
    (folder / CODE_MAP).write_text(json.dumps(codes))
    conditions = {"Inguinal hernia": {"cond-name-fr": "Hernie"}}
    (folder / CONDITIONS).write_text(json.dumps(conditions))
    return tmp_path


def test_french_row_reads_as_its_english_twin(tmp_path):
    visit = read_ranked(published(tmp_path, HERNIA))[0]
    assert visit.patient.condition == "Inguinal hernia"
    assert visit.patient.evidences == ("E_91", "E_55_@_V_16", "E_56_@_7")
    assert visit.opening == "E_55_@_V_16"


def test_opened_visit_knows_the_complaint_and_so_many_more(tmp_path):
    visit = read_ranked(published(tmp_path, HERNIA))[0]
    case = opened_case(visit, vocabulary(), 1, np.random.default_rng(0))
    assert case.presence_of("VF:pain-site.groin") is Presence.PRESENT
    assert len(case.findings) == 2
    assert case.age_days is not None


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (2, "Grippe"),
        (3, "['toux']"),
        (3, "['douleur_ou_@_nez']"),
        (3, "[fievre"),
        (0, "old"),
        (1, "?"),
    ],
    ids=["condition", "question", "site", "list", "age", "sex"],
)
def test_row_that_cannot_be_translated_is_malformed_not_skipped(tmp_path, column, value):
    row = list(HERNIA[0])
    row[column] = value
    with pytest.raises(DataSetMalformedError):
        read_ranked(published(tmp_path, [row]))


def test_absent_set_says_that_one_can_do_without(tmp_path):
    assert not has_ranked(tmp_path)
    with pytest.raises(DataSetMissingError, match="do without"):
        read_ranked(tmp_path)


def test_patients_the_model_was_fitted_on_do_not_count(tmp_path):
    data = published(tmp_path, HERNIA * 10)
    known = [read_ranked(data)[0].patient]
    figures = evaluate_ranked(fit().model, vocabulary(), SEVERITY, data, fitted_on=known)
    assert figures["second_set_full_evidence"]["top1"].value == 1.0


def test_second_set_that_was_fitted_on_gives_no_figure(tmp_path):
    data = published(tmp_path, HERNIA)
    known = [visit.patient for visit in read_ranked(data)]
    with pytest.raises(DataSetMalformedError):
        evaluate_ranked(fit().model, vocabulary(), SEVERITY, data, fitted_on=known)
