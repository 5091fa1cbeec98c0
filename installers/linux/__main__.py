"""`python -m installers.linux`: make the deb from `dist/vereda`."""

import argparse
import sys
import tempfile
from pathlib import Path

from installers.clock import build_clock
from installers.linux.deb import lay_out, pack
from installers.version import version

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Make the package and print where it is."""
    parser = argparse.ArgumentParser(prog="installers.linux", description=__doc__)
    parser.add_argument("--application", type=Path, default=ROOT / "dist" / "vereda")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--version", default=version(ROOT))
    parser.add_argument("--level", type=int, default=6, help="of xz, 0 (quick) to 9")
    asked = parser.parse_args()
    package: Path = asked.out / f"vereda_{asked.version}_amd64.deb"
    with tempfile.TemporaryDirectory() as name:
        tree = Path(name) / "tree"
        lay_out(asked.application, ROOT, tree, asked.version)
        pack(tree, package, build_clock(ROOT), level=asked.level)
    sys.stdout.write(f"{package}: {package.stat().st_size / 1e6:.1f} MB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
