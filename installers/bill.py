"""Bill of materials of one artefact, as CycloneDX 1.6 JSON.

Source: ECMA-424 (CycloneDX 1.6). The serial number is derived from the content, so that two
builds of one commit have the same bill.
"""

import json
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from installers.frozen.inventory import Part

NAMESPACE: Final = uuid.UUID("0d8ccf0e-6c35-4f2b-8f2e-6d8d7d0b6a51")
"""Of the serial numbers; drawn once."""


def bill_of_materials(name: str, version: str, parts: Iterable[Part], epoch: int) -> dict[str, Any]:
    """Return the bill of `name` at `version`; epoch: the clock of the build, Unix seconds."""
    components = [_component(part) for part in parts]
    root = {
        "type": "application",
        "bom-ref": f"{name}@{version}",
        "name": name,
        "version": version,
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    }
    content = json.dumps([root, components], sort_keys=True)
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, content)}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(epoch, UTC).isoformat().replace("+00:00", "Z"),
            "component": root,
        },
        "components": components,
        "dependencies": [
            {"ref": root["bom-ref"], "dependsOn": [c["bom-ref"] for c in components]},
            *({"ref": c["bom-ref"]} for c in components),
        ],
    }


def _component(part: Part) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": part.purl,
        "name": part.name,
        "version": part.version,
        "purl": part.purl,
    }
    if part.licence:
        component["licenses"] = [{"license": {"name": part.licence}}]
    return component
