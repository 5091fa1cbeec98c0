from ddx.domain.differential import Band, Candidate, Differential, World
from ddx.domain.identifiers import DiseaseId
from desktop.presenters.moves import Move, moves

FLU, DENGUE, MALARIA = map(DiseaseId, ("VD:influenza", "VD:dengue", "VD:malaria"))


def listed(*diseases, band=Band.LIKELY):
    return Differential(
        candidates=tuple(
            Candidate(rank=rank, disease=d, probability=0.3, band=band, world=World.COMMON)
            for rank, d in enumerate(diseases, start=1)
        ),
        outside_probability=0.1,
        unused=(),
        alerts=(),
        bundle_version="2026.11.1",
        bundle_digest="00",
    )


def test_places_up_and_down_are_counted_and_a_newcomer_is_told():
    moved = moves(listed(FLU, DENGUE), listed(DENGUE, FLU, MALARIA))
    assert moved == {DENGUE: Move(1), FLU: Move(-1), MALARIA: Move(None)}


def test_a_band_that_changed_is_told_even_where_the_place_did_not():
    moved = moves(listed(FLU), listed(FLU, band=Band.POSSIBLE))
    assert moved == {FLU: Move(0, Band.LIKELY)}


def test_nothing_moved_without_a_list_before_or_a_change():
    assert moves(None, listed(FLU)) == {}
    assert moves(listed(FLU), listed(FLU)) == {}
