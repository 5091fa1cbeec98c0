"""What IT hands to Intune, winget and group policy beside one MSI.

policies/Vereda.admx, policies/es-ES/Vereda.adml, policies/en-US/Vereda.adml
intune/Detect-Vereda.ps1
winget/ TheVeredaAuthors.Vereda[.installer|.locale.es-ES].yaml
"""

import argparse
import hashlib
import sys
from pathlib import Path
from typing import Final

from installers.windows import identity
from installers.windows.admx import LANGUAGES, adml, admx

PACKAGE: Final = "TheVeredaAuthors.Vereda"
SCHEMA: Final = "1.6.0"
"""Of the winget manifests."""

DETECT: Final = """\
# Intune, Win32 app, custom detection rule (64-bit): exit code 0 with output means installed.
$wanted = [version]'{version}'
$upgradeCode = '{upgrade_code}'
$installer = New-Object -ComObject WindowsInstaller.Installer
foreach ($product in $installer.RelatedProducts($upgradeCode)) {{
    $found = [version]$installer.ProductInfo($product, 'VersionString')
    if ($found -ge $wanted) {{
        Write-Output "Vereda $found"
        exit 0
    }}
}}
exit 1
"""


def write_rollout_files(folder: Path, package: Path, version: str) -> list[Path]:
    """Write everything under `folder`; return the files. package: the finished, signed MSI."""
    digest = hashlib.sha256(package.read_bytes()).hexdigest().upper()
    contents = {
        "policies/Vereda.admx": admx(),
        **{f"policies/{name}/Vereda.adml": adml(name) for name in LANGUAGES},
        "intune/Detect-Vereda.ps1": detection(version).encode(),
        **{f"winget/{name}": text.encode() for name, text in winget(version, digest).items()},
    }
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return [folder / name for name in contents]


def detection(version: str) -> str:
    """Return the script that tells Intune whether this version or a newer one is installed."""
    code = f"{{{str(identity.UPGRADE_CODE).upper()}}}"
    return DETECT.format(version=version, upgrade_code=code).replace("\n", "\r\n")


def winget(version: str, digest: str) -> dict[str, str]:
    """Return the three manifests by file name. digest: SHA-256 of the MSI, upper-case hex.

    Source: Microsoft, winget-pkgs manifest schema 1.6.
    """
    head = f"PackageIdentifier: {PACKAGE}\nPackageVersion: {version}\n"
    tail = f"ManifestVersion: {SCHEMA}\n"
    code = f"{{{str(identity.UPGRADE_CODE).upper()}}}"
    return {
        f"{PACKAGE}.yaml": f"{head}DefaultLocale: es-ES\nManifestType: version\n{tail}",
        f"{PACKAGE}.installer.yaml": (
            f"{head}InstallerType: wix\nScope: machine\nUpgradeBehavior: install\n"
            "InstallModes:\n- silent\n- silentWithProgress\n"
            "Installers:\n- Architecture: x64\n"
            f"  InstallerUrl: https://vereda.example.org/releases/Vereda-{version}-x64.msi\n"
            f"  InstallerSha256: {digest}\n"
            f"  ProductCode: '{identity.product_code(version)}'\n"
            "  AppsAndFeaturesEntries:\n"
            f"  - ProductCode: '{identity.product_code(version)}'\n"
            f"    UpgradeCode: '{code}'\n"
            f"ManifestType: installer\n{tail}"
        ),
        f"{PACKAGE}.locale.es-ES.yaml": (
            f"{head}PackageLocale: es-ES\nPublisher: {identity.MANUFACTURER}\n"
            f"PackageName: {identity.NAME}\nLicense: Apache-2.0\n"
            "ShortDescription: Diagnóstico diferencial sin conexión para centros rurales\n"
            f"ManifestType: defaultLocale\n{tail}"
        ),
    }


def main() -> int:
    """Write them again for MSI, VERSION, OUT: signing changed the MSI."""
    parser = argparse.ArgumentParser(prog="installers.windows.rollout_files")
    parser.add_argument("package", type=Path)
    parser.add_argument("version")
    parser.add_argument("out", type=Path)
    asked = parser.parse_args()
    for path in write_rollout_files(asked.out, asked.package, asked.version):
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
