"""`python -m installers.windows`: make the MSI, its bill of materials and its deployment files.

Without --payload the folder is made from Windows wheels and the embeddable CPython; a release
passes the folder PyInstaller froze on Windows.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from installers.bill import bill_of_materials
from installers.clock import build_clock
from installers.notices import notices
from installers.version import version
from installers.windows.msi import make_msi
from installers.windows.payload import make_payload
from installers.windows.rollout_files import write_rollout_files

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Make everything and print where it is."""
    parser = argparse.ArgumentParser(prog="installers.windows", description=__doc__)
    parser.add_argument("--payload", type=Path, help="a frozen folder instead of wheels")
    parser.add_argument("--downloads", type=Path, default=ROOT / "build" / "windows")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--version", default=version(ROOT))
    asked = parser.parse_args()
    epoch = build_clock(ROOT)
    package: Path = asked.out / f"Vereda-{asked.version}-x64.msi"
    with tempfile.TemporaryDirectory() as name:
        payload = asked.payload or _made(
            Path(name) / "payload", asked.downloads, asked.version, epoch
        )
        make_msi(payload, asked.version, package, epoch)
        bill = payload / "sbom.cdx.json"
        package.with_suffix(".cdx.json").write_bytes(bill.read_bytes())
    write_rollout_files(asked.out / "windows", package, asked.version)
    sys.stdout.write(f"{package}: {package.stat().st_size / 1e6:.1f} MB\n")
    return 0


def _made(payload: Path, downloads: Path, number: str, epoch: int) -> Path:
    parts = make_payload(ROOT, downloads, payload)
    bill = bill_of_materials("vereda-windows", number, parts, epoch)
    (payload / "sbom.cdx.json").write_text(json.dumps(bill, indent=1) + "\n", encoding="utf-8")
    (payload / "THIRD-PARTY-NOTICES.txt").write_text(notices(parts), encoding="utf-8")
    (payload / "LICENSE.txt").write_bytes((ROOT / "LICENSE").read_bytes())
    return payload


if __name__ == "__main__":
    sys.exit(main())
