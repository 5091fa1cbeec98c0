"""PNG and ICO of `vereda.svg`."""

import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).with_name("vereda.svg")
PNG_SIZES: Final = (16, 32, 48, 128, 256)
_ICO_HEAD: Final = struct.Struct("<HHH")
_ICO_ENTRY: Final = struct.Struct("<BBBBHHII")


def png(size: int) -> bytes:
    """Return the icon as PNG, `size` pixels square."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import QBuffer, QIODevice  # noqa: PLC0415 -- a builder without Qt has SVG
    from PySide6.QtGui import QImage, QPainter  # noqa: PLC0415
    from PySide6.QtSvg import QSvgRenderer  # noqa: PLC0415

    image = QImage(size, size, QImage.Format.Format_ARGB32)
    image.fill(0)
    painter = QPainter(image)
    QSvgRenderer(str(SOURCE)).render(painter)
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload] # the stub wants bytes, Qt wants text
    return bytes(buffer.data().data())


def ico(sizes: Sequence[int] = PNG_SIZES) -> bytes:
    """Return the icon as ICO with one PNG per size.

    Source: Microsoft, "Icons" (ICONDIR, ICONDIRENTRY); PNG entries since Windows Vista.
    """
    images = [png(size) for size in sizes]
    offset = _ICO_HEAD.size + _ICO_ENTRY.size * len(images)
    entries = []
    for size, image in zip(sizes, images, strict=True):
        edge = size % 256  # 0 means 256
        entries.append(_ICO_ENTRY.pack(edge, edge, 0, 0, 1, 32, len(image), offset))
        offset += len(image)
    return b"".join([_ICO_HEAD.pack(0, 1, len(images)), *entries, *images])
