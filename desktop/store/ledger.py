"""Who was erased, written beside the store and beside its backups.

A backup made before an erasure still holds the patient. The ledger outlives the store: a restore
reads it and erases again whoever the backup brings back. It holds pseudonyms, times and proofs,
nothing a person can be told by. Each line carries an HMAC under the clinic's key, so that a
stranger's line erases nobody.
"""

import hashlib
import hmac
import json
import logging
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from ddx.domain.canonical import canonical_json
from ddx.domain.identifiers import record_id
from ddx.errors import DdxError
from desktop.store.files import write_atomically
from desktop.store.records import ErasureRecord

NAME: Final = "erasures.json"
_FORMAT: Final = 1
_CONTEXT: Final = b"vereda erasure ledger\n"

_log = logging.getLogger(__name__)


class ErasureLedger:
    """One list in several places; what one place lost the others still tell."""

    def __init__(self, *places: Path) -> None:
        """Bind the files. A place whose folder is not there is passed over."""
        self._places = places

    def also(self, place: Path) -> "ErasureLedger":
        """Return this ledger with one more place."""
        return ErasureLedger(*self._places, place)

    def genuine(self, clinic_key: bytes) -> tuple[ErasureRecord, ...]:
        """Return the erasures that this clinic wrote, oldest first, from every place."""
        lines = {line["pseudonym"]: line for place in self._places for line in _lines(place)}
        told = (_erasure(line) for line in lines.values() if _is_genuine(line, clinic_key))
        return tuple(sorted(told, key=lambda e: (e.erased_at, e.pseudonym)))

    def keep(self, clinic_key: bytes, erasures: Iterable[ErasureRecord]) -> None:
        """Add what is not there yet, in every place; lines of another clinic stay.

        Raises:
            StoreFullError, StoreError: the places not yet written are as they were.
        """
        own = [_line(erasure, clinic_key) for erasure in erasures]
        for place in self._places:
            if not place.parent.is_dir():
                continue
            before = _lines(place)
            there = {line["mac"] for line in before}
            added = [line for line in own if line["mac"] not in there]
            if added:
                content = {"format": _FORMAT, "erased": [*before, *added]}
                write_atomically(place, json.dumps(content, indent=1).encode())


def _line(erasure: ErasureRecord, key: bytes) -> dict[str, Any]:
    told = {
        "pseudonym": erasure.pseudonym,
        "clinician": erasure.clinician_id,
        "erased_at": erasure.erased_at.isoformat(),
        "proof": erasure.proof,
        "diagnoses": erasure.diagnoses,
    }
    return {**told, "mac": _mac(told, key)}


def _mac(told: Mapping[str, Any], key: bytes) -> str:
    return hmac.new(key, _CONTEXT + canonical_json(dict(told)), hashlib.sha256).hexdigest()


def _is_genuine(line: Mapping[str, Any], key: bytes) -> bool:
    told = {name: value for name, value in line.items() if name != "mac"}
    return hmac.compare_digest(_mac(told, key), line["mac"])


def _erasure(line: Mapping[str, Any]) -> ErasureRecord:
    return ErasureRecord(
        pseudonym=line["pseudonym"],
        clinician_id=record_id(line["clinician"]),
        erased_at=datetime.fromisoformat(line["erased_at"]),
        proof=line["proof"],
        diagnoses=line["diagnoses"],
    )


def _lines(place: Path) -> list[dict[str, Any]]:
    """Return the lines of one place; a damaged file has none, the other places and the store do."""
    if not place.is_file():
        return []
    try:
        raw = json.loads(place.read_bytes())
        lines = [dict(line) for line in raw["erased"]]
        for line in lines:
            _erasure(line)
            line["mac"].encode("ascii")
    except (OSError, KeyError, TypeError, ValueError, AttributeError, DdxError):
        _log.warning("an erasure ledger is unreadable; it is written anew from the store")
        return []
    return lines
