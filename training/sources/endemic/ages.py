"""The age bands of the knowledge base."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

AGE_BANDS: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {
        "under-1": (0.0, 1.0),
        "1-4": (1.0, 5.0),
        "5-14": (5.0, 15.0),
        "15-29": (15.0, 30.0),
        "30-44": (30.0, 45.0),
        "45-59": (45.0, 60.0),
        "60-plus": (60.0, 90.0),
    }
)
"""Name -> first age of the band and first age after it, in years; the last holds older ones too."""


def band_of(age_years: float) -> str:
    """Return the name of the band an age falls in."""
    return next((b for b, (_, end) in AGE_BANDS.items() if age_years < end), "60-plus")
