"""Files the clinician asked for, written where they said."""

from pathlib import Path

from ddx.errors import DdxError


class ExportFileError(DdxError):
    """The chosen file cannot be written. Nothing was exported there."""

    code = "export.file"


def write(path: str, content: bytes) -> str:
    """Write `content` and return `path`. Raises ExportFileError."""
    try:
        Path(path).write_bytes(content)
    except OSError as error:
        raise ExportFileError(type(error).__name__) from error
    return path
