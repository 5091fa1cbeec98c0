import pytest

from desktop.presenters.likelihood import Frequency, natural_frequency


@pytest.mark.parametrize(
    ("probability", "said"),
    [
        (0.0, Frequency(1, 100, -1)),
        (0.009, Frequency(1, 100, -1)),
        (0.01, Frequency(1, 100)),
        (0.049, Frequency(5, 100)),
        (0.094, Frequency(9, 100)),
        (0.096, Frequency(1, 10)),
        (0.873, Frequency(9, 10)),
        (0.906, Frequency(91, 100)),
        (0.99, Frequency(99, 100)),
        (0.995, Frequency(99, 100, 1)),
        (1.0, Frequency(99, 100, 1)),
    ],
)
def test_a_probability_is_said_as_a_count(probability, said):
    assert natural_frequency(probability) == said


def test_what_is_said_is_never_further_than_half_a_count_away():
    for thousandth in range(10, 991):
        probability = thousandth / 1000
        said = natural_frequency(probability)
        assert abs(said.count / said.of - probability) <= 0.5 / said.of + 1e-9


@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan")])
def test_what_is_no_probability_is_refused(value):
    with pytest.raises(ValueError, match="not a probability"):
        natural_frequency(value)
