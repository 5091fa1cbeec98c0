"""Names of the files of one store."""

from typing import Final

DATABASE: Final = "clinic.db"
SLOTS: Final = "keys.json"
ATTEMPTS: Final = "attempts.json"
EPOCH: Final = "epoch"
"""Beside the folder, as `<name>.epoch`: the highest device epoch begun here."""
BACKING_UP: Final = "backup.lock"
"""Beside the folder, as `<name>.backup.lock`: held by whoever makes a backup."""
