"""A payload that is small and complete, and tables of an MSI as msiinfo shows them."""

import subprocess

from installers.windows.payload import LAUNCHERS, launcher

EPOCH = 1_764_000_000
"""The clock of builds in tests."""


def rows_of(package, table):
    """Return the rows of one table as dicts, by msiinfo."""
    shown = subprocess.run(
        ["msiinfo", "export", str(package), table], capture_output=True, check=True
    )
    heads, _, _, *rows = shown.stdout.decode("utf-8").replace("\r", "").rstrip("\n").split("\n")
    return [dict(zip(heads.split("\t"), row.split("\t"), strict=True)) for row in rows]


def make_small_payload(folder):
    """Real launchers, a Python that is none, two files in folders."""
    (folder / "python").mkdir(parents=True)
    (folder / "lib" / "desktop").mkdir(parents=True)
    (folder / "python" / "python.exe").write_bytes(b"MZ stands for Python")
    (folder / "lib" / "desktop" / "app.py").write_text("def main():\n    return 0\n")
    (folder / "lib" / "ñandú.txt").write_text("a name outside ASCII\n")
    for name, (stub, python, module) in LAUNCHERS.items():
        (folder / name).write_bytes(launcher(stub, python, module))
    return folder
