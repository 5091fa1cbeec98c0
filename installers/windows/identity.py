"""Names and numbers Windows knows the product by. What is stable here stays for ever."""

import uuid
from typing import Final

NAME: Final = "Vereda"
MANUFACTURER: Final = "The Vereda authors"
HELP: Final = "https://vereda.example.org/it"
UPGRADE_CODE: Final = uuid.UUID("8f7a2f2e-6d0d-4f6b-9a54-0c7c1b9f5e10")
"""One for all versions: how Windows finds what a new version replaces."""
COMPONENTS: Final = uuid.UUID("b1f6f6c0-43a4-4f0f-9d7e-0a6f2a0c7d51")
PRODUCTS: Final = uuid.UUID("5f0c1d0a-1d5c-4b39-8a0f-6b2f4b1f2c33")
PACKAGES: Final = uuid.UUID("2f6bfb1a-7f63-4f0e-9d1c-58c9a0d0a7e2")
SERVICE: Final = "VeredaSync"
LANGUAGE: Final = 3082
"""Spanish (Spain, modern sort); the only text an installation shows is in it."""


def component_guid(place: str) -> str:
    """Return the component of a file or registry value, the same in every version.

    place: path inside the target folder, or a name of ours. Windows Installer counts components
    by this number: a file that moves is another component.
    """
    return _braced(uuid.uuid5(COMPONENTS, place.lower().replace("\\", "/")))


def product_code(version: str) -> str:
    """Return the product of one version: every version is a major upgrade of the one before."""
    return _braced(uuid.uuid5(PRODUCTS, version))


def package_code(digest: str) -> str:
    """Return the number of one MSI file, from the digest of what it holds."""
    return _braced(uuid.uuid5(PACKAGES, digest))


def _braced(number: uuid.UUID) -> str:
    return f"{{{str(number).upper()}}}"
