"""Names of the published comparison, found again in a store that renamed its cases."""

import pytest

from training.sources.published_set import MatchedBy, PacketName, match_published


def packet(id_, paper=None, subject=""):
    return PacketName(id_, subject, paper)


@pytest.mark.parametrize(
    ("name", "now", "how"),
    [
        ("PMID_1111111_A", packet("PMID_1111111_A"), MatchedBy.SAME_ID),
        ("PMID_1111111_2015_P__1", packet("PMID_1111111_2015_p_1"), MatchedBy.SPELLING),
        ("STX_G2_P3", packet("PMID_2222222_STX_G2_P3"), MatchedBy.PAPER_PREFIX),
        (
            "PMID_1111111_1111111_P06",
            packet("PMID_1111111_Patient_6", "1111111"),
            MatchedBy.INDIVIDUAL,
        ),
        (
            "PMID_1111111_IV_2",
            packet("PMID_1111111_renamed", "1111111", "Individual IV:2"),
            MatchedBy.INDIVIDUAL,
        ),
        (
            "PMID_1111111_E_II_4",
            packet("PMID_1111111_Family_E_individual_II_4", "1111111"),
            MatchedBy.FAMILY,
        ),
    ],
)
def test_a_renamed_case_is_recognised_and_says_how(name, now, how):
    assert match_published([name], [now]) == {now.id: (name, how)}


def test_the_same_number_in_another_paper_is_another_patient():
    assert match_published(["PMID_1111111_6"], [packet("PMID_2222222_Patient_6", "2222222")]) == {}


def test_a_name_that_could_be_two_patients_is_not_guessed():
    two = [packet("PMID_1111111_Patient_6", "1111111"), packet("PMID_1111111_Case_6", "1111111")]
    assert match_published(["PMID_1111111_6"], two) == {}


def test_a_case_found_under_its_own_name_is_not_taken_by_another():
    names = ["PMID_1111111_6", "PMID_1111111_Patient_6"]
    found = match_published(names, [packet("PMID_1111111_Patient_6", "1111111")])
    assert found == {"PMID_1111111_Patient_6": ("PMID_1111111_Patient_6", MatchedBy.SAME_ID)}
