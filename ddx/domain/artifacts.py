"""What the engine may read: named bytes of a bundle that was verified before.

`model_bundles.verify.VerifiedBundle` is the one implementation outside tests; the core opens
no file, so there is no way to hand it a model that nobody checked.
"""

from typing import Final, Protocol

from ddx.errors import ModelError

FINDINGS: Final = "vocabulary/findings.json"
DISEASES: Final = "vocabulary/diseases.json"
HPO_TERMS: Final = "vocabulary/hpo_terms.json"
HPO_OBO: Final = "vocabulary/hp.obo"
PHENOTYPE_HPOA: Final = "vocabulary/phenotype.hpoa"
COMMON_MODEL: Final = "models/common.onnx"
COMMON_SCHEMA: Final = "models/common_schema.json"
COMMON_TREES: Final = "models/common_trees.npz"
COMMON_BAYES: Final = "models/common_bayes.npz"
COMMON_CALIBRATION: Final = "models/common_calibration.json"
RARE_INDEX: Final = "models/rare_index.npz"
RARE_DISEASES: Final = "models/rare_diseases.json"
META_MODEL: Final = "models/meta.json"
GOLDEN_CASES: Final = "golden/cases.json"


class Artifacts(Protocol):
    """Read access to the members of one verified bundle."""

    @property
    def version(self) -> str:
        """Version of the bundle, e.g. `2026.11.1`."""

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the bundle's canonical manifest."""

    def read(self, name: str) -> bytes:
        """Return the bytes of one member. Raises ModelError when the bundle lacks it."""


def read_optional(artifacts: Artifacts, name: str) -> bytes | None:
    """Return the bytes of a member that older bundles lack; None in such a bundle.

    A member that is there but is not what was signed raises what `read` raises.
    """
    try:
        return artifacts.read(name)
    except ModelError:
        return None
