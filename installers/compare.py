"""`python -m installers.compare A B`: what differs between two builds of one commit.

Prints one line per file: only in one, or different content. Exit code 1 when anything differs.
"""

import filecmp
import sys
from collections.abc import Iterator
from pathlib import Path


def differences(first: Path, second: Path) -> Iterator[str]:
    """Yield the relative paths that differ, with how; links are compared by where they lead."""
    ours, theirs = _inside(first), _inside(second)
    for name in sorted(ours | theirs):
        if name not in ours or name not in theirs:
            yield f"only in one: {name}"
        elif not _same(first / name, second / name):
            yield f"differs: {name}"


def _inside(folder: Path) -> set[str]:
    return {
        p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_symlink() or p.is_file()
    }


def _same(first: Path, second: Path) -> bool:
    if first.is_symlink() or second.is_symlink():
        both = first.is_symlink() and second.is_symlink()
        return both and first.readlink() == second.readlink()
    return filecmp.cmp(first, second, shallow=False)


def main(argv: list[str] | None = None) -> int:
    """Compare two folders."""
    first, second = (Path(name) for name in (argv or sys.argv[1:]))
    found = list(differences(first, second))
    for line in found:
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"{len(found)} of {len(_inside(first))} files differ\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
