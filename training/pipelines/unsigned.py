"""Members on their way to being signed."""

from collections.abc import Mapping
from dataclasses import dataclass

from ddx.errors import ModelError


@dataclass(frozen=True, slots=True)
class UnsignedMembers:
    """Members nobody has signed yet, readable by an engine inside training only."""

    members: Mapping[str, bytes]
    version: str
    digest: str = "unsigned"

    def read(self, name: str) -> bytes:
        """Return one member. Raises ModelError when it is absent."""
        if name not in self.members:
            raise ModelError(f"no member {name}")
        return self.members[name]
