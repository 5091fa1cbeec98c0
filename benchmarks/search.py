"""How soon a typed query finds its finding, beside SQLite's own full-text index on the same names.

The peer is FTS5 with the trigram tokenizer: what an application would use that has a database and
no search of its own. It finds letters, not misspellings.
"""

import csv
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ddx.engine import Engine
from ddx.terminology.normalise import fold

QUERIES = Path(__file__).resolve().parents[1] / "tests/unit/ddx/terminology/queries_es.tsv"
FIRST = 3


def rows(engine: Engine) -> list[str]:
    """Return the table lines: ours and the peer's, share found in the first three, ms."""
    queries = _queries()
    engine.search.warm()
    peer = _Trigrams(engine)
    ours = _measured(lambda q: [h.id for h in engine.search.search(q, "es")[:FIRST]], queries)
    theirs = _measured(peer.search, queries)
    ratio = np.median(theirs[1]) / np.median(ours[1])
    return [
        "## Finding a finding by what was typed",
        "",
        f"{len(queries)} Spanish queries: accent-less, misspelt, lay. One thread, thread time.",
        "",
        f"| what | found in the first {FIRST} | median ms | p95 ms | ratio of medians |",
        "|---|---|---|---|---|",
        _line("our search", *ours, ""),
        _line("SQLite FTS5, trigrams, same names", *theirs, f"{ratio:.2f}x of ours"),
    ]


class _Trigrams:
    """The names of the catalogue in an FTS5 table in memory."""

    def __init__(self, engine: Engine) -> None:
        self._table = sqlite3.connect(":memory:")
        self._table.execute(
            "CREATE VIRTUAL TABLE name USING fts5(text, id UNINDEXED, tokenize='trigram')"
        )
        names = ((fold(name.text), name.id) for name in engine.catalogue.names())
        self._table.executemany("INSERT INTO name VALUES (?, ?)", names)

    def search(self, query: str) -> list[str]:
        """Return the first findings with every word of the query, best first."""
        words = [f'"{word}"' for word in fold(query).split() if len(word) >= FIRST]
        if not words:
            return []
        found = self._table.execute(
            "SELECT id FROM name WHERE name MATCH ? ORDER BY rank LIMIT 20", (" ".join(words),)
        )
        return list(dict.fromkeys(row[0] for row in found))[:FIRST]


def _queries() -> list[tuple[str, set[str]]]:
    with QUERIES.open(encoding="utf-8", newline="") as lines:
        table = csv.DictReader(lines, delimiter="\t")
        return [(row["query"], set(row["expected"].split("|"))) for row in table]


def _measured(
    search: Callable[[str], list[str]], queries: list[tuple[str, set[str]]]
) -> tuple[float, np.ndarray]:
    """Return the share found and milliseconds per query."""
    found, ms = 0, []
    for query, wanted in queries:
        started = time.thread_time()
        hits = search(query)
        ms.append((time.thread_time() - started) * 1000)
        found += bool(wanted.intersection(hits))
    return found / len(queries), np.array(ms)


def _line(label: str, found: float, ms: np.ndarray, ratio: str) -> str:
    return (
        f"| {label} | {found:.3f} | {np.median(ms):.2f} | {np.percentile(ms, 95):.2f} | {ratio} |"
    )
