"""Files the clinician asked for, written where they said."""

from contextlib import suppress
from pathlib import Path

from ddx.domain.course import UNWATCHED, Course
from ddx.errors import DdxError


class ExportFileError(DdxError):
    """The chosen file cannot be written. Nothing was exported there."""

    code = "export.file"


def write(path: str, content: bytes, course: Course = UNWATCHED) -> str:
    """Write `content` and return `path`; a file of that name is replaced whole or not at all.

    Raises ExportFileError.
    """
    target = Path(path)
    half = target.with_name(f".{target.name}.unfinished")
    course.last_step()
    try:
        half.write_bytes(content)
        half.replace(target)
    except OSError as error:
        with suppress(OSError):
            half.unlink()
        raise ExportFileError(type(error).__name__) from error
    return path
