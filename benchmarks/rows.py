"""One line of docs/reliability.md, as the benchmarks that write into it make them."""

from dataclasses import dataclass
from typing import Final

NO_BAR: Final = "no bar"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the report. met: None where the bar could not be measured."""

    what: str
    bar: str
    measured: str
    met: bool | None
