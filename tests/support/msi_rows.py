"""Tables of an MSI as msiinfo shows them."""

import subprocess

EPOCH = 1_764_000_000
"""The clock of builds in tests."""


def rows_of(package, table):
    """Return the rows of one table as dicts, by msiinfo."""
    shown = subprocess.run(
        ["msiinfo", "export", str(package), table], capture_output=True, check=True
    )
    heads, _, _, *rows = shown.stdout.decode("utf-8").replace("\r", "").rstrip("\n").split("\n")
    return [dict(zip(heads.split("\t"), row.split("\t"), strict=True)) for row in rows]
