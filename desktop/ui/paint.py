"""Hand-drawn parts of the lists: segments, badges, bars. Geometry in pixels of the font."""

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem

from desktop.ui.theme import Colours, colours

RADIUS = 6
BAND_SEGMENTS = 4
WRAP = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap
CENTRED = Qt.AlignmentFlag.AlignCenter


def sized(font: QFont, factor: float, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """Return `font` at `factor` of its size."""
    made = QFont(font)
    made.setPixelSize(max(9, round(font.pixelSize() * factor)))
    made.setWeight(weight)
    return made


def wrapped_height(text: str, font: QFont, width: int, lines: int = 2) -> int:
    """Height of `text` wrapped to `width`, at most `lines` lines."""
    metrics = QFontMetrics(font)
    box = metrics.boundingRect(QRect(0, 0, max(width, 40), 10_000), WRAP, text)
    return min(box.height(), metrics.lineSpacing() * lines)


def row_ground(painter: QPainter, option: QStyleOptionViewItem) -> None:
    """Ground of a row: raised when current, a bar at its side when the list has the focus."""
    c = colours()
    if not option.state & QStyle.StateFlag.State_Selected:
        return
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(c.raised))
    painter.drawRoundedRect(option.rect.adjusted(3, 1, -3, -1), RADIUS, RADIUS)
    if option.state & QStyle.StateFlag.State_HasFocus:
        painter.setBrush(QColor(c.accent))
        painter.drawRoundedRect(
            QRect(option.rect.left() + 3, option.rect.top() + 6, 3, option.rect.height() - 12), 1, 1
        )


def write(
    painter: QPainter, box: QRect, text: str, font: QFont, colour: str, *, flags: int = WRAP
) -> None:
    """Write `text` into `box`; what does not fit on two lines ends in an ellipsis."""
    painter.setFont(font)
    painter.setPen(QColor(colour))
    metrics = QFontMetrics(font)
    needed = metrics.boundingRect(QRect(0, 0, box.width(), 10_000), int(flags), text)
    if needed.height() > box.height() + metrics.descent():
        lines = max(1, box.height() // metrics.lineSpacing())
        text = metrics.elidedText(
            text, Qt.TextElideMode.ElideRight, round(box.width() * (lines - 0.15))
        )
    painter.drawText(box, int(flags), text)


def badge(
    painter: QPainter, right_middle: tuple[int, int], text: str, font: QFont, *, rare: bool
) -> int:
    """Draw the common / rare badge ending at a point; return its width."""
    c = colours()
    metrics = QFontMetrics(font)
    width, height = metrics.horizontalAdvance(text) + 16, metrics.height() + 4
    x, y = right_middle
    box = QRect(x - width, y - height // 2, width, height)
    painter.setBrush(QColor(c.rare_soft) if rare else Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(c.rare if rare else c.line), 1))
    painter.drawRoundedRect(box, height / 2, height / 2)
    painter.setFont(font)
    painter.setPen(QColor(c.rare if rare else c.quiet))
    painter.drawText(box, CENTRED, text)
    return width


def moment_on_line(painter: QPainter, row: QRect, *, marked: bool) -> None:
    """Draw a point of a vertical line of time at the left of a row; a marked one is full."""
    c = colours()
    x, middle = row.left() + 18, row.center().y()
    painter.setPen(QPen(QColor(c.edge), 2))
    painter.drawLine(x, row.top(), x, row.bottom())
    painter.setPen(QPen(QColor(c.accent), 2))
    painter.setBrush(QColor(c.accent if marked else c.surface))
    painter.drawEllipse(QPointF(x, middle), 6, 6)


def band_bar(painter: QPainter, box: QRect, filled: int) -> None:
    """Draw the four segments of a probability band, `filled` of them full."""
    c = colours()
    gap = 3
    width = (box.width() - gap * (BAND_SEGMENTS - 1)) / BAND_SEGMENTS
    painter.setPen(Qt.PenStyle.NoPen)
    for i in range(BAND_SEGMENTS):
        painter.setBrush(QColor(c.accent if i < filled else c.line))
        left = box.left() + i * (width + gap)
        painter.drawRoundedRect(QRectF(left, box.top(), width, box.height()), 2, 2)


def segment(painter: QPainter, box: QRect, text: str, font: QFont, tone: str, *, on: bool) -> None:
    """Draw one of the three state keys of a finding. tone: present, excluded or unknown."""
    c = colours()
    painter.setPen(QPen(QColor(_edge(c, tone, on=on)), 1))
    painter.setBrush(QColor(_fill(c, tone)) if on else Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(box, 4, 4)
    painter.setFont(sized(font, 0.86, QFont.Weight.DemiBold if on else QFont.Weight.Normal))
    painter.setPen(QColor(_ink(c, tone) if on else c.quiet))
    painter.drawText(box, CENTRED, text)


def _fill(c: Colours, tone: str) -> str:
    return {"present": c.accent, "excluded": c.quiet}.get(tone, c.raised)


def _ink(c: Colours, tone: str) -> str:
    return {"present": c.accent_ink, "excluded": c.surface}.get(tone, c.ink)


def _edge(c: Colours, tone: str, *, on: bool) -> str:
    if not on:
        return c.line
    return {"present": c.accent, "excluded": c.quiet}.get(tone, c.edge)
