"""The root of every error raised on purpose, and the errors of the clinical core.

An error carries a stable `code`, never a sentence for the screen: `cloud_api.errors` maps the
code to a status, `desktop.ui.messages` to words in the clinician's language.
"""

from typing import ClassVar


class DdxError(Exception):
    """Root of everything we raise on purpose."""

    code: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False


class IdentifierError(DdxError):
    """A finding, disease or record identifier is malformed."""

    code = "identifier.malformed"

    def __init__(self, kind: str, value: str) -> None:
        super().__init__(f"not a {kind}: {value!r}")
        self.kind, self.value = kind, value


class UnknownFindingError(DdxError):
    """A finding code is not in the catalogue of the active bundle."""

    code = "finding.unknown"

    def __init__(self, finding_id: str) -> None:
        super().__init__(f"finding {finding_id} is not in the catalogue")
        self.finding_id = finding_id


class UnknownDiseaseError(DdxError):
    """A disease code is not known to any model of the active bundle."""

    code = "disease.unknown"

    def __init__(self, disease_id: str) -> None:
        super().__init__(f"disease {disease_id} is not known to the active bundle")
        self.disease_id = disease_id


class CaseError(DdxError):
    """A case breaks one of its own rules (built without going through intake)."""

    code = "case.invalid"


class ModelError(DdxError):
    """A model artefact cannot be used: missing, malformed, or not the shape it declares."""

    code = "model.unusable"


class ModelBlockedError(DdxError):
    """The safety role has stopped the model that would have to answer. model: its world."""

    code = "model.blocked"

    def __init__(self, model: str) -> None:
        super().__init__(f"model {model} is blocked")
        self.model = model


class SchemaMismatchError(ModelError):
    """A model and the feature schema beside it do not belong together."""

    code = "model.schema_mismatch"
