"""What goes into the frozen application besides modules, and what PyInstaller finds in vain."""

import re
import tomllib
from pathlib import Path
from typing import Final

DATA: Final = (
    ("model_bundles/default", "**/*"),
    ("desktop/ui/i18n", "*.qm"),
    ("desktop/services", "*.json"),
    ("desktop/store/migrations", "**/*.py"),
)
"""Files our rooms read beside their modules; Alembic reads migrations as source."""

NEVER: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"(^|/)libQt6(Qml|Quick|Pdf|VirtualKeyboard|Network|OpenGL|Svg|EglFs|Sql|Test)",
        r"(^|/)Qt6(Qml|Quick|Pdf|VirtualKeyboard|Network|OpenGL|Svg|Sql|Test)",
        r"PySide6/(Qt/)?plugins/(tls|networkinformation|egldeviceintegrations|sqldrivers)/",
        r"PySide6/(Qt/)?plugins/(generic|virtualkeyboard|iconengines)/",
        r"PySide6/(Qt/)?plugins/platforms/\w*(vnc|linuxfb|eglfs|minimalegl|vkkhr|direct2d)",
        r"PySide6/(Qt/)?plugins/platforminputcontexts/\w*virtualkeyboard",
        r"PySide6/(Qt/)?plugins/platformthemes/\w*gtk3",
        r"PySide6/(Qt/)?plugins/imageformats/\w*(qpdf|qsvg|qtga|qtiff|qwbmp|qwebp|qicns|qgif)",
        r"PySide6/(Qt/)?translations/(?!qtbase_(es|en)\.qm$)",
        r"PySide6/opengl32sw\.dll$",
        r"(^|/)onnxruntime/(transformers|tools|quantization|datasets|backend)/",
        r"(^|/)numpy/.*/tests/",
        r"(^|/)zstandard/_cffi\.",  # what PyPy uses
        r"(^|/)lib(gtk|gdk|pango\w*|cairo\w*|atk|harfbuzz|gdk_pixbuf|rsvg|epoxy|tiff|webp|jbig)[-_.\d]",
        r"(^|/)tz(data)?/zoneinfo/",
        r"(^|/)direct_url\.json$",
        r"dist-info/(RECORD|INSTALLER|REQUESTED|WHEEL)$",
    )
)
"""Parts of libraries nothing in the window loads: QML, Network, database drivers, GTK themes."""


def belongs(name: str) -> bool:
    """Whether a file PyInstaller collected goes in; name: its place inside the folder."""
    place = name.replace("\\", "/")
    return not any(pattern.search(place) for pattern in NEVER)


def our_files(root: Path) -> list[tuple[str, str]]:
    """Return (file, folder inside the application) of every file our rooms read."""
    return [
        (str(path), path.parent.relative_to(root).as_posix())
        for folder, pattern in DATA
        for path in sorted((root / folder).glob(pattern))
        if path.is_file() and "__pycache__" not in path.parts
    ]


def our_metadata(root: Path, work: Path) -> list[tuple[str, str]]:
    """Write the distribution's name, version and entry points under `work`; return as data.

    Made from pyproject.toml and not copied: an editable install's metadata names this machine.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    name = f"{project['name']}-{project['version']}.dist-info"
    folder = work / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    lines = []
    for group, entries in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{key} = {value}" for key, value in entries.items()), ""]
    (folder / "entry_points.txt").write_text("\n".join(lines))
    return [(str(path), name) for path in sorted(folder.iterdir())]
