"""Names of the files of one store."""

from typing import Final

DATABASE: Final = "clinic.db"
SLOTS: Final = "keys.json"
ATTEMPTS: Final = "attempts.json"
EPOCH: Final = "epoch"
"""Beside the folder, as `<name>.epoch`: the highest device epoch begun here."""
