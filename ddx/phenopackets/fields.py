"""Fields of protobuf JSON: camelCase or snake_case, null for absent, numbers for enum names."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

_HUMP = re.compile(r"(?<!^)(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Node:
    """One value of the document and where it stands. value: None where it is absent."""

    value: Any
    place: str = ""

    def at(self, name: str) -> Self:
        """Return the field of that camelCase name, also when it is written in snake_case."""
        fields = self.value if isinstance(self.value, Mapping) else {}
        snake = _HUMP.sub("_", name).lower()
        written = name if name in fields else snake if snake in fields else name
        dot = "." if self.place else ""
        return type(self)(fields.get(written), f"{self.place}{dot}{written}")

    def down(self, path: str) -> Self:
        """Return the field at a dotted path of camelCase names."""
        node = self
        for name in path.split("."):
            node = node.at(name)
        return node

    def items(self) -> Iterator[Self]:
        """Yield the members of a list; none for anything else."""
        if isinstance(self.value, list):
            for number, value in enumerate(self.value):
                yield type(self)(value, f"{self.place}[{number}]")

    def text(self) -> str:
        """Return the value as text, stripped; empty where it is absent or has parts."""
        if self.value is None or isinstance(self.value, Mapping | list):
            return ""
        return str(self.value).strip()

    def __bool__(self) -> bool:
        return self.value is not None
