"""The two dates in the summary of an MSI, which its tools set to the moment they run.

Source: [MS-OLEPS] 2.21 and 2.23, a property set: 28 bytes of header, the format's id, where its
section begins; a section: its size, the number of properties, then id and place of each.
"""

import struct
import uuid
from typing import Final

_SUMMARY: Final = uuid.UUID("f29f85e0-4ff9-1068-ab91-08002b27b3d9").bytes_le
_HEADER: Final = 28
_CREATED, _SAVED = 12, 13
_FILETIME: Final = 64
_EPOCH_OF_WINDOWS: Final = 11_644_473_600
"""Seconds from 1601-01-01, where FILETIME begins, to 1970-01-01."""


def dated(package: bytes, epoch: int) -> bytes:
    """Return an MSI whose summary says it was created and saved at `epoch`, Unix seconds.

    Raises:
        ValueError: there is no summary with both dates, in one piece.
    """
    changed = bytearray(package)
    begins = package.index(_SUMMARY) - _HEADER
    section = begins + _number(package, begins + _HEADER + len(_SUMMARY))
    for n in range(_number(package, section + 4)):
        number = _number(package, section + 8 + 8 * n)
        place = section + _number(package, section + 12 + 8 * n)
        if number in {_CREATED, _SAVED}:
            if _number(package, place) != _FILETIME:
                raise ValueError(f"property {number} of the summary is no date")
            ticks = (epoch + _EPOCH_OF_WINDOWS) * 10_000_000
            struct.pack_into("<Q", changed, place + 4, ticks)
    return bytes(changed)


def _number(content: bytes, place: int) -> int:
    return int(struct.unpack_from("<I", content, place)[0])
